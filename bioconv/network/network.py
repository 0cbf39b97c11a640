"""The spiking network: frozen and validated data that every simulator can run.

Numbers are plain floats in ms, mV, pA, pF, nS, Hz.  Time is counted in integer steps of ``dt``;
`bioconv.timing` describes the order of events in a step.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from bioconv.analog.decisions import Choice, before_function, decisions_of, suggest
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.ground.tables import html_table
from bioconv.network.parts import NetworkParts, Population, Projection
from bioconv.network.stages import populations_behind
from bioconv.network.validation import network_problems
from bioconv.operators import n_synapses


@dataclass(frozen=True, eq=False)
class SpikingNetwork(NetworkParts):
    """A converted network with all data for a simulator, and the original analog network.

    Parameters
    ----------
    name : str
    dt : float
        Step in ms.
    n_steps : int
        Default duration of one sample, in steps.
    inputs, populations, projections, drives, changes, readouts : tuples
    analog : AnalogGraph
    code : mapping of str to str, int, float or bool
        Name and options of the code, for the record only; nothing depends on it.
    imperfections : tuple of Disturbance
        The imperfections that were applied to the network, in this order.
    stages : tuple of AnalogStage
        Layers that no neuron computes, each after those from which it computes.
    """

    def __post_init__(self) -> None:
        problems = network_problems(self)
        if problems:
            raise ConversionError(
                f"The spiking network {self.name!r} is not valid; {len(problems)} problem(s):",
                problems,
            )

    def __repr__(self) -> str:
        n = len(self.stages)
        analog = f"{n} analog stage{'s' if n > 1 else ''}, " if n else ""
        return (
            f"<SpikingNetwork {self.name!r}: {len(self.populations)} populations, "
            f"{self.n_neurons:,} neurons, {analog}{self.n_steps:,} steps of {self.dt:g} ms>"
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "population": p.name,
                "shape": p.shape,
                "neurons": p.n_neurons,
                "synapses": self.n_synapses_to(p.name),
                "model": p.model.name,
            }
            for p in self.populations
        ]
        return html_table(repr(self), rows)

    def population(self, name: str) -> Population:
        """Return the population called ``name``; `ParameterError` with valid names if unknown."""
        for population in self.populations:
            if population.name == name:
                return population
        names = [population.name for population in self.populations]
        raise ParameterError(
            f"{self.name} has no population {name!r}. Valid names: {', '.join(names)}."
            + did_you_mean(name, names)
        )

    @property
    def n_neurons(self) -> int:
        """Number of neurons in all populations, excluding spike sources."""
        return sum(population.n_neurons for population in self.populations)

    @property
    def n_synapses(self) -> int:
        """Number of synapses in all projections."""
        return sum(n_synapses(projection.operator) for projection in self.projections)

    @property
    def max_delay(self) -> int:
        """Longest delay in steps; 0 without projections."""
        return max((projection.delay_steps for projection in self.projections), default=0)

    def projections_to(self, name: str) -> tuple[Projection, ...]:
        """Return the projections that end at the population called ``name``."""
        return tuple(p for p in self.projections if p.post == name)

    def projections_from(self, name: str) -> tuple[Projection, ...]:
        """Return the projections that start at the population or spiking input called ``name``."""
        return tuple(p for p in self.projections if p.pre == name)

    def n_synapses_to(self, name: str) -> int:
        """Return the number of synapses that end at the population called ``name``."""
        return sum(n_synapses(projection.operator) for projection in self.projections_to(name))

    @property
    def recurrent(self) -> bool:
        """Whether the connections between populations contain a cycle."""
        try:
            self.topological_order()
        except ParameterError:
            return True
        return False

    def topological_order(self) -> tuple[str, ...]:
        """Return the names of the populations, each after those on which it depends.

        It depends on those that project to it, and on those from which a stage that drives it
        computes.

        Raises
        ------
        ParameterError
            If they depend on each other.
        """
        before: dict[str, list[str]] = {population.name: [] for population in self.populations}
        for projection in self.projections:
            if projection.pre in before:
                before[projection.post].append(projection.pre)
        behind = populations_behind(self)
        for drive in self.drives:
            before[drive.post] += behind.get(drive.input, ())
        try:
            return tuple(TopologicalSorter(before).static_order())
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise ParameterError(
                f"{self.name} is recurrent ({circle}): it has no topological order."
            ) from None

    @property
    def firing(self) -> tuple[Population, ...]:
        """Populations whose neurons can spike, without outputs of which the potential is read."""
        silent = {entry.population for entry in self.readouts if not entry.reads_spikes}
        return tuple(entry for entry in self.populations if entry.name not in silent)

    def decisions(self) -> dict[str, Decision]:
        """Return what the output of each readout stands for, by name of the readout."""
        names = {r.name: n for r, n in zip(self.readouts, self.analog.outputs, strict=False)}
        suggested = decisions_of(self.analog)
        found = {}
        for readout in self.readouts:
            decision = readout.decision
            if decision is None and readout.name in names:
                decision = suggested[names[readout.name]]
            if decision is None:
                shape = readout.shape(self.population(readout.population))
                decision = suggest(readout.function, shape)
            found[readout.name] = decision
        return found

    def decisions_before_functions(self) -> dict[str, Decision]:
        """Return `decisions` on the values that readouts decode, before their functions."""
        decisions = self.decisions()
        return {
            r.name: before_function(
                decisions[r.name], r.function, r.shape(self.population(r.population))
            )
            for r in self.readouts
        }

    def with_decision(self, chosen: Choice = None) -> SpikingNetwork:
        """Return a copy whose outputs stand for something else.

        Parameters
        ----------
        chosen : Decision or str, or mapping of output names of the analog network to these
            "largest" (the class of the largest output), "threshold:NUMBER" (class 1 above it; a
            label for each of several outputs) or "value:TOLERANCE" (values, which count as the same
            if they differ by at most this share of their range).  None for what the output
            functions suggest.

        Raises
        ------
        ParameterError
            If a decision is none of these, or does not fit the output.
        """
        decided = iter(decisions_of(self.analog, chosen).values())
        return self.replace(
            readouts=tuple(
                dataclasses.replace(r, decision=next(decided, None)) for r in self.readouts
            )
        )

    def replace(self, **changes: Any) -> SpikingNetwork:
        """Return a validated copy with some fields replaced."""
        return dataclasses.replace(self, **changes)

    def save(self, path: str | Path) -> None:
        """Write the network to one HDF5 file; see `bioconv.network.storage.save_network`."""
        from bioconv.network.storage import save_network

        save_network(self, path)

    @staticmethod
    def load(path: str | Path) -> SpikingNetwork:
        """Read a network from a file; see `bioconv.network.storage.load_network`."""
        from bioconv.network.storage import load_network

        return load_network(path)
