"""What differs between NEST, NEURON and Brian2 under PyNN.

The program builds one of the classes here and asks it for populations, connections and runs.  All
three keep the same timing: in every step the neurons integrate, take the spikes that arrive, fire
and are reset; a spike of step t arrives in step t + delay_steps.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images

Values = Mapping[str, Any]
GENERATED = "generated"


class MechanismsError(RuntimeError):
    """PyNN's cells for NEURON could not be compiled."""


class Simulator:
    """What is alike: standard cells, recording, a fresh start by PyNN's own reset."""

    #: a spike of step t has the time (t + stamp) dt
    stamp = 1

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        self.dt, self.max_delay_steps, self.tables = dt, max_delay_steps, tables
        self.populations: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.cells: dict[str, str] = {}
        self.first_step = 0

    @property
    def rank(self) -> int:
        """Number of this process under MPI."""
        return int(self.sim.rank())

    sim: Any

    def add_population(self, name: str, cell: str, traced: list[str]) -> None:
        """Neurons with their parameters and start values."""
        entry = self.tables["POPULATIONS"][name]
        self.cells[name] = cell
        standard = getattr(self.sim, cell)(**self.translate(cell, entry["parameters"]))
        size = images.n_neurons(entry)
        population = self.sim.Population(size, standard, label=name)
        population.initialize(v=entry["initial"]["v"])
        population.record(["spikes", *traced])
        self.populations[name] = population

    def add_source(self, name: str) -> None:
        """Spike sources of an input."""
        size = images.n_neurons(self.tables["INPUTS"][name])
        self.sources[name] = self.sim.Population(size, self.sim.SpikeSourceArray(), label=name)

    def translate(self, cell: str, values: Values) -> dict[str, Any]:
        """Parameters with PyNN's names, in PyNN's units."""
        table = self.tables["STANDARD_CELLS"][cell]["parameters"]
        return {
            name: np.multiply(value, factor)
            for parameter, value in values.items()
            for names, factor in [table[parameter]]
            for name in names
        }

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """Synapses given as arrays of indices and weights (in the receptor's unit)."""
        cell = self.cells[projection["post"]]
        weight = weight * self.tables["STANDARD_CELLS"][cell]["weight"]
        delay = np.full(len(pre), projection["delay_steps"] * self.dt)
        for receptor, chosen in (("excitatory", weight > 0), ("inhibitory", weight < 0)):
            if chosen.any():
                rows = np.stack([pre, post, weight, delay], axis=1)[chosen]
                connector = self.sim.FromListConnector(rows, column_names=["weight", "delay"])
                self.sim.Projection(
                    self.neurons(projection["pre"]),
                    self.neurons(projection["post"]),
                    connector,
                    receptor_type=receptor,
                )

    def neurons(self, name: str) -> Any:
        """A population, or the spike sources of an input."""
        return self.populations[name] if name in self.populations else self.sources[name]

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Bring everything back to the start of an image.

        Parameters
        ----------
        spikes : mapping of str to (steps, sources)
            Of each spiking input.
        values : mapping of str to mapping
            Population -> parameters that the image sets.
        """
        self.sim.reset()
        for name in self.populations:
            self.set_values(name, {**self._touched(name), **values.get(name, {})})
        for name, (steps, sources) in spikes.items():
            self._set_sources(name, steps, sources)

    def _touched(self, name: str) -> dict[str, Any]:
        """Parameters of a population that scheduled changes set, with their start values."""
        touched = {c["variable"] for c in self.tables["CHANGES"] if c["population"] == name}
        parameters = self.tables["POPULATIONS"][name]["parameters"]
        return {parameter: value for parameter, value in parameters.items() if parameter in touched}

    def set_values(self, name: str, values: Values) -> None:
        """Set parameters of a population and its potential ("v", mV), now."""
        parameters = {n: value for n, value in values.items() if n != "v"}
        if parameters:
            self.populations[name].set(**self.translate(self.cells[name], parameters))
        if "v" in values:
            self._set_potential(name, values["v"])

    def _set_potential(self, name: str, value: Any) -> None:
        raise NotImplementedError

    def run(self, n_steps: int) -> None:
        """Go on for some steps."""
        self.sim.run(n_steps * self.dt)

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Spikes (steps, neurons) and traces of the image that is over."""
        spikes, traces = {}, {}
        for name, population in self.populations.items():
            segment = population.get_data(clear=True).segments[-1]
            spikes[name] = self._spikes(population, segment, n_steps)
            for variable in (v for n, v in traced if n == name):
                traces[name, variable] = self._trace(segment, variable, n_steps)
        return spikes, traces

    def _set_sources(self, name: str, steps: NDArray, sources: NDArray) -> None:
        from pyNN.parameters import Sequence

        times = (steps + self.stamp + self.first_step) * self.dt
        order = np.argsort(sources, kind="stable")
        population = self.sources[name]
        ends = np.searchsorted(sources[order], np.arange(1, population.size))
        trains = np.split(times[order], ends)
        population.set(spike_times=[Sequence(train) for train in trains])

    def _spikes(self, population: Any, segment: Any, n_steps: int) -> tuple[NDArray, NDArray]:
        ids, times = segment.spiketrains.multiplexed
        steps = self._steps(np.asarray(times, float), self.stamp)
        kept = (steps >= 0) & (steps < n_steps)
        neurons = np.asarray(ids, dtype=np.int64)[kept] - int(population.first_id)
        return steps[kept], neurons

    def _trace(self, segment: Any, variable: str, n_steps: int) -> NDArray:
        (signal,) = segment.filter(name=variable)
        steps = self._steps(np.asarray(signal.times.rescale("ms"), float), 1)
        return np.asarray(signal, float)[(steps >= 0) & (steps < n_steps)]

    def _steps(self, times: NDArray, stamp: int) -> NDArray:
        return np.rint(times / self.dt).astype(np.int64) - stamp - self.first_step


