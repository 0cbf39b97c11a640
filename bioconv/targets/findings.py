"""What becomes of each part of a network on a target: exact, approximated, or impossible."""

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
        What of it: "neuron", "reset", "weights", "delay", ...
    verdict : Verdict
    text : str
        How it is represented, or why it cannot be.
    error : float
        Largest difference that this makes, in ``unit``; 0 where there is none, or none is known.
    unit : str
        Of ``error``.
    advice : str
        What would help.
    """

    part: str
    aspect: str
    verdict: Verdict
    text: str
    error: float = 0.0
    unit: str = ""
    advice: str = ""

    def problem(self) -> Problem:
        """The finding as a line of an error."""
        return Problem(self.part, self.aspect, self.text, self.advice)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The verdict on something of which all these were found; exact if nothing was."""
    order = list(Verdict)
    return max((finding.verdict for finding in findings), key=order.index, default=Verdict.EXACT)


def projection_name(pre: str, post: str, receptor: str) -> str:
    """What a projection is called in a report."""
    return f"{pre} -> {post} ({receptor})"
