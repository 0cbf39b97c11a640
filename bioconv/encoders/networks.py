"""Spike rasters as the input of networks, in every simulator and in exported programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import LevelPatterns
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.ground.errors import DataError
from bioconv.network import Input, SpikingNetwork

#: value that fills up shorter lists of spikes
_NONE = -1


def for_rasters(network: SpikingNetwork, names: Iterable[str] | None = None) -> SpikingNetwork:
    """Return the network with inputs that replay given spikes.

    `bioconv.simulate` does so itself when it receives rasters.  For a program, emit what this
    function returns, and save its data with `pack`.

    Parameters
    ----------
    network : SpikingNetwork
    names : iterable of str, optional
        Inputs; by default all.

    Returns
    -------
    SpikingNetwork

    Raises
    ------
    DataError
        If there is no such input, or if one drives populations with currents.
    """
    inputs = {entry.name: entry for entry in network.inputs}
    chosen = list(inputs) if names is None else list(names)
    unknown = [name for name in chosen if name not in inputs]
    if unknown:
        raise DataError(
            f"{network.name} has no input {', '.join(map(repr, unknown))}. Inputs: "
            f"{', '.join(inputs)}."
        )
    currents = [name for name in chosen if not inputs[name].spikes]
    if currents:
        raise DataError(
            f"{network.name}: the input {', '.join(map(repr, currents))} drives populations with "
            "currents and takes no spikes. Convert the network with the option input='regular' of "
            "the rate code, so that it has spike sources that a raster can replace."
        )
    return network.replace(
        inputs=tuple(
            replace(entry, encoder="raster", calibrated=None) if entry.name in chosen else entry
            for entry in network.inputs
        )
    )


def pack(rasters: Sequence[SpikeRaster], dt: float) -> NDArray[np.int64]:
    """Return rasters as one array, the data of an exported program.

    Parameters
    ----------
    rasters : sequence of SpikeRaster
        One for each sample, with the same shape.
    dt : float
        Step of the network in ms.

    Returns
    -------
    ndarray of int, shape (n_samples, n_listed, 2)
        Step and source of each spike; rows of -1 fill up shorter lists.

    Raises
    ------
    DataError
        If the shapes differ, or if a unit spikes twice in a step, which a source cannot.
    """
    shapes = {raster.shape for raster in rasters}
    if len(shapes) != 1:
        raise DataError(f"rasters must have the same shape. Received: {sorted(shapes) or 'none'}.")
    lists = []
    for index, raster in enumerate(rasters):
        rows = np.stack([raster.steps(dt), raster.unit], axis=1)
        n_twice = len(rows) - len(np.unique(rows[:, 0] * raster.n_units + rows[:, 1]))
        if n_twice:
            raise DataError(
                f"sample {index}: {n_twice:,} of {len(rows):,} spikes are further ones of a unit "
                f"in the same step of {dt:g} ms, of which a source emits only one. Use a shorter "
                f"dt, or drop them: raster.on_grid({dt:g})."
            )
        lists.append(rows)
    sample = np.repeat(np.arange(len(lists)), [len(rows) for rows in lists])
    return _filled(sample, np.concatenate(lists), len(lists))


def _filled(
    sample: NDArray[np.int64], rows: NDArray[np.int64], n_samples: int
) -> NDArray[np.int64]:
    """Return rows of samples, in their order, as one array that is filled up with rows of -1."""
    counts = np.bincount(sample, minlength=n_samples)
    packed = np.full((n_samples, max(int(counts.max()), 1), 2), _NONE, np.int64)
    first = np.cumsum(counts) - counts
    packed[sample, np.arange(len(sample)) - first[sample]] = rows
    return packed


def with_rasters(network: SpikingNetwork, x: Any) -> tuple[SpikingNetwork, Any]:
    """Return the network and the data for a simulation, with rasters packed.

    Parameters
    ----------
    network : SpikingNetwork
    x : SpikeRaster, sequence of SpikeRaster, mapping from inputs to these or to arrays, or sequence
        of these in the order of the inputs
        Samples of a network that replays rasters are encoded, if its analog network says how.
        Anything else is returned unchanged.

    Returns
    -------
    network : SpikingNetwork
        With inputs that replay spikes, where rasters were given.
    x : as given, or dict of str to ndarray

    Raises
    ------
    DataError
        If an input takes no spikes, or if rasters do not have the shape of its sources.
    """
    named = _named(network, x)
    encoded = {name: _encoded(network, name, value) for name, value in named.items()}
    given = {name: _rasters(value) for name, value in named.items()}
    found = {name: rasters for name, rasters in given.items() if rasters}
    if not found:
        known = {name: value for name, value in encoded.items() if value is not None}
        return (for_rasters(network, known), {**named, **known}) if known else (network, x)
    replaced = for_rasters(network, found)
    inputs = {entry.name: entry for entry in replaced.inputs}
    packed = {name: _packed(network, inputs[name], rasters) for name, rasters in found.items()}
    return replaced, {**named, **packed}


def _encoded(network: SpikingNetwork, name: str, value: Any) -> NDArray[np.int64] | None:
    """Return samples as lists of spikes; None if they are none, or if no encoder is known.

    The encoder is the layer of the analog network that takes the input of the same name.
    """
    part = encoder_of(network, name)
    if part is None or _rasters(value):
        return None
    values, shape = np.asarray(value), part.inputs[0].shape
    if values.shape[1:] != shape:
        return None
    if values.dtype.kind in "iu" and not list_problems(values, part.layers[0].shape[1]):
        raise DataError(
            f"{network.name}: input {name!r}: integers of shape {values.shape} may be samples or "
            "packed rasters. Give samples as floats, x.astype(float), and rasters as they are, "
            "without packing them."
        )
    spikes, n = [], 0
    for batch in part.iterate({name: values}, dtype="float64"):
        dense = batch[part.outputs[0]]
        spikes.append(np.argwhere(dense) + (n, 0, 0))
        n += len(dense)
    sample, rows = np.split(np.concatenate(spikes), [1], axis=1)
    return _listed(network, name, _filled(sample[:, 0], rows, n))


def _listed(network: SpikingNetwork, name: str, packed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return packed rasters with another shape than samples, for which they could be taken."""
    part = encoder_of(network, name)
    if part is None or packed.shape[1:] != part.inputs[0].shape:
        return packed
    return np.pad(packed, ((0, 0), (0, 1), (0, 0)), constant_values=_NONE)


