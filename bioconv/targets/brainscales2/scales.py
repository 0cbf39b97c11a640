"""Scales of the chip: LSB per mV for potentials, units per pA for weights.

With s LSB per mV and a weight w (pA) on a membrane of c_m (pF), a spike increases the slope of the
membrane by s w / c_m LSB per ms.  A unit of weight increases it by kappa, which i_synin_gm sets
for all populations of the chip at once.  So w takes s w / (c_m kappa) units: a population with a
large swing in LSB needs large weights, and vice versa.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Population, SpikingNetwork, Value
from bioconv.targets.brainscales2.declaration import (
    GM,
    GM_DEFAULT,
    MOST_SYNAPSES,
    REST,
    ROWS,
    SPREAD_THRESHOLD,
    STRENGTH,
    THRESHOLD,
    WEIGHT,
)

Floats = NDArray[np.float64]

#: settings of i_synin_gm that are tried
_SETTINGS = 60


@dataclass(frozen=True, eq=False)
class Demand:
    """Requirements of a population, in the model's units.

    Parameters
    ----------
    name : str
    rest, reset, threshold : ndarray, shape (n_neurons,)
        mV; rest includes the effect of the constant current.
    slopes : tuple of ndarray
        For each projection to the population, what a spike of each synapse adds to dv/dt, mV/ms.
    posts : tuple of ndarray of int
        The receiving neuron of each synapse.
    """

    name: str
    rest: Floats
    reset: Floats
    threshold: Floats
    slopes: tuple[Floats, ...]
    posts: tuple[NDArray, ...]

    @property
    def low(self) -> float:
        """Lowest potential that is set, mV."""
        return float(min(self.rest.min(), self.reset.min()))

    @property
    def swing(self) -> float:
        """Mean distance from reset to threshold, mV."""
        return float(np.mean(self.threshold - self.reset))

    @property
    def largest(self) -> float:
        """Steepest slope of a spike, mV/ms; 0 without synapses."""
        return max((float(np.abs(s).max(initial=0.0)) for s in self.slopes), default=0.0)

    @property
    def widest(self) -> float:
        """LSB per mV at which rest, reset and threshold fill their ranges except for one LSB."""
        room = REST.value[1] - REST.value[0] - 1
        high = max(self.rest.max(), self.reset.max()) - self.low
        above = THRESHOLD.value[1] - REST.value[0] - 1
        return float(min(room / max(high, 1e-9), above / (self.threshold.max() - self.low)))


@dataclass(frozen=True)
class ChipScale:
    """Scale of a population on the chip.

    Parameters
    ----------
    lsb : float
        LSB per mV.
    units : float
        Units of weight per slope of 1 mV/ms.
    synapses : int
        Number of synapses that the largest weight takes.
    rows : int
        Synapses of a neuron: the largest number of excitatory ones plus the largest of inhibitory.
    """

    lsb: float
    units: float
    synapses: int
    rows: int


def demand(network: SpikingNetwork, population: Population) -> Demand:
    """Return the requirements of a leaky integrate-and-fire population."""

    def flat(name: str) -> Floats:
        value = np.asarray(population.value(name), np.float64)
        return np.broadcast_to(value, population.shape).ravel()

    edges = [entry.operator.edges() for entry in network.projections_to(population.name)]
    return Demand(
        population.name,
        flat("v_rest") + flat("i_offset") * flat("tau_m") / flat("c_m"),
        flat("v_reset"),
        flat("v_th"),
        tuple(e.weight / flat("c_m")[e.post] for e in edges),
        tuple(np.asarray(e.post) for e in edges),
    )


def strength(demands: Sequence[Demand]) -> float:
    """Return the slope of a unit of weight that suits all populations, LSB per us.

    With strong synapses few units are needed, so that rounding causes larger errors.  With weak
    ones the weights need several synapses; if too few are available, the potentials have to be
    closer together and the spread of thresholds matters more.  The strength returned minimizes the
    cost of the population that is worst off.
    """
    per_gm = STRENGTH.value / GM_DEFAULT.value
    settings = np.unique(np.round(np.geomspace(GM.value[0], GM.value[1], _SETTINGS)))
    costs = [max(map(partial(_cost, kappa=per_gm * gm), demands), default=0.0) for gm in settings]
    return float(per_gm * settings[int(np.argmin(costs))])


def _cost(of: Demand, kappa: float) -> float:
    """Return the cost: threshold spread relative to the swing, a unit relative to the weights."""
    if not of.largest:
        return 0.0
    found = scale(of, kappa)
    if found.rows > ROWS.value or not found.lsb:
        return float("inf")
    return SPREAD_THRESHOLD.value / (found.lsb * of.swing) + 1.0 / (found.units * of.largest)


def scale(of: Demand, kappa: float) -> ChipScale:
    """Return the scale with the widest swing for which the weights fit, else the narrowest one.

    Parameters
    ----------
    of : Demand
    kappa : float
        See `strength`.
    """
    widest = of.widest
    needed = of.largest * widest / kappa / WEIGHT.value
    first = int(np.clip(np.ceil(needed - 1e-9), 1, MOST_SYNAPSES))
    found = ChipScale(0.0, 0.0, 0, 0)
    for synapses in range(first, 0, -1):
        share = min(1.0, synapses / needed) if needed else 1.0
        lsb = np.floor(widest * share * of.swing) / of.swing
        units = lsb / kappa
        found = ChipScale(float(lsb), float(units), synapses, rows(of, units))
        if found.rows <= ROWS.value:
            break
    return found


def rows(of: Demand, units: float) -> int:
    """Return how many synapses a neuron needs; a row has the same sign for all neurons."""
    n = len(of.rest)
    counts = {+1: np.zeros(n), -1: np.zeros(n)}
    for slopes, post in zip(of.slopes, of.posts, strict=True):
        weight = np.round(slopes * units)
        for sign, count in counts.items():
            needed = np.ceil(np.maximum(sign * weight, 0.0) / WEIGHT.value)
            count += np.bincount(post, needed, minlength=n)
    return int(counts[+1].max() + counts[-1].max())


def in_lsb(population: Population, of: Demand, chosen: ChipScale, kappa: float) -> Population:
    """Return the population in the chip's units: whole LSB, us, and units of weight.

    These numbers replace those in mV, ms and pA, and the capacitance is chosen so that a unit of
    weight has the slope ``kappa``.
    """
    floor = REST.value[0] + np.ceil(_to_reset(of, chosen)) - _to_reset(of, chosen)

    def potential(values: Floats) -> Floats:
        whole = np.round(floor + chosen.lsb * (values - of.low))
        return whole.reshape(population.shape)

    parameters: dict[str, Value] = {
        **population.parameters,
        "v_rest": potential(of.rest),
        "v_reset": potential(of.reset),
        "v_th": potential(of.threshold),
        "c_m": 1.0 / kappa,
        "i_offset": 0.0,
    }
    return replace(population, parameters=parameters, initial={})


def _to_reset(of: Demand, chosen: ChipScale) -> float:
    """Return the distance from the lowest potential to the mean reset, LSB."""
    return chosen.lsb * float(np.mean(of.reset) - of.low)
