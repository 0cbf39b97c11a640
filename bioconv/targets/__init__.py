"""Targets: machines, simulators and formats that a network is exported to.

`examine` reports what a target cannot represent and measures what that costs; `emit` writes the
network for the target.
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
    """Report which parts of a network a target represents exactly, approximately or not at all.

    Parameters
    ----------
    network : SpikingNetwork
    target : str
        One of `TARGETS`.
    x : ndarray of shape (n_images, *input shape), or mapping of input names to such arrays
        Samples, or rasters as in `bioconv.simulate`.
        They determine how strong the inputs of neurons become, and the array simulator
        runs both the unrestricted network and the network as the target will see it on them.  If
        the target fits numbers to samples and there are at least 40 of them, the first half is
        used for fitting and the second half for measuring; with fewer, the same samples serve
        both purposes and a finding states this.
    y : ndarray of int, shape (n_images,), optional
        Labels of the samples.
    chips : int
        Number of machines to draw if those of the target differ from one another.
    seed : int
    progress : bool
        Whether to show progress, as `bioconv.simulate` does.

    Returns
    -------
    Report
        Print it; ``report.emit(path)`` writes the network that was measured.

    Raises
    ------
    ParameterError
        The target is unknown, or ``chips`` is less than 1.
    DataError
        The samples cannot be used, or there is not exactly one label for each of them, or rasters
        were given whose classes the analog network cannot tell.
    """
    from bioconv.measures import labels_of
    from bioconv.simulators.settings import prepared
    from bioconv.targets.measurement import measure, split

    chosen = exporter(target)
    if chips < 1:
        raise ParameterError(f"chips must be an integer of at least 1. Received: {chips!r}.")
    if x is None:
        return _fitted(network, chosen, None)
    network, samples = prepared(network, x)
    if network.recurrent:
        text = "not measured: the array simulator does not run recurrent networks."
        why = Finding(network.name, "accuracy", Verdict.EXACT, text)
        report = _fitted(network, chosen, None)
        return replace(report, findings=(*report.findings, why))
    n_samples = len(next(iter(samples.values())))
    checked = None if y is None else labels_of(network, y, n_samples)
    to_fit, to_measure, labels, findings = split(network, chosen, samples, checked)
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
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write a network for a target, as a program that runs without bioconv or as a file.

    Parameters
    ----------
    network : SpikingNetwork
    path : str or Path
        A folder, which is created.  For the format "nir", a file.  The output is either written
        completely or not at all.  A file that exists is replaced, and so is a folder in which there
        is nothing but what bioconv wrote.
    target : str
        One of `TARGETS`.
    x : ndarray, or mapping of str to ndarray, optional
        Samples, or rasters as in `bioconv.simulate`, from which the strength of the neurons'
        inputs is determined, for machines that represent numbers with few bits.
    overwrite : bool
        Whether a folder with other files is replaced as well.

    Returns
    -------
    list of Path
        The files; the first is the one to run: ``python program.py --data images.npz -o
        result.npz``.

    Raises
    ------
    ExportError
        The target cannot represent the network (the message lists the reasons, first those from
        its declaration, then those found by fitting), or the folder cannot be written.
    ParameterError
        The target is unknown.
    """
    from bioconv.simulators.settings import prepared

    samples = None
    if x is not None:
        network, samples = prepared(network, x)
    return _fitted(network, exporter(target), samples).emit(path, overwrite=overwrite)


def _fitted(network: SpikingNetwork, chosen: Exporter, samples: Samples | None) -> Report:
    """Return the report before anything has been measured."""
    from bioconv.export.tables import check_words
    from bioconv.targets.validator import check

    if not isinstance(network, SpikingNetwork):
        raise ParameterError(
            f"Expected a converted network (SpikingNetwork). Received: {type(network).__name__}. "
            "Convert the model first: bioconv.convert(model, calibration=x)."
        )
    check_words(network)
    network = chosen.target.restated(network)
    findings = check(network, chosen.target)
    if worst(findings) is Verdict.IMPOSSIBLE:
        return Report(network, chosen, findings, None)
    fit = chosen.fit(network, samples)
    return Report(network, chosen, (*findings, *fit.findings), fit)
