"""Run time of neurons in the array simulator and in Brian2's Cython code, in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import bioconv as bc
from bioconv.export.brian2 import brian2_network
from bioconv.neurons import Neuron, make
from bioconv.simulators.stimulation import single_neurons

N_NEURONS = 10_000
#: currents of the first and the last neuron in pA, from silent to fast firing
CURRENTS = {"traub_miles": (200.0, 1000.0), "leaky_integrate_and_fire": (700.0, 1500.0)}


def speed(name: str, quick: bool = False) -> dict[str, Any]:
    """Measure nanoseconds per neuron and step of wall and processor time, and their ratios.

    Parameters
    ----------
    name : str
        A neuron of `CURRENTS`.
    quick : bool
        Whether to run fewer steps.
    """
    neuron = make(name)
    dt = neuron.model.dt_default or 0.1
    n_steps = 50 if quick else 1000
    currents = np.linspace(*CURRENTS[name], N_NEURONS)
    single = single_neurons(neuron, currents[None], dt=dt, n_steps=n_steps)
    network = single.replace(readouts=())  # only spikes are counted
    runs: dict[str, Callable[[], Any]] = {
        dtype: _array(network, dtype) for dtype in ("float32", "float64")
    }
    runs["brian2_cython"] = _brian2(neuron, network, currents, n_steps)
    counts = {label: run() for label, run in runs.items()}  # compiles
    assert counts["float64"] == counts["brian2_cython"], "the same neurons"
    best = {label: np.full(2, np.inf) for label in runs}
    for _ in range(2 if quick else 7):  # alternate, so that all have the same load
        for label, run in runs.items():
            best[label] = np.minimum(best[label], _timed(run))
    nanoseconds = {label: times / (N_NEURONS * n_steps) * 1e9 for label, times in best.items()}
    baseline = nanoseconds["brian2_cython"]
    return {
        "neuron": name,
        "n_neurons": N_NEURONS,
        "n_steps": n_steps,
        "spikes": counts,
        "ns_a_neuron_step": {
            k: dict(zip(("wall", "cpu"), v.tolist(), strict=True)) for k, v in nanoseconds.items()
        },
        "times_brian2": {
            k: dict(zip(("wall", "cpu"), (baseline / v).tolist(), strict=True))
            for k, v in nanoseconds.items()
            if k != "brian2_cython"
        },
    }


def _timed(run: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def _array(network: bc.SpikingNetwork, dtype: str) -> Callable[[], int]:
    def run() -> int:
        recording = bc.simulate(network, np.zeros((1, 1)), dtype=dtype, progress=False)
        return int(recording.spikes_per_image["neurons"].sum())

    return run


def _brian2(
    neuron: Neuron, network: bc.SpikingNetwork, currents: Any, n_steps: int
) -> Callable[[], int]:
    """Return a run of the exported program's group, which is reset before every run."""
    import brian2

    brian2.prefs.codegen.target = "cython"
    model = brian2_network(network).tables["MODELS"][neuron.model.name]
    dt = network.dt * brian2.ms
    group = brian2.NeuronGroup(
        len(currents),
        model["equations"],
        threshold=model["threshold"],
        reset=model["reset"],
        refractory=model["refractory"],
        method=model["method"],
        dt=dt,
    )
    values: dict[str, Any] = {p.name: neuron.value(p.name) for p in neuron.model.parameters}
    values[neuron.model.current] = currents
    for state in neuron.model.states:
        values[state.name] = values.get(str(state.initial), state.initial)
    units = {p.name: p.unit for p in neuron.model.parameters}
    units |= {s.name: s.unit for s in neuron.model.states}
    for name, unit in units.items():
        setattr(group, name, values[name] * _unit(unit))
    spikes = brian2.SpikeMonitor(group, record=False)
    simulation = brian2.Network(group, spikes)
    simulation.store()

    def run() -> int:
        simulation.restore()
        simulation.run(n_steps * dt, namespace={})
        return int(spikes.num_spikes)

    return run


def _unit(name: str) -> Any:
    import brian2

    return 1 if name == "1" else getattr(brian2, name)
