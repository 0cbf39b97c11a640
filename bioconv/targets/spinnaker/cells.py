"""Neurons of the network as neurons of the board, and the parameters passed to sPyNNaker.

The board integrates in closed form, with input that is constant within a step and with decays
rounded to s16.15.  This is equivalent to an Euler step with modified constants, which is how the
fitted models are written (`bioconv.targets.spinnaker.models`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Population
from bioconv.targets.spinnaker.arithmetic import (
    CONDUCTANCE_SCALE,
    MOST,
    STEP,
    membrane_decay,
    s1615,
    synapse_decay,
    synapse_gain,
)
from bioconv.targets.spinnaker.kinds import Kind, kind_of
from bioconv.targets.spinnaker.models import fitted_model, izhikevich_model

Values = dict[str, Any]

#: time constant in steps that replaces a perfect integrator, which the board lacks:
#: 1 - exp(-1/1024) is 32 times the resolution of s16.15, so that a decay which is off by one unit
#: of that resolution changes the input by at most 3 %
MEMORY_STEPS = 1024
#: time constant, in steps, of an exponential current that replaces a delta pulse (one ten-millionth
#: is left after a step)
PULSE_STEPS = 1.0 / 16.0
#: threshold of a neuron that never fires
NEVER = 60_000.0


@dataclass(frozen=True)
class BoardCell:
    """A population as it is passed to sPyNNaker.

    Parameters
    ----------
    kind : Kind
        Kind of neuron that the population is for the board.
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
        Receptor -> receptors of the board for weights above and below 0.
    later : int
        Steps added to delays on the board, where input acts in the step in which it arrives.
    pulse : bool
        Whether delta pulses are produced by a current (convolutions have no delta synapses).
    gain : float
        mV on the board per mV of the network.
    """

    kind: Kind
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
        """Weight on the board per unit of weight, for excitatory and for inhibitory synapses."""
        values = tuple(self.weights.values())
        return values[0], values[-1]


def never_forgets(population: Population, dt: float) -> bool:
    """Return whether s16.15 cannot represent the leak, as for perfect integrators.

    A time constant of 16 times the one that replaces a missing leak is treated as no leak.
    """
    kind = kind_of(population)
    if not (kind.leaks and kind.linear):
        return not kind.leaks
    longest = 16 * MEMORY_STEPS * dt
    return bool(np.min(population.value("tau_m")) > longest)


def on_board(
    population: Population, dt: float, pulse: bool = False, gain: float = 1.0
) -> tuple[Population, BoardCell]:
    """Return a population as the board will see it, and its description for sPyNNaker.

    Parameters
    ----------
    population : Population
    dt : float
        ms.
    pulse : bool
        Whether to produce delta pulses by a current.
    gain : float
        mV on the board per mV of the network; other than 1 for perfect integrators only.
    """
    kind = kind_of(population)
    if kind.linear:
        return _leaky(population, kind, dt, pulse, gain)
    return _izhikevich(population, kind, dt)


def _leaky(
    population: Population, kind: Kind, dt: float, pulse: bool, gain: float
) -> tuple[Population, BoardCell]:
    model, synapse = population.model, kind.synapse
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
    start = np.asarray(population.start("v"), np.float64) * gain
    cell = BoardCell(
        kind=kind,
        cell="IF_curr_exp" if pulse else kind.cell,
        parameters=told,
        initial={"v": start},
        current=current,
        weights=weights,
        scale=CONDUCTANCE_SCALE if synapse == "conductance" else 1.0,
        receptors=receptors,
        later=later,
        pulse=pulse,
        gain=gain,
    )
    fitted = fitted_model(synapse, cell.cell, silent)
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
    """Complete both tables; return weights on the board per weight, added steps, receptors."""
    signed = {"syn": ("excitatory", "inhibitory")}
    if synapse == "delta":
        if pulse:
            told |= {"tau_syn_E": PULSE_STEPS * dt, "tau_syn_I": PULSE_STEPS * dt}
        per_weight = float(synapse_gain(dt, PULSE_STEPS * dt)) if pulse else 1.0 / dt
        rise = float(np.max(dt / seen["c_m"] / current))  # mV per step and nA of the board
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


def _izhikevich(population: Population, kind: Kind, dt: float) -> tuple[Population, BoardCell]:
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
    start = {name: population.start(name) for name in ("v", "u")}
    gain = float(np.max(synapse_gain(dt, value("tau_syn"))))
    cell = BoardCell(
        kind=kind,
        cell=kind.cell,
        parameters=told,
        initial=start,
        current=current,
        weights={"syn": current / gain},
        scale=1.0,
        receptors={"syn": ("excitatory", "inhibitory")},
        later=1,
    )
    initial = {name: s1615(number) for name, number in start.items()}
    model = izhikevich_model(population.model)
    return replace(population, model=model, parameters=_plain(seen), initial=initial), cell


class _Reader:
    """Access to the values of a population's parameters by name."""

    def __init__(self, population: Population):
        self._population = population

    def __call__(self, name: str) -> NDArray[np.float64]:
        return np.asarray(self._population.value(name), np.float64)


def _plain(values: Values) -> dict[str, float | NDArray[np.float64]]:
    """Replace values that are the same for all neurons by single numbers."""
    arrays = {name: np.asarray(value, np.float64) for name, value in values.items()}
    return {name: float(a) if a.ndim == 0 else a for name, a in arrays.items()}


def mixed(population: Population) -> list[str]:
    """Return parameters that differ between neurons and would make weights differ as well."""
    names = ["c_m", "tau_syn", "tau_syn_exc", "tau_syn_inh"]
    if kind_of(population).synapse == "delta":
        names.append("tau_m")
    known = {parameter.name for parameter in population.model.parameters}
    return [n for n in names if n in known and np.ptp(np.asarray(population.value(n)))]


def out_of_range(cell: BoardCell) -> list[str]:
    """Return parameters that s16.15 cannot represent."""
    return [
        f"{name} = {np.max(np.abs(value)):g}"
        for name, value in (cell.parameters | cell.initial).items()
        if np.max(np.abs(value)) > MOST
    ]
