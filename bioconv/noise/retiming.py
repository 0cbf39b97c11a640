"""Delay everything downstream of populations whose spikes arrive later than before.

A network of windows, tables and ramps keeps its function if each population is shifted as a whole
by its own number of steps, and the delays of the projections compensate for the differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bioconv.ground.errors import ConversionError, Problem
from bioconv.network import Change, Population, Projection, SpikingNetwork, Value
from bioconv.neurons.language import roles
from bioconv.neurons.language.additions import free_name, name_of
from bioconv.neurons.language.model import NeuronModel, Parameter
from bioconv.noise.edits import value_of
from bioconv.noise.waiting import runs_away, uses_time, wakes


def retimed(network: SpikingNetwork, late: Mapping[str, int]) -> SpikingNetwork:
    """Return the network adapted to populations whose spikes arrive later.

    Parameters
    ----------
    network : SpikingNetwork
        It must not be recurrent.
    late : mapping of str to int
        Steps by which the spikes of a population arrive later than scheduled, that is, the delay
        of what will be inserted behind it.  In the result the delays of its projections are
        shorter by this number of steps.

    Returns
    -------
    SpikingNetwork
        Every population is shifted by a number of steps, together with its scheduled changes, its
        parameters that are times of the sample, and its ``start_step``.  Output populations and
        the end of a sample are shifted as much as the latest population.  Neurons that would be
        active before their shifted start are held: their constant current is switched off if that
        is enough, otherwise their threshold is disabled.  State variables that have changed by
        then are reset at the shifted start.  Neurons whose equations could diverge if they did
        not fire (because they are nonlinear in the variable itself) are not held against the
        input that drives bring.

    Raises
    ------
    ConversionError
        The network is recurrent, or a model uses the time ``t`` but declares no parameter that is
        a time of the sample.
    """
    shifts = _shifts(network, late)
    _check(network, shifts)
    populations = [_later(p, shifts[p.name], network.dt) for p in network.populations]
    waits = [_Waiting.of(p, network, shifts[p.name]) for p in populations]
    changes = [
        change
        for p, waiting in zip(populations, waits, strict=True)
        for change in waiting.changes(p, shifts[p.name])
    ]
    changes += [replace(c, step=c.step + shifts[c.population]) for c in network.changes]
    return network.replace(
        n_steps=network.n_steps + max(shifts.values(), default=0),
        populations=tuple(
            waiting.quiet(p, shifts[p.name] * network.dt)
            for p, waiting in zip(populations, waits, strict=True)
        ),
        projections=tuple(_rebalanced(p, shifts, late) for p in network.projections),
        changes=tuple(changes),
    )


def _shifts(network: SpikingNetwork, late: Mapping[str, int]) -> dict[str, int]:
    """Return the shift of each population in steps: the longest path to it, equal for outputs."""
    try:
        order = network.topological_order()
    except ValueError as error:
        reason = f"its populations cannot be delayed one after the other: {error}"
        problem = Problem(network.name, "SpikingNetwork", reason)
        raise ConversionError("The spikes of this network cannot be delayed:", [problem]) from error
    found = _longest(network, order, late, {})
    last = max(found.values(), default=0)
    return _longest(network, order, late, {r.population: last for r in network.readouts})


def _longest(
    network: SpikingNetwork,
    order: tuple[str, ...],
    late: Mapping[str, int],
    least: Mapping[str, int],
) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in order:
        needed = [
            found.get(p.pre, 0) + late.get(p.pre, 0) + 1 - p.delay_steps
            for p in network.projections_to(name)
        ]
        found[name] = max([0, least.get(name, 0), *needed])
    return found


def _rebalanced(
    projection: Projection, shifts: Mapping[str, int], late: Mapping[str, int]
) -> Projection:
    before = shifts.get(projection.pre, 0) + late.get(projection.pre, 0)
    return replace(
        projection, delay_steps=projection.delay_steps + shifts[projection.post] - before
    )


def _check(network: SpikingNetwork, shifts: Mapping[str, int]) -> None:
    models = {p.model: p.name for p in network.populations if shifts[p.name]}
    problems = [
        Problem(
            name,
            model.name,
            "its equations use the time t, but none of its parameters is declared as a moment, so "
            "its response cannot be shifted in time.",
            "Declare them with Parameter(..., moment=True), or convert a network from an old file "
            "again.",
        )
        for model, name in models.items()
        if uses_time(model) and not any(p.moment for p in model.parameters)
    ]
    if problems:
        raise ConversionError(f"{network.name} cannot be delayed:", problems)


@dataclass(frozen=True)
class _Waiting:
    """State of a population until its shifted start.

    Parameters
    ----------
    current : float or ndarray, optional
        Its constant current from the start on; before that it is zero.
    states : tuple of str
        State variables that are reset at the start.
    held : bool
        Whether it is prevented from firing before the start.
    """

    current: Value | None = None
    states: tuple[str, ...] = ()
    held: bool = False

    @staticmethod
    def of(population: Population, network: SpikingNetwork, steps: int) -> _Waiting:
        """Determine how a population with shifted times waits for a number of steps."""
        if not steps:
            return _Waiting()
        model = population.model
        may_hold = bool(model.threshold) and not runs_away(model)
        everything = _Waiting(None, tuple(state.name for state in model.states), may_hold)
        if any(drive.post == population.name for drive in network.drives):
            return everything
        fires, moved = wakes(population, network.dt, steps)
        if not (fires or moved or model.noisy):
            return _Waiting()
        if not model.current:
            return everything if model.noisy else _Waiting(None, moved, fires and may_hold)
        current = value_of(population, model.current)[()]
        bare = replace(population, parameters={**population.parameters, model.current: 0.0})
        fires, moved = wakes(bare, network.dt, steps)
        if model.noisy:
            return replace(everything, current=current)
        return _Waiting(current, moved, fires and may_hold)

    def changes(self, population: Population, step: int) -> Iterator[Change]:
        """Return the changes at the start, which precede the population's own of that step."""
        if self.current is not None:
            yield Change(step, population.name, population.model.current, self.current)
        for name in self.states:
            yield Change(step, population.name, name, population.start(name))

    def quiet(self, population: Population, time: float) -> Population:
        """Return the population with the settings for waiting until this time (ms)."""
        if self.current is None and not self.held:
            return population
        parameters, model = dict(population.parameters), population.model
        if self.current is not None:
            parameters[model.current] = 0.0
        if self.held:
            model = held(model)
            parameters.setdefault(model.role(roles.RELEASE), time)
        return replace(population, model=model, parameters=parameters)


def _later(population: Population, steps: int, dt: float) -> Population:
    """Shift the times in the parameters of a population, and its first step."""
    if not steps:
        return population
    parameters = dict(population.parameters)
    for parameter in population.model.parameters:
        if parameter.moment:
            parameters[parameter.name] = (value_of(population, parameter.name) + steps * dt)[()]
    return replace(population, parameters=parameters, start_step=population.start_step + steps)


def held(model: NeuronModel) -> NeuronModel:
    """Return the model with a time before which it does not fire; unchanged if it has one."""
    if model.role(roles.RELEASE):
        return model
    name, meaning = free_name(model, "t_begin"), "Time from which the neuron may fire"
    begin = Parameter(name, 0.0, "ms", meaning, moment=True, role=roles.RELEASE)
    return replace(
        model,
        name=name_of(model, "late"),
        threshold=f"({model.threshold}) and t + 0.5 * dt >= {name}",
        parameters=(*model.parameters, begin),
        standard_cell="",
    )
