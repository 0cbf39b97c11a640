"""The arrays of a spiking network that are trained, with their units, bounds and grids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.network import Drive, NetworkParts, Population, Projection, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.language.update import is_traced
from bioconv.operators import snapped, weights_of, with_weights
from bioconv.training.grids import Grids

Floats = NDArray[np.float64]
Array = Any

#: what can be trained besides the parameters with a role
WEIGHTS, BIAS = "weights", "bias"
#: kinds of models whose synapses relay spikes, and have no weights to be trained
_RELAYS = (roles.MAX_GATE, roles.AXON)
#: fields of a network that contain operators
_CONNECTIONS = ("projections", "drives")


@dataclass(frozen=True)
class Entry:
    """An array that is trained.  Its value is ``start + unit * x`` for the trained variable x.

    Parameters
    ----------
    field : str
        Field of the network that contains it.
    index : int
        Its position in this field.
    part : int or str
        Number of the weight array of an operator, or name of the parameter of a population; not
        used for a change.
    start : ndarray of float64
    unit : float
        Typical magnitude, so that one learning rate suits all arrays.
    low, high : ndarray broadcastable to ``start``
        Bounds.
    grid : float
        Step of which values are whole multiples; 0 for none.
    """

    field: str
    index: int
    part: int | str
    start: Floats
    unit: float
    low: Floats
    high: Floats
    grid: float

    def value(self, x: Array) -> Array:
        """Return the value for the trained variable, on the grid."""
        xp = jnp if is_traced(x) else np
        value = xp.clip(self.start + self.unit * x, self.low, self.high)
        if not self.grid:
            return value
        return (
            snapped(value, self.grid) if is_traced(x) else np.round(value / self.grid) * self.grid
        )

    def project(self, x: Array) -> Array:
        """Return the nearest trained variable whose value is within the bounds."""
        return jnp.clip(
            x, (self.low - self.start) / self.unit, (self.high - self.start) / self.unit
        )


@dataclass(frozen=True)
class Trainable:
    """The trained arrays of a network.

    Parameters
    ----------
    network : SpikingNetwork
    entries : tuple of Entry
    """

    network: SpikingNetwork
    entries: tuple[Entry, ...]

    @staticmethod
    def of(network: SpikingNetwork, wanted: Sequence[str]) -> Trainable:
        """Collect the arrays of a network.

        Parameters
        ----------
        network : SpikingNetwork
        wanted : sequence of str
            "weights" for the weights of all synapses and of the inputs, "bias" for constant
            currents, and roles of parameters (`bioconv.neurons.language.roles`).

        Raises
        ------
        ParameterError
            If a name is unknown, or if the network has nothing of the kind.
        """
        unknown = [
            name for name in wanted if name not in (WEIGHTS, BIAS, *filter(None, roles.ROLES))
        ]
        if unknown:
            valid = ", ".join(repr(name) for name in (WEIGHTS, BIAS, *filter(None, roles.ROLES)))
            raise ParameterError(
                f"trainable must consist of {valid}. Received: {', '.join(map(repr, unknown))}."
            )
        grids = Grids(network)
        entries = list(_weights(network, grids)) if WEIGHTS in wanted else []
        for population in network.populations:
            entries += _parameters(network, population, wanted, grids)
        if not entries:
            raise ParameterError(f"{network.name} has no {' or '.join(wanted)} to be trained.")
        return Trainable(network, tuple(entries))

    def start(self) -> list[Floats]:
        """Return the trained variables at the start, which are 0."""
        return [np.zeros_like(entry.start) for entry in self.entries]

    def project(self, variables: Sequence[Array]) -> list[Array]:
        """Return the variables within their bounds."""
        return [entry.project(x) for entry, x in zip(self.entries, variables, strict=True)]

    def parts(self, variables: Sequence[Array]) -> NetworkParts:
        """Return the parts of the network for traced variables."""
        parts = {f.name: getattr(self.network, f.name) for f in fields(NetworkParts)}
        return NetworkParts(**(parts | self._changed(variables)))

    def network_of(self, variables: Sequence[Array]) -> SpikingNetwork:
        """Return the network for variables that are not traced."""
        return self.network.replace(**self._changed(variables))

    def _changed(self, variables: Sequence[Array]) -> dict[str, tuple[Any, ...]]:
        """Return the fields of the network with the trained values."""
        new = {name: list(getattr(self.network, name)) for name in {e.field for e in self.entries}}
        weights: dict[tuple[str, int], list[Array]] = {}
        for entry, x in zip(self.entries, variables, strict=True):
            at, value = (entry.field, entry.index), entry.value(x)
            old = new[entry.field][entry.index]
            if entry.field in _CONNECTIONS:
                weights.setdefault(at, weights_of(old.operator))[int(entry.part)] = value
            elif entry.field == "changes":
                new["changes"][entry.index] = replace(old, value=value)
            else:
                parameters = {**old.parameters, str(entry.part): value}
                new["populations"][entry.index] = replace(old, parameters=parameters)
        for (name, index), arrays in weights.items():
            old = new[name][index]
            new[name][index] = replace(old, operator=with_weights(old.operator, arrays))
        return {name: tuple(items) for name, items in new.items()}


def _weights(network: SpikingNetwork, grids: Grids) -> Iterator[Entry]:
    for name in _CONNECTIONS:
        for index, entry in enumerate(getattr(network, name)):
            if network.population(entry.post).model.kind in _RELAYS:
                continue
            for part, weights in enumerate(weights_of(entry.operator)):
                start = np.asarray(weights, np.float64)
                if np.any(start):
                    grid = grids.of_weights(start) if isinstance(entry, Projection) else 0.0
                    bounds = _limits(network, entry, start)
                    yield Entry(name, index, part, start, _magnitude(start), *bounds, grid)


def _limits(
    network: SpikingNetwork, entry: Projection | Drive, start: Floats
) -> tuple[Floats, Floats]:
    """Return bounds that add no synapse, and keep the sign of a receptor's weights."""
    sign = 0
    if isinstance(entry, Projection):
        sign = network.population(entry.post).model.receptor(entry.receptor).sign
    low = np.where((start == 0) | bool(sign), 0.0, -np.inf)
    return low, np.where(start == 0, 0.0, np.inf)


