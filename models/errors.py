"""The errors of the model zoo: each is also the builtin that a caller would expect."""

from __future__ import annotations


class UnknownNameError(ValueError):
    """The registry holds no network or dataset of that name."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        """Say what is known.

        Parameters
        ----------
        kind : str
            What was looked up, in words.
        name : str
            The name that is not known.
        known : tuple of str
            The names that are.
        """
        super().__init__(f"The {kind} must be one of {', '.join(known)}. Received: {name!r}.")


class WeightsNotFoundError(FileNotFoundError, ValueError):
    """The package ships no trained weights for a network."""


class DataNotFoundError(FileNotFoundError):
    """A dataset is neither on this machine nor can it be downloaded."""
