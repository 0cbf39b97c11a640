"""A report as one HTML file: sections of texts, facts, tables and pictures.

The file contains everything that it shows: pictures as PNG data, its style, and no script.  Its
own policy forbids a browser to load anything else.  All texts are escaped by the template engine.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from bioconv.ground.errors import ParameterError
from bioconv.ground.files import new_file
from bioconv.ground.tables import table_cells

#: pixels per inch of pictures
_DPI = 144


@dataclass(frozen=True)
class Text:
    """Paragraphs, each of whole sentences."""

    paragraphs: Sequence[str]
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Listing:
    """Text whose line breaks count: equations, options."""

    text: str
    caption: str = ""
    kind: ClassVar[str] = "listing"


@dataclass(frozen=True)
class Facts:
    """Names and values, the values as texts."""

    entries: Mapping[str, str]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Table:
    """Rows as for `bioconv.ground.tables.format_table`, and what they show."""

    rows: Sequence[Any]
    caption: str
    kind: ClassVar[str] = "table"

    def cells(self) -> tuple[list[str], list[list[str]], list[bool]]:
        """Return heads, the texts of all rows, and which columns are aligned to the right."""
        return table_cells(self.rows)


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure and what it shows; the same sentence is read out instead of the picture."""

    figure: Figure
    caption: str
    kind: ClassVar[str] = "picture"

    def data(self) -> str:
        """Return the picture as the address of an image."""
        file = io.BytesIO()
        self.figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
        return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"

    @property
    def width(self) -> int:
        """Width in CSS pixels (96 per inch)."""
        return round(96 * self.figure.get_figwidth())


Part: TypeAlias = Text | Listing | Facts | Table | Picture


@dataclass(frozen=True)
class Section:
    """A section with a title; its anchor is derived from the title."""

    title: str
    parts: Sequence[Part]

    @property
    def anchor(self) -> str:
        """Name of the section within the page."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())


@dataclass(frozen=True)
class Page:
    """A whole report.

    Parameters
    ----------
    title, summary : str
    sections : sequence of Section
        Sections without parts are left out.
    versions : mapping of str to str
        Versions of packages, at the end of the page.
    """

    title: str
    summary: str
    sections: Sequence[Section]
    versions: Mapping[str, str] = field(default_factory=dict)

    def html(self) -> str:
        """Return the page as HTML."""
        return _template().render(
            page=self, sections=[section for section in self.sections if section.parts]
        )

    def save(self, path: str | Path) -> Path:
        """Write the page.

        Parameters
        ----------
        path : str or Path
            Ends in .html; an existing file is replaced when the new one is complete.

        Raises
        ------
        ParameterError
            If the name ends otherwise, or if the file cannot be written.
        """
        path = check_name(path)
        text = self.html()
        with new_file(path, ParameterError) as part:
            part.write_text(text, encoding="utf-8")
        return path


def check_name(path: str | Path) -> Path:
    """Return the path of a report, or raise `ParameterError` if it does not end in .html."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"a report is an .html file. Received: {str(path)!r}.")
    return path


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("bioconv.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
