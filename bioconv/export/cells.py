"""Choose the PyNN cell for a neuron model on each simulator.

Standard cells are used if their equations are those of the model: `standard_cells` translates names
and units, in both directions.  For all other models NEST uses a generated one (see
`bioconv.export.nestml`); NEURON and Brian2 under PyNN do not support this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ExportError, Problem
from bioconv.network import Population, SpikingNetwork
from bioconv.network.stages import list_stages
from bioconv.neurons import (
    AdaptiveExponential,
    Izhikevich,
    LeakyIntegrateAndFire,
    NeuronModel,
    TraubMiles,
)
from bioconv.neurons.language import roles
from bioconv.neurons.language.identity import renaming

#: simulators that a PyNN program runs on
SIMULATORS = ("nest", "neuron", "brian2")

#: marks a generated model in place of the name of a standard cell
GENERATED = "generated"

#: ms
_NEST_TIC = 0.001

_NO_CELL = "no standard cell of PyNN has these equations"
_USE_NEST = "Run it on NEST, or in Brian2 without PyNN (simulator='brian2')."


Names = Mapping[str, tuple[tuple[str, ...], float]]


@dataclass(frozen=True)
class StandardCell:
    """A PyNN standard cell with the equations of a model of this library.

    Parameters
    ----------
    model : NeuronModel
        Equations that coincide with the cell's.
    parameters : mapping of str to ((str, ...), float)
        Parameter of the model -> names in PyNN, and factor from the model's unit to PyNN's.
        Parameters that are not listed are fixed, or are start values of states.
    states : mapping of str to (str, float)
        State variable of the model that can be set and recorded -> name in PyNN, and factor.  All
        others start at 0.
    receptors : mapping of str to (str, str)
        Receptor of the model -> PyNN's for weights above 0 and for weights below 0; empty if none.
    weight : float
        Factor of a weight: pA -> nA, nS -> uS, or mV -> mV.
    fixed : mapping of str to float
        Parameters of the model without a name in PyNN -> the value that PyNN's cell uses.
    crossing : (str, float) or None
        A cell without a reset fires when v rises above this parameter plus this many mV.
    absent : mapping of str to str
        Simulator -> why the cell cannot be used there.
    from_first : tuple of str
        Parameters that PyNN's Brian2 cell takes from the first neuron of a population.
    highest : function, optional
        Function of a step in ms and the values of `follows` that returns why NEURON's backward
        Euler cannot follow the upstroke of a spike; empty if it can.
    follows : tuple of str
        Parameters that are passed to ``highest``.
    """

    model: NeuronModel
    parameters: Names
    states: Mapping[str, tuple[str, float]]
    receptors: Mapping[str, tuple[str, str]]
    weight: float
    fixed: Mapping[str, float] = field(default_factory=dict)
    crossing: tuple[str, float] | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    from_first: tuple[str, ...] = ()
    highest: Callable[..., str] | None = None
    follows: tuple[str, ...] = ()

    def in_words_of(self, model: NeuronModel) -> StandardCell | None:
        """Return the cell with a model's names for its parts; None if the equations differ."""
        names = renaming(self.model, model)
        if names is None:
            return None
        new = names.names
        return replace(
            self,
            model=model,
            parameters={new[name]: theirs for name, theirs in self.parameters.items()},
            states={new[name]: theirs for name, theirs in self.states.items()},
            receptors={names.receptors[name]: both for name, both in self.receptors.items()},
            fixed={new[name]: value for name, value in self.fixed.items()},
            crossing=self.crossing and (new[self.crossing[0]], self.crossing[1]),
            from_first=tuple(new[name] for name in self.from_first),
            follows=tuple(new[name] for name in self.follows),
        )


