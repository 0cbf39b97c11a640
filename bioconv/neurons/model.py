"""What a neuron model is: text, written once.

Everything else is derived from a `NeuronModel`: the Brian2 group, the NESTML model, the PyNN
cell, the array update, the parameter table in the documentation.

Numbers are plain floats in one coherent system of units: ms, mV, pA, pF, nS, Hz
(pA = pF mV / ms = nS mV).  The equations themselves are Brian2's language and carry SI base
units (``volt``), as Brian2 wants; ``UNITS`` is the one table between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bioconv.neurons.grammar import check_equations, check_expression, check_name, check_statements

#: unit of a number in bioconv -> (Brian2 unit of the quantity, name of the Brian2 dimension)
UNITS: dict[str, tuple[str, str]] = {
    "ms": ("ms", "second"),
    "mV": ("mV", "volt"),
    "pA": ("pA", "amp"),
    "pF": ("pF", "farad"),
    "nS": ("nS", "siemens"),
    "Hz": ("Hz", "hertz"),
    "mV/ms": ("mV/ms", "volt/second"),
    "1": ("1", "1"),
}


@dataclass(frozen=True)
class Parameter:
    """A constant of a neuron model that may differ from neuron to neuron.

    Parameters
    ----------
    name : str
        Standard name, e.g. ``v_th``.
    default : float
        Value in ``unit``.
    unit : str
        A key of `UNITS`.
    meaning : str
        One line for the parameter table.
    bounds : tuple of float, optional
        Smallest and largest allowed value.
    """

    name: str
    default: float
    unit: str
    meaning: str
    bounds: tuple[float, float] = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class State:
    """A state variable: one differential equation each.

    Parameters
    ----------
    name : str
        Name used in the equations.
    initial : float or str
        Start value in ``unit``, or the name of the parameter that holds it.
    unit : str
        A key of `UNITS`.
    meaning : str
        One line for the documentation.
    """

    name: str
    initial: float | str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Receptor:
    """What an arriving spike does.

    Parameters
    ----------
    name : str
        Name of the receptor.
    variable : str
        The state variable that jumps by the synaptic weight: ``variable += w``.
    unit : str
        Unit of a weight on this receptor.
    tau : str, optional
        Parameter that holds the decay time of ``variable``; empty for a delta synapse.
    """

    name: str
    variable: str
    unit: str
    tau: str = ""


@dataclass(frozen=True)
class NeuronModel:
    """One neuron model, declared once.

    Parameters
    ----------
    name : str
        Lower-case identifier, also the name of the generated NEST model.
    equations : str
        Differential equations and sub-expressions in Brian2's language.  Parameters are not
        declared in the text: they are added from ``parameters``.  ``(unless refractory)``
        marks variables that neither integrate nor take delta input while refractory.
    threshold : str
        Boolean expression; a spike is emitted at the end of a step in which it holds.
        Empty for a neuron that never spikes.
    reset : str
        Statements separated by newlines, run after a spike; may be empty.
    method : str
        Integration method, a Brian2 name: "exact", "euler", "exponential_euler", ...
    parameters : tuple of Parameter
    states : tuple of State
        One for each differential equation, in the order of the equations.
    receptors : tuple of Receptor
    refractory : str
        Name of the parameter (unit ms) with the refractory period, a whole number of steps;
        empty for none.  A spike in step t blocks steps t+1 ... t+n.
    current : str
        Name of the parameter (unit pA) that takes constant input current (bias, analog input);
        empty if the model takes none.
    standard_cell : str
        PyNN standard cell with the same equations (see `bioconv.export.cells`), or empty.
    source : str
        Publication with section and equation numbers.
    """

    name: str
    equations: str
    threshold: str
    reset: str
    method: str
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    receptors: tuple[Receptor, ...] = ()
    refractory: str = ""
    current: str = "i_offset"
    standard_cell: str = ""
    source: str = ""
    _names: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        # Models come from files as well as from this library: every word is checked here,
        # before anything is compiled, executed or written into a program.
        for item in (self, *self.parameters, *self.states, *self.receptors):
            check_name(item.name)
        names = frozenset(item.name for item in (*self.parameters, *self.states))
        names |= check_equations(self.equations, names)
        check_expression(self.threshold, names)
        check_statements(self.reset, names)
        object.__setattr__(self, "_names", names)

    def parameter(self, name: str) -> Parameter:
        """The parameter called ``name``; raises `ParameterError` that lists the valid names."""
        from bioconv.errors import ParameterError

        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        valid = ", ".join(p.name for p in self.parameters)
        raise ParameterError(f"{self.name} has no parameter {name!r}. Valid names: {valid}.")

    def receptor(self, name: str) -> Receptor:
        """The receptor called ``name``; raises `ParameterError` that lists the valid names."""
        from bioconv.errors import ParameterError

        for receptor in self.receptors:
            if receptor.name == name:
                return receptor
        valid = ", ".join(r.name for r in self.receptors)
        raise ParameterError(f"{self.name} has no receptor {name!r}. Valid names: {valid}.")
