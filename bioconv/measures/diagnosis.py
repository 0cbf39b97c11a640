"""Locate losses of accuracy by comparing a simulated network with the analog one by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import check_samples, evaluate
from bioconv.analog.samples import Data
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import DataError, ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording

#: a neuron counts as saturated from this fraction of the rate that represents its scale
SATURATION = 0.99


@dataclass(frozen=True)
class LayerDiagnosis:
    """Comparison of a layer of the analog network with its populations, over all samples.

    Parameters
    ----------
    layer : str
        Name of the analog layer.
    neurons : int
        Number of neurons in the populations that represent it.
    correlation : float or None
        Pearson correlation of decoded values with analog activations; None where one of them is
        constant.
    mean_error : float
        Mean absolute difference of decoded values and activations, in units of the activation.
    saturated : float or None
        Fraction of values, over neurons and samples, of at least 99 % of the value that represents
        the scale.  None, like ``never``, for a readout that does not count spikes.
    above_scale : float or None
        Fraction of analog activations outside the range that the populations can represent.  None,
        like ``silent``, for outputs.
    silent : float or None
        Fraction of the positive activations for which no spike was emitted.
    never : float or None
        Fraction of neurons that emitted no spike for any sample.
    agreement : float
        Fraction of the analog network's decisions (classes, labels or values) that stay the same if
        only the layers up to this one spike.
    accuracy : float or None
        Fraction of decisions that are right if only the layers up to this one spike; None without
        labels.
    output_error : float
        Mean absolute error of the network's output if only the layers up to this one spike, as a
        fraction of the range of the analog output.
    """

    layer: str
    neurons: int
    correlation: float | None
    mean_error: float
    saturated: float | None
    above_scale: float | None
    silent: float | None
    never: float | None
    agreement: float
    accuracy: float | None
    output_error: float


def diagnose(
    network: SpikingNetwork,
    recording: Recording,
    x: Data,
    y: ArrayLike | None = None,
) -> list[LayerDiagnosis]:
    """Compare a simulated network with its analog network, layer by layer.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network for ``x`` that contains, for every population that represents a
        layer, the quantity named by `Population.decoded_from`.
    x : ndarray, shape (n_images, *shape), or a sequence or mapping of arrays
        The samples that were simulated.
    y : array_like of int, shape (n_images, ...), optional
        Labels, or values.

    Returns
    -------
    list of LayerDiagnosis
        In topological order of the spiking layers.  The first row in which agreement or accuracy
        drops belongs to the layer that loses accuracy.

    Raises
    ------
    DataError
        If the samples do not fit the network, or if their number differs from the recording.
    ParameterError
        If required counts or spikes were not recorded.
    """
    _check_numbers(network, recording, x)
    exact = network.analog.activations(x)
    output = network.analog.outputs[0]
    extent = float(np.ptp(exact[output])) or 1.0
    decision = first_decision(network)
    labels = None if y is None else labels_of(network, y, recording.n_images)
    analog_classes = decision.of(exact[output])
    rows: list[LayerDiagnosis] = []
    replaced: dict[str, NDArray] = {}
    carried = carried_layers(network)
    for layer in network.analog.layers:
        populations = [p for p in network.populations if carried.get(p.name) == layer.name]
        if not populations:
            continue
        replaced[layer.name] = decode(network, recording, layer.name)
        # Replace every layer up to this one; the remaining ones run as in the analog network.
        mixed = evaluate(network.analog, x, replace=replaced, names=(output,))[output]
        classes = decision.of(mixed)
        rows.append(
            LayerDiagnosis(
                layer.name,
                sum(population.n_neurons for population in populations),
                _correlation(replaced[layer.name], exact[layer.name]),
                float(np.abs(replaced[layer.name] - exact[layer.name]).mean()),
                **_shares(network, recording, populations, exact[layer.name]),
                agreement=decision.share(classes, analog_classes),
                accuracy=None if labels is None else decision.share(classes, labels),
                output_error=float(np.abs(mixed - exact[output]).mean() / extent),
            )
        )
    return rows


def carried_layers(network: SpikingNetwork) -> dict[str, str]:
    """Return the analog layer of every population that represents one or that is read out.

    Readouts are in the order of the analog network's outputs.
    """
    outputs = zip(network.readouts, network.analog.outputs, strict=False)
    layers = {readout.population: output for readout, output in outputs}
    return layers | {p.name: p.layer for p in network.populations if p.layer}


def decode(network: SpikingNetwork, recording: Recording, layer: str) -> NDArray[np.float64]:
    """Decode the activation of an analog layer from spikes, shape (n_images, *shape).

    The contributions of all populations that represent the layer are added.  An output layer is
    decoded by its readout.

    Raises
    ------
    ParameterError
        If no population represents the layer, or if required counts or spikes were not recorded.
    """
    for readout, output in zip(network.readouts, network.analog.outputs, strict=False):
        if output == layer:
            return np.asarray(recording.outputs[readout.name], np.float64)
    populations = [p for p in network.populations if p.layer == layer]
    if not populations:
        raise ParameterError(f"{network.name}: no population represents the layer {layer!r}.")
    # The values of ON and OFF cells, in a population of the shape (2, *shape), are added too.
    pairs = {p.shape for p in populations} == {(2, *network.analog.shapes()[layer])}
    total: NDArray[np.float64] = np.zeros((recording.n_images, *populations[0].shape))
    for population in populations:
        if population.shape != populations[0].shape:
            raise ParameterError(
                f"{population.name} and {populations[0].name} represent the layer {layer!r}, but "
                f"have the shapes {population.shape} and {populations[0].shape}."
            )
        shares = relative_values(recording, population).reshape(-1, *population.shape)
        total = total + population.scale * shares + population.offset
    if pairs:
        return total.sum(axis=1)
    # So are those of several neurons per unit, which form an additional last axis.
    return total.sum(axis=-1) if total.ndim > len(network.analog.shapes()[layer]) + 1 else total


def relative_values(recording: Recording, population: Population) -> NDArray[np.float64]:
    """Return activations in units of the population's scale, shape (n_images, n_neurons).

    These are rates as fractions of ``population.max_rate``, or sums of the values of spikes.  If
    exact spike times are known, values are interpolated between steps.

    Raises
    ------
    ParameterError
        If the required counts or spikes of the population were not recorded.
    """
    if population.decoded_from == "counts":
        return recording.rates(population.name) / population.max_rate
    if population.name not in recording.rasters:
        raise ParameterError(
            f"the spikes of {population.name!r} were not recorded. Simulate with "
            f'record={{"{population.name}": ("spikes",)}}.'
        )
    raster, values = recording.rasters[population.name], population.spike_values
    step = raster.step if raster.time is None else raster.time / recording.dt - 1.0
    place = np.asarray(step - population.start_step, np.float64)
    each = np.interp(place, np.arange(len(values)), values, left=0.0, right=0.0)
    total = np.zeros((recording.n_images, population.n_neurons))
    np.add.at(total, (raster.image, raster.neuron), each)
    return total


def _shares(
    network: SpikingNetwork,
    recording: Recording,
    populations: list[Population],
    exact: NDArray,
) -> dict[str, float | None]:
    """Return the fractions saturated, above_scale, silent and never of `LayerDiagnosis`."""
    kinds = {readout.population: readout.kind for readout in network.readouts}
    shares: dict[str, float | None] = dict.fromkeys(("saturated", "above_scale", "silent", "never"))
    if any(kinds.get(population.name, "count") != "count" for population in populations):
        return shares
    shape = exact.shape[1:]
    # Of ON and OFF cells, only the ON cells are considered.
    rates = np.stack([unit_values(recording, p, shape)[:, : prod(shape)] for p in populations])
    populations = [on_cells(p, shape) for p in populations]
    spikes = rates > 0
    shares["saturated"] = float(np.mean(rates >= SATURATION))
    shares["never"] = float(np.mean(~spikes.any(axis=1)))
    # Spikes of an output layer represent the value before its function, for example a softmax.
    if not any(population.name in kinds for population in populations):
        positive = exact > 0
        reached = np.reshape(spikes.any(axis=0), exact.shape)
        shares["above_scale"] = _beyond(populations, exact)
        shares["silent"] = float(np.mean(~reached[positive])) if positive.any() else None
    return shares


def signed_values(
    recording: Recording, population: Population, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return `unit_values`, where ON and OFF cells are combined to their difference."""
    values = unit_values(recording, population, shape)
    if population.shape != (2, *shape):
        return values
    return values[:, : prod(shape)] - values[:, prod(shape) :]


