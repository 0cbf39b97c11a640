"""Reports on how a target represents a network, with findings and measured accuracies."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bioconv.export.tables import check_words
from bioconv.ground.errors import ExportError
from bioconv.ground.files import new_file, new_folder, write_json, write_text
from bioconv.ground.tables import format_table, html_table
from bioconv.network import SpikingNetwork
from bioconv.targets.findings import Finding, Verdict, projection_name, worst
from bioconv.targets.fit import Exporter, Fit
from bioconv.targets.measurement import Measured

_WRAP = textwrap.TextWrapper(98, initial_indent=" " * 16, subsequent_indent=" " * 16)


@dataclass(frozen=True, eq=False)
class Report:
    """Report on how a target represents a network.

    Parameters
    ----------
    source : SpikingNetwork
        The converted network, with the names of the target's cells (`Target.restated`).
    exporter : Exporter
    findings : tuple of Finding
    fit : Fit or None
        The network as the target will see it; None if something is impossible.
    measured : tuple of Measured
        Accuracy of the network unrestricted, and as the target will see it; empty without samples.
    """

    source: SpikingNetwork
    exporter: Exporter
    findings: tuple[Finding, ...]
    fit: Fit | None
    measured: tuple[Measured, ...] = ()

    def __repr__(self) -> str:
        title = self.exporter.target.title
        return f"<Report: {self.source.name!r} on {title}: {self._judgement}>"

    def _repr_html_(self) -> str:
        rows = [
            {"part": part, "verdict": str(finding.verdict), "aspect": finding.aspect}
            | {"": _words(finding)}
            for part, found in self.by_part().items()
            for finding in found
        ]
        return html_table(repr(self), rows)

    @property
    def verdict(self) -> Verdict:
        """Verdict on the network as a whole."""
        return worst(self.findings)

    @property
    def only(self) -> tuple[str, ...]:
        """Simulators of the target to which the verdict is restricted; empty if it is on all."""
        restricted = [finding.only for finding in self.findings if finding.only]
        return tuple(
            name
            for name in dict.fromkeys(name for each in restricted for name in each)
            if all(name in each for each in restricted)
        )

    @property
    def _judgement(self) -> str:
        where = f" on {' and '.join(self.only)} only" if self.only else ""
        return f"{self.verdict}{where}"

    @property
    def network(self) -> SpikingNetwork:
        """The network as the target will see it.

        Raises
        ------
        ExportError
            Something is impossible; the message lists everything that is.
        """
        return self._possible().network

    def _possible(self) -> Fit:
        problems = [f.problem() for f in self.findings if f.verdict is Verdict.IMPOSSIBLE]
        if self.fit is None or problems:
            title = self.exporter.target.title
            raise ExportError(f"{title} cannot represent {self.source.name}:", problems)
        return self.fit

    def emit(self, path: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the network for the target.

        Parameters
        ----------
        path : str or Path
            A folder, or the file where the target is a format.  A file is replaced, and so is a
            folder in which there is nothing but what bioconv wrote.
        overwrite : bool
            Whether a folder with other files is replaced as well.

        Returns
        -------
        list of Path
            The files; the first is the one to run.

        Raises
        ------
        ExportError
            Something is impossible (nothing is written), or the place cannot be written.
        """
        fit, path = self._possible(), Path(path)
        check_words(fit.network)
        if self.exporter.file:
            with new_file(path, ExportError) as scratch:
                self.exporter.write(fit, scratch)
            return [path]
        with new_folder(path, ExportError, overwrite=overwrite) as scratch:
            self.exporter.write(fit, scratch)
            found = [f.relative_to(scratch) for f in sorted(scratch.rglob("*")) if f.is_file()]
        found.sort(key=lambda file: file.name != "program.py")
        return [path / file for file in found]

    def by_part(self) -> dict[str, list[Finding]]:
        """Return the findings grouped by population, projection and other parts."""
        net = self.source
        names = [entry.name for entry in net.inputs] + [p.name for p in net.populations]
        names += [projection_name(p.pre, p.post, p.receptor) for p in net.projections]
        grouped: dict[str, list[Finding]] = {name: [] for name in names}
        for finding in self.findings:
            grouped.setdefault(finding.part, []).append(finding)
        return {part: found for part, found in grouped.items() if found}

    def record(self) -> dict[str, Any]:
        """Return the report as plain data."""
        target = self.exporter.target
        return {
            "network": self.source.name,
            "target": target.name,
            "tested": target.tested,
            "verdict": str(self.verdict),
            "only": list(self.only),
            "findings": [asdict(finding) for finding in self.findings],
            "resources": [asdict(r) for r in self.fit.resources] if self.fit else [],
            "measured": [asdict(row) for row in self.measured],
        }

    def save(self, path: str | Path) -> None:
        """Write the report.

        It is JSON if the name ends in .json, a page with tables if it ends in .html
        (`bioconv.report`), else the text that is printed.
        """
        path = Path(path)
        if path.suffix == ".json":
            write_json(path, self.record())
            return
        if path.suffix == ".html":
            from bioconv.reports.html import report

            report(self, path)
            return
        write_text(path, f"{self}\n")

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        target = self.exporter.target
        yield f"{self.source.name} on {target.title}: {self._judgement}"
        yield f"How this export is checked: {target.tested}"
        yield ""
        for part, found in self.by_part().items():
            yield f"{worst(found):12}  {part}"
            for finding in found:
                yield _WRAP.fill(_words(finding))
        if self.fit is not None and self.fit.resources:
            rows = [
                {
                    "resource": resource.name,
                    "needed": f"{resource.needed:,g} {resource.unit}".strip(),
                    "available": "" if resource.available is None else f"{resource.available:,g}",
                }
                for resource in self.fit.resources
            ]
            yield f"\n{format_table(rows)}"
        if self.measured:
            yield f"\n{format_table([row.row() for row in self.measured])}"


def _words(finding: Finding) -> str:
    error = f" (off by up to {finding.error:.3g} {finding.unit})".replace(" )", ")")
    text = f"{finding.aspect}: {finding.text}{error if finding.error else ''}"
    return f"{text} {finding.advice}" if finding.advice else text
