"""Records of figures that were run: tables of their verdicts and claims, and which are kept."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from bioconv.ground.errors import DataError
from bioconv.ground.files import new_file, write_json, write_text
from bioconv.ground.tables import markdown_table
from bioconv.paper_figures.frame import Claim

#: largest file of a kept picture
PICTURE_BYTES = 80_000
#: its largest width in pixels, and number of colours
_WIDTH, _COLORS = 1000, 48


def keep(folder: str | Path, kept: str | Path) -> list[Path]:
    """Copy the records of full runs to the folder of kept records, with a table of all of them.

    Pictures that lie beside the records are kept in a small size, for the gallery.

    Parameters
    ----------
    folder : str or Path
        Results of ``run`` or ``all``.
    kept : str or Path
        Existing records of the same figures are replaced.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    DataError
        If the folder contains no record of a full run.
    """
    records = [json.loads(p.read_text(encoding="utf-8")) for p in Path(folder).glob("*.json")]
    full = sorted((r for r in records if not r["quick"]), key=lambda record: record["name"])
    if not full:
        raise DataError(
            f"no records of full runs in {str(folder)!r}. Run a figure without --quick first."
        )
    kept = Path(kept)
    kept.mkdir(parents=True, exist_ok=True)
    written = []
    for record in full:
        path = kept / f"{record['name']}.json"
        write_json(path, record)
        written.append(path)
        picture = Path(folder) / f"{record['name']}.png"
        if picture.is_file():
            written.append(_small(picture, kept / picture.name))
    write_text(kept / "README.md", f"{_KEPT_TEXT}\n{report(kept)}")
    return [*written, kept / "README.md"]


def _small(picture: Path, kept: Path) -> Path:
    """Write a picture in at most `PICTURE_BYTES`: fewer colours and, if need be, smaller."""
    from PIL import Image

    with Image.open(picture) as image:
        whole = image.convert("RGB")
    for width in range(min(whole.width, _WIDTH), 0, -100):
        size = (width, round(whole.height * width / whole.width))
        small = whole.resize(size, Image.Resampling.LANCZOS).quantize(_COLORS)
        file = io.BytesIO()
        small.save(file, "png", optimize=True)
        if file.tell() <= PICTURE_BYTES:
            with new_file(kept, DataError) as path:
                path.write_bytes(file.getvalue())
            return kept
    raise DataError(f"{picture} cannot be kept in {PICTURE_BYTES:,} bytes.")


_KEPT_TEXT = """# Results of full runs

Written by `python -m paper_figures keep` from the records of
`python -m paper_figures run NAME --data DIR`.
"""


def report(folder: str | Path) -> str:
    """Return two Markdown tables: all figures with results in ``folder``, and their claims.

    Raises
    ------
    DataError
        If there are none.
    """
    records = [
        json.loads(p.read_text(encoding="utf-8")) for p in sorted(Path(folder).glob("*.json"))
    ]
    if not records:
        raise DataError(f"no results in {str(folder)!r}. Run: python -m paper_figures all")
    figures = [
        {
            "figure": _label(record),
            "verdict": record["status"],
            "why not in full": record["why"],
            "data of the paper": record["data"],
            "computed on": record["used"],
        }
        for record in records
    ]
    claims = [
        {"figure": _label(record), **row}
        for record in records
        for row in claim_rows(record["claims"], judged=not record["quick"])
    ]
    return f"{markdown_table(figures)}\n\n{markdown_table(claims)}\n"


def claim_rows(claims: Sequence[Mapping[str, Any]], *, judged: bool) -> list[dict[str, str]]:
    """Return claims as rows of a table.

    Parameters
    ----------
    claims : sequence of mapping
        Claims of a record, with ``measured`` and ``holds``.
    judged : bool
        Whether there is a verdict, which a quick run does not have.

    Returns
    -------
    list of dict
        ``claim``, ``paper`` (its number and origin), ``accepted``, ``here`` and ``holds``.
    """
    return [
        {
            "claim": claim["what"],
            "paper": f"{claim['value']:.6g} ({claim['source']})",
            "accepted": _claim_of(claim).accepted(),
            "here": "" if claim["measured"] is None else f"{claim['measured']:.5g}",
            "holds": "not judged" if not judged else "yes" if claim["holds"] else "no",
        }
        for claim in claims
    ]


def _label(record: Mapping[str, Any]) -> str:
    return f"{record['paper']} {record['number']}"


def _claim_of(row: Mapping[str, Any]) -> Claim:
    return Claim(**{entry.name: row[entry.name] for entry in fields(Claim)})
