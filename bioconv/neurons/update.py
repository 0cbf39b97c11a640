"""A discretised model as functions on arrays, made by walking its expressions.

Nothing is evaluated as Python: `evaluate` maps each node of the closed grammar to one operation
of NumPy or JAX, so the functions work for any dtype, any batch and on any device.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.errors import ParameterError
from bioconv.neurons.discrete import Discrete, discretise
from bioconv.neurons.expressions import UNIT_VALUES, parse_expression
from bioconv.neurons.folding import Folder, operands
from bioconv.neurons.model import NeuronModel

Array = Any  # a NumPy or a JAX array
Values = dict[str, Array]

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


def evaluate(node: ast.expr, values: Mapping[str, Array], xp: ModuleType) -> Array:
    """Value of a checked expression.

    Parameters
    ----------
    node : ast.expr
        From `parse_expression`.
    values : mapping of str to array
        Of every name but the units.
    xp : module
        ``numpy`` or ``jax.numpy``.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id] if node.id in values else UNIT_VALUES[node.id]
    parts = [evaluate(child, values, xp) for child in operands(node)]
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](*parts)
    if isinstance(node, ast.Compare):
        return _BINARY[type(node.ops[0])](*parts)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return xp.logical_not(parts[0])
        return -parts[0] if isinstance(node.op, ast.USub) else parts[0]
    if isinstance(node, ast.BoolOp):
        combine = xp.logical_and if isinstance(node.op, ast.And) else xp.logical_or
        result = parts[0]
        for part in parts[1:]:
            result = combine(result, part)
        return result
    return _call(node, parts, xp)


def _call(node: ast.expr, parts: list[Array], xp: ModuleType) -> Array:
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    name = node.func.id
    if name == "int":
        # Towards zero, as in C; a truth value becomes 0 or 1.
        value = xp.asarray(parts[0])
        return value * 1 if value.dtype == bool else xp.trunc(value)
    if name == "clip":
        return xp.minimum(xp.maximum(parts[0], parts[1]), parts[2])
    if name == "exprel":
        x = xp.asarray(parts[0])
        small = xp.abs(x) < 1e-16
        return xp.where(small, 1.0, xp.expm1(x) / xp.where(small, 1.0, x))
    return getattr(xp, name)(*parts)