class Neuron(Simulator):
    """NEURON: it integrates in its own way, so spikes may come some steps apart from others'."""

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        super().__init__(dt, max_delay_steps, tables)
        # PyNN compiles its cells for NEURON at the first import, with nrnivmodl from the PATH.
        programs = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", "")])
        try:
            self.sim = importlib.import_module("pyNN.neuron")
        except (OSError, TypeError) as error:
            raise MechanismsError(
                "PyNN could not compile its cells for NEURON (apt install g++ make, or conda "
                f"install -c conda-forge cxx-compiler make): {error}"
            ) from error
        self.sim.setup(timestep=dt, min_delay=dt, max_delay=max_delay_steps * dt)

    def _set_potential(self, name: str, value: Any) -> None:
        population = self.populations[name]
        potentials = np.broadcast_to(value, population.size)
        for cell in population:  # the cells of this process; NEURON has no call for all at once
            cell._cell.seg.v = potentials[population.id_to_index(cell)]


class Brian2(Simulator):
    """Brian2 under PyNN, with the order of a step set right."""

    stamp = 0

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        super().__init__(dt, max_delay_steps, tables)
        self.sim = importlib.import_module("pyNN.brian2")
        self.brian2 = importlib.import_module("brian2")
        self.brian2.prefs.codegen.target = "numpy"
        self.sim.setup(timestep=dt, min_delay=dt, max_delay=max_delay_steps * dt)
        schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
        self.sim.simulator.state.network.schedule = schedule

    def _set_potential(self, name: str, value: Any) -> None:
        self.populations[name].brian2_group.v = value * self.brian2.mV

    def translate(self, cell: str, values: Values) -> dict[str, Any]:
        """Parameters; a spike in step t blocks the steps from t + 1 on, Brian2 counts t itself."""
        translated = super().translate(cell, values)
        if "tau_refrac" in translated:
            translated["tau_refrac"] = translated["tau_refrac"] + self.dt
        return translated

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """Brian2's own synapses: PyNN's cost 0.1 ms each, and cannot arrive in the next step."""
        target = self.neurons(projection["post"])
        variables = target.celltype.post_synaptic_variables
        unit = self.brian2.pA if self.cells[projection["post"]] == "IF_curr_exp" else self.brian2.mV
        dimension = "amp" if unit is self.brian2.pA else "volt"
        for receptor, chosen in (("excitatory", weight > 0), ("inhibitory", weight < 0)):
            if not chosen.any():
                continue
            synapses = self.brian2.Synapses(
                self.neurons(projection["pre"]).brian2_group,
                target.brian2_group,
                f"weight : {dimension} (constant)",
                on_pre=f"{variables[receptor]}_post += weight",
                delay=(projection["delay_steps"] - 1) * self.dt * self.brian2.ms,
                clock=self.sim.simulator.state.network.clock,
            )
            synapses.connect(i=pre[chosen], j=post[chosen])
            synapses.weight = weight[chosen] * unit
            self.sim.simulator.state.network.add(synapses)


