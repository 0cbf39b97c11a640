"""Equations of the board's neurons: its update steps, and the rounding of states in registers."""

from __future__ import annotations

from dataclasses import replace

from bioconv.neurons import LeakyIntegrateAndFire, NeuronModel, Parameter
from bioconv.neurons.language.model import UNITS, State
from bioconv.neurons.language.substitution import substitute
from bioconv.targets.spinnaker.arithmetic import STEP

_IZHIKEVICH = """\
alpha = 140 * mV + (5 + m / mV * v) * v + (i_offset + i_syn) / c_m * ms - u * ms : volt
half = 0.5 * h * dt : second
eta = v + half / ms * alpha : volt
beta = half * a / ms * (b / ms * v - u) : volt/second
gamma = 140 * mV + (5 + m / mV * eta) * eta + (i_offset + i_syn) / c_m * ms : volt
dv/dt = h / ms * (gamma - (u + beta) * ms) : volt
du/dt = a * h / ms * (b / ms * eta - u - beta) : volt/second
di_syn/dt = -i_syn / tau_syn : amp
dh/dt = (1 - h) / dt : 1
"""


def fitted_model(synapse: str, cell: str, silent: bool) -> NeuronModel:
    """Return the equations in Euler steps, with states rounded as in the registers."""
    suffix = "_silent" if silent else ""
    model = LeakyIntegrateAndFire(synapse=synapse).model
    if synapse == "conductance":
        model = _shifted(model)
    return _registers(
        replace(
            model,
            name=f"spinnaker_{cell.lower()}_{synapse}{suffix}",
            threshold="" if silent else model.threshold,
            reset="" if silent else model.reset,
            method="euler",
            standard_cell="",
            dt_default=0.0,
            source=f"sPyNNaker 7.4.1, {cell}, neuron_model_lif_impl.h",
            references=(*model.references, "rhodes2018"),
        )
    )


def _shifted(model: NeuronModel) -> NeuronModel:
    """Return the model with conductances truncated by the shift from 1,024 times their size."""
    membrane, *others = model.parsed_equations
    expression = membrane.expression
    for name in ("g_exc", "g_inh"):
        step = "(lsb_g * nS)"
        expression = substitute(expression, name, f"floor({name} / {step}) * {step}")
    return replace(
        model,
        equations="\n".join(
            [f"dv/dt = {expression} : volt (unless refractory)", *(e.text for e in others)]
        ),
        parameters=(
            *model.parameters,
            Parameter("lsb_g", STEP, "1", "Step of a conductance in use, in nS", (1e-30, 1e6)),
        ),
    )


def _registers(model: NeuronModel) -> NeuronModel:
    """Return the model with v and synaptic currents or conductances rounded after every step."""
    steps = {"mV": "lsb_v", "pA": "lsb_i", "nS": "lsb_i", "mV/ms": "lsb_v"}
    stored = [state for state in model.states if state.unit in steps]
    used = sorted({steps[state.unit] for state in stored})
    return replace(
        model,
        after="\n".join(_rounding(state, steps[state.unit]) for state in stored),
        parameters=(
            *model.parameters,
            *(
                Parameter(name, STEP, "1", "Step of a register, in the state's unit", (1e-30, 1e6))
                for name in used
            ),
        ),
    )


def _rounding(state: State, step: str) -> str:
    unit = f"{step} * {UNITS[state.unit][0]}"
    return f"{state.name} = floor({state.name} / ({unit}) + 0.5) * {unit}"


def izhikevich_model(model: NeuronModel) -> NeuronModel:
    """Return the board's Izhikevich neuron: midpoint steps, 1.85 times as long after a spike."""
    return _registers(
        replace(
            model,
            name="spinnaker_izhikevich",
            equations=_IZHIKEVICH,
            threshold="v >= v_peak",
            reset="v = c\nu += d\nh = 1.85",
            method="euler",
            standard_cell="",
            source="sPyNNaker 7.4.1, IZK_curr_exp, neuron_model_izh_impl.h",
            references=(*model.references, "rhodes2018"),
            parameters=(
                *model.parameters,
                Parameter(
                    "m", 0.040008544921875, "1", "Curvature: 0.04 rounded up to an s16.15 number"
                ),
            ),
            states=(*model.states, State("h", 1.0, "1", "Length of the next step")),
        )
    )
