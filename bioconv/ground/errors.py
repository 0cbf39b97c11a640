"""The exceptions of bioconv.

Every one is also a builtin exception, so code that catches ``ValueError`` or ``ImportError``
keeps working, and every one carries a message that says what is wrong, what was expected,
what was received and what to do.  The command line turns them into exit code 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BioconvError(Exception):
    """Base of all errors that bioconv raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing that cannot be read or converted.

    Parameters
    ----------
    where : str
        Name of the layer, population or file entry.
    what : str
        Its class, e.g. ``"LSTM"``.
    reason : str
        Why it cannot be used.
    advice : str
        What would help.
    """

    where: str
    what: str
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        text = f"{self.where} ({self.what}): {self.reason}"
        return f"{text} {self.advice}" if self.advice else text


class _WithProblems(BioconvError):
    """An error that reports all problems of a model at once."""

    def __init__(self, headline: str, problems: Sequence[Problem] = ()):
        self.problems = tuple(problems)
        super().__init__("\n".join([headline, *(f"  - {problem}" for problem in self.problems)]))


class ReadError(_WithProblems, ValueError):
    """A Keras model cannot be read; lists every layer that is in the way."""


class UnsafeModelError(ReadError):
    """A model file contains Python code (a Lambda layer), which is never run."""


class ConversionError(_WithProblems, ValueError):
    """A network cannot spike under the chosen code and neuron; lists every reason."""


class ExportError(_WithProblems, ValueError):
    """A target cannot represent the network; lists every reason."""


class ParameterError(BioconvError, ValueError):
    """An argument or a parameter has a wrong name, shape, unit or value."""


class DataError(BioconvError, ValueError):
    """Images or labels that cannot be used: wrong shape, NaN, empty."""


class NetworkFileError(BioconvError, ValueError):
    """A file is damaged, hostile, from a newer version, or not ours."""


class ExpressionError(BioconvError, ValueError):
    """An equation, expression or name lies outside the closed grammar."""


class SimulatorMissingError(BioconvError, ImportError):
    """A simulator is not installed; says what to install."""


class CompilerMissingError(BioconvError, OSError):
    """No C++ compiler or headers for a generated model; says what to install."""


class SimulationError(BioconvError, RuntimeError):
    """A simulator failed; carries the end of its output."""


class UnknownNameError(BioconvError, ValueError):
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


class WeightsNotFoundError(BioconvError, FileNotFoundError, ValueError):
    """The package ships no trained weights for a network."""


class DataNotFoundError(BioconvError, FileNotFoundError):
    """A dataset is neither on this machine nor can it be downloaded."""
