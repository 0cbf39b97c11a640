"""Substitutions in checked expressions, made on syntax trees, from text to text.

The results consist of checked parts and need no further checks.
"""

from __future__ import annotations

import ast


def substitute(text: str, name: str, replacement: str) -> str:
    """Replace a name in a checked expression by another expression in brackets."""
    put = _tree(replacement)

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return put if node.id == name else node

    tree = _tree(text)
    found = any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))
    return ast.unparse(Put().visit(tree)) if found else text


def join_powers(text: str) -> str:
    """Replace ``exp(x)**c`` by ``exp(c * x)`` in an expression.

    SymPy writes the rates of ion channels in the first form, which overflows in float32 (for x
    above 88) where the second does not, and is many times slower.
    """
    return ast.unparse(_JoinPowers().visit(_tree(text))) if "**" in text and "exp" in text else text


class _JoinPowers(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        base = node.left
        if isinstance(node.op, ast.Pow) and isinstance(base, ast.Call) and is_exp(base):
            base.args = [ast.BinOp(node.right, ast.Mult(), base.args[0])]
            return base
        return node


def is_exp(node: ast.expr) -> bool:
    """Whether the expression is a call of ``exp``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exp"


def _tree(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body
