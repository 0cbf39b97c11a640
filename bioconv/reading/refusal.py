"""Internal exceptions for layers that cannot be read."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - not an error to the user: it becomes a `Problem`
    """The reason why a layer cannot be read, with advice.

    `bioconv.reading.build` catches it, adds the name and class of the layer, continues with the
    other layers, and raises a single `ReadError` for all of them.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason)


class UnsafeCode(Refusal):
    """The layer contains Python code, which is never run."""
