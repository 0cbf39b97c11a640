"""Entries of a bibliography in BibTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: required fields of an entry of each kind, in addition to author, title and year
REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "article": ("journal", "volume", "pages"),
        "book": ("publisher",),
        "incollection": ("booktitle", "editor", "publisher"),
        "inproceedings": ("booktitle",),
        "misc": (),
        "phdthesis": ("school",),
    }
)
#: accented letters in author names, in BibTeX notation
_ACCENTS = str.maketrans({"ö": r"{\"o}", "é": r"{\'e}"})


@dataclass(frozen=True)
class Publication:
    """One entry of a bibliography.

    Parameters
    ----------
    kind : str
        A key of `REQUIRED`.
    author : str
        "Last, First and Last, First".
    title : str
    year : int
    fields : mapping of str to str
        Further fields of BibTeX: journal, volume, pages, doi, eprint (of the arXiv), url, ...
    """

    kind: str
    author: str
    title: str
    year: int
    fields: Mapping[str, str]

    def bibtex(self, key: str) -> str:
        """Return the entry in BibTeX with a key."""
        values = {
            "author": self.author.translate(_ACCENTS),
            "title": f"{{{self.title}}}",
            "year": str(self.year),
            **{name: text.translate(_ACCENTS) for name, text in self.fields.items()},
        }
        if "eprint" in values:
            values["archiveprefix"] = "arXiv"
        lines = [f"  {name} = {{{value}}}," for name, value in values.items()]
        return "\n".join([f"@{self.kind}{{{key},", *lines, "}"])


def article(
    author: str, title: str, year: int, journal: str, volume: str, pages: str, doi: str
) -> Publication:
    """Return an article of a journal."""
    fields = {"journal": journal, "volume": volume, "pages": pages, "doi": doi}
    return Publication("article", author, title, year, MappingProxyType(fields))


def entry(kind: str, author: str, title: str, year: int, **fields: str) -> Publication:
    """Return an entry of any kind of `REQUIRED`."""
    return Publication(kind, author, title, year, MappingProxyType(fields))
