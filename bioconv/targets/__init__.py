"""Targets: machines, simulators and formats that a network is exported to.

`examine` says what a target cannot represent and what that costs, measured; `emit` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from numpy.typing import ArrayLike

from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.targets.findings import Finding, Verdict, worst
from bioconv.targets.fit import Exporter, Fit, Resource, Samples
from bioconv.targets.registry import TARGETS, exporter
from bioconv.targets.report import Report
from bioconv.targets.target import Cell, Limit, Loss, Target

__all__ = [
    "TARGETS",
    "Cell",
    "Exporter",
    "Finding",
    "Fit",
    "Limit",
    "Loss",
    "Report",
    "Resource",
    "Target",
    "Verdict",
    "emit",
    "examine",
    "exporter",
]


def examine(
    network: SpikingNetwork,
    target: str,
    x: ArrayLike | Mapping[str, ArrayLike] | None = None,
    y: ArrayLike | None = None,
    *,
    chips: int = 5,
    seed: int = 0,
    progress: bool = True,
) -> Report:
    """What a target makes of a network: exact, approximated, impossible; and what that costs.

    Parameters
    ----------
    network : SpikingNetwork
    target : str
        One of `TARGETS`.
    x : ndarray of shape (n_images, *input shape), or mapping of input names to such arrays
        Samples.  They tell how strong the inputs of neurons get, and the network is simulated on
        them unrestricted and as the target will see it (array simulator).  Where a target fits
        numbers on samples, the first half is for that and the other half is measured, if there
        are 40 or more; with fewer a finding says that they were the same.
    y : ndarray of int, shape (n_images,), optional
        Labels of the samples.
    chips : int
        Machines to draw where those of a target differ from one another.
    seed : int
    progress : bool
        Show progress bars where the output is a terminal.

    Returns
    -------
    Report
        Print it; ``report.emit(path)`` writes the network that was measured.

    Raises
    ------
    ParameterError
        Unknown target; no chips.
    DataError
        Samples that cannot be used, or not one label for each.
    """
    from bioconv.simulators.settings import check_data
    from bioconv.targets.measurement import check_labels, measure, split

    chosen = exporter(target)
    if chips < 1:
        raise ParameterError(f"chips must be 1 or more. Received: {chips!r}.")
    if x is None:
        return _fitted(network, chosen, None)
    samples = check_data(network, x)
    if network.recurrent:
        text = "not measured: the array simulator does not run recurrent networks."
        why = Finding(network.name, "accuracy", Verdict.EXACT, text)
        report = _fitted(network, chosen, None)
        return replace(report, findings=(*report.findings, why))
    to_fit, to_measure, labels, findings = split(network, chosen, samples, check_labels(y, samples))
    report = _fitted(network, chosen, to_fit)
    if report.fit is None or report.verdict is Verdict.IMPOSSIBLE:
        return report
    measured = measure(
        network, chosen, report.fit, to_measure, labels, chips=chips, seed=seed, progress=progress
    )
    return replace(report, findings=(*report.findings, *findings), measured=measured)


def emit(
    network: SpikingNetwork,
    path: str | Path,
    target: str = "brian2",
    x: ArrayLike | Mapping[str, ArrayLike] | None = None,
) -> list[Path]:
    """Write a network for a target: a program that runs without bioconv, or a file.

    Parameters
    ----------
    network : SpikingNetwork
    path : str or Path
        A folder, is made; must not exist, or be empty.  For the format "nir", a file.  It appears
        whole or not at all.
    target : str
        One of `TARGETS`.
    x : ndarray, or mapping of str to ndarray, optional
        Samples that tell a machine with few bits how strong the inputs of neurons get.

    Returns
    -------
    list of Path
        The files, the one to start with first: ``python program.py --data images.npz -o
        result.npz``.

    Raises
    ------
    ExportError
        The target cannot represent the network (the reasons are listed: first those of its
        declaration, then those that only fitting shows), or the folder cannot be written.
    ParameterError
        Unknown target.
    """
    from bioconv.simulators.settings import check_data

    samples = None if x is None else check_data(network, x)
    return _fitted(network, exporter(target), samples).emit(path)


def _fitted(network: SpikingNetwork, chosen: Exporter, samples: Samples | None) -> Report:
    """The report before anything is measured."""
    from bioconv.export.tables import check_words
    from bioconv.targets.validator import check

    if not isinstance(network, SpikingNetwork):
        raise ParameterError(
            f"A target takes a converted network. Received: {type(network).__name__}. "
            "Convert it first: bioconv.convert(model, calibration=x)."
        )
    check_words(network)
    network = chosen.target.restated(network)
    findings = check(network, chosen.target)
    if worst(findings) is Verdict.IMPOSSIBLE:
        return Report(network, chosen, findings, None)
    fit = chosen.fit(network, samples)
    return Report(network, chosen, (*findings, *fit.findings), fit)
