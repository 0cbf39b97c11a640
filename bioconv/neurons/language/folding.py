"""Constant folding: parts that are constant within a run are computed once, in float64.

``v*exp(-dt/tau_m) + i_syn*a*b/c - d + e*exp(-dt/tau_m)`` requires a dozen operations and several
exponentials per neuron and step; with constant parts folded it is ``v*k0 + i_syn*k1 + k2``.
This is also more accurate in float32, where differences of exponentials would suffer from
cancellation.
"""

from __future__ import annotations

import ast
from collections.abc import Set
from dataclasses import dataclass, field

from bioconv.neurons.language.expressions import names_in
from bioconv.neurons.language.substitution import is_exp


@dataclass
class Folder:
    """Transformer that replaces the constant parts of expressions by names.

    Parameters
    ----------
    varying : set of str
        Names whose values change within a run; all others are constant.
    constants : dict of str to ast.expr
        The constant parts, by the name that replaces them.
    """

    varying: Set[str]
    constants: dict[str, ast.expr] = field(default_factory=dict)

    def fold(self, node: ast.expr) -> ast.expr:
        """Return ``node`` with its constant parts replaced by names of ``constants``."""
        if self._is_constant(node):
            return node if isinstance(node, ast.Constant) else self._take_out(node)
        if _is_sum(node):
            return self._sum(node)
        if _is_product(node):
            return self._product(node)
        return _rebuild(node, [self.fold(child) for child in operands(node)])

    def _is_constant(self, node: ast.expr) -> bool:
        return not names_in(node) & self.varying

    def _take_out(self, node: ast.expr) -> ast.expr:
        text = ast.unparse(node)
        for name, known in self.constants.items():
            if ast.unparse(known) == text:
                return ast.Name(name)
        name = f"_k{len(self.constants)}"
        self.constants[name] = node
        return ast.Name(name)

    def _sum(self, node: ast.expr) -> ast.expr:
        terms = _terms(node, 1)
        fixed = [(sign, term) for sign, term in terms if self._is_constant(term)]
        rest = [(sign, self.fold(term)) for sign, term in terms if not self._is_constant(term)]
        total = _add_up(rest)
        return ast.BinOp(total, ast.Add(), self._take_out(_add_up(fixed))) if fixed else total

    def _product(self, node: ast.expr) -> ast.expr:
        factors = [self._upright(power, factor) for power, factor in _factors(node, 1)]
        fixed = [(power, factor) for power, factor in factors if self._is_constant(factor)]
        rest = [(power, self.fold(f)) for power, f in factors if not self._is_constant(f)]
        if not fixed:
            return _multiply(rest)
        if all(power < 0 for power, _ in fixed):  # keep the division: a / c is not a * (1 / c)
            divisor = self._take_out(_multiply([(1, factor) for _, factor in fixed]))
            return ast.BinOp(_multiply(rest), ast.Div(), divisor)
        return ast.BinOp(self._take_out(_multiply(fixed)), ast.Mult(), _multiply(rest))

    def _upright(self, power: int, factor: ast.expr) -> tuple[int, ast.expr]:
        """Replace the divisor ``exp(x)`` by the factor ``exp(-x)``, which saves a division."""
        if power > 0 or self._is_constant(factor) or not is_exp(factor):
            return power, factor
        (argument,) = operands(factor)
        return 1, _rebuild(factor, [ast.UnaryOp(ast.USub(), argument)])


def operands(node: ast.expr) -> list[ast.expr]:
    """Return the operands of an operation or the arguments of a call."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Compare):
        return [node.left, node.comparators[0]]
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    return list(node.args) if isinstance(node, ast.Call) else []


def _rebuild(node: ast.expr, parts: list[ast.expr]) -> ast.expr:
    if isinstance(node, ast.BinOp):
        return ast.BinOp(parts[0], node.op, parts[1])
    if isinstance(node, ast.UnaryOp):
        return ast.UnaryOp(node.op, parts[0])
    if isinstance(node, ast.Compare):
        return ast.Compare(parts[0], node.ops, parts[1:])
    if isinstance(node, ast.BoolOp):
        return ast.BoolOp(node.op, parts)
    return ast.Call(node.func, parts, []) if isinstance(node, ast.Call) else node


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)


def _terms(node: ast.expr, sign: int) -> list[tuple[int, ast.expr]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        right = -sign if isinstance(node.op, ast.Sub) else sign
        return _terms(node.left, sign) + _terms(node.right, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _terms(node.operand, -sign)
    return [(sign, node)]


def _factors(node: ast.expr, power: int) -> list[tuple[int, ast.expr]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        right = -power if isinstance(node.op, ast.Div) else power
        return _factors(node.left, power) + _factors(node.right, right)
    return [(power, node)]


def _add_up(terms: list[tuple[int, ast.expr]]) -> ast.expr:
    ordered = sorted(terms, key=lambda term: -term[0])  # a positive term first if there is one
    sign, total = ordered[0]
    if sign < 0:
        total = ast.UnaryOp(ast.USub(), total)
    for sign, term in ordered[1:]:
        total = ast.BinOp(total, ast.Add() if sign > 0 else ast.Sub(), term)
    return total


def _multiply(factors: list[tuple[int, ast.expr]]) -> ast.expr:
    above = [factor for power, factor in factors if power > 0] or [ast.Constant(1.0)]
    product = above[0]
    for factor in above[1:]:
        product = ast.BinOp(product, ast.Mult(), factor)
    for power, factor in factors:
        if power < 0:
            product = ast.BinOp(product, ast.Div(), factor)
    return product