def unit_values(
    recording: Recording, population: Population, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return `relative_values`, averaged over the neurons of a unit if it has several."""
    values = relative_values(recording, population)
    if not _has_units(population, shape):
        return values
    return values.reshape(len(values), -1, population.shape[-1]).mean(axis=-1)


def _has_units(population: Population, shape: tuple[int, ...]) -> bool:
    """Whether each unit of a layer of this shape has several neurons, along a last axis."""
    return population.shape[:-1] == shape and population.shape != (2, *shape)


def on_cells(population: Population, shape: tuple[int, ...]) -> Population:
    """Return the population reduced to the shape of the layer.

    Of ON and OFF cells only the ON cells are kept; several neurons of a unit are summed up.
    """
    if _has_units(population, shape):
        scale, offset = (
            np.broadcast_to(values, population.shape).sum(axis=-1)
            for values in (population.scale, population.offset)
        )
        return replace(population, shape=shape, scale=scale, offset=offset)
    if population.shape != (2, *shape):
        return population
    shape = population.shape
    scale, offset = (
        np.broadcast_to(values, shape)[0] for values in (population.scale, population.offset)
    )
    return replace(population, shape=shape[1:], scale=scale, offset=offset)


def _beyond(populations: list[Population], exact: NDArray) -> float:
    """Return the fraction of activations outside the range that the populations span together."""
    above, below = np.zeros(exact.shape[1:]), np.zeros(exact.shape[1:])
    for population in populations:
        above = above + population.offset + np.maximum(population.scale, 0)
        below = below + population.offset + np.minimum(population.scale, 0)
    # A layer whose own function cuts it off at zero is limited only at the upper end.
    negative = any(np.any(population.scale < 0) for population in populations)
    outside = exact > above
    return float(np.mean(outside | (exact < below) if negative else outside))


def _correlation(a: NDArray, b: NDArray) -> float | None:
    a, b = np.ravel(a).astype(float), np.ravel(b).astype(float)
    a, b = a - a.mean(), b - b.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / size) if size > 0 else None


def first_decision(network: SpikingNetwork) -> Decision:
    """Return what the first output of a network stands for."""
    return network.decisions()[network.readouts[0].name]


def first_shape(network: SpikingNetwork) -> tuple[int, ...]:
    """Return the shape of the first output of a network for one sample."""
    readout = network.readouts[0]
    return readout.shape(network.population(readout.population))


def labels_of(network: SpikingNetwork, y: ArrayLike, n_samples: int) -> NDArray:
    """Return labels of the first output of a network after validation; see `Decision.labels`."""
    return first_decision(network).labels(y, first_shape(network), n_samples)


def _check_numbers(network: SpikingNetwork, recording: Recording, x: Data) -> None:
    samples = check_samples(x, {entry.name: entry.shape for entry in network.analog.inputs})
    n = len(next(iter(samples.values())))
    if n != recording.n_images:
        raise DataError(f"The recording has {recording.n_images} samples. Received: {n} samples.")