class Nest(Simulator):
    """NEST: generated models besides standard cells; a settling run between images."""

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

    def install(self, model: str, library: Path) -> None:
        """Load a compiled model; ``setup`` must be over, because it forgets what was loaded."""
        level, self.nest.verbosity = self.nest.verbosity, self.nest.VerbosityLevel.ERROR
        self.nest.Install(str(library))
        self.nest.verbosity = level
        self.types[model] = importlib.import_module("pyNN.nest.cells").native_cell_type(model)

    def add_population(self, name: str, cell: str, traced: list[str]) -> None:
        """Neurons with their parameters and start values."""
        entry = self.tables["POPULATIONS"][name]
        self.cells[name] = cell
        if cell == GENERATED:
            cell_type = self.types[entry["model"]]
            # PyNN would hand every entry of NEST's status over, also those that cannot be set.
            cell_type.default_parameters = dict.fromkeys(entry["parameters"], 0.0)
            neurons = cell_type(**entry["parameters"])
        else:
            neurons = getattr(self.sim, cell)(**self.translate(cell, entry["parameters"]))
        population = self.sim.Population(images.n_neurons(entry), neurons, label=name)
        self.populations[name] = population
        # NEST's own recorders: PyNN's lose count of the time when they are cleared in between.
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
        """Spike sources; PyNN's setting "precise times" would make some spikes a step late."""
        super().add_source(name)
        nodes = self.sources[name].node_collection_source
        nodes.set(precise_times=False, allow_offgrid_times=True)

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """One call for all synapses, in NEST's units (pA, mV): fifty times as fast as PyNN's."""
        target = projection["post"]
        specification = {
            "synapse_model": "static_synapse",
            "weight": weight,
            "delay": np.full(len(pre), projection["delay_steps"] * self.dt),
        }
        receptors = self.tables["MODELS"][self.tables["POPULATIONS"][target]["model"]]["receptors"]
        if self.cells[target] == GENERATED and len(receptors) > 1:
            port = receptors.index(projection["receptor"]) + 1
            specification["receptor_type"] = np.full(len(pre), port)
        senders = np.asarray(self.neurons(projection["pre"]).all_cells, dtype=int)[pre]
        receivers = np.asarray(self.neurons(target).all_cells, dtype=int)[post]
        self.nest.Connect(senders, receivers, "one_to_one", specification)

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Let spikes under way arrive while nobody fires, then set everything back."""
        for name in self.populations:
            self._silence(name)
        longest = max((self._refractory_steps(name) for name in self.populations), default=0)
        self.run(self.max_delay_steps + longest + 2)
        for recorder in (r for recorders in self.recorders.values() for r in recorders):
            recorder.n_events = 0
        # PyNN puts a relay behind the sources: their first usable step is the one after next.
        self.first_step = round(self.nest.biological_time / self.dt) + 1
        for name, (steps, sources) in spikes.items():
            self._set_sources(name, steps, sources)
        self.run(1)
        for name in self.populations:
            self._set_back(name, values.get(name, {}))

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Spikes and traces; the last ones reach the recorders a few steps late."""
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
        """Steps and neurons of recorded events, and which belong to the image."""
        steps = self._steps(np.asarray(events["times"]), self.stamp)
        neurons = np.asarray(events["senders"], np.int64) - int(self.populations[name].first_id)
        return steps, neurons, (steps >= 0) & (steps < n_steps)

    def _variable(self, name: str, variable: str) -> str:
        """NEST's name of a state variable."""
        return variable if self.cells[name] == GENERATED else {"v": "V_m"}[variable]

    def set_values(self, name: str, values: Values) -> None:
        """Set parameters and state variables of a population, now."""
        if self.cells[name] == GENERATED:
            self.populations[name].node_collection.set(**values)
            return
        super().set_values(name, values)

    def _set_potential(self, name: str, value: Any) -> None:
        self.populations[name].node_collection.set(V_m=value)

    def _silence(self, name: str) -> None:
        nodes = self.populations[name].node_collection
        if self.cells[name] == GENERATED:
            nodes.set({self._model(name)["may_fire"]: 0.0})
        else:  # NEST cannot set synaptic currents; with this time constant they vanish in a step
            vanish = 1e-3 * self.dt
            nodes.set(V_th=1e9, tau_syn_ex=vanish, tau_syn_in=vanish)

    def _set_back(self, name: str, values: Values) -> None:
        """Give everything that changes in a run the value it has at the start of the image."""
        entry, model = self.tables["POPULATIONS"][name], self._model(name)
        new = self._touched(name)
        if self.cells[name] == GENERATED:
            new |= {model["may_fire"]: 1.0, **entry["initial"], **model["added_states"]}
        else:
            silenced = {n: v for n, v in entry["parameters"].items() if n in ("v_th", "tau_syn")}
            new |= {**silenced, "v": entry["initial"]["v"]}
        self.set_values(name, {**new, **values})

    def _refractory_steps(self, name: str) -> int:
        parameter = self._model(name)["refractory"]
        if not parameter:
            return 0
        values = [self.tables["POPULATIONS"][name]["parameters"][parameter]]
        values += [
            change["value"]
            for change in self.tables["CHANGES"]
            if (change["population"], change["variable"]) == (name, parameter)
        ]
        return max(round(float(np.max(value)) / self.dt) for value in values)

    def _model(self, name: str) -> Mapping[str, Any]:
        return self.tables["MODELS"][self.tables["POPULATIONS"][name]["model"]]


SIMULATORS: dict[str, type[Simulator]] = {"nest": Nest, "neuron": Neuron, "brian2": Brian2}
