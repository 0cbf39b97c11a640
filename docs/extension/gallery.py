"""The gallery: every figure with its picture, verdict and claims, from the kept full runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioconv.paper_figures import frame, records

Table = Callable[[Sequence[Mapping[str, Any]]], list[str]]

#: paper of a manifest -> what it is, in the order of the page
TITLES = {
    "mueller": "E. Mueller, thesis, TU Munich 2023",
    "rueckauer": "Rueckauer et al., arXiv:1612.04052",
    "stanojevic": "A. Stanojevic, thesis, EPFL 2023",
    "stoeckl": "Stoeckl and Maass, Nature Machine Intelligence 2021",
    "yousefzadeh": "Yousefzadeh et al. 2019",
    "bioconv": "This project",
}

#: verdict of a figure of which no full run is kept
NOT_RUN = "not run in full yet"


def text(docs: Path, table: Table) -> Iterator[str]:
    """Return the lines of the page: a table of all figures, and one section for each."""
    kept = docs.parent / "paper_figures" / "kept"
    found = {name: _record(kept / f"{name}.json") for name in frame.names()}
    yield from _overview(found, table)
    for paper, title in TITLES.items():
        yield from (f"## {title}", "")
        for name, record in found.items():
            if frame.figure(name).MANIFEST.paper == paper:
                yield from _section(docs, kept, name, record, table)


def _record(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _overview(found: Mapping[str, Mapping[str, Any]], table: Table) -> Iterator[str]:
    # A heading of its own: text before the first heading would be moved behind the sections.
    yield from ("## All figures", "")
    verdicts = [record.get("status", NOT_RUN) for record in found.values()]
    counts = (f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    yield from (f"{len(found)} figures and tables: {', '.join(counts)}.", "")
    manifests = {name: frame.figure(name).MANIFEST for name in found}
    rows = [
        {
            "paper": manifests[name].paper,
            "figure": manifests[name].number,
            "title": manifests[name].title,
            "verdict": record.get("status", NOT_RUN),
        }
        for name, record in found.items()
    ]
    yield from table(rows)


def _section(
    docs: Path, kept: Path, name: str, record: Mapping[str, Any], table: Table
) -> Iterator[str]:
    manifest = frame.figure(name).MANIFEST
    yield from (f"### {manifest.number}: {manifest.title}", "")
    picture = kept / f"{name}.png"
    if picture.is_file():
        yield from (f"![{manifest.title}](../{picture.relative_to(docs.parent)})", "")
    verdict = record.get("status", NOT_RUN)
    why = f": {record['why']}" if record.get("why") else ""
    yield from (f"**{verdict.capitalize()}**{why}.", "")
    claims = record.get("claims") or [
        {**vars(claim), "measured": None, "holds": None} for claim in manifest.claims
    ]
    rows = records.claim_rows(claims, judged=bool(record))
    hidden = () if record else ("here", "holds")
    yield from table([{k: v for k, v in row.items() if k not in hidden} for row in rows])
    whose = "Data" if manifest.paper == "bioconv" else "Data of the paper"
    yield from (f"- {whose}: {manifest.data}", "")
    if record:
        yield from (f"- Computed on: {record['used']}", "")
        yield from (f"- Time: {record['seconds'] / 60:.1f} minutes", "")
    else:
        yield from (f"- Time: about {manifest.minutes:g} minutes on two cores", "")
    if manifest.substitute:
        yield from (f"- Differences: {manifest.substitute}", "")
    yield from (f"- Command: `python -m paper_figures run {name} --data DIR`", "")
    yield from (f"- Source: {{download}}`{name}.py <../paper_figures/{name}.py>`", "")