def _parameters(
    network: SpikingNetwork, population: Population, wanted: Iterable[str], grids: Grids
) -> Iterator[Entry]:
    model = population.model
    if model.kind in _RELAYS:
        return
    names = [model.current] if BIAS in wanted and model.current else []
    names += [name for role in wanted for name in model.with_role(role) if role in roles.ROLES]
    for name in names:
        field, index, value = last_value(network, population, name)
        start = np.asarray(value, np.float64)
        unit, grid = _magnitude(start), 0.0
        low, high = (np.asarray(bound) for bound in model.parameter(name).bounds)
        if name == model.current:
            unit = population.activation_current or unit
            start = _per_channel(start, population)
            grid = grids.of_currents(start, population)
        if unit and low < high:
            yield Entry(field, index, name, start, unit, low, high, grid)


def last_value(
    network: SpikingNetwork, population: Population, name: str
) -> tuple[str, int, float | Floats]:
    """Return where the value of a parameter is that holds at the end of a run, and this value.

    Returns
    -------
    field, index, value
        A field of the network ("populations" or "changes"), the position in it, and the value.
    """
    found = [
        (change.step, index)
        for index, change in enumerate(network.changes)
        if change.population == population.name and change.variable == name
    ]
    if found:
        _, index = max(found)  # of two changes in a step, the later one wins
        return "changes", index, network.changes[index].value
    return "populations", network.populations.index(population), population.value(name)


def _per_channel(value: Floats, population: Population) -> Floats:
    """Return a current with a value for each channel, or each neuron of a flat population."""
    shape = (*(1,) * (len(population.shape) - 1), population.shape[-1])
    return np.broadcast_to(value, np.broadcast_shapes(value.shape, shape)).copy()


def _magnitude(values: Floats) -> float:
    """Return the root mean square of the values that are not 0; 0 if all are."""
    some = values[values != 0]
    return float(np.sqrt(np.mean(some**2))) if some.size else 0.0