@dataclass(frozen=True, eq=False)
class Update:
    """The four phases of a step (`bioconv.timing`) as functions of arrays.

    State variables, inputs and parameters are dictionaries of arrays that broadcast against each
    other.  ``values`` in the methods holds the constants from `constants`, the changing
    parameters and ``t`` (ms, at the start of the step).  Get one from `update_of`.

    Parameters
    ----------
    discrete : Discrete
    changing : frozenset of str
        Parameters whose values change within a run.
    """

    discrete: Discrete
    changing: frozenset[str]
    _constants: dict[str, ast.expr]
    _update: tuple[tuple[str, ast.expr], ...]
    _definitions: dict[str, ast.expr]
    _threshold: ast.expr | None
    _reset: tuple[tuple[str, ast.expr], ...]

    def constants(self, parameters: Mapping[str, NDArray | float], dt: float) -> Values:
        """What does not change within a run, worked out in float64.

        Parameters
        ----------
        parameters : mapping of str to float or ndarray
            All parameters of the model, in its units.
        dt : float
            ms.

        Returns
        -------
        dict of str to float64 ndarray

        Raises
        ------
        ParameterError
            A constant is infinite or undefined for these values.
        """
        model = self.discrete.model
        values: Values = {"dt": dt}
        values |= {
            p.name: in_equations(model, p.name, parameters[p.name]) for p in model.parameters
        }
        with np.errstate(all="ignore"):
            found = {
                name: np.asarray(evaluate(node, values, np), np.float64)
                for name, node in self._constants.items()
            }
        bad = [n for n, value in found.items() if not np.isfinite(value).all()]
        if bad:
            raise _undefined(model, self._constants[bad[0]], parameters)
        return found

    def integrate(self, state: Values, values: Mapping[str, Array], refractory: Array) -> Values:
        """Advance the state by ``dt``; ``refractory`` is a mask, or None for no neuron."""
        import jax.numpy as jnp

        scope = {**values, **state}
        for name, node in self._update:
            scope[name] = evaluate(node, scope, jnp)
        new = {name: scope[temporary] for name, temporary in self.discrete.updates}
        if refractory is not None:
            new |= {n: jnp.where(refractory, state[n], new[n]) for n in self.discrete.frozen}
        return new

    def deliver(self, state: Values, inputs: Mapping[str, Array], refractory: Array) -> Values:
        """Add what arrives, by state variable."""
        import jax.numpy as jnp

        new = dict(state)
        for name, jump in inputs.items():
            if refractory is not None and name in self.discrete.frozen:
                jump = jnp.where(refractory, 0, jump)
            new[name] = new[name] + jump
        return new

    def spikes(self, state: Values, values: Mapping[str, Array], refractory: Array) -> Array:
        """Which neurons fire, as a mask; None for a model without threshold."""
        import jax.numpy as jnp

        if self._threshold is None:
            return None
        fires = evaluate(self._threshold, self._scope(state, values), jnp)
        return fires if refractory is None else fires & ~refractory

    def reset(self, state: Values, values: Mapping[str, Array], spikes: Array) -> Values:
        """Run the reset statements for the neurons that fire."""
        import jax.numpy as jnp

        new = dict(state)
        for target, node in self._reset:
            value = evaluate(node, self._scope(new, values), jnp)
            new[target] = jnp.where(spikes, value, new[target])
        return new

    def step(
        self,
        state: Values,
        wait: Array,
        values: Mapping[str, Array],
        inputs: Mapping[str, Array],
        period: Array,
    ) -> tuple[Values, Array, Array]:
        """One whole step: integrate, deliver, threshold, reset.

        Parameters
        ----------
        state : dict of str to array
        wait : array of int, or None if no neuron has a refractory period
            Steps for which each neuron is still refractory.
        values : mapping of str to array
        inputs : mapping of str to array
            What arrives, by state variable.
        period : array of int
            Refractory period in steps; not used if ``wait`` is None.

        Returns
        -------
        state, wait, spikes
            ``spikes`` is None for a model without threshold.
        """
        import jax.numpy as jnp

        refractory = None if wait is None else wait > 0
        state = self.integrate(state, values, refractory)
        state = self.deliver(state, inputs, refractory)
        fired = self.spikes(state, values, refractory)
        if fired is not None:
            state = self.reset(state, values, fired)
        if wait is not None and fired is not None:
            wait = jnp.where(fired, period, jnp.maximum(wait - 1, 0))
        return state, wait, fired

    def _scope(self, state: Values, values: Mapping[str, Array]) -> Values:
        import jax.numpy as jnp

        scope = {**values, **state}
        for name, node in self._definitions.items():
            scope[name] = evaluate(node, scope, jnp)
        return scope


def in_equations(model: NeuronModel, name: str, value: Any) -> Any:
    """Value of a parameter as the equations see it: a rate in Hz becomes spikes a ms."""
    return value * UNIT_VALUES.get(model.parameter(name).unit, 1.0)


@lru_cache(maxsize=128)
def update_of(model: NeuronModel, changing: frozenset[str] = frozenset()) -> Update:
    """The update of a model.

    Parameters
    ----------
    model : NeuronModel
    changing : frozenset of str
        Parameters whose values change within a run.

    Returns
    -------
    Update

    Raises
    ------
    ParameterError, ExpressionError
        See `discretise`.
    """
    discrete = discretise(model)
    temporaries = {assignment.target for assignment in discrete.update}
    definitions = {assignment.target for assignment in discrete.definitions}
    names = model.names | temporaries
    varying = {state.name for state in model.states} | temporaries | definitions | changing | {"t"}
    folder = Folder(frozenset(varying))

    def fold(text: str, internal: bool = False) -> ast.expr:
        return folder.fold(parse_expression(text, names, internal=internal))

    return Update(
        discrete=discrete,
        changing=changing,
        _update=tuple((a.target, fold(a.expression, True)) for a in discrete.update),
        _definitions={a.target: fold(a.expression) for a in discrete.definitions},
        _threshold=fold(discrete.threshold) if discrete.threshold else None,
        _reset=tuple((a.target, fold(a.expression)) for a in discrete.reset),
        _constants=folder.constants,
    )


def _undefined(model: NeuronModel, node: ast.expr, parameters: Mapping[str, Any]) -> ParameterError:
    shown = ", ".join(f"{p.name} = {_short(parameters[p.name])}" for p in model.parameters)
    return ParameterError(
        f"{model.name}: the exact solution is not defined for these parameters: {shown}. "
        "Time constants must differ (tau_syn from tau_m, say by one percent) and not be far below "
        f"dt. The part that fails: {ast.unparse(node)[:200]}."
    )


def _short(value: Any) -> str:
    array = np.asarray(value)
    return f"{array:g}" if array.ndim == 0 else f"{array.min():g} ... {array.max():g}"
