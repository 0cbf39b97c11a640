"""Read a network of exact first spikes as a function of leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import ReLU
from bioconv.codes.common.affine import apply64
from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.decaying import (
    Decay,
    DecayingIntegrator,
    FirstSpikeDecaying,
)
from bioconv.codes.first_spike_exact.leads import InputLeads, Leads, Output, Pool, Rectifier, Stage
from bioconv.codes.first_spike_exact.neurons import (
    FirstSpikeEncoder,
    FirstSpikeExact,
    FirstSpikeIntegrator,
    FirstSpikePool,
)
from bioconv.codes.first_spike_exact.schedule import Schedule, Window
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.network import Drive, Population, Projection, Readout, SpikingNetwork
from bioconv.network.restating import in_words_of
from bioconv.neurons.language.identity import same
from bioconv.neurons.language.model import NeuronModel
from bioconv.operators import compact, scaled

Floats = NDArray[np.float64]

_INACTIVE = ("fire", "silent")
_THRESHOLD = ("constant", "falling")
_ENCODERS = {key: FirstSpikeEncoder(key).model for key in _INACTIVE}
_NEURONS = {(i, t): FirstSpikeExact(i, t).model for i in _INACTIVE for t in _THRESHOLD}
_POOL = FirstSpikePool().model
_DECAYING, _DECAYING_OUTPUT = FirstSpikeDecaying().model, DecayingIntegrator().model
_OUTPUTS = (FirstSpikeIntegrator().model, _DECAYING_OUTPUT)
_MODELS = (*_ENCODERS.values(), *_NEURONS.values(), _POOL, _DECAYING, *_OUTPUTS)
#: deviation of slopes, relative to the sum of the absolute weights, that is due to rounding
_ROUNDING = 1e-6


def leads_of(network: SpikingNetwork, slope: str = "identical") -> Leads:
    """Return a network of exact first spikes as a function of leads.

    Parameters
    ----------
    network : SpikingNetwork
        Without imperfections that add neurons or change parameters during a sample.
    slope : {"identical", "constant"}
        What stays when weights change: the slope of the potential (Eq 3.9), or its part that does
        not depend on weights, alpha = 1.

    Raises
    ------
    ConversionError
        If the network has parts that do not belong to this code; the message lists all of them.
    ParameterError
        If ``slope`` does not describe the network.
    """
    if slope not in ("identical", "constant"):
        raise ParameterError(f"slope must be identical or constant. Received: {slope!r}.")
    network = in_words_of(network, _MODELS)
    problems = list(_problems(network))
    if problems:
        raise ConversionError(
            f"{network.name} is not a network of exact first spikes that can be trained:", problems
        )
    return _Reader(network, slope).read()


def _problems(network: SpikingNetwork) -> Iterator[Problem]:
    driven = {drive.post for drive in network.drives}
    read = {readout.population for readout in network.readouts}
    for population in network.populations:
        model = population.model
        if not any(same(model, known) for known in _MODELS):
            yield Problem(
                population.name,
                model.name,
                "is not a neuron of the exact first-spike code.",
                "Convert with code=FirstSpikeExactCode(), and train before adding imperfections; "
                "for all other codes, see bioconv.training.finetune_spikes.",
            )
        elif _encodes(model) != (population.name in driven):
            yield Problem(population.name, model.name, "must be an encoder with one input.")
        elif _reads(model) != (population.name in read):
            yield Problem(population.name, model.name, "must be an output that is read.")
    for change in network.changes:
        yield Problem(change.population, "Change", f"{change.variable} changes during a sample.")
    for projection in network.projections:
        if projection.release != 1.0:
            yield Problem(f"{projection.pre}->{projection.post}", "Projection", "loses spikes.")


def _encodes(model: NeuronModel) -> bool:
    return any(same(model, known) for known in _ENCODERS.values())


def _reads(model: NeuronModel) -> bool:
    return any(same(model, known) for known in _OUTPUTS)


def _option_of(population: Population) -> tuple[str, str] | None:
    """Return the options inactive and threshold of a neuron; None for other models."""
    if same(population.model, _DECAYING):
        return "fire", "constant"
    found = (key for key, model in _NEURONS.items() if same(population.model, model))
    return next(found, None)


@dataclass
class _Reader:
    """Reads the parts of a network one after the other."""

    network: SpikingNetwork
    slope: str
    windows: dict[str, Window] = field(default_factory=dict)
    decay: Decay | None = None

    def read(self) -> Leads:
        network = self.network
        encoders = [p for p in network.populations if _encodes(p.model)]
        unit = self._unit(encoders)
        code = self._code()
        self.decay = self._decay(code, unit)
        drives = {drive.post: drive for drive in network.drives}
        read = [self._encoder(entry, drives[entry.name], unit) for entry in encoders]
        readouts = {readout.population: readout for readout in network.readouts}
        by_name = {population.name: population for population in network.populations}
        stages: list[Stage] = []
        for name in network.topological_order():
            if name not in drives:
                stages.append(self._stage(by_name[name], readouts.get(name), unit))
        schedule = Schedule(network.dt, unit, self.windows)
        return Leads(network, code, schedule, tuple(read), tuple(stages), self.decay)

    def _unit(self, encoders: Sequence[Population]) -> float:
        """Return the time in ms that represents an activation of 1 of the scaled network."""
        if not encoders:
            raise ConversionError(f"{self.network.name} has no encoder.")
        values = encoders[0].spike_values
        return float(self.network.dt / (values[0] - values[1]))

    def _code(self) -> FirstSpikeExactCode:
        """Return the options that are visible in the neurons."""
        options = {
            p.name: found for p in self.network.populations if (found := _option_of(p)) is not None
        }
        if len(set(options.values())) > 1:
            raise ConversionError(f"{self.network.name} mixes neurons with different options.")
        inactive, threshold = next(iter(options.values()), ("fire", "constant"))
        neurons = [self.network.population(name) for name in options]
        own = all(not np.any(p.values("i_offset")) for p in neurons)
        held = all(np.all(p.values("t_first") >= p.values("t_open")) for p in neurons)
        return FirstSpikeExactCode(
            slope=self.slope,
            ramp="own" if own else "previous",
            threshold="held" if held and threshold == "constant" else threshold,
            inactive=inactive,
        )

    def _decay(self, code: FirstSpikeExactCode, unit: float) -> Decay | None:
        """Return the time constants of responses that are not linear."""
        decaying = (_DECAYING, _DECAYING_OUTPUT)
        parts = [p for p in self.network.populations if _option_of(p) or _reads(p.model)]
        found = [p for p in parts if any(same(p.model, model) for model in decaying)]
        if not found:
            return None
        times = {
            (float(tau_m), float(tau_syn))
            for p in found
            for tau_m in np.unique(p.values("tau_m"))
            for tau_syn in np.unique(p.values("tau_syn"))
        }
        if len(found) < len(parts) or len(times) > 1:
            raise ConversionError(
                f"{self.network.name} mixes neurons with different postsynaptic potentials, "
                "which training does not support."
            )
        if code.ramp != "own":
            raise ConversionError(
                "training with double-exponential responses needs neurons without a slope before "
                'their window. Convert with FirstSpikeExactCode(ramp="own", ...).'
            )
        return Decay(*times.pop()).in_units(unit)

    def _step(self, time: float) -> int:
        return round(time / self.network.dt)

    def _encoder(self, population: Population, drive: Drive, unit: float) -> InputLeads:
        close = float(population.values("t_close")[0])
        first = population.start_step + 1
        self.windows[population.name] = Window(0, first, self._step(close), 0)
        g_in = population.value("g_in")
        lift = (np.asarray(population.value("i_offset")) / g_in) / unit
        given = np.asarray(close - np.asarray(population.value("v_th"))) / unit
        return InputLeads(
            population.name,
            drive.input,
            drive,
            scaled(drive.operator, post=1.0 / (g_in * unit)),
            _at_rest(np.asarray(lift + given)),
            (close - first * self.network.dt) / unit,
        )

    def _stage(self, population: Population, readout: Readout | None, unit: float) -> Stage:
        synapses = self.network.projections_to(population.name)
        if readout is not None:
            return self._output(population, synapses, readout, unit)
        if same(population.model, _POOL):
            return self._pool(population, synapses)
        return self._rectifier(population, synapses, unit)

    def _rectifier(
        self, population: Population, synapses: tuple[Projection, ...], unit: float
    ) -> Rectifier:
        name, dt = population.name, self.network.dt
        times = [float(population.values(key)[0]) for key in ("t_start", "t_open", "t_close")]
        start, opened, closed = map(self._step, times)
        window = Window(start, opened, closed, opened)
        self.windows[name] = window
        c_m = np.broadcast_to(population.value("c_m"), population.shape)
        slope = np.broadcast_to(population.value("slope"), population.shape) * c_m
        ramp = np.broadcast_to(population.value("i_offset"), population.shape)
        needed = np.broadcast_to(population.value("v_th"), population.shape) * c_m
        before, length = (window.open - window.start) * dt, (window.close - window.open) * dt
        if self.decay is None:
            shift = (needed - ramp * before - slope * length) / unit
        else:
            shift = needed / unit - slope * self.decay.potential(length / unit, np)
            shift = shift / self.decay.slope(length / unit, np)
        places = self._check_slopes(name, slope, synapses)
        return Rectifier(
            name,
            population.shape,
            synapses,
            _per_channel(shift, population.shape),
            compact(self._limit(population, window, unit), population.shape),
            places,
        )

    def _limit(self, population: Population, window: Window, unit: float) -> Floats:
        """Return the largest lead of each neuron, of the ReLU or of the window if it ends there."""
        layers = {layer.name: layer.function for layer in self.network.analog.layers}
        function = layers.get(population.layer)
        shifted = bool(np.any(population.offset))
        if isinstance(function, ReLU) and np.isfinite(function.max_value) and not shifted:
            limit = function.max_value / np.asarray(population.scale)
            return np.array(np.broadcast_to(limit, population.shape))
        first = np.broadcast_to(population.value("t_first"), population.shape)
        limit = (window.close * self.network.dt - first) / unit
        return np.where(first > window.open * self.network.dt, limit, inf)

    def _check_slopes(
        self, name: str, slope: Floats, synapses: Sequence[Projection]
    ) -> NDArray[np.int64]:
        """Return the neurons whose weights determine slopes; an error if the slopes do not fit."""
        total, size = np.zeros(slope.shape), np.zeros(slope.shape)
        for synapse in synapses:
            ones = np.ones((1, *synapse.operator.in_shape))
            total += apply64(synapse.operator, ones)
            size += apply64(synapse.operator.map_weights(np.abs), ones)
        shared = compact(np.round(slope, 9), slope.shape)
        index = np.arange(slope.size).reshape(slope.shape)
        places = _fullest(index, size, shared.shape)
        expected = np.ones(()) if self.slope == "identical" else 1.0 + total.ravel()[places]
        if not np.allclose(slope, expected, rtol=0.0, atol=_ROUNDING * (1.0 + size.max())):
            raise ParameterError(
                f"slope={self.slope!r} does not describe {self.network.name}: the slopes of "
                f"population {name!r} are {slope.min():g} to {slope.max():g} pA, where "
                f"{np.min(expected):g} to {np.max(expected):g} are expected. Give the slope of "
                "the code with which the network was converted."
            )
        return places

    def _pool(self, population: Population, synapses: tuple[Projection, ...]) -> Pool:
        opened, closed = population.start_step + 1, population.start_step
        closed += len(population.spike_values)
        self.windows[population.name] = Window(opened, opened, closed, closed)
        v_th = np.broadcast_to(population.value("v_th"), population.shape)
        return Pool(population.name, synapses, compact(v_th, population.shape) > 0.75)

    def _output(
        self,
        population: Population,
        synapses: tuple[Projection, ...],
        readout: Readout,
        unit: float,
    ) -> Output:
        start, close = (float(population.values(key)[0]) for key in ("t_start", "t_close"))
        end = self._step(close)
        self.windows[population.name] = Window(self._step(start), end, end, end)
        current = np.broadcast_to(population.value("i_offset"), population.shape)
        length = (close - start) / unit
        reached = length if self.decay is None else self.decay.potential(length, np)
        bias = np.array(current * reached)
        return Output(population.name, population.shape, synapses, bias, readout)


def _at_rest(values: Floats) -> Floats:
    """Set what is left of half a step of a grid to zero."""
    return np.where(np.abs(values) < 1e-9, 0.0, values)


def _per_channel(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Return values with all axes but the last reduced along which they are constant.

    Values that differ by the rounding of weights only are equal: they are one bias.
    """
    small = compact(np.round(values, 9), shape)
    if all(n == 1 for n in small.shape[:-1]):
        places = (*(slice(0, 1),) * (len(shape) - 1), slice(None))
        return np.array(np.broadcast_to(values, shape)[places])
    return np.array(np.broadcast_to(values, shape))


def _fullest(index: NDArray[np.int64], size: Floats, shared: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the neuron with the most input among those that share a slope."""
    if any(n > 1 for n in shared[:-1]):
        return index
    columns = size.reshape(-1, shared[-1])
    rows = columns.argmax(axis=0)
    return index.reshape(columns.shape)[rows, np.arange(shared[-1])].reshape(shared)
