"""The perfect integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.grammar import parse_statements
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m, reset_statement, t_ref
from bioconv.neurons.library.synapses import Synapse, synapse_parts

_SOURCE = (
    "Rueckauer et al. 2016, arXiv:1612.04052, section 2, Eq 4 (reset to zero, by subtraction); "
    "Mueller 2023, thesis, TU Munich, section 4.1"
)
_REFERENCES = ("rueckauer2016", "mueller2023")


def IntegrateAndFire(
    reset: str = "subtraction", synapse: str = "delta", **parameters: Value
) -> Neuron:
    """Neuron that integrates its input and fires at a threshold: ``c_m dv/dt = i``.

    Parameters
    ----------
    reset : {"subtraction", "value"}
        Whether a spike reduces ``v`` by ``v_th - v_reset`` or sets it to ``v_reset``.
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        v_rest (start value) 0 mV; v_reset 0 mV; v_th 1 mV; c_m 1 pF; t_ref 0 ms;
        i_offset 0 pA; tau_syn 5 ms (exponential and alpha); tau_syn_exc 5 ms, tau_syn_inh 5 ms,
        e_rev_exc 4 mV, e_rev_inh -1 mV (conductance).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = _synapse(synapse)
    model = NeuronModel(
        name=f"integrate_and_fire_{synapse}_{reset}",
        equations="\n".join(
            [
                f"dv/dt = (i_offset{extra.current}) / c_m : volt (unless refractory)",
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset=reset_statement(reset),
        method=_method(synapse),
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST),
            Parameter("v_reset", 0.0, "mV", "Reset potential", role=roles.RESET),
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            c_m(1.0),
            t_ref(),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            *extra.states,
        ),
        receptors=extra.receptors,
        refractory="t_ref",
        source=_SOURCE,
        references=_REFERENCES,
        dt_default=_dt_default(synapse),
    )
    return Neuron(model, parameters)


def Integrator(synapse: str = "delta", **parameters: Value) -> Neuron:
    """Perfect integrator that never spikes, for outputs whose potential is read.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        v_rest (start value) 0 mV; c_m 1 pF; i_offset 0 pA; tau_syn 5 ms (exponential and
        alpha); tau_syn_exc 5 ms, tau_syn_inh 5 ms, e_rev_exc 4 mV, e_rev_inh -1 mV (conductance).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = _synapse(synapse)
    model = NeuronModel(
        name=f"integrator_{synapse}",
        kind=roles.READOUT,
        equations="\n".join([f"dv/dt = (i_offset{extra.current}) / c_m : volt", *extra.equations]),
        threshold="",
        reset="",
        method=_method(synapse),
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST),
            c_m(1.0),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            *extra.states,
        ),
        receptors=extra.receptors,
        source="Rueckauer et al. 2016, arXiv:1612.04052, section 3.5 (accumulated potentials)",
        references=_REFERENCES,
        dt_default=_dt_default(synapse),
    )
    return Neuron(model, parameters)


def subtracts(model: NeuronModel) -> bool:
    """Whether the reset of a model preserves the excess of the potential over the threshold."""
    names = model.potential, model.role(roles.THRESHOLD), model.role(roles.RESET)
    if not all(names):
        return False
    potential, threshold, reset = names
    wanted = parse_statements(f"{potential} -= {threshold} - {reset}", model.names, {potential})
    return model.reset_statements == wanted


def _synapse(kind: str) -> Synapse:
    """Return the synapse; reversal potentials relate to rest and threshold as in a leaky neuron."""
    return synapse_parts(kind, e_rev_exc=4.0, e_rev_inh=-1.0)


def _method(synapse: str) -> str:
    """Return the integration method that is exact for v with a constant current.

    The exact solution is singular without a leak.  Exponential Euler is exact for v with a delta
    synapse, and otherwise uses the current at the start of a step for the whole step.  However, it
    divides by the conductance, which may be zero; Euler, its limit, is used in this case.
    """
    return "euler" if synapse.startswith("conductance") else "exponential_euler"


def _dt_default(synapse: str) -> float:
    return 0.5 if synapse.startswith("conductance") else 0.0
