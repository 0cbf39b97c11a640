"""Descriptions of encoders as plain data, as shown by ``bioconv encoders``."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import Any

from bioconv.encoders import library, make
from bioconv.ground.options import rules
from bioconv.ground.tables import format_table

Row = dict[str, Any]


@dataclass(frozen=True)
class EncoderDescription:
    """Description of an encoder; everything is taken from its declaration.

    Parameters
    ----------
    name : str
        Name for `bioconv.encoders.make` and ``--encoder``.
    python : str
        Name of the class.
    family : str
        Its place in the survey.
    text : str
        What it does and what its options mean.
    law, error : str
        Equation for a value a from 0 to 1, and theoretical error as a share of the range.
    can_convert : bool
        Whether networks can be converted to the code.
    reason : str
        Why or why not.
    options : tuple of dict
        One dict per option with ``option``, ``default`` and ``valid``.
    citation : str
        The publications from which it is taken, in BibTeX.
    """

    name: str
    python: str
    family: str
    text: str
    law: str
    error: str
    can_convert: bool
    reason: str
    options: tuple[Row, ...]
    citation: str

    def __str__(self) -> str:
        """Return the description as text for a terminal."""
        conversion = f"{'yes' if self.can_convert else 'no'}: {self.reason}"
        facts = [
            f"Law: {self.law}",
            f"Error: {self.error}",
            f"Can carry a conversion: {conversion}",
        ]
        head = f"{self.name} ({self.python}), {self.family}"
        return "\n\n".join(
            [head, self.text, "\n".join(facts), format_table(self.options), self.citation]
        )


def list_encoders() -> list[Row]:
    """Return one row per encoder: the survey as a table (Mueller 2023, 3.1).

    Returns
    -------
    list of dict
        ``encoder`` (the name for `bioconv.encoders.make` and ``--encoder``), ``python``,
        ``family``, ``summary``, ``law``, ``error``, ``can_convert``, ``reason``.

    Examples
    --------
    >>> [row["encoder"] for row in list_encoders() if row["can_convert"]]
    ['count', 'population', 'first_spike', 'first_spike_inverse', 'phase']
    """
    return [
        {
            "encoder": name,
            "python": cls.__name__,
            "family": cls.family,
            "summary": (inspect.getdoc(cls) or "").split("\n", maxsplit=1)[0].replace("``", ""),
            "law": cls.law,
            "error": cls.error,
            "can_convert": cls.can_convert,
            "reason": cls.reason,
        }
        for name, cls in library().items()
    ]


def describe_encoder(name: str) -> EncoderDescription:
    """Describe an encoder and its options with their defaults.

    Parameters
    ----------
    name : str

    Returns
    -------
    EncoderDescription
        ``print`` shows it as text, ``vars`` gives plain data.

    Raises
    ------
    ParameterError
        If there is no such encoder.

    Examples
    --------
    >>> describe_encoder("count").error
    '1 / (2 n_spikes) regular, sqrt(a / n_spikes) Poisson'
    """
    encoder = make(name)
    text = (inspect.getdoc(type(encoder)) or "").partition("\nRaises\n")[0]
    valid = rules(encoder)
    options = tuple(
        {
            "option": entry.name,
            "default": getattr(encoder, entry.name),
            "valid": str(valid[entry.name]),
        }
        for entry in fields(encoder)
    )
    return EncoderDescription(
        name=name,
        python=type(encoder).__name__,
        family=encoder.family,
        text=text.partition("\nExamples\n")[0].strip().replace("``", "`"),
        law=encoder.law,
        error=encoder.error,
        can_convert=encoder.can_convert,
        reason=encoder.reason,
        options=options,
        citation=encoder.citation(),
    )
