"""Which module solves which neuron model."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from bioconv.errors import ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons import axon
from bioconv.simulators.event.stage import Solver, Stage

_FIRST_SPIKE_EXACT = "bioconv.simulators.event.first_spike_exact"
_FIRST_SPIKE = "bioconv.simulators.event.first_spike"
_OSCILLATION = "bioconv.simulators.event.oscillation"
_AXON = "bioconv.simulators.event.axon"
_SIGMA_DELTA = "bioconv.simulators.event.sigma_delta"

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
        "first_spike_announcer": _FIRST_SPIKE,
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
#: solvers that take the constant current to be the same in the whole run
_STEADY = (_FIRST_SPIKE_EXACT, _FIRST_SPIKE, _SIGMA_DELTA)
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
        f"the constant current of population {p.name!r} changes"
        for p in network.populations
        if SOLVERS.get(p.model.name) in _STEADY and _current_changes(network, p)
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


def _current_changes(network: SpikingNetwork, population: Population) -> bool:
    """Whether a scheduled change sets the constant current of a population."""
    current = population.model.current
    return any((c.population, c.variable) == (population.name, current) for c in network.changes)
