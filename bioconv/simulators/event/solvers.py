"""Which module solves which neuron model."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.solving.stage import Solver, Stage
from bioconv.ground.errors import ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.library import axon
from bioconv.neurons.library.parts import OUT_OF_REACH

_FIRST_SPIKE_EXACT = "bioconv.codes.first_spike_exact.solver"
_FIRST_SPIKE = "bioconv.codes.first_spike.solver"
_OSCILLATION = "bioconv.codes.phase.solver"
_AXON = "bioconv.simulators.event.axon"
_SIGMA_DELTA = "bioconv.codes.sigma_delta.solver"

#: name of a neuron model -> module whose function ``prepare`` solves it
SOLVERS: Mapping[str, str] = MappingProxyType(
    {
        "first_spike_exact_encoder_fire": _FIRST_SPIKE_EXACT,
        "first_spike_exact_encoder_silent": _FIRST_SPIKE_EXACT,
        "first_spike_exact_fire": _FIRST_SPIKE_EXACT,
        "first_spike_exact_fire_falling": _FIRST_SPIKE_EXACT,
        "first_spike_exact_silent": _FIRST_SPIKE_EXACT,
        "first_spike_exact_silent_falling": _FIRST_SPIKE_EXACT,
        "first_spike_exact_pool": _FIRST_SPIKE_EXACT,
        "first_spike_exact_integrator": _FIRST_SPIKE_EXACT,
        "first_spike_base": _FIRST_SPIKE,
        "first_spike_dynamic": _FIRST_SPIKE,
        "oscillation_amplitude": _OSCILLATION,
        "oscillation_duration": _OSCILLATION,
        "intensity_to_delay": _SIGMA_DELTA,
        "sigma_delta": _SIGMA_DELTA,
        "sigma_delta_output": _SIGMA_DELTA,
        **dict.fromkeys(axon.model_names(), _AXON),
        **{f"sigma_delta_max_gate_{n}": _SIGMA_DELTA for n in range(2, 26)},
        **{f"sigma_delta_max_{n}": _SIGMA_DELTA for n in range(2, 26)},
    }
)
#: the codes that these models belong to
CODES = ("first_spike", "first_spike_dynamic", "first_spike_exact", "phase", "sigma_delta")
#: what may change within a run, and how often, where a solver does not follow every change
_FOLLOWED: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        _FIRST_SPIKE_EXACT: {},
        _FIRST_SPIKE: {"v_th": 2},
        _SIGMA_DELTA: {"gate": 1, "slope": 1},
    }
)
#: kinds of readouts that need no time steps
READOUTS = ("level", "first_spike", "count")


def check(network: SpikingNetwork) -> None:
    """Refuse a network with a population that has no solver, or with spike sources.

    Raises
    ------
    ParameterError
        With every reason.
    """
    problems = [
        f"population {p.name!r} has the model {p.model.name!r}"
        for p in network.populations
        if p.model.name not in SOLVERS
    ]
    problems += [
        f"{variable} of population {p.name!r} changes"
        for p in network.populations
        for variable in _not_followed(network, p)
    ]
    problems += [
        f"synapses from {p.pre!r} to {p.post!r} fail at random"
        for p in network.projections
        if p.release < 1
    ]
    problems += [
        f"readout {r.name!r} is of the kind {r.kind!r}"
        for r in network.readouts
        if r.kind not in READOUTS
    ]
    problems += [f"input {i.name!r} emits spikes in steps" for i in network.spiking_inputs]
    if problems:
        raise ParameterError(
            f"The event simulator cannot run {network.name!r}: {'; '.join(problems)}. It takes "
            f"inputs as currents, the readouts {', '.join(READOUTS)} and the neurons "
            f"of the codes {', '.join(CODES)}. Use simulator='array'."
        )


def prepare(stage: Stage) -> Solver:
    """The solver of a population."""
    module = importlib.import_module(SOLVERS[stage.population.model.name])
    solver: Solver = module.prepare(stage)
    return solver


def _not_followed(network: SpikingNetwork, population: Population) -> list[str]:
    """Variables of a population whose scheduled changes its solver does not know."""
    followed = _FOLLOWED.get(SOLVERS.get(population.model.name, ""))
    if followed is None:
        return []
    changes = [c for c in network.changes if c.population == population.name]
    counts = Counter(change.variable for change in changes)
    found = [name for name, n in counts.items() if n > followed.get(name, 0)]
    if "v_th" in counts and "v_th" not in found:
        values = [population.value("v_th"), *(c.value for c in changes if c.variable == "v_th")]
        if _moves_within_reach([np.asarray(value, np.float64) for value in values]):
            found.append("v_th")
    return found


def _moves_within_reach(thresholds: Sequence[NDArray[np.float64]]) -> bool:
    """Whether some threshold is at two places that a neuron can reach."""
    full = np.stack(np.broadcast_arrays(*thresholds))
    low = np.where(full < OUT_OF_REACH, full, np.inf).min(axis=0)
    high = np.where(full < OUT_OF_REACH, full, -np.inf).max(axis=0)
    return bool(np.any(high > low))