def _below_the_exponential(dt: float, *values: NDArray[np.float64]) -> str:
    """Return why NEURON's step, linear in v, would send the potential down; empty if it would not.

    The step divides by 1 / dt - d(dv/dt)/dv.  This changes its sign at a potential that must
    therefore not lie below the potential at which a spike is cut off.
    """
    v_t, delta_t, tau_m, v_peak = values
    highest = v_t + delta_t * np.log(tau_m / dt)
    if not np.any(v_peak > highest):
        return ""
    return (
        "NEURON's backward Euler method cannot follow the exponential beyond v_peak = "
        f"{float(np.min(highest)):.1f} mV with this dt"
    )


def _below_the_parabola(dt: float) -> str:
    """Return the same for a quadratic upstroke, which is cut off at 30 mV."""
    longest = 1.0 / (0.08 * 30.0 + 5.0)
    if dt < longest:
        return ""
    return (
        "NEURON's backward Euler method cannot follow the Izhikevich neuron up to 30 mV unless "
        f"dt is below {longest:.3f} ms"
    )


def _same(*names: str) -> Names:
    """Return parameters that have the same name and unit in PyNN and in bioconv."""
    return {name: ((name,), 1.0) for name in names}


_MEMBRANE: Names = {
    "c_m": (("cm",), 1e-3),  # pF -> nF
    "i_offset": (("i_offset",), 1e-3),  # pA -> nA
}
_LEAKY: Names = {
    **_MEMBRANE,
    **_same("v_rest", "v_reset", "tau_m"),
    "t_ref": (("tau_refrac",), 1.0),
}
_FIXED_THRESHOLD: Names = {**_LEAKY, "v_th": (("v_thresh",), 1.0)}
_ADAPTIVE: Names = {
    **_LEAKY,
    **_same("a", "tau_w"),
    "v_t": (("v_thresh",), 1.0),
    "v_peak": (("v_spike",), 1.0),
    "delta_t": (("delta_T",), 1.0),
    "b": (("b",), 1e-3),  # pA -> nA
}
_TRAUB_MILES: Names = {
    **_MEMBRANE,
    **_same("v_offset"),
    "g_na": (("gbar_Na",), 1e-3),  # nS -> uS
    "g_k": (("gbar_K",), 1e-3),
    "g_l": (("g_leak",), 1e-3),
    "e_na": (("e_rev_Na",), 1.0),
    "e_k": (("e_rev_K",), 1.0),
    "e_l": (("e_rev_leak",), 1.0),
}
_ONE_TAU: Names = {"tau_syn": (("tau_syn_E", "tau_syn_I"), 1.0)}
_CONDUCTANCES: Names = {
    "tau_syn_exc": (("tau_syn_E",), 1.0),
    "tau_syn_inh": (("tau_syn_I",), 1.0),
    "e_rev_exc": (("e_rev_E",), 1.0),
    "e_rev_inh": (("e_rev_I",), 1.0),
}
_V = {"v": ("v", 1.0)}
_V_AND_G = {**_V, "g_exc": ("gsyn_exc", 1e-3), "g_inh": ("gsyn_inh", 1e-3)}  # nS -> uS
_SIGNED = {"syn": ("excitatory", "inhibitory")}
_SEPARATE = {"exc": ("excitatory", ""), "inh": ("inhibitory", "")}


