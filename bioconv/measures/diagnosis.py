"""Where did the accuracy go?  A simulated network and its analog network, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import check_samples, evaluate
from bioconv.analog.samples import Data
from bioconv.ground.errors import DataError, ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording

#: a neuron counts as saturated from this share of the rate that stands for its scale
SATURATION = 0.99


@dataclass(frozen=True)
class LayerDiagnosis:
    """What a layer of the analog network became, over all samples.

    Parameters
    ----------
    layer : str
        Name of the analog layer.
    neurons : int
        In the populations that carry it.
    correlation : float or None
        Pearson correlation of decoded values with analog activations; None where one of them is
        constant.
    mean_error : float
        Mean absolute difference of decoded values and activations, in units of the activation.
    saturated : float or None
        Share of neurons and samples at 99 % of the value that stands for the scale, or above;
        None, like ``never``, for a readout that does not count spikes.
    above_scale : float or None
        Share of analog activations that lie beyond what the populations can represent; None, like
        ``silent``, for outputs.
    silent : float or None
        Share of the positive activations for which no spike was emitted.
    never : float or None
        Share of neurons that emitted no spike for any sample.
    agreement : float
        Share of samples with the analog network's class if only the layers up to this one spike.
    accuracy : float or None
        Share of samples with the right class if only the layers up to this one spike; None
        without labels.
    output_error : float
        Mean absolute difference of the network's output from the analog network's if only the
        layers up to this one spike, as a share of the range of the analog output.
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
    y: NDArray | None = None,
) -> list[LayerDiagnosis]:
    """Compare a simulated network with its analog network, layer by layer.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        Of this network and ``x``, with what every population that carries a layer is
        `Population.decoded_from`.
    x : ndarray, shape (n_images, *shape), or a sequence or mapping of arrays
        The samples that were simulated.
    y : ndarray of int, shape (n_images,), optional
        Labels.

    Returns
    -------
    list of LayerDiagnosis
        In topological order of the layers that spike.  The last two figures of the first row
        where they drop name the layer that loses the accuracy.

    Raises
    ------
    DataError
        If the samples do not fit the network, or are not as many as in the recording.
    ParameterError
        If counts, or spikes, were not recorded.
    """
    _check_numbers(network, recording, x, y)
    exact = network.analog.activations(x)
    output = network.analog.outputs[0]
    extent = float(np.ptp(exact[output])) or 1.0
    analog_classes = classes_of(exact[output])
    rows: list[LayerDiagnosis] = []
    replaced: dict[str, NDArray] = {}
    carried = carried_layers(network)
    for layer in network.analog.layers:
        populations = [p for p in network.populations if carried.get(p.name) == layer.name]
        if not populations:
            continue
        replaced[layer.name] = decode(network, recording, layer.name)
        # With every layer up to here replaced, what is left runs as the analog network does.
        mixed = evaluate(network.analog, x, replace=replaced, names=(output,))[output]
        classes = classes_of(mixed)
        rows.append(
            LayerDiagnosis(
                layer.name,
                sum(population.n_neurons for population in populations),
                _correlation(replaced[layer.name], exact[layer.name]),
                float(np.abs(replaced[layer.name] - exact[layer.name]).mean()),
                **_shares(network, recording, populations, exact[layer.name]),
                agreement=float(np.mean(classes == analog_classes)),
                accuracy=None if y is None else float(np.mean(classes == np.asarray(y))),
                output_error=float(np.abs(mixed - exact[output]).mean() / extent),
            )
        )
    return rows


def carried_layers(network: SpikingNetwork) -> dict[str, str]:
    """Name of the analog layer for every population that carries one, or that is read out.

    The readouts stand in the order of the analog network's outputs.
    """
    outputs = zip(network.readouts, network.analog.outputs, strict=False)
    layers = {readout.population: output for readout, output in outputs}
    return layers | {p.name: p.layer for p in network.populations if p.layer}


def decode(network: SpikingNetwork, recording: Recording, layer: str) -> NDArray[np.float64]:
    """The activation of an analog layer as its spikes give it, shape (n_images, *shape).

    The contributions of all populations that carry the layer add up; an output layer is what its
    readout says.

    Raises
    ------
    ParameterError
        If no population carries the layer, or its counts, or spikes, were not recorded.
    """
    for readout, output in zip(network.readouts, network.analog.outputs, strict=False):
        if output == layer:
            return np.asarray(recording.outputs[readout.name], np.float64)
    populations = [p for p in network.populations if p.layer == layer]
    if not populations:
        raise ParameterError(f"{network.name}: no population carries the layer {layer!r}.")
    # ON and OFF cells of a population of the shape (2, *shape) add up as well.
    pairs = {p.shape for p in populations} == {(2, *network.analog.shapes()[layer])}
    total: NDArray[np.float64] = np.zeros((recording.n_images, *populations[0].shape))
    for population in populations:
        if population.shape != populations[0].shape:
            raise ParameterError(
                f"{population.name} and {populations[0].name} carry the layer {layer!r}, but have "
                f"the shapes {population.shape} and {populations[0].shape}."
            )
        shares = relative_values(recording, population).reshape(-1, *population.shape)
        total = total + population.scale * shares + population.offset
    if pairs:
        return total.sum(axis=1)
    # So do the neurons of units, which are one axis more, the last.
    return total.sum(axis=-1) if total.ndim > len(network.analog.shapes()[layer]) + 1 else total


