"""Descriptions of codes as plain data, as shown by ``bioconv codes``."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from bioconv.codes import library, make, option_names
from bioconv.ground.tables import format_table

Row = dict[str, Any]


@dataclass(frozen=True)
class CodeDescription:
    """Description of a code; everything is taken from its declaration.

    Parameters
    ----------
    name : str
        Name for `bioconv.codes.make` and ``--code``.
    python : str
        Name of the class.
    text : str
        What the code does and what its options mean.
    options : tuple of dict
        One dict per option with ``option`` and ``default``.
    citation : str
        The publications from which it is taken, in BibTeX.
    """

    name: str
    python: str
    text: str
    options: tuple[Row, ...]
    citation: str

    def __str__(self) -> str:
        """Return the description as text for a terminal."""
        head = f"{self.name} ({self.python})\n\n{self.text}"
        return f"{head}\n\n{format_table(self.options)}\n\n{self.citation}"


def list_codes() -> list[Row]:
    """Return one row per code.

    Returns
    -------
    list of dict
        ``code`` (the name for `bioconv.codes.make` and ``--code``), ``python``, ``summary``.

    Examples
    --------
    >>> [row["code"] for row in list_codes()][:2]
    ['correlative', 'few_spikes']
    """
    return [
        {
            "code": name,
            "python": cls.__name__,
            "summary": (inspect.getdoc(cls) or "").split("\n", maxsplit=1)[0].replace("``", ""),
        }
        for name, cls in library().items()
    ]


def describe_code(name: str) -> CodeDescription:
    """Describe a code and its options with their defaults.

    Parameters
    ----------
    name : str

    Returns
    -------
    CodeDescription
        ``print`` shows it as text, ``vars`` gives plain data.

    Raises
    ------
    ParameterError
        If there is no such code.

    Examples
    --------
    >>> describe_code("rate").options[0]
    {'option': 'percentile', 'default': 99.99}
    """
    code = make(name)
    text = (inspect.getdoc(type(code)) or "").partition("\nRaises\n")[0].strip()
    options = tuple(
        {"option": option, "default": getattr(code, option)} for option in option_names(name)
    )
    return CodeDescription(
        name, type(code).__name__, text.replace("``", "`"), options, code.citation()
    )
