"""The exceptions and warnings of bioconv.

Each error is also a builtin exception, so that code that catches ``ValueError`` or
``ImportError`` keeps working.  The messages state what is wrong, what was expected, what was
received, and what to do.  The command line converts the exceptions to exit code 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bioconv.ground.suggestions import did_you_mean


class BioconvError(Exception):
    """Base class of all errors that bioconv raises deliberately."""


class BioconvWarning(UserWarning):
    """Base class of all warnings of bioconv."""


@dataclass(frozen=True)
class Problem:
    """One problem that prevents reading or conversion.

    Parameters
    ----------
    where : str
        Name of the layer, population or file entry.
    what : str
        Its class, e.g. ``"LSTM"``.
    reason : str
        Why it cannot be used.
    advice : str
        How to solve the problem.
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
    """A Keras model cannot be read; the message lists all layers that are not supported."""


class UnsafeModelError(ReadError):
    """A model file contains Python code (a Lambda layer), which is never executed."""


class ConversionError(_WithProblems, ValueError):
    """A network cannot be converted with the code and neuron; the message lists all reasons."""


class ExportError(_WithProblems, ValueError):
    """A target cannot represent the network; the message lists all reasons."""


class ParameterError(BioconvError, ValueError):
    """An argument or a parameter has a wrong name, shape, unit or value."""


class DataError(BioconvError, ValueError):
    """Images or labels that cannot be used: wrong shape, NaN, empty."""


class DataWarning(BioconvWarning):
    """Data that can be used but probably do not belong to the network, or to one another."""


class AccuracyWarning(BioconvWarning):
    """A converted network is expected to decide otherwise than the analog network."""


class NetworkFileError(BioconvError, ValueError):
    """A file is damaged, hostile, from a newer version, or not a bioconv file."""


class ExpressionError(BioconvError, ValueError):
    """An equation, expression or name is outside the closed grammar."""


class SimulatorMissingError(BioconvError, ImportError):
    """A simulator is not installed; the message states what to install."""


class CompilerMissingError(BioconvError, OSError):
    """No C++ compiler or headers for a generated model; the message states what to install."""


class UnsafeCacheError(BioconvError, PermissionError):
    """Other users can write the folder for compiled programs; the message states what to do."""


class SimulationError(BioconvError, RuntimeError):
    """A simulator failed; the message contains the end of its output."""


class TrainingError(BioconvError, ArithmeticError):
    """A training run diverged; the message states where and what to change."""


class UnknownNameError(BioconvError, ValueError):
    """The registry contains no network or dataset of that name."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        """Create the error with a list of the known names.

        Parameters
        ----------
        kind : str
            Description of the objects, for example "network".
        name : str
            The unknown name.
        known : tuple of str
            The known names.
        """
        super().__init__(
            f"The {kind} must be one of {', '.join(known)}. Received: {name!r}."
            + did_you_mean(name, known)
        )


class DamagedRecordWarning(BioconvWarning):
    """The record of a run is damaged or of another run, so that the run is repeated."""


class WeightsNotFoundError(BioconvError, FileNotFoundError, ValueError):
    """The package contains no trained weights for a network."""


class DataNotFoundError(BioconvError, FileNotFoundError):
    """A dataset is not on this machine and cannot be downloaded."""
