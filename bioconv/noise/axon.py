"""Imperfect transmission of spikes: jitter, loss and spurious spikes.

Every spiking population that has outgoing projections is followed by a population of axons, one
for each neuron (`bioconv.neurons.library.axon`).  Everything downstream is delayed by the mean
delay of the axons (`bioconv.noise.retiming`), so that codes based on spike times stay unbiased.
The spikes of input sources are data and are not changed.  Output spikes are read at the neurons
themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

import numpy as np

from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.ground.options import check, number
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.network.restating import in_words_of
from bioconv.neurons.language import roles
from bioconv.neurons.language.identity import same
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.library.axon import (
    FAMILY,
    MOST_SLOTS,
    Axon,
    AxonKind,
    extra_steps,
    is_axon,
    kind_of,
    loss_probability,
    loss_quantile,
    spurious_quantile,
    spurious_rate,
)
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.once import fires_once
from bioconv.noise.retiming import held, retimed
from bioconv.operators import identity

#: roles of the parameters that hold the settings of axons
_ROLES = (roles.LOSS, roles.SPURIOUS, roles.JITTER, roles.LATENCY)
_ADVICE = "Apply imperfections to the network without these axons."


@dataclass(frozen=True)
class AxonSettings:
    """Settings of the axons of a population.

    Parameters
    ----------
    loss : float
        Probability that a spike is lost.
    rate : float
        Rate of spurious spikes in Hz.
    sigma : float
        Standard deviation of the jitter in ms.
    latency : float
        Largest jitter in either direction, in ms.
    """

    loss: float = 0.0
    rate: float = 0.0
    sigma: float = 0.0
    latency: float = 0.0


Merge = Callable[[AxonSettings], AxonSettings]


@dataclass(frozen=True)
class SpikeLoss(Imperfection):
    """Loss of spikes during transmission, each with the same probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1.  It is combined with any loss that the network already has: the
        probabilities of transmission are multiplied.

    Raises
    ------
    ParameterError
    """

    probability: float = number(low=0.0, high=1.0)
    site: ClassVar[str] = "spikes"
    unit: ClassVar[str] = "probability"
    source: ClassVar[str] = (
        "packets dropped by a busy network: Furber et al. 2014, Proc. IEEE 102(5), "
        "doi:10.1109/JPROC.2014.2304638"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """The probability."""
        return self.probability

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        kept = 1.0 - self.probability
        return with_axons(network, lambda axon: replace(axon, loss=1 - (1 - axon.loss) * kept))


@dataclass(frozen=True)
class SpuriousSpikes(Imperfection):
    """Spurious spikes that arise on every axon at a constant rate, without a neuron firing.

    Parameters
    ----------
    rate : float
        Rate in Hz.  At most one spurious spike occurs in a step, namely if a Poisson process of
        this rate has at least one event in it.

    Raises
    ------
    ParameterError
    """

    rate: float = number(low=0.0)
    site: ClassVar[str] = "spikes"
    unit: ClassVar[str] = "Hz"
    source: ClassVar[str] = (
        "leak events of address-event circuits: Nozaki and Delbruck 2017, IEEE Trans. Electron "
        "Devices 64(8), doi:10.1109/TED.2017.2717848"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """The rate in Hz."""
        return self.rate

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        return with_axons(network, lambda axon: replace(axon, rate=axon.rate + self.rate))


@dataclass(frozen=True)
class SpikeJitter(Imperfection):
    """Spike times with a normally distributed error, drawn for every spike.

    In simulators with time steps a spike is shifted by a whole number of steps, so that jitter far
    below ``dt`` has no effect there.  The event simulator does not round the shift.

    Parameters
    ----------
    sigma : float
        Standard deviation in ms.
    reach : float
        Largest error in units of sigma; larger ones are clipped.  Everything downstream is
        delayed by this time.

    Raises
    ------
    ParameterError

    Notes
    -----
    Neurons that fire at most once (because of a refractory period as long as the sample, or a
    state variable that marks neurons that have fired) get an axon that counts down the delay of a
    single spike.  Others get a shift register, which holds any number of spikes under way and
    spans at most 65 steps, 32 in either direction.
    """

    sigma: float = number(low=0.0)
    reach: float = number(4.0, 0.0, above=True)
    site: ClassVar[str] = "spikes"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Stanojevic 2023, thesis, EPFL, section 2.2.4, Fig 2.5b"

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """Standard deviation in ms."""
        return self.sigma

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""

        def jittered(axon: AxonSettings) -> AxonSettings:
            sigma = float(np.hypot(axon.sigma, self.sigma))
            steps = ceil(round(self.reach * sigma / network.dt, 6))
            return replace(axon, sigma=sigma, latency=max(axon.latency, steps * network.dt))

        return with_axons(network, jittered)


def with_axons(network: SpikingNetwork, merge: Merge | None = None) -> SpikingNetwork:
    """Return the network with axons behind all spiking populations that project somewhere.

    Parameters
    ----------
    network : SpikingNetwork
        It must not be recurrent.
    merge : function, optional
        Function from the settings of the existing axons to those of the new ones.  By default
        axons only delay spikes by one step, and everything downstream accordingly.

    Returns
    -------
    SpikingNetwork
        With a population ``NAME_axon`` for each ``NAME``.

    Raises
    ------
    ConversionError
        See `bioconv.noise.retiming.retimed`.  Also raised if the jitter spans more steps than an
        axon can hold, or if existing axons are not models of `bioconv.neurons.library.axon`.
    """
    network, known = _in_own_words(network), axons_of(network)
    before = {name: settings_of(network, axon) for name, axon in known.items()}
    after = {name: merge(axon) if merge else axon for name, axon in before.items()}
    built = {
        name: _axon_population(network, name, known[name], axon) for name, axon in after.items()
    }
    problems = [entry for entry in built.values() if isinstance(entry, Problem)]
    if problems:
        raise ConversionError("Spikes cannot be jittered by this much:", problems)
    axons = {name: entry for name, entry in built.items() if isinstance(entry, Population)}
    late = {
        known[name] or name: _steps(network, axon)
        - _steps(network, _existing(network, known[name]))
        for name, axon in axons.items()
    }
    return _put_behind(retimed(network, late), axons, known)


def axons_of(network: SpikingNetwork) -> dict[str, str]:
    """Map each spiking population that projects somewhere to its axons, or an empty string."""
    models = {p.name: p.model for p in network.populations}
    found = {}
    for name, model in models.items():
        targets = [p.post for p in network.projections_from(name)]
        if model.threshold and targets and not is_axon(model):
            found[name] = targets[0] if is_axon(models[targets[0]]) else ""
    return found


def settings_of(network: SpikingNetwork, axon: str) -> AxonSettings:
    """Return the settings of a population of axons; the neutral ones for an empty name."""
    population = _existing(network, axon)
    if population is None:
        return AxonSettings()
    loss, rate, sigma, latency = (
        float(population.value(name)) if name else None
        for name in map(population.model.role, _ROLES)
    )
    return AxonSettings(
        loss=0.0 if loss is None else float(loss_probability(loss)),
        rate=0.0 if rate is None else float(spurious_rate(rate, network.dt)),
        sigma=sigma or 0.0,
        latency=latency or 0.0,
    )


def _in_own_words(network: SpikingNetwork) -> SpikingNetwork:
    """Return the network with the names of the library's models in its axons."""
    references: list[NeuronModel] = []
    problems = []
    for population in network.populations:
        if is_axon(population.model):
            own = _own_models(population.model)
            references += own
            if not any(same(population.model, model) for model in own):
                reason = "its equations are not those of an axon of bioconv."
                problems.append(Problem(population.name, population.model.name, reason, _ADVICE))
    if problems:
        raise ConversionError("These axons cannot be modified:", problems)
    return in_words_of(network, references)


