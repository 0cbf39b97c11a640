"""Neurons of the network as neurons of the board: what sPyNNaker is told, and what that becomes.

The board integrates in closed form with the input of a step held for the step, decays rounded to
s16.15: that is an Euler step with constants of its own, which is how the fitted models are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.export.tables import initial_of, value_of
from bioconv.network import Population
from bioconv.neurons import (
    Izhikevich,
    LeakyIntegrateAndFire,
    NeuronModel,
    Parameter,
)
from bioconv.neurons.language.identity import same
from bioconv.neurons.language.model import UNITS, State
from bioconv.neurons.language.substitution import substitute
from bioconv.targets.spinnaker.arithmetic import (
    CONDUCTANCE_SCALE,
    MOST,
    STEP,
    membrane_decay,
    s1615,
    synapse_decay,
    synapse_gain,
)

Values = dict[str, Any]

#: steps in which a perfect integrator forgets, as a board has none: 1 - exp(-1/1024) is 32 steps of
#: s16.15, so that a decay which is off by one of them changes what arrives by 3 % and no more
MEMORY_STEPS = 1024
#: a delta pulse as an exponential current: time constant in steps (a ten-millionth is left)
PULSE_STEPS = 1.0 / 16.0
#: threshold of a neuron that never fires
NEVER = 60_000.0


@dataclass(frozen=True)
class BoardCell:
    """A population as sPyNNaker is told of it.

    Parameters
    ----------
    cell : str
        Name in ``pyNN.spiNNaker``.
    parameters, initial : dict
        In PyNN's units (nF, nA, uS, mV, ms).
    current : float
        nA on the board per pA of the network.
    weights : mapping of str to float
        Receptor -> weight on the board (nA or uS) per unit of weight of the network.
    scale : float
        The unit of stored weights, `CONDUCTANCE_SCALE` or 1.
    receptors : mapping of str to (str, str)
        Receptor -> those of the board for weights above and below 0.
    later : int
        Steps that a delay gets more on the board, where input acts in the step in which it arrives.
    pulse : bool
        Whether delta pulses are made by a current (convolutions have no delta synapses).
    gain : float
        mV on the board per mV of the network.
    """

    cell: str
    parameters: Values
    initial: Values
    current: float
    weights: Mapping[str, float]
    scale: float
    receptors: Mapping[str, tuple[str, str]]
    later: int = 0
    pulse: bool = False
    gain: float = 1.0

    @property
    def by_sign(self) -> tuple[float, float]:
        """Weight on the board per unit of weight, of excitatory and of inhibitory synapses."""
        values = tuple(self.weights.values())
        return values[0], values[-1]


def synapse_of(model: NeuronModel) -> str:
    """ "delta", "exponential" or "conductance": what a spike does to a neuron."""
    if any(receptor.name == "exc" for receptor in model.receptors):
        return "conductance"
    return "exponential" if any(receptor.tau for receptor in model.receptors) else "delta"


def is_integrator(model: NeuronModel) -> bool:
    """Whether there is no leak."""
    return not any(parameter.name in ("tau_m", "a") for parameter in model.parameters)


def is_izhikevich(model: NeuronModel) -> bool:
    """Whether the equations are Izhikevich's, whatever they are called."""
    return same(model, Izhikevich().model)


def never_forgets(population: Population, dt: float) -> bool:
    """Whether there is no leak that s16.15 could hold: perfect integrators, and outputs like them.

    A time constant of 16 times the one that stands for none is taken for none.
    """
    if is_integrator(population.model):
        return True
    names = {parameter.name for parameter in population.model.parameters}
    longest = 16 * MEMORY_STEPS * dt
    return "tau_m" in names and bool(np.min(value_of(population, "tau_m")) > longest)


