"""Descriptions of targets as plain data: the list of targets, and one target with its limits."""

from __future__ import annotations

from typing import Any

from bioconv.targets.registry import TARGETS, exporter


def list_targets() -> list[dict[str, str]]:
    """Return one row for each target: ``target``, its name, and ``summary``, what is written.

    Examples
    --------
    >>> [row["target"] for row in list_targets()][:2]
    ['brainscales2', 'brian2']
    """
    return [{"target": name, "summary": exporter(name).target.summary} for name in TARGETS]


def describe_target(name: str) -> dict[str, Any]:
    """Describe a target: what is written, how that is checked, its limits and their sources.

    Parameters
    ----------
    name : str
        One of `bioconv.targets.TARGETS`.

    Returns
    -------
    dict
        ``title``, ``summary``, ``tested`` (how the export is checked), ``conversion`` (advice on
        the arguments of `bioconv.convert`) and ``limits``, rows of ``what``, ``value`` and
        ``source``.

    Raises
    ------
    ParameterError
        The target is unknown; the message lists all targets.
    """
    target = exporter(name).target
    return {
        "target": target.name,
        "title": target.title,
        "summary": target.summary,
        "tested": target.tested,
        "conversion": target.conversion,
        "limits": target.rows(),
    }