@cache
def standard_cells() -> Mapping[str, StandardCell]:
    """Return PyNN's name and the translation of each standard cell that can replace a model."""
    currents = {"exponential": "IF_curr_exp", "alpha": "IF_curr_alpha"}
    conductances = {"conductance": "exp", "conductance_alpha": "alpha"}
    cells = {
        name: StandardCell(
            LeakyIntegrateAndFire(synapse=synapse).model,
            {**_FIXED_THRESHOLD, **_ONE_TAU},
            _V,
            _SIGNED,
            weight=1e-3,
        )
        for synapse, name in currents.items()
    }
    cells["IF_curr_delta"] = StandardCell(
        LeakyIntegrateAndFire(synapse="delta").model,
        _FIXED_THRESHOLD,
        _V,
        _SIGNED,
        weight=1.0,
        absent={
            "nest": "PyNN 0.13 ignores the start potential of IF_curr_delta on NEST",
            "neuron": "IF_curr_delta does not exist on NEURON",
        },
    )
    for synapse, shape in conductances.items():
        cells[f"IF_cond_{shape}"] = StandardCell(
            LeakyIntegrateAndFire(synapse=synapse).model,
            {**_FIXED_THRESHOLD, **_CONDUCTANCES},
            _V_AND_G,
            _SEPARATE,
            weight=1e-3,
        )
        cells[f"EIF_cond_{shape}_isfa_ista"] = StandardCell(
            AdaptiveExponential(synapse=synapse).model,
            {**_ADAPTIVE, **_CONDUCTANCES},
            {**_V_AND_G, "w": ("w", 1e-3)},  # pA -> nA
            _SEPARATE,
            weight=1e-3,
            from_first=("v_reset", "b"),
            highest=_below_the_exponential,
            follows=("v_t", "delta_t", "tau_m", "v_peak"),
        )
    cells["Izhikevich"] = StandardCell(
        Izhikevich(synapse="delta").model,
        {**_same("a", "b", "c", "d"), "i_offset": (("i_offset",), 1e-3)},
        {**_V, "u": ("u", 1.0)},
        _SIGNED,
        weight=1.0,
        fixed={"v_peak": 30.0, "c_m": 1.0},
        from_first=("c", "d"),
        highest=_below_the_parabola,
    )
    cells["HH_cond_exp"] = StandardCell(
        TraubMiles(synapse="conductance").model,
        {**_TRAUB_MILES, **_CONDUCTANCES},
        {**_V, **{gate: (gate, 1.0) for gate in ("m", "h", "n")}},
        _SEPARATE,
        weight=1e-3,
        crossing=("v_offset", 30.0),
    )
    return cells


@lru_cache(maxsize=1024)
def standard_cell_of(model: NeuronModel) -> tuple[str, StandardCell] | None:
    """Return the standard cell with a model's equations and names; None if there is none.

    Only the equations matter, whatever the model is called.
    """
    for name, cell in standard_cells().items():
        found = cell.in_words_of(model)
        if found is not None:
            return name, found
    return None