def relative_values(recording: Recording, population: Population) -> NDArray[np.float64]:
    """Activations in units of the population's scale, shape (n_images, n_neurons).

    Rates as a share of ``population.max_rate``, or the summed values of the spikes; where spike
    times are known exactly, values are interpolated between the steps.

    Raises
    ------
    ParameterError
        If the counts of the population, or its spikes, were not recorded.
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
    """Saturated, above the scale, silent, never active, as shares."""
    kinds = {readout.population: readout.kind for readout in network.readouts}
    shares: dict[str, float | None] = dict.fromkeys(("saturated", "above_scale", "silent", "never"))
    if any(kinds.get(population.name, "count") != "count" for population in populations):
        return shares
    shape = exact.shape[1:]
    # Of ON and OFF cells, the ON cells tell whether a neuron was active.
    rates = np.stack([unit_values(recording, p, shape)[:, : prod(shape)] for p in populations])
    populations = [on_cells(p, shape) for p in populations]
    spikes = rates > 0
    shares["saturated"] = float(np.mean(rates >= SATURATION))
    shares["never"] = float(np.mean(~spikes.any(axis=1)))
    # The spikes of an output layer stand for the value before its function (a softmax, say).
    if not any(population.name in kinds for population in populations):
        positive = exact > 0
        reached = np.reshape(spikes.any(axis=0), exact.shape)
        shares["above_scale"] = _beyond(populations, exact)
        shares["silent"] = float(np.mean(~reached[positive])) if positive.any() else None
    return shares


def signed_values(
    recording: Recording, population: Population, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """The same for a layer of this shape: of ON and OFF cells the difference of the two."""
    values = unit_values(recording, population, shape)
    if population.shape != (2, *shape):
        return values
    return values[:, : prod(shape)] - values[:, prod(shape) :]


def unit_values(
    recording: Recording, population: Population, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """`relative_values`, of a layer whose units have several neurons each the mean of these."""
    values = relative_values(recording, population)
    if not _has_units(population, shape):
        return values
    return values.reshape(len(values), -1, population.shape[-1]).mean(axis=-1)


def _has_units(population: Population, shape: tuple[int, ...]) -> bool:
    """Whether every unit of a layer of this shape has several neurons: (*shape, n)."""
    return population.shape[:-1] == shape and population.shape != (2, *shape)


def on_cells(population: Population, shape: tuple[int, ...]) -> Population:
    """The population as one of the layer's shape.

    Of ON and OFF cells the ON cells; where units have several neurons, these together.
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
    """Share of activations outside of the range that the populations span together."""
    above, below = np.zeros(exact.shape[1:]), np.zeros(exact.shape[1:])
    for population in populations:
        above = above + population.offset + np.maximum(population.scale, 0)
        below = below + population.offset + np.minimum(population.scale, 0)
    # Only the upper end limits a layer that is cut off at zero by its own function.
    negative = any(np.any(population.scale < 0) for population in populations)
    outside = exact > above
    return float(np.mean(outside | (exact < below) if negative else outside))


def _correlation(a: NDArray, b: NDArray) -> float | None:
    a, b = np.ravel(a).astype(float), np.ravel(b).astype(float)
    a, b = a - a.mean(), b - b.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / size) if size > 0 else None


def classes_of(output: NDArray) -> NDArray[np.int64]:
    """Arg max over all values of an output, shape (n_images,)."""
    return np.asarray(output).reshape(len(output), -1).argmax(axis=1)


def _check_numbers(
    network: SpikingNetwork, recording: Recording, x: Data, y: NDArray | None
) -> None:
    samples = check_samples(x, {entry.name: entry.shape for entry in network.analog.inputs})
    found = {"samples": len(next(iter(samples.values())))} | (
        {} if y is None else {"labels": len(y)}
    )
    if set(found.values()) != {recording.n_images}:
        received = " and ".join(f"{number} {what}" for what, number in found.items())
        raise DataError(f"The recording has {recording.n_images} samples. Received: {received}.")
