"""What exported programs use of ``pynn_brainscales.brainscales2``: its constraints, and a neuron.

The real module cannot be installed without the group's container.  This one refuses what the real
one and its chip refuse (sources in shared/TARGETS.md: commit fd4f926 of pynn-brainscales), and
integrates leaky neurons with exponential synapses, so that a program gives spikes.  It says nothing
about noise, mismatch or routing.  Times are in ms of the chip, as in the real module.
"""

from __future__ import annotations

import os
from types import SimpleNamespace

import numpy as np

#: us between two looks at the neurons; a spike arrives that much after it was sent
STEP = 0.05
#: LSB/us that a weight of 1 brings at i_synin_gm 500; chips differ, STAND_IN_STRENGTH says how
STRENGTH = 70.0 / 640.0

N_NEURONS, N_SYNAPSES, LARGEST = 512, 256, 63

_RANGES = {
    "v_rest": (50, 160),
    "v_reset": (50, 160),
    "v_thresh": (50, 220),
    "tau_m": (0.5, 60.0),
    "tau_syn_E": (0.3, 30.0),
    "tau_syn_I": (0.3, 30.0),
    "cm": (0, 63),
    "tau_refrac": (0.04, 32.0),
    "i_synin_gm_E": (30, 800),
    "i_synin_gm_I": (30, 800),
    "synapse_dac_bias": (30, 1022),
}
_DEFAULTS = {
    "v_rest": 80.0,
    "v_reset": 70.0,
    "v_thresh": 125.0,
    "tau_m": 10.0,
    "tau_syn_E": 10.0,
    "tau_syn_I": 10.0,
    "cm": 63,
    "tau_refrac": 2.0,
    "i_synin_gm_E": 500,
    "i_synin_gm_I": 500,
    "synapse_dac_bias": 600,
}
#: one number for the whole chip; the others are read as whole numbers
_GLOBAL = ("i_synin_gm_E", "i_synin_gm_I", "synapse_dac_bias")
_WHOLE = ("v_rest", "v_reset", "v_thresh", "cm", *_GLOBAL)


class ConnectionError(Exception):  # noqa: A001 - as in pyNN.errors
    pass


class _State:
    def __init__(self):
        self.populations, self.projections, self.ran = [], [], False


state = None


def setup(**options):
    global state
    state = _State()


def end():
    global state
    state = None


def reset():
    state.ran = False


class CalibHXNeuronCuba:
    def __init__(self, **parameters):
        unknown = set(parameters) - set(_DEFAULTS)
        if unknown:
            raise TypeError(f"unknown parameters {sorted(unknown)}")
        self.parameters = {**_DEFAULTS, **parameters}
        for name, (low, high) in _RANGES.items():
            values = np.asarray(self.parameters[name], dtype=float)
            if np.any(values < low) or np.any(values > high):
                raise ValueError(f"{name} must lie in {low} to {high}: {values}")
            if name in _WHOLE and np.any(values != np.round(values)):
                raise ValueError(f"{name} must be whole: {values}")


class SpikeSourceArray:
    def __init__(self, spike_times=()):
        self.spike_times = spike_times


class StaticSynapse:
    def __init__(self, weight=0.0, delay=0.0):
        if np.ndim(weight):
            raise NotImplementedError("weights of a synapse type go astray where synapses miss")
        self.weight, self.delay = weight, delay


class ArrayConnector:
    def __init__(self, array):
        if array.dtype != bool:
            raise TypeError("the connection matrix must be boolean")
        self.array = array


class AllToAllConnector:
    array = None


cells = SimpleNamespace(CalibHXNeuronCuba=CalibHXNeuronCuba, SpikeSourceArray=SpikeSourceArray)
standardmodels = SimpleNamespace(cells=cells, synapses=SimpleNamespace(StaticSynapse=StaticSynapse))


class Population:
    def __init__(self, size, cell):
        self.size, self.cell, self.recording, self.trains = size, cell, False, []
        state.populations.append(self)
        if self.is_source:
            self.set(spike_times=cell.spike_times)
            return
        for name, value in cell.parameters.items():
            if np.ndim(value) and np.shape(value) != (size,):
                raise ValueError(f"{name} has the shape {np.shape(value)}, expected {(size,)}")

    @property
    def is_source(self):
        return isinstance(self.cell, SpikeSourceArray)

    def parameter(self, name):
        return np.broadcast_to(np.asarray(self.cell.parameters[name], float), (self.size,))

    def set(self, spike_times):
        times = [getattr(train, "value", train) for train in spike_times]
        if not times or np.ndim(times[0]) == 0:
            times = [times] * self.size
        if len(times) != self.size:
            raise ValueError(f"{len(times)} trains for {self.size} sources")
        self.times = [np.asarray(train, dtype=float) for train in times]

    def record(self, variables):
        if list(variables) != ["spikes"]:
            raise ValueError("the ADCs read two neurons; all that is recorded here are spikes")
        self.recording = True

    def get_data(self, variable):
        if not (self.recording and variable == "spikes" and state.ran):
            raise RuntimeError("nothing was recorded")
        return SimpleNamespace(segments=[SimpleNamespace(spiketrains=self.trains)])


