"""NEST under PyNN: generated models and standard cells, NEST's own recorders and connections."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images
from .pynn_base import GENERATED, Simulator, Values

_TAUS = ("tau_syn_ex", "tau_syn_in")
#: NEST cannot set synaptic currents: with a time constant of this many steps they vanish in one
_VANISHING = dict.fromkeys(_TAUS, 1e-3)
#: time constant, in steps, with which the adaptive integrator of conductances is stable
_DECAYING, _SETTLING_STEPS = dict.fromkeys(_TAUS, 0.5), 25

#: states of synaptic conductances, by NEST's names, which not every cell can set
_CONDUCTANCES = {"g_ex", "g_in", "dg_ex", "dg_in"}

#: standard cell -> NEST parameters that keep it from firing and make synaptic currents vanish
_SILENT: dict[str, dict[str, float]] = {
    **dict.fromkeys(("IF_curr_exp", "IF_curr_alpha"), {"V_th": 1e9, **_VANISHING}),
    **dict.fromkeys(("IF_cond_exp", "IF_cond_alpha"), {"V_th": 1e9, **_DECAYING}),
    # Without the exponential, which would overflow, this is a leaky neuron with threshold V_th.
    **dict.fromkeys(
        ("EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista"),
        {"Delta_T": 0.0, "V_th": 1e9, "V_peak": 1e9, **_DECAYING},
    ),
    # A very large constant recovery variable keeps v at its lower bound for any input.
    "Izhikevich": {"a": 0.0, "U_m": 1e9, "V_min": -100.0},
    "HH_cond_exp": {"g_Na": 0.0, "I_e": 0.0, "V_m": -65.0, **_DECAYING},
}


_ADAPTIVE = {cell for cell, silent in _SILENT.items() if _DECAYING.items() <= silent.items()}


class Nest(Simulator):
    """NEST: generated models in addition to standard cells; a settling run between images."""

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        super().__init__(dt, max_delay_steps, tables)
        warnings.simplefilter("ignore")  # PyNN 0.13 uses names that NEST 3.10 warns about
        self.sim = importlib.import_module("pyNN.nest")
        self.nest: Any = importlib.import_module("nest")
        self.sim.setup(
            timestep=dt, min_delay=dt, max_delay=max_delay_steps * dt, spike_precision="on_grid"
        )
        self.types: dict[str, Any] = {}
        self.recorders: dict[str, list[Any]] = {}
        self.n_read: dict[str, int] = {}
        self.audible: dict[str, dict[str, Any]] = {}

    def install(self, model: str, library: Path) -> None:
        """Load a compiled model; call it after ``setup``, which unloads models."""
        level, self.nest.verbosity = self.nest.verbosity, self.nest.VerbosityLevel.ERROR
        self.nest.Install(str(library))
        self.nest.verbosity = level
        self.types[model] = importlib.import_module("pyNN.nest.cells").native_cell_type(model)

    def add_population(self, name: str, cell: str, traced: list[str]) -> None:
        """Add neurons with their parameters and start values."""
        entry = self.tables["POPULATIONS"][name]
        self.cells[name] = cell
        if cell == GENERATED:
            cell_type = self.types[entry["model"]]
            # PyNN would pass on every entry of NEST's status, including those that cannot be set.
            cell_type.default_parameters = dict.fromkeys(entry["parameters"], 0.0)
            neurons = cell_type(**entry["parameters"])
        else:
            neurons = getattr(self.sim, cell)(**self.translate(name, entry["parameters"]))
        population = self.sim.Population(images.n_neurons(entry), neurons, label=name)
        self.populations[name] = population
        # NEST's own recorders: PyNN's lose track of the time when they are cleared in between.
        self.recorders[name] = [self.nest.Create("spike_recorder")]
        self.nest.Connect(
            population.node_collection, self.recorders[name][0], syn_spec={"delay": self.dt}
        )
        if traced:
            variables = [self._variable(name, v) for v in traced]
            meter = self.nest.Create(
                "multimeter", params={"record_from": variables, "interval": self.dt}
            )
            self.nest.Connect(meter, population.node_collection, syn_spec={"delay": self.dt})
            self.recorders[name].append(meter)

    def add_source(self, name: str) -> None:
        """Add spike sources; PyNN's setting "precise times" would delay some spikes by a step."""
        super().add_source(name)
        nodes = self.sources[name].node_collection_source
        nodes.set(precise_times=False, allow_offgrid_times=True)

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """Connect all synapses in one call, in NEST's units (pA, mV): 50 times as fast as PyNN."""
        target = projection["post"]
        specification = {
            "synapse_model": "static_synapse",
            "weight": weight,
            "delay": np.full(len(pre), projection["delay_steps"] * self.dt),
        }
        if projection["release"] < 1:
            specification |= {
                "synapse_model": "bernoulli_synapse",
                "p_transmit": np.full(len(pre), projection["release"]),
            }
        receptors = self.model(target)["receptors"]
        if self.cells[target] != GENERATED:
            above, _ = self.standard(target)["receptors"][projection["receptor"]]
            if above == "inhibitory":  # the sign of the weight selects the receptor
                specification["weight"] = -weight
        elif len(receptors) > 1:
            port = receptors.index(projection["receptor"]) + 1
            specification["receptor_type"] = np.full(len(pre), port)
        senders = np.asarray(self.neurons(projection["pre"]).all_cells, dtype=int)[pre]
        receivers = np.asarray(self.neurons(target).all_cells, dtype=int)[post]
        self.nest.Connect(senders, receivers, "one_to_one", specification)

    def seed(self, number: int) -> None:
        """Seed all random numbers from now on.

        Each neuron draws normal numbers in pairs and stores one of them; after an even number of
        steps none is left over.
        """
        if round(self.nest.biological_time / self.dt) % 2:
            self.run(1)
        self.nest.rng_seed = number

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Let pending spikes arrive while no neuron can fire, then reset everything."""
        for name in self.populations:
            self._silence(name)
        # Generated models have the remaining steps as a state, which is reset with the others.
        standard = (name for name, cell in self.cells.items() if cell != GENERATED)
        longest = max((self._refractory_steps(name) for name in standard), default=0)
        settling = _SETTLING_STEPS if set(self.cells.values()) & _ADAPTIVE else 2
        self.run(self.max_delay_steps + longest + settling)
        for recorder in (r for recorders in self.recorders.values() for r in recorders):
            recorder.n_events = 0
        self.n_read.clear()
        # PyNN puts a relay behind the sources: their first usable step is the one after next.
        self.first_step = round(self.nest.biological_time / self.dt) + 1
        for name, (steps, sources) in spikes.items():
            self._set_sources(name, steps, sources)
        self.run(1)
        for name in self.populations:
            self._set_back(name, values.get(name, {}))

    def fired(self, names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the neurons of populations that have fired since the last call in this image."""
        found = {}
        for name in names:
            senders = np.asarray(self.recorders[name][0].events["senders"], np.int64)
            first, self.n_read[name] = self.n_read.get(name, 0), len(senders)
            found[name] = senders[first:] - int(self.populations[name].first_id)
        return found

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Return spikes and traces; the last ones reach the recorders a few steps late."""
        self.run(3)
        spikes, traces = {}, {}
        for name, (recorder, *meters) in self.recorders.items():
            steps, neurons, kept = self._events(name, recorder.events, n_steps)
            spikes[name] = (steps[kept], neurons[kept])
            for variable in (v for n, v in traced if n == name):
                events = meters[0].events
                steps, neurons, kept = self._events(name, events, n_steps)
                trace = np.zeros((n_steps, self.populations[name].size))
                trace[steps[kept], neurons[kept]] = events[self._variable(name, variable)][kept]
                traces[name, variable] = trace
        return spikes, traces

    def _events(self, name: str, events: Values, n_steps: int) -> tuple[NDArray, NDArray, NDArray]:
        """Return steps and neurons of recorded events, and which belong to the image."""
        steps = self._steps(np.asarray(events["times"]), self.stamp)
        neurons = np.asarray(events["senders"], np.int64) - int(self.populations[name].first_id)
        return steps, neurons, (steps >= 0) & (steps < n_steps)

    def _variable(self, name: str, variable: str) -> str:
        """Return NEST's name of a state variable; the units are those of the tables."""
        if self.cells[name] == GENERATED:
            return variable
        theirs = self.standard(name)["states"][variable][0]
        return self.populations[name].celltype.variable_map[theirs]

    def set_values(self, name: str, values: Values) -> None:
        """Set parameters and state variables of a population immediately."""
        if self.cells[name] == GENERATED:
            self.populations[name].node_collection.set(**values)
            return
        super().set_values(name, values)

    def _set_state(self, name: str, variable: str, value: Any) -> None:
        nodes = self.populations[name].node_collection
        nodes.set({self._variable(name, variable): value})

    def _silence(self, name: str) -> None:
        nodes = self.populations[name].node_collection
        if self.cells[name] == GENERATED:
            nodes.set({self.model(name)["may_fire"]: 0.0})
            return
        silent = _SILENT[self.cells[name]]
        self.audible.setdefault(name, nodes.get(list(silent)))
        nodes.set({**silent, **{tau: silent[tau] * self.dt for tau in _TAUS if tau in silent}})

    def _set_back(self, name: str, values: Values) -> None:
        """Reset everything that changes in a run to its value at the start of an image."""
        entry, model = self.tables["POPULATIONS"][name], self.model(name)
        new = self._touched(name)
        if self.cells[name] == GENERATED:
            new |= {model["may_fire"]: 1.0, **entry["initial"], **model["added_states"]}
        else:  # all at once: NEST rejects conductances that fell below 0 by numerical error
            states = {
                self._variable(name, state): entry["initial"][state]
                for state in self.standard(name)["states"]
            }
            nodes = self.populations[name].node_collection
            rests = nodes[0].get().keys() & _CONDUCTANCES
            nodes.set({**self.audible[name], **dict.fromkeys(rests, 0.0), **states})
        self.set_values(name, {**new, **values})

    def _refractory_steps(self, name: str) -> int:
        parameter = self.model(name)["refractory"]
        if not parameter:
            return 0
        values = [self.tables["POPULATIONS"][name]["parameters"][parameter]]
        values += [
            change["value"]
            for change in self.tables["CHANGES"]
            if (change["population"], change["variable"]) == (name, parameter)
        ]
        return max(round(float(np.max(value)) / self.dt) for value in values)
