"""How one layer says that it cannot be read; never leaves this room."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - not an error to the user: it becomes a `Problem`
    """A reason why a layer cannot be read, and what would help.

    `bioconv.reading.build` catches it, adds the layer's name and class, goes on with the other
    layers, and raises one `ReadError` with all of them.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason)


class UnsafeCode(Refusal):
    """The layer carries Python code, which is never run."""
