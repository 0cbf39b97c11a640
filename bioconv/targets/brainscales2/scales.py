"""How large a mV and a pA are on the chip: potentials in LSB, weights in units.

With s LSB for a mV and a weight w (pA) on a membrane of c_m (pF), a spike lifts the slope of the
membrane by s w / c_m LSB a ms.  A unit of weight does so by kappa, which is one number for the
chip: i_synin_gm sets it for all populations at once.  So w takes s w / (c_m kappa) units: a
population with a large swing in LSB needs large weights, and the other way round.
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
    """What a population asks of the chip, in the model's units.

    Parameters
    ----------
    name : str
    rest, reset, threshold : ndarray, shape (n_neurons,)
        mV; rest includes what the constant current does.
    slopes : tuple of ndarray
        Of each projection to it: what a spike adds to dv/dt, mV/ms, for each synapse.
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
        """LSB for a mV at which rest, reset and threshold fill their ranges, but for one LSB."""
        room = REST.value[1] - REST.value[0] - 1
        high = max(self.rest.max(), self.reset.max()) - self.low
        above = THRESHOLD.value[1] - REST.value[0] - 1
        return float(min(room / max(high, 1e-9), above / (self.threshold.max() - self.low)))


@dataclass(frozen=True)
class Scale:
    """How a population is set up.

    Parameters
    ----------
    lsb : float
        LSB for a mV.
    units : float
        Units of weight for a slope of 1 mV/ms.
    synapses : int
        Synapses that the largest weight takes.
    rows : int
        Synapses of a neuron: most excitatory ones of any, and most inhibitory ones of any.
    """

    lsb: float
    units: float
    synapses: int
    rows: int


def demand(network: SpikingNetwork, population: Population) -> Demand:
    """What a leaky integrate-and-fire population asks for."""

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
    """The slope of a unit of weight that suits all populations, LSB a us.

    Of strong synapses few units are needed, and rounding them costs; with weak ones the weights
    need several synapses, and where these run out the potentials have to move closer, where the
    spread of thresholds costs.  The strength is that at which the worst population is best off.
    """
    per_gm = STRENGTH.value / GM_DEFAULT.value
    settings = np.unique(np.round(np.geomspace(GM.value[0], GM.value[1], _SETTINGS)))
    costs = [max(map(partial(_cost, kappa=per_gm * gm), demands), default=0.0) for gm in settings]
    return float(per_gm * settings[int(np.argmin(costs))])


def _cost(of: Demand, kappa: float) -> float:
    """Spread of the threshold as a share of the swing, and a unit as a share of the weights."""
    if not of.largest:
        return 0.0
    found = scale(of, kappa)
    if found.rows > ROWS.value or not found.lsb:
        return float("inf")
    return SPREAD_THRESHOLD.value / (found.lsb * of.swing) + 1.0 / (found.units * of.largest)


def scale(of: Demand, kappa: float) -> Scale:
    """The widest swing for which the weights fit; the narrowest there is if none does.

    Parameters
    ----------
    of : Demand
    kappa : float
        See `strength`.
    """
    widest = of.widest
    needed = of.largest * widest / kappa / WEIGHT.value
    first = int(np.clip(np.ceil(needed - 1e-9), 1, MOST_SYNAPSES))
    found = Scale(0.0, 0.0, 0, 0)
    for synapses in range(first, 0, -1):
        share = min(1.0, synapses / needed) if needed else 1.0
        lsb = np.floor(widest * share * of.swing) / of.swing
        units = lsb / kappa
        found = Scale(float(lsb), float(units), synapses, rows(of, units))
        if found.rows <= ROWS.value:
            break
    return found


def rows(of: Demand, units: float) -> int:
    """Synapses that a neuron needs: a row of them is excitatory or inhibitory for all neurons."""
    n = len(of.rest)
    counts = {+1: np.zeros(n), -1: np.zeros(n)}
    for slopes, post in zip(of.slopes, of.posts, strict=True):
        weight = np.round(slopes * units)
        for sign, count in counts.items():
            needed = np.ceil(np.maximum(sign * weight, 0.0) / WEIGHT.value)
            count += np.bincount(post, needed, minlength=n)
    return int(counts[+1].max() + counts[-1].max())


def in_lsb(population: Population, of: Demand, chosen: Scale, kappa: float) -> Population:
    """The population in units of the chip: potentials in whole LSB, time in us, weights in units.

    Its numbers stand where mV, ms and pA stood, and its capacitance is such that a unit of weight
    has the slope ``kappa``.
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


def _to_reset(of: Demand, chosen: Scale) -> float:
    """LSB from the lowest potential to the mean reset."""
    return chosen.lsb * float(np.mean(of.reset) - of.low)
