"""Brian2 under PyNN: cells with the model's method and rules, and synapses of Brian2 itself."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Mapping
from functools import reduce
from operator import truediv
from typing import Any

from numpy.typing import NDArray

from .pynn_base import Simulator, Values

#: unit of a weight -> its dimension in Brian2
_DIMENSIONS = {"mV": "volt", "pA": "amp", "nS": "siemens"}


class Brian2(Simulator):
    """Brian2 under PyNN, with the order of operations within a step corrected.

    A new call of ``run`` loses the spikes of the previous step.  Therefore an image is a single
    run, and changes in the middle of it are scheduled in advance and made during the run.
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

    def add_population(self, name: str, cell: str, traced: list[str]) -> None:
        """Add neurons that integrate by the model's method and fire by its rule."""
        crossing, theirs = (self.standard(name)[key] for key in ("crossing", "parameters"))
        cell_type = getattr(self.sim, cell)
        # Brian2 numbers the equations that PyNN's cells share: only those of the last cell apply,
        # and the synaptic current of the others is missing from their integration.
        cell_type.eqs = copy.deepcopy(cell_type.eqs)
        if crossing:
            parameter, above = crossing
            (own,), _ = theirs[parameter]
            cell_type.brian2_model = staticmethod(_crossing_group(own, above))
        super().add_population(name, cell, traced)
        group = self.populations[name].brian2_group
        group.state_updater.method_choice = self.model(name)["method"]
        if "v_spike" in group.variables:  # PyNN would fire 5 delta_T above v_thresh instead
            group.events["spike"] = "v >= v_spike"

    def start(
        self, spikes: Mapping[str, tuple[NDArray, NDArray]], values: Mapping[str, Values]
    ) -> None:
        """Reset everything to the start of an image, and begin to schedule it."""
        self._planned, self._elapsed = None, 0
        super().start(spikes, values)
        self._planned = {}

    def set_values(self, name: str, values: Values) -> None:
        """Set parameters and states immediately, or in an image at the step scheduled so far."""
        if self._planned is None:
            super().set_values(name, values)
        else:
            self._planned.setdefault(self._elapsed, []).append((name, values))

    def run(self, n_steps: int) -> None:
        """Schedule some further steps."""
        self._elapsed += n_steps

    def finish(self, n_steps: int, traced: list[tuple[str, str]]) -> tuple[dict, dict]:
        """Run the scheduled image and return its spikes and traces."""
        super().run(self._elapsed)
        return super().finish(n_steps, traced)

    def _apply_planned(self, t: Any) -> None:
        step = round(float(t / self.brian2.ms) / self.dt)
        for name, values in (self._planned or {}).get(step, []):
            super().set_values(name, values)

    def _set_state(self, name: str, variable: str, value: Any) -> None:
        population, (theirs, _) = self.populations[name], self.standard(name)["states"][variable]
        own = population.celltype.state_variable_translations[theirs]["translated_name"]
        unit = self._unit(self.model(name)["states"][variable]["unit"])
        setattr(population.brian2_group, own, value * unit)

    def _unit(self, text: str) -> Any:
        """Return a unit of the tables, such as "mV/ms", as a Brian2 unit."""
        parts = (1.0 if part == "1" else getattr(self.brian2, part) for part in text.split("/"))
        return reduce(truediv, parts)

    def translate(self, name: str, values: Values) -> dict[str, Any]:
        """Return parameters; a spike in step t blocks steps from t + 1 on, but Brian2 counts t."""
        translated = super().translate(name, values)
        if "tau_refrac" in translated:
            translated["tau_refrac"] = translated["tau_refrac"] + self.dt
        return translated

    def connect(self, projection: Values, pre: NDArray, post: NDArray, weight: NDArray) -> None:
        """Add Brian2's synapses; PyNN's take 0.1 ms each and cannot arrive in the next step."""
        target = self.neurons(projection["post"])
        variables = target.celltype.post_synaptic_variables
        for receptor, chosen in self.receptors(projection, weight):
            variable = variables[receptor]
            rise = variable.replace("g", "y")  # PyNN omits it in EIF_cond_alpha_isfa_ista
            variable = rise if rise in target.brian2_group.variables else variable
            synapses = self.brian2.Synapses(
                self.neurons(projection["pre"]).brian2_group,
                target.brian2_group,
                f"weight : {_DIMENSIONS[projection['unit']]} (constant)",
                on_pre=f"{variable}_post += weight",
                delay=(projection["delay_steps"] - 1) * self.dt * self.brian2.ms,
                clock=self.sim.simulator.state.network.clock,
            )
            synapses.connect(i=pre[chosen], j=post[chosen])
            synapses.weight = weight[chosen] * self._unit(projection["unit"])
            self.sim.simulator.state.network.add(synapses)


def _crossing_group(parameter: str, above: float) -> Callable[..., Any]:
    """Return a constructor of neurons that fire once when v rises above a parameter plus some mV.

    The neurons of PyNN fire in every step in which v is above -40 mV.
    """
    cells = importlib.import_module("pyNN.brian2.cells")
    condition = f"v >= {parameter} + {above!r}*mV"

    def group(n: int, equations: Any, **parameters: Any) -> Any:
        return cells.BaseNeuronGroup(
            n, equations, threshold=condition, reset=None, refractory=condition, **parameters
        )

    return group