def encoder_of(network: SpikingNetwork, name: str) -> AnalogGraph | None:
    """Return the part of the analog network that encodes the samples of an input that replays.

    Parameters
    ----------
    network : SpikingNetwork
    name : str
        Of an input.

    Returns
    -------
    AnalogGraph or None
        With one layer, whose activations are spikes of shape (n_steps, n_sources).  None if the
        input does not replay spikes, or if no layer encodes the input of the same name.
    """
    entry = next((i for i in network.inputs if i.name == name), None)
    known = tuple(i for i in network.analog.inputs if i.name == name)
    first = [
        layer
        for layer in network.analog.layers
        if isinstance(layer.function, LevelPatterns) and layer.sources == (name,)
    ]
    if entry is None or entry.encoder != "raster" or not known or not first:
        return None
    return AnalogGraph(network.analog.name, known, (first[0],), (first[0].name,))


def unpacked(packed: NDArray[Any], n_steps: int, n_sources: int) -> NDArray[np.float32]:
    """Return packed rasters as spikes of 0 and 1, shape (n_samples, n_steps, n_sources)."""
    dense = np.zeros((len(packed), n_steps, n_sources), np.float32)
    step, source = np.moveaxis(np.asarray(packed).astype(np.int64), 2, 0)
    sample, place = np.nonzero((step >= 0) & (step < n_steps))
    dense[sample, step[sample, place], source[sample, place]] = 1.0
    return dense


def list_problems(x: NDArray[Any], n_sources: int, sample_shape: Shape | None = None) -> list[str]:
    """Return what is wrong with packed rasters for a number of sources.

    Parameters
    ----------
    x : ndarray
    n_sources : int
    sample_shape : tuple of int, optional
        Shape of the samples that the input takes as well.
    """
    if x.ndim != 3 or x.shape[2] != 2 or not x.size or x.dtype.kind not in "iuf":
        samples = (
            ""
            if sample_shape is None
            else f"samples of shape ({', '.join(map(str, ('n_samples', *sample_shape)))}), "
        )
        return [
            f"expected {samples}spike rasters, or packed ones of shape (n_samples, n_listed, 2) "
            f"with steps and sources. Received: an array of shape {x.shape}"
        ]
    if not ((x >= _NONE).all() and (x[..., 1] < n_sources).all() and (x == np.floor(x)).all()):
        return [f"steps must be whole numbers, and sources numbers from 0 to {n_sources - 1}"]
    return []


def _named(network: SpikingNetwork, x: Any) -> dict[str, Any]:
    if isinstance(x, Mapping):
        return dict(x)
    names = [entry.name for entry in network.inputs]
    if len(names) == 1:
        return {names[0]: x}
    listed = isinstance(x, list | tuple) and len(x) == len(names)
    return dict(zip(names, x, strict=True)) if listed else {}


def _rasters(value: Any) -> list[SpikeRaster]:
    """Return the rasters of an input, one for each sample; none if it is an array."""
    if isinstance(value, SpikeRaster):
        return [value]
    listed = isinstance(value, list | tuple) and value
    if listed and all(isinstance(entry, SpikeRaster) for entry in value):
        return list(value)
    return []


def _packed(network: SpikingNetwork, entry: Input, rasters: list[SpikeRaster]) -> NDArray[np.int64]:
    wrong = sorted({r.shape for r in rasters if _bare(r.shape) != _bare(entry.spike_shape)})
    if wrong:
        raise DataError(
            f"input {entry.name!r} has sources of shape {entry.spike_shape}. "
            f"Received: rasters of shape {', '.join(map(str, wrong))}."
        )
    part = encoder_of(network, entry.name)
    if part is not None:
        _check_durations(network, entry.name, rasters, part.layers[0].shape[0])
    return _listed(network, entry.name, pack(rasters, network.dt))


def _check_durations(
    network: SpikingNetwork, name: str, rasters: list[SpikeRaster], n_steps: int
) -> None:
    """Refuse rasters whose steps are not those of the patterns that the network was trained on."""
    right = n_steps * network.dt
    wrong = sorted({r.duration for r in rasters if not np.isclose(r.duration, right, rtol=1e-6)})
    if wrong:
        raise DataError(
            f"input {name!r}: the network answers patterns of {n_steps} steps of {network.dt:g} "
            f"ms, {right:g} ms in all. Received: rasters of {', '.join(f'{d:g}' for d in wrong)} "
            f"ms. If they have {n_steps} steps, convert the network with dt={wrong[0] / n_steps:g}."
        )


def _bare(shape: Shape) -> Shape:
    """Return a shape without axes of length one."""
    return tuple(n for n in shape if n != 1)
