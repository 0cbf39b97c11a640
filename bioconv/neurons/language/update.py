"""A discretised model as functions of arrays, created by traversing its expressions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language.discrete import Discrete, discretise
from bioconv.neurons.language.evaluation import (
    Array,
    Comparison,
    comparisons,
    evaluate,
    truth,
)
from bioconv.neurons.language.expressions import UNIT_VALUES, names_in
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.language.phases import Phases, folded

Values = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Update:
    """The phases of a step (`bioconv.timing`) as functions of arrays.

    State variables, inputs and parameters are dictionaries of arrays that broadcast against each
    other.  The argument ``values`` of the methods contains the constants from `constants`, the
    changing parameters, ``t`` (ms, at the start of the step), for a noisy model the numbers from
    `draw`, and after `hold` also the values that are held for the step.  Use `update_of` to create
    an instance.

    Parameters
    ----------
    discrete : Discrete
    changing : frozenset of str
        Parameters whose values change within a run.
    phases : Phases
        The expressions of the methods, which `bioconv.neurons.language.printing` writes as code.
    """

    discrete: Discrete
    changing: frozenset[str]
    phases: Phases
    _constants: dict[str, ast.expr]

    @property
    def noisy(self) -> bool:
        """Whether a step requires random numbers."""
        return bool(self.discrete.noise)

    @property
    def waits(self) -> bool:
        """Whether a spike may prevent further ones, because the model is refractory or crossing."""
        return bool(self.discrete.model.refractory) or self.discrete.model.crossing

    def draw(self, key: Array, shape: tuple[int, ...], dtype: Any) -> Values:
        """Draw the random numbers of one step, by name, which are to be added to ``values``.

        Parameters
        ----------
        key : JAX key
            A different key for each step, into which the number of the step is folded.
        shape : tuple of int
        dtype : dtype

        Returns
        -------
        dict of str to array
            Standard normal numbers; empty for a deterministic model.  They are always drawn in
            float32, so that runs in float64 have the same noise.
        """
        import jax

        def numbers(position: int) -> Array:
            part = jax.random.fold_in(key, position)
            return jax.random.normal(part, shape, np.float32).astype(dtype)

        return {name: numbers(position) for position, name in enumerate(self.discrete.noise)}

    def constants(self, parameters: Mapping[str, NDArray | float], dt: float) -> Values:
        """Return the values that are constant within a run, computed in float64.

        Parameters
        ----------
        parameters : mapping of str to float or array
            All parameters of the model, in its units.  The constants that depend on an array that
            JAX traces are traced as well, and not checked.
        dt : float
            ms.

        Returns
        -------
        dict of str to float64 array

        Raises
        ------
        ParameterError
            If a constant is infinite or undefined for these values.
        """
        model = self.discrete.model
        values: Values = {"dt": dt}
        values |= {
            p.name: in_equations(model, p.name, parameters[p.name]) for p in model.parameters
        }
        traced = {name for name, value in values.items() if is_traced(value)}
        live = {name: node for name, node in self._constants.items() if names_in(node) & traced}
        with np.errstate(all="ignore"):
            found = {
                name: np.asarray(evaluate(node, values, np), np.float64)
                for name, node in self._constants.items()
                if name not in live
            }
        bad = [n for n, value in found.items() if not np.isfinite(value).all()]
        if bad:
            raise _undefined(model, self._constants[bad[0]], parameters)
        return found | _traced(live, values)

    def hold(self, state: Values, values: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return ``values`` including the sub-expressions that are constant over dt."""
        import jax.numpy as jnp

        missing = [name for name in self.discrete.noise if name not in values]
        if missing:
            raise ParameterError(
                f"{self.discrete.model.name} needs random numbers {', '.join(missing)} in every "
                "step: add the result of Update.draw to values."
            )
        if not self.phases.held:
            return values
        scope, held = {**values, **state}, {}
        for name, node in self.phases.held:
            scope[name] = held[name] = evaluate(node, scope, jnp)
        return {**values, **held}

    def integrate(self, state: Values, values: Mapping[str, Array], refractory: Array) -> Values:
        """Advance the state by ``dt``; ``refractory`` is a mask, or None for no neuron."""
        import jax.numpy as jnp

        scope = {**values, **state}
        for name, node in self.phases.update:
            scope[name] = evaluate(node, scope, jnp)
        new = {name: scope[temporary] for name, temporary in self.discrete.updates}
        if refractory is not None:
            new |= {n: jnp.where(refractory, state[n], new[n]) for n in self.discrete.frozen}
        return new

    def deliver(self, state: Values, inputs: Mapping[str, Array], refractory: Array) -> Values:
        """Add the arriving input, by state variable."""
        import jax.numpy as jnp

        new = dict(state)
        for name, jump in inputs.items():
            if refractory is not None and name in self.discrete.frozen:
                jump = jnp.where(refractory, 0, jump)
            new[name] = new[name] + jump
        return new

    def spikes(
        self,
        state: Values,
        values: Mapping[str, Array],
        refractory: Array,
        compare: Comparison | None = None,
    ) -> Array:
        """Return a mask of the neurons that fire; None for a model without threshold.

        With ``compare``, the mask consists of numbers, 1 or 0, which can be differentiated.
        """
        import jax.numpy as jnp

        fires = self._holds(state, values, compare)
        if refractory is None or fires is None:
            return fires
        return fires & ~refractory if compare is None else jnp.where(refractory, 0, fires)

    def _holds(
        self, state: Values, values: Mapping[str, Array], compare: Comparison | None = None
    ) -> Array:
        """Return the threshold condition as a mask; None for a model without threshold."""
        import jax.numpy as jnp

        if self.phases.threshold is None:
            return None
        scope = self._scope(state, values)
        if compare is None:
            return evaluate(self.phases.threshold, scope, jnp)
        return truth(self.phases.threshold, scope, jnp, compare)

    def margin(self, state: Values, values: Mapping[str, Array]) -> Array:
        """Return the largest distance between both sides of a comparison of the threshold.

        With the state at the start of a run, it is the distance from rest to threshold, in the
        unit of the threshold condition.  It is 0 for a model without threshold.
        """
        import jax.numpy as jnp

        if self.phases.threshold is None:
            return jnp.zeros(())
        sides = comparisons(self.phases.threshold, self._scope(state, values), jnp)
        distances = [jnp.abs(jnp.asarray(left) - right) for left, right in sides]
        return reduce(jnp.maximum, distances, jnp.zeros(()))

    def reset(self, state: Values, values: Mapping[str, Array], spikes: Array) -> Values:
        """Run the reset statements for the neurons that fire."""
        return self._run(self.phases.reset, state, values, spikes)

    def passes_reset(self, state: Values, values: Mapping[str, Array]) -> bool:
        """Whether the membrane potential after a reset depends on that before it.

        It does not for a reset to a value, and it does for a subtraction or without any reset.
        """
        import jax
        import jax.numpy as jnp

        name = self.discrete.model.potential

        def after(potential: Array) -> Array:
            spikes = jnp.ones(potential.shape, bool)
            return self.reset({**state, name: potential}, values, spikes)[name].sum()

        return bool(name) and bool(jnp.any(jax.grad(after)(state[name]) != 0))

    def _run(self, statements: Any, state: Values, values: Any, where: Any) -> Values:
        import jax.numpy as jnp

        new = dict(state)
        for target, node in statements:
            value = evaluate(node, self._scope(new, values), jnp)
            new[target] = value if where is None else jnp.where(where, value, new[target])
        return new

    def step(
        self,
        state: Values,
        wait: Array,
        values: Mapping[str, Array],
        inputs: Mapping[str, Array],
        period: Array,
        compare: Comparison | None = None,
    ) -> tuple[Values, Array, Array]:
        """Run one complete step: draw, integrate, deliver, settle, threshold, reset.

        Parameters
        ----------
        state : dict of str to array
        wait : array of int, or None if no neuron has a refractory period
            Remaining refractory steps of each neuron.  In a crossing model, it must not be None
            and is 1 for a blocked neuron.  Initially all 0.
        values : mapping of str to array
        inputs : mapping of str to array
            Arriving input, by state variable.
        period : array of int
            Refractory period in steps; not used if ``wait`` is None or the model is crossing.
        compare : Comparison, optional
            Gives the comparisons of the threshold condition with a surrogate derivative.  The
            derivative of everything else is that of the branch that is taken.

        Returns
        -------
        state, wait, spikes
            ``spikes`` is None for a model without threshold.  It is a mask or, with ``compare``,
            consists of the numbers 1 and 0.

        Raises
        ------
        ParameterError
            If ``wait`` or random numbers are missing.
        """
        import jax.numpy as jnp

        values = self.hold(state, values)
        if self.discrete.model.crossing:
            return self._crossing_step(state, wait, values, inputs, compare)
        refractory = None if wait is None else wait > 0
        state = self.integrate(state, values, refractory)
        state = self._run(self.phases.after, self.deliver(state, inputs, refractory), values, None)
        fired = self.spikes(state, values, refractory, compare)
        mask = fired if compare is None or fired is None else fired != 0
        if fired is not None:
            state = self.reset(state, values, mask)
        if wait is not None and fired is not None:
            wait = jnp.where(mask, period, jnp.maximum(wait - 1, 0))
        return state, wait, fired

    def _crossing_step(
        self,
        state: Values,
        wait: Array,
        values: Mapping[str, Array],
        inputs: Mapping[str, Array],
        compare: Comparison | None,
    ) -> tuple[Values, Array, Array]:
        if wait is None:
            raise ParameterError(
                f"{self.discrete.model.name} fires at crossings: step needs wait (initially zeros)."
            )
        blocked = (wait > 0) & self._holds(state, values)
        state = self.deliver(self.integrate(state, values, None), inputs, None)
        state = self._run(self.phases.after, state, values, None)
        fired = self.spikes(state, values, blocked, compare)
        mask = fired if compare is None else fired != 0
        state = self.reset(state, values, mask)
        return state, (blocked | mask).astype(wait.dtype), fired

    def _scope(self, state: Values, values: Mapping[str, Array]) -> Values:
        import jax.numpy as jnp

        scope = {**values, **state}
        for name, node in self.phases.definitions.items():
            scope[name] = evaluate(node, scope, jnp)
        return scope


def is_traced(value: Any) -> bool:
    """Whether JAX traces a value, for example within a function that it differentiates."""
    import jax

    return isinstance(value, jax.core.Tracer)


def _traced(nodes: Mapping[str, ast.expr], values: Values) -> Values:
    """Return the values of constants that depend on traced arrays."""
    import jax.numpy as jnp

    return {name: jnp.asarray(evaluate(node, values, jnp)) for name, node in nodes.items()}


def in_equations(model: NeuronModel, name: str, value: Any) -> Any:
    """Return the value of a parameter in the units of the equations; a rate in Hz becomes 1/ms."""
    return value * UNIT_VALUES.get(model.parameter(name).unit, 1.0)


@lru_cache(maxsize=128)
def update_of(model: NeuronModel, changing: frozenset[str] = frozenset()) -> Update:
    """Return the update of a model.

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
    phases, constants = folded(discrete, changing)
    return Update(discrete, changing, phases, constants)


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