class Projection:
    def __init__(self, pre, post, connector, synapse_type=None, receptor_type="excitatory"):
        if not (isinstance(pre, Population) and isinstance(post, Population)):
            raise NotImplementedError("assemblies are not supported")
        if post.is_source:
            raise ConnectionError("sources have no synapses")
        if receptor_type not in ("excitatory", "inhibitory"):
            raise ConnectionError(f"unknown receptor {receptor_type}")
        if synapse_type.delay != 0:
            raise ValueError("Setting the delay unequal 0 is not supported.")
        self.pre, self.post, self.receptor = pre, post, receptor_type
        shape = (pre.size, post.size)
        self.mask = np.ones(shape, bool) if connector.array is None else connector.array
        if self.mask.shape != shape:
            raise ValueError(f"connections of the shape {self.mask.shape}, expected {shape}")
        self.set(weight=np.full(shape, synapse_type.weight))
        state.projections.append(self)

    def set(self, weight):
        weight = np.where(self.mask, np.broadcast_to(weight, self.mask.shape), 0)
        wrong = weight < 0 if self.receptor == "excitatory" else weight > 0
        if np.any(wrong):
            raise ConnectionError(f"weights of the wrong sign for {self.receptor} synapses")
        if np.any(weight != np.round(weight)):
            raise ValueError("weights are whole numbers")
        self.weight = weight.astype(float)


def run(runtime):
    if state.ran:
        raise RuntimeError("Call `pynn.reset()` before calling `pynn.run()` again.")
    state.ran = True
    neurons = [p for p in state.populations if not p.is_source]
    _check_chip(neurons)
    _emulate(neurons, runtime * 1e3)


def _check_chip(neurons):
    if sum(p.size for p in neurons) > N_NEURONS:
        raise RuntimeError(f"more than {N_NEURONS} neurons")
    for name in _GLOBAL:
        if len({value for p in neurons for value in p.parameter(name)}) > 1:
            raise RuntimeError(f"{name} must be the same for all neurons")
    for population in neurons:
        rows = 0
        for receptor in ("excitatory", "inhibitory"):
            count = np.zeros(population.size)
            for projection in state.projections:
                if projection.post is population and projection.receptor == receptor:
                    each = np.maximum(1, np.ceil(np.abs(projection.weight) / LARGEST))
                    count += np.where(projection.mask, each, 0).sum(axis=0)
            rows += count.max()
        if rows > N_SYNAPSES:
            raise RuntimeError(f"{rows:.0f} synapses of a neuron, there are {N_SYNAPSES}")


def _emulate(neurons, duration):
    """Exact steps: integrate, let the spikes of the step before arrive, threshold, reset."""
    rest, reset_to, threshold, tau_m = (
        _joined(neurons, name) for name in ("v_rest", "v_reset", "v_thresh", "tau_m")
    )
    pause = np.round(_joined(neurons, "tau_refrac") / STEP).astype(int)
    receptors = [_receptor(neurons, *names, tau_m) for names in _RECEPTORS]
    sent = _sent(duration)
    n_steps, n = round(duration / STEP), len(rest)
    keep = np.exp(-STEP / tau_m)
    v, blocked, fired = rest.copy(), np.zeros(n, int), np.zeros(n, bool)
    spikes = np.zeros((n_steps, n), bool)
    for step in range(n_steps):
        pull = sum(receptor.gain * receptor.current for receptor in receptors)
        v = np.where(blocked > 0, v, rest + (v - rest) * keep + pull)
        senders = np.concatenate([np.flatnonzero(fired), n + sent.get(step - 1, _NOBODY)])
        for receptor in receptors:
            receptor.current *= receptor.decay
            if len(senders):
                receptor.current += receptor.weight[senders].sum(axis=0)
        fired = (v >= threshold) & (blocked == 0)
        blocked = np.where(fired, pause, np.maximum(blocked - 1, 0))
        v = np.where(fired, reset_to, v)
        spikes[step] = fired
    place = 0
    for population in neurons:
        own = spikes[:, place : place + population.size]
        population.trains = [(np.flatnonzero(train) + 1) * STEP * 1e-3 for train in own.T]
        place += population.size


_NOBODY = np.zeros(0, int)
_RECEPTORS = (
    ("excitatory", "tau_syn_E", "i_synin_gm_E"),
    ("inhibitory", "tau_syn_I", "i_synin_gm_I"),
)


def _joined(neurons, name):
    return np.concatenate([p.parameter(name) for p in neurons])


def _receptor(neurons, name, tau, gm, tau_m):
    """Weights (LSB/us) from all neurons, then all sources, to all neurons; how currents decay."""
    tau = _joined(neurons, tau)
    order = [*neurons, *(p for p in state.populations if p.is_source)]
    ends = np.cumsum([p.size for p in order])
    place = {id(p): slice(end - p.size, end) for p, end in zip(order, ends, strict=True)}
    weight = np.zeros((ends[-1], len(tau)))
    for projection in state.projections:
        if projection.receptor == name:
            weight[place[id(projection.pre)], place[id(projection.post)]] += projection.weight
    chip = float(os.environ.get("STAND_IN_STRENGTH", "1"))
    weight *= chip * STRENGTH / 500 * _joined(neurons, gm)
    decay = np.exp(-STEP / tau)
    same = np.isclose(tau, tau_m)
    other = np.where(same, 2 * tau, tau_m)
    apart = other * tau / (tau - other) * (decay - np.exp(-STEP / other))
    return SimpleNamespace(
        weight=weight,
        decay=decay,
        gain=np.where(same, STEP * decay, apart),
        current=np.zeros(len(tau)),
    )


def _sent(duration):
    """Step -> sources that send a spike in it; they are counted through all populations."""
    steps, senders, first = [_NOBODY], [_NOBODY], 0
    for population in (p for p in state.populations if p.is_source):
        for train in population.times:
            inside = train[(train >= 0) & (train * 1e3 < duration)]
            steps.append(np.round(inside * 1e3 / STEP).astype(int) - 1)
            senders.append(np.full(len(inside), first))
            first += 1
    steps, senders = np.concatenate(steps), np.concatenate(senders)
    return {step: senders[steps == step] for step in np.unique(steps)}
