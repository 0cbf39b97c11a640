"""The report on what a target loses."""

from __future__ import annotations

from typing import Any

from bioconv.measures.diagnosis import first_decision, first_shape
from bioconv.measures.shares import wilson_interval
from bioconv.network import SpikingNetwork
from bioconv.reports.html.networks import headline, network_section, neurons_section
from bioconv.reports.html.page import Facts, Page, Part, Section, Table, Text
from bioconv.reports.html.words import percent, with_interval
from bioconv.reports.networks import versions
from bioconv.targets import Finding, Report, Verdict
from bioconv.targets.measurement import Measured


def target_page(report: Report) -> Page:
    """Return the report on a target; see `bioconv.report`."""
    target = report.exporter.target
    only = f" on {' and '.join(report.only)} only" if report.only else ""
    return Page(
        title=f"{headline(report.source)} on {target.title}",
        summary=f"Verdict: {report.verdict}{only}. {target.summary}",
        sections=[
            _measured(report),
            _findings(report),
            _resources(report),
            Section(
                "How this is checked",
                [Text([text for text in (target.tested, target.conversion) if text])],
            ),
            Section("Limits of the target", [Table(target.rows(), "What it can represent.")]),
            network_section(report.source),
            neurons_section(report.source),
        ],
        versions=versions(),
    )


def _measured(report: Report) -> Section:
    if not report.measured:
        text = "Not measured: no samples were given, or the target cannot represent the network."
        return Section("What it costs", [Text([text])])
    single = _one_decision(report.source)
    rows = [_measured_row(row, single) for row in report.measured]
    parts: list[Part] = [Table(rows, "Simulated on the array simulator.")]
    first, *others = report.measured
    if others:
        share = "agreement" if first.accuracy is None else "accuracy"
        parts.insert(
            0,
            Facts(
                {
                    f"Loss of {share}, {row.network}": f"{100 * (_share(first) - _share(row)):.2f} "
                    "points"
                    for row in others
                }
            ),
        )
    if single:
        parts.append(
            Text(["Brackets: 95 % interval of Wilson; of several chips, their standard deviation."])
        )
    return Section("What it costs", parts)


def _measured_row(row: Measured, single: bool) -> dict[str, Any]:
    shares = {"accuracy": row.accuracy, "agreement with the analog network": row.agreement}
    found: dict[str, Any] = {"network": row.network, "images": row.n_images, "steps": row.n_steps}
    for number, (name, share) in enumerate((n, s) for n, s in shares.items() if s is not None):
        if row.deviation:
            spread = f" ± {100 * row.deviation:.2f}" if number == 0 else ""
            found[name] = f"{percent(share)}{spread}"
        else:
            interval = wilson_interval(share, row.n_images) if single else None
            found[name] = with_interval(share, interval)
    return found


def _share(row: Measured) -> float:
    return row.agreement if row.accuracy is None else row.accuracy


def _one_decision(network: SpikingNetwork) -> bool:
    return first_decision(network).n_decisions(first_shape(network)) == 1


def _findings(report: Report) -> Section:
    if not report.findings:
        return Section("Findings", [Text(["Every part is represented exactly."])])
    order = list(Verdict)
    rows = [
        {"part": part, **_finding_row(finding)}
        for part, found in report.by_part().items()
        for finding in sorted(found, key=lambda f: -order.index(f.verdict))
    ]
    return Section("Findings", [Table(rows, "How the target represents each part.")])


def _finding_row(finding: Finding) -> dict[str, Any]:
    error = f"{finding.error:.3g} {finding.unit}".strip() if finding.error else "-"
    return {
        "verdict": str(finding.verdict),
        "aspect": finding.aspect,
        "how": " ".join(filter(None, [finding.text, finding.advice])),
        "largest error": error,
    }


def _resources(report: Report) -> Section:
    if report.fit is None or not report.fit.resources:
        return Section("Resources", [])
    rows = [
        {
            "resource": resource.name,
            "needed": f"{resource.needed:,g} {resource.unit}".strip(),
            "available": "-" if resource.available is None else f"{resource.available:,g}",
        }
        for resource in report.fit.resources
    ]
    return Section("Resources", [Table(rows, "What the network needs of the machine.")])