def _own_models(model: NeuronModel) -> list[NeuronModel]:
    """Return the library's axons of the same kind, free and held; empty if there are none."""
    try:
        plain = Axon(kind_of(model)).model
    except ParameterError:
        return []
    return [plain, held(plain)]


def _existing(network: SpikingNetwork, axon: str) -> Population | None:
    return network.population(axon) if axon else None


def _steps(network: SpikingNetwork, axon: Population | None) -> int:
    """Return the mean delay of axons in steps; 0 without axons."""
    if axon is None:
        return 0
    name = axon.model.role(roles.LATENCY)
    latency = float(axon.value(name)) if name else 0.0
    return extra_steps(kind_of(axon.model), round(latency / network.dt))


def _axon_population(
    network: SpikingNetwork, name: str, known: str, axon: AxonSettings
) -> Population | Problem:
    """Return the axons of a population, or the reason why it cannot have any."""
    source = network.population(name)
    once = axon.sigma > 0 and fires_once(network, source)
    slots = 2 * round(axon.latency / network.dt) + 1 if axon.sigma > 0 and not once else 0
    if slots > MOST_SLOTS:
        return Problem(
            name,
            "SpikeJitter",
            f"a reach of {axon.latency:g} ms to either side spans {slots} steps of "
            f"{network.dt:g} ms, but the maximum is {MOST_SLOTS}.",
            "Use less jitter, a smaller reach or a larger dt.",
        )
    kind = AxonKind(axon.loss > 0, axon.rate > 0, slots, once)
    model = Axon(kind).model
    values = {roles.JITTER: axon.sigma, roles.LATENCY: axon.latency}
    if kind.loss:
        values[roles.LOSS] = loss_quantile(axon.loss)
    if kind.spurious:
        values[roles.SPURIOUS] = spurious_quantile(axon.rate, network.dt)
    given = {p.name: values[p.role] for p in model.parameters}
    taken = {entry.name for entry in network.inputs}
    taken |= {entry.name for entry in network.populations} - {known}
    unused = f"{name}_{FAMILY}"
    while unused in taken:
        unused += "s"
    return Population(known or unused, source.shape, model, given)


def _put_behind(
    network: SpikingNetwork, axons: dict[str, Population], known: dict[str, str]
) -> SpikingNetwork:
    """Insert axons behind their populations, or replace the existing ones."""
    new = {name: axon for name, axon in axons.items() if not known[name]}
    other = {axon.name: axon for name, axon in axons.items() if known[name]}
    populations: list[Population] = []
    for population in network.populations:
        axon = other.get(population.name)
        populations.append(
            population if axon is None else replace(axon, start_step=population.start_step)
        )
        if population.name in new:
            populations.append(new[population.name])
    projections = [
        replace(p, pre=new[p.pre].name) if p.pre in new else p for p in network.projections
    ]
    projections += [
        Projection(name, axon.name, identity(axon.shape), axon.model.receptors[0].name)
        for name, axon in new.items()
    ]
    return network.replace(populations=tuple(populations), projections=tuple(projections))
