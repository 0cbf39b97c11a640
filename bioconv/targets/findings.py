"""Findings on how a target represents each part of a network: exactly, approximately or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bioconv.ground.errors import Problem


class Verdict(StrEnum):
    """How well a target represents a part."""

    EXACT = "exact"
    APPROXIMATED = "approximated"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True)
class Finding:
    """One thing that a target does to one part of a network.

    Parameters
    ----------
    part : str
        A population, an input, a readout, a projection (see `projection_name`), or the network.
    aspect : str
        The aspect of the part: "neuron", "reset", "weights", "delay", ...
    verdict : Verdict
    text : str
        How it is represented, or why it cannot be.
    error : float
        Largest error caused, in ``unit``; 0 if there is none or it is not known.
    unit : str
        Unit of ``error``.
    advice : str
        How to avoid or reduce the problem.
    only : tuple of str
        Simulators of the target to which the verdict is restricted, because the others cannot
        represent the part; empty if it holds on all.
    """

    part: str
    aspect: str
    verdict: Verdict
    text: str
    error: float = 0.0
    unit: str = ""
    advice: str = ""
    only: tuple[str, ...] = ()

    def problem(self) -> Problem:
        """The finding as a line of an error message."""
        return Problem(self.part, self.aspect, self.text, self.advice)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict of the findings; exact if there are none."""
    order = list(Verdict)
    return max((finding.verdict for finding in findings), key=order.index, default=Verdict.EXACT)


def projection_name(pre: str, post: str, receptor: str) -> str:
    """Return the name of a projection in a report."""
    return f"{pre} -> {post} ({receptor})"