def on_board(
    population: Population, dt: float, pulse: bool = False, gain: float = 1.0
) -> tuple[Population, BoardCell]:
    """A population as the board will see it, and what sPyNNaker is told.

    Parameters
    ----------
    population : Population
    dt : float
        ms.
    pulse : bool
        Make delta pulses by a current.
    gain : float
        mV on the board per mV of the network; other than 1 for perfect integrators only.
    """
    if is_izhikevich(population.model):
        return _izhikevich(population, dt)
    return _leaky(population, dt, pulse, gain)


def _leaky(
    population: Population, dt: float, pulse: bool, gain: float
) -> tuple[Population, BoardCell]:
    model, synapse = population.model, synapse_of(population.model)
    value = _Reader(population)
    current = gain / float(np.max(value("c_m")))  # nA per pA, on 1 nF
    tau_m = MEMORY_STEPS * dt if never_forgets(population, dt) else value("tau_m")
    silent = not model.threshold
    told: Values = {
        "tau_m": tau_m,
        "cm": 1.0,
        "v_rest": value("v_rest") * gain,
        "v_reset": 0.0 if silent else value("v_reset") * gain,
        "v_thresh": NEVER if silent else np.minimum(value("v_th") * gain, NEVER),
        "tau_refrac": 0.0 if silent else value("t_ref"),
        "i_offset": value("i_offset") * current,
    }
    keep = membrane_decay(dt, tau_m)
    tau = dt / (1.0 - keep)
    seen: Values = {
        "v_rest": s1615(told["v_rest"]) / gain,
        "v_reset": s1615(told["v_reset"]) / gain,
        "v_th": s1615(told["v_thresh"]) / gain,
        "tau_m": tau,
        "c_m": tau * gain / (s1615(tau_m) * current),
        "t_ref": np.ceil(np.round(np.asarray(told["tau_refrac"]) / dt, 6)) * dt,
        "i_offset": s1615(told["i_offset"]) / current,
        "lsb_v": STEP / gain,
    }
    weights, later, receptors = _synapses(synapse, pulse, value, dt, told, seen, current)
    start = np.asarray(initial_of(population, "v"), np.float64) * gain
    kinds = {"delta": "IF_curr_delta", "exponential": "IF_curr_exp", "conductance": "IF_cond_exp"}
    cell = BoardCell(
        "IF_curr_exp" if pulse else kinds[synapse],
        told,
        {"v": start},
        current,
        weights,
        CONDUCTANCE_SCALE if synapse == "conductance" else 1.0,
        receptors,
        later,
        pulse,
        gain,
    )
    fitted = _fitted_model(LeakyIntegrateAndFire(synapse=synapse).model, cell.cell, silent)
    initial = {"v": s1615(start) / gain}
    return replace(population, model=fitted, parameters=_plain(seen), initial=initial), cell


def _synapses(
    synapse: str,
    pulse: bool,
    value: _Reader,
    dt: float,
    told: Values,
    seen: Values,
    current: float,
) -> tuple[dict[str, float], int, dict[str, tuple[str, str]]]:
    """Complete both tables; weights on the board per weight, later steps, receptors."""
    signed = {"syn": ("excitatory", "inhibitory")}
    if synapse == "delta":
        if pulse:
            told |= {"tau_syn_E": PULSE_STEPS * dt, "tau_syn_I": PULSE_STEPS * dt}
        per_weight = float(synapse_gain(dt, PULSE_STEPS * dt)) if pulse else 1.0 / dt
        rise = float(np.max(dt / seen["c_m"] / current))  # mV a nA of the board brings in a step
        return {"syn": 1.0 / (rise * per_weight)}, 0, signed
    names = ("tau_syn",) * 2 if synapse == "exponential" else ("tau_syn_exc", "tau_syn_inh")
    for name, board in zip(names, ("tau_syn_E", "tau_syn_I"), strict=True):
        told[board] = value(name)
        seen[name] = dt / (1.0 - synapse_decay(dt, told[board]))
    gains = [float(np.max(synapse_gain(dt, told[f"tau_syn_{end}"]))) for end in "EI"]
    seen["lsb_i"] = STEP / current
    if synapse == "exponential":
        return {"syn": current / gains[0]}, 1, signed
    for name, board in (("e_rev_exc", "e_rev_E"), ("e_rev_inh", "e_rev_I")):
        told[board] = value(name)
        seen[name] = s1615(told[board])
    seen |= {"lsb_g": STEP / current, "lsb_i": STEP / current / CONDUCTANCE_SCALE}
    weights = dict(zip(("exc", "inh"), (current / each for each in gains), strict=True))
    return weights, 1, {"exc": ("excitatory", ""), "inh": ("inhibitory", "")}


