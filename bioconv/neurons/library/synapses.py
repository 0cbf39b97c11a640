"""The synapses of the library, as parts that a neuron family adds to its model.

==================  ==========================================  ================================
kind                effect of a spike of weight w               receptors
==================  ==========================================  ================================
delta               increases v by w (mV)                       syn, weights of both signs
exponential         adds w (pA) to a decaying current           syn, weights of both signs
alpha               current of peak w (pA) after ``tau_syn``    syn, weights of both signs
conductance         adds w (nS) to a decaying conductance       exc and inh, weights >= 0
conductance_alpha   conductance of peak w (nS)                  exc and inh, weights >= 0
==================  ==========================================  ================================

In a dimensionless model the weights of the first three are dimensionless, and there are no
conductances.  The alpha function is ``w e (t / tau) exp(-t / tau)``, as in PyNN and NEST; it is
written as two equations, of which the first, ``x``, receives the weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import UNITS, Parameter, Receptor, State
from bioconv.neurons.library.parts import POSITIVE, one_of

#: kinds for models in mV and pA, and for dimensionless models
KINDS: dict[str, tuple[str, ...]] = {
    "pA": ("delta", "exponential", "alpha", "conductance", "conductance_alpha"),
    "1": ("delta", "exponential", "alpha"),
}

_E = "2.718281828459045"
_MEANINGS = {
    "syn": "synaptic current",
    "exc": "excitatory conductance",
    "inh": "inhibitory conductance",
}
_POTENTIAL = {"pA": "mV", "1": "1"}


@dataclass(frozen=True)
class Synapse:
    """Parts that a synapse adds to a model with a membrane potential ``v``.

    Parameters
    ----------
    current : str
        Terms that are added to the constant input current.
    equations : tuple of str
    parameters : tuple of Parameter
    states : tuple of State
    receptors : tuple of Receptor
        ``syn``, for weights of both signs, or ``exc`` and ``inh``.
    """

    current: str = ""
    equations: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    states: tuple[State, ...] = ()
    receptors: tuple[Receptor, ...] = ()


#: sign of the weights that a conductance receptor accepts
_SIGNS = {"exc": 1, "inh": -1}


def synapse_parts(kind: str, unit: str = "pA", target: str = "v", **defaults: float) -> Synapse:
    """Return the synapse called ``kind``.

    Parameters
    ----------
    kind : str
        One of ``KINDS[unit]``.
    unit : {"pA", "1"}
        Unit of a current: "1" in a dimensionless model.
    target : str
        State variable that a delta synapse acts on.
    **defaults : float
        Default values of parameters that differ from the usual ones (tau_syn, tau_syn_exc and
        tau_syn_inh 5 ms, e_rev_exc 0 mV, e_rev_inh -70 mV); those of other kinds are ignored.

    Returns
    -------
    Synapse

    Raises
    ------
    ParameterError
        If the kind is unknown.
    """
    one_of("synapse", kind, KINDS[unit])
    if kind == "delta":
        return Synapse(receptors=(Receptor("syn", target, _POTENTIAL[unit]),))
    shape = "alpha" if kind.endswith("alpha") else "exponential"
    if not kind.startswith("conductance"):
        parts = _channel("syn", "i_syn", "tau_syn", unit, shape, " + i_syn")
    else:
        parts = _joined(_conductance("exc", 0.0, shape), _conductance("inh", -70.0, shape))
    parameters = tuple(
        replace(p, default=defaults.get(p.name, p.default)) for p in parts.parameters
    )
    return replace(parts, parameters=parameters)


def _conductance(name: str, reversal: float, shape: str) -> Synapse:
    term = f" + g_{name} * (e_rev_{name} - v)"
    channel = _channel(name, f"g_{name}", f"tau_syn_{name}", "nS", shape, term)
    meaning = f"Reversal potential of the {_MEANINGS[name]}"
    potential = Parameter(f"e_rev_{name}", reversal, "mV", meaning, role=roles.REVERSAL)
    receptors = tuple(
        replace(entry, sign=_SIGNS[name], reversal=potential.name) for entry in channel.receptors
    )
    return replace(channel, parameters=(*channel.parameters, potential), receptors=receptors)


def _channel(
    receptor: str, variable: str, tau: str, unit: str, shape: str, current: str
) -> Synapse:
    """Return a receptor with an alpha-shaped or exponential current or conductance ``variable``."""
    what = _MEANINGS[receptor]
    dimension = UNITS[unit][1]
    equations = [f"d{variable}/dt = -{variable} / {tau} : {dimension}"]
    states = [State(variable, 0.0, unit, what.capitalize(), kind=roles.SYNAPTIC)]
    jumps = variable
    if shape == "alpha":
        jumps = f"x_{receptor}"
        equations = [
            f"d{jumps}/dt = -{jumps} / {tau} : {dimension}",
            f"d{variable}/dt = ({_E} * {jumps} - {variable}) / {tau} : {dimension}",
        ]
        states = [State(jumps, 0.0, unit, f"Drive of the {what}", kind=roles.SYNAPTIC), *states]
    meaning = f"{'Time to peak' if shape == 'alpha' else 'Decay time'} of the {what}"
    return Synapse(
        current=current,
        equations=tuple(equations),
        parameters=(Parameter(tau, 5.0, "ms", meaning, (POSITIVE, 1e9), role=roles.TIME_CONSTANT),),
        states=tuple(states),
        receptors=(Receptor(receptor, jumps, unit, tau),),
    )


def _joined(one: Synapse, other: Synapse) -> Synapse:
    return Synapse(
        one.current + other.current,
        one.equations + other.equations,
        one.parameters + other.parameters,
        one.states + other.states,
        one.receptors + other.receptors,
    )
