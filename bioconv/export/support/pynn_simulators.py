"""NEURON and Brian2 under PyNN, and the table of all simulators."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pynn_base import GENERATED, Simulator, Values
from .pynn_nest import Nest

__all__ = ["GENERATED", "SIMULATORS", "MechanismsError"]


class MechanismsError(RuntimeError):
    """PyNN's cells for NEURON could not be compiled."""


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
    """Brian2 under PyNN, with the order of a step set right.

    A new call of ``run`` forgets the spikes of the step before it.  So an image is one run, and
    what changes in the middle of it is planned and set from inside.
    """

    stamp = 0
    _planned: dict[int, list[tuple[str, Values]]] | None = None
    _elapsed = 0

    def __init__(self, dt: float, max_delay_steps: int, tables: Mapping[str, Any]):
        super().__init__(dt, max_delay_steps, tables)
        self.sim = importlib.import_module("pyNN.brian2")
        self.brian2 = importlib.import_module("brian2")
        self.brian2.prefs.codegen.target = "numpy"
        self.sim.setup(timestep=dt, min_delay=dt, max_delay=max_delay_steps * dt)
        schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
        network = self.sim.simulator.state.network
        network.schedule = schedule
        network.add(
            self.brian2.NetworkOperation(self._apply_planned, clock=network.clock, when="start")
        )

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Bring everything back to the start of an image, and begin to plan it."""
        self._planned, self._elapsed = None, 0
        super().start(spikes, values)
        self._planned = {}

    def set_values(self, name: str, values: Values) -> None:
        """Set parameters and the potential: now, or in an image at the step planned so far."""
        if self._planned is None:
            super().set_values(name, values)
        else:
            self._planned.setdefault(self._elapsed, []).append((name, values))

    def run(self, n_steps: int) -> None:
        """Plan to go on for some steps."""
        self._elapsed += n_steps

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Run the image that was planned; spikes and traces of it."""
        super().run(self._elapsed)
        return super().finish(n_steps, traced)

    def _apply_planned(self, t: Any) -> None:
        step = round(float(t / self.brian2.ms) / self.dt)
        for name, values in (self._planned or {}).get(step, []):
            super().set_values(name, values)

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


SIMULATORS: dict[str, type[Simulator]] = {"nest": Nest, "neuron": Neuron, "brian2": Brian2}