def _fitted_model(model: NeuronModel, cell: str, silent: bool) -> NeuronModel:
    """The equations in steps of Euler, states rounded as registers are."""
    suffix = "_silent" if silent else ""
    if synapse_of(model) == "conductance":
        model = _shifted(model)
    return _registers(
        replace(
            model,
            name=f"spinnaker_{cell.lower()}_{model.name.split('_')[-2]}{suffix}",
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
    """Conductances are held 1,024 times as large and shifted down, which cuts their last bits."""
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
    """Round v, and synaptic currents or conductances, after every step."""
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


def _izhikevich(population: Population, dt: float) -> tuple[Population, BoardCell]:
    value = _Reader(population)
    current = 1.0  # the publication's current has no unit: pA here, nA on the board
    told: Values = {name: value(name) for name in "abcd"}
    told |= {"i_offset": value("i_offset") * current}
    told |= {"tau_syn_E": value("tau_syn"), "tau_syn_I": value("tau_syn")}
    seen: Values = {name: s1615(told[name]) for name in (*"abcd", "i_offset")}
    seen |= {
        "v_peak": 30.0,
        "tau_syn": dt / (1.0 - synapse_decay(dt, value("tau_syn"))),
        "lsb_v": STEP,
        "lsb_i": STEP,
    }
    start = {name: initial_of(population, name) for name in ("v", "u")}
    gain = float(np.max(synapse_gain(dt, value("tau_syn"))))
    cell = BoardCell(
        "Izhikevich",
        told,
        start,
        current,
        {"syn": current / gain},
        1.0,
        {"syn": ("excitatory", "inhibitory")},
        later=1,
    )
    initial = {name: s1615(number) for name, number in start.items()}
    model = izhikevich_model(population.model)
    return replace(population, model=model, parameters=_plain(seen), initial=initial), cell


def izhikevich_model(model: NeuronModel) -> NeuronModel:
    """The board's Izhikevich neuron: midpoint steps, the one after a spike 1.85 times as long."""
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
                Parameter("m", 0.040008544921875, "1", "Curvature, 0.04 in s16.15 and a step more"),
            ),
            states=(*model.states, State("h", 1.0, "1", "Length of the next step")),
        )
    )


class _Reader:
    """Values of a population's parameters by name."""

    def __init__(self, population: Population):
        self._population = population

    def __call__(self, name: str) -> NDArray[np.float64]:
        return np.asarray(value_of(self._population, name), np.float64)


def _plain(values: Values) -> dict[str, float | NDArray[np.float64]]:
    """Numbers where all neurons have the same."""
    arrays = {name: np.asarray(value, np.float64) for name, value in values.items()}
    return {name: float(a) if a.ndim == 0 else a for name, a in arrays.items()}


def mixed(population: Population) -> list[str]:
    """Parameters that differ between neurons, and would make a weight differ, too."""
    names = ["c_m", "tau_syn", "tau_syn_exc", "tau_syn_inh"]
    if synapse_of(population.model) == "delta":
        names.append("tau_m")
    known = {parameter.name for parameter in population.model.parameters}
    return [n for n in names if n in known and np.ptp(np.asarray(value_of(population, n)))]


def out_of_range(cell: BoardCell) -> list[str]:
    """Parameters that s16.15 cannot hold."""
    return [
        f"{name} = {np.max(np.abs(value)):g}"
        for name, value in (cell.parameters | cell.initial).items()
        if np.max(np.abs(value)) > MOST
    ]
