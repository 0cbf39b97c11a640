"""Proof that a neuron fires at most once, from its equations or its refractory period."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.language.expressions import parse_expression
from bioconv.neurons.language.model import NeuronModel
from bioconv.noise.edits import scheduled


def fires_once(network: SpikingNetwork, population: Population) -> bool:
    """Whether every neuron of a population fires at most once within a sample.

    This holds if the refractory period is as long as the sample, or if the reset sets a state
    variable (a mark) that prevents further spikes and is not changed by anything else.
    """
    model = population.model
    if model.refractory:
        duration = network.n_steps * network.dt
        periods = scheduled(network, population.name, model.refractory)
        return all(bool(np.min(period) >= duration) for period in periods)
    release = _release(population)
    changed = {
        change.variable
        for change in network.changes
        if change.population == population.name and change.step * network.dt > release
    }
    return any(mark not in changed for mark in _marks(model))


def _release(population: Population) -> float:
    """Return the time (ms) before which no neuron of a population fires."""
    name = population.model.role(roles.RELEASE)
    return float(np.min(population.values(name))) if name else 0.0


def _marks(model: NeuronModel) -> Iterator[str]:
    """Iterate over state variables that prevent further spikes once the reset has set them."""
    if not model.threshold:
        return
    moved = {variable for receptor in model.receptors for variable in receptor.variables}
    moved |= {statement.target for statement in model.after_statements}
    still = {
        e.name
        for e in model.parsed_equations
        if e.differential and _is_zero(ast.parse(e.expression, mode="eval").body)
    }
    left = {  # the last statement for a variable counts
        s.target: _number(ast.parse(s.expression, mode="eval").body) for s in model.reset_statements
    }
    condition = parse_expression(model.threshold, model.names, boolean=True)
    for name, limit, inclusive in _upper_limits(condition):
        value = left.get(name)
        if value is None or name not in still - moved:
            continue
        if value > limit or (value == limit and not inclusive):
            yield name


def _upper_limits(condition: ast.expr) -> Iterator[tuple[str, float, bool]]:
    """Iterate over terms ``name < number`` of a conjunction, with whether equality is allowed."""
    if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And):
        for value in condition.values:
            yield from _upper_limits(value)
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1:
        left, (operation,), (right,) = condition.left, condition.ops, condition.comparators
        if isinstance(operation, ast.Gt | ast.GtE):
            left, right = right, left
        elif not isinstance(operation, ast.Lt | ast.LtE):
            return
        limit = _number(right)
        if isinstance(left, ast.Name) and limit is not None:
            yield left.id, limit, isinstance(operation, ast.LtE | ast.GtE)


def _number(node: ast.expr) -> float | None:
    """Return the value of a numeric constant, None for other expressions."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = _number(node.operand)
        return None if operand is None else -operand
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, int | float) else None


def _is_zero(node: ast.expr) -> bool:
    """Whether an expression is a product with the number 0."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _is_zero(node.left) or _is_zero(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _is_zero(node.left)
    return _number(node) == 0.0