def to_pynn(cell: StandardCell, values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a model's parameters to PyNN's names and units; those that PyNN lacks are omitted."""
    return {
        name: np.multiply(values[parameter], factor)
        for parameter, (names, factor) in cell.parameters.items()
        if parameter in values
        for name in names
    }


def from_pynn(cell: StandardCell, values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert PyNN's parameters to the model's names and units, including those that are fixed.

    Raises
    ------
    ExportError
        The cell's two receptors differ, but the model has only one.
    """
    back: dict[str, Any] = dict(cell.fixed)
    for parameter, (names, factor) in cell.parameters.items():
        given = [values[name] for name in names]
        if any(np.any(np.not_equal(value, given[0])) for value in given):
            raise ExportError(
                f"{' and '.join(names)} differ, but the model has only {parameter} for both. "
                "Give them the same value."
            )
        back[parameter] = np.divide(given[0], factor)
    return back


def choose_cells(network: SpikingNetwork, simulator: str) -> dict[str, str]:
    """Return the PyNN cell of each population on one simulator.

    Parameters
    ----------
    network : SpikingNetwork
    simulator : {"nest", "neuron", "brian2"}

    Returns
    -------
    dict of str to str
        Population -> name of a standard cell, or `GENERATED`.

    Raises
    ------
    ExportError
        A population has no cell on the simulator; the message lists all of them, with advice.
    """
    chosen = {p.name: cell_for(p, network, simulator) for p in network.populations}
    problems = [cell for cell in chosen.values() if isinstance(cell, Problem)]
    if problems:
        raise ExportError(f"{network.name} cannot run on {simulator} through PyNN:", problems)
    return {name: cell for name, cell in chosen.items() if isinstance(cell, str)}


def cell_for(population: Population, network: SpikingNetwork, simulator: str) -> str | Problem:
    """Return the cell of one population, or the reason why there is none."""
    model = population.model
    tics = network.dt / _NEST_TIC
    if simulator == "nest" and abs(tics - round(tics)) > 1e-6:
        reason = f"NEST counts time in units of {_NEST_TIC} ms; {network.dt} ms is not a multiple."
        return Problem(population.name, model.name, reason, "Choose a dt that is a multiple.")
    if simulator != "nest" and network.stages:
        reason = (
            f"analog stages ({list_stages(network)}) are computed from the spikes of every step, "
            f"which {simulator} under PyNN does not report between two steps."
        )
        return Problem(population.name, model.name, reason, _USE_NEST)
    found = standard_cell_of(model)
    reasons = obstacles(population, network, simulator)
    if found is not None and not reasons:
        return found[0]
    if simulator == "nest":
        return GENERATED
    return Problem(population.name, model.name, f"{'; '.join(reasons)}.", _USE_NEST)


def obstacles(population: Population, network: SpikingNetwork, simulator: str) -> tuple[str, ...]:
    """Return why no standard cell can represent a population on a simulator; empty if one can."""
    found = standard_cell_of(population.model)
    if found is None:
        return (_NO_CELL,)
    return tuple(_obstacles(population, network, simulator, *found))


def _fires_at_reset(population: Population, network: SpikingNetwork) -> bool:
    """Whether the threshold of some neuron is at or below its reset potential at some time."""
    model = population.model
    threshold, reset = model.role(roles.THRESHOLD), model.role(roles.RESET)
    if not (threshold and reset):
        return False
    later = [c for c in network.changes if c.population == population.name]
    thresholds, resets = (
        [population.value(name), *(c.value for c in later if c.variable == name)]
        for name in (threshold, reset)
    )
    return any(np.any(np.less_equal(v_th, v)) for v_th in thresholds for v in resets)


def _obstacles(
    population: Population, network: SpikingNetwork, simulator: str, name: str, cell: StandardCell
) -> Iterator[str]:
    """Yield why a cell with the right equations cannot represent a population."""
    if simulator in cell.absent:
        yield cell.absent[simulator]
    for parameter, value in cell.fixed.items():
        if np.any(np.not_equal(population.value(parameter), value)):
            yield f"{name} has no parameter {parameter}: its value is always {value:g}"
    for state in population.model.states:
        if state.name not in cell.states and np.any(population.start(state.name)):
            yield f"{state.name} of {name} always starts at 0"
    for projection in network.projections_to(population.name):
        _, below = cell.receptors[projection.receptor]
        if simulator != "nest" and projection.release < 1:
            yield f"synapses that fail at random are not supported on {simulator}"
        if not below and np.any(projection.operator.edges().weight < 0):
            yield f"the receptor {projection.receptor} of {name} accepts no weights below 0"
    if _fires_at_reset(population, network):
        yield f"the threshold of {name} must be above its reset potential"
    changes = {c.variable for c in network.changes if c.population == population.name}
    if simulator != "nest":
        shown = {state.name for state in population.model.states} - cell.states.keys()
        wrong = sorted(changes & (shown | {population.model.refractory}))
        if wrong:
            yield f"{', '.join(wrong)} cannot be set in the middle of a run on {simulator}"
    if simulator == "neuron" and cell.highest is not None:
        values = (np.asarray(population.value(parameter)) for parameter in cell.follows)
        reason = cell.highest(network.dt, *values)
        if reason:
            yield reason
    if simulator == "brian2":
        for parameter in (*cell.from_first, population.model.refractory):
            if parameter and np.ptp(population.value(parameter)):
                yield f"in PyNN's Brian2 cells, all neurons of a population share one {parameter}"
        wrong = sorted(changes & set(cell.from_first))
        if wrong:
            yield f"{', '.join(wrong)} cannot be set in the middle of a run in PyNN's Brian2 cells"
