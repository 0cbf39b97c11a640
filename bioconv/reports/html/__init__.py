"""Reports as single HTML files, which open without a network.

`report` writes one for a network, a simulation, a target or a study.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.options import is_whole
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.validation import belonging_problems
from bioconv.plots.style import check_image
from bioconv.reports.html.conversion import conversion_page
from bioconv.reports.html.detail import detail_of
from bioconv.reports.html.page import Page, check_name
from bioconv.reports.html.simulation import simulation_page
from bioconv.reports.html.studies import plausibility_page, robustness_page
from bioconv.reports.html.target import target_page
from bioconv.studies.plausibility import Study
from bioconv.studies.robustness import Robustness
from bioconv.targets import Report

__all__ = ["check_name", "detail_of", "report"]


def report(
    subject: SpikingNetwork | Recording | Report | Study | Robustness,
    path: str | Path,
    *,
    network: SpikingNetwork | None = None,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    detail: Recording | None = None,
    image: int = 0,
    first: int = 0,
) -> Path:
    """Write a report as one HTML file with all its pictures.

    Parameters
    ----------
    subject : SpikingNetwork, Recording, bioconv.targets.Report, Study or Robustness
        What `bioconv.convert`, `bioconv.simulate`, `bioconv.examine`, `bioconv.plausibility` or
        `bioconv.robustness` returned.
    path : str or Path
        Ends in .html; an existing file is replaced when the new one is complete.
    network : SpikingNetwork, optional
        Required for a recording: the network that was simulated.
    x : ndarray, shape (n_images, *shape), optional
        Required for a recording: the samples that were simulated.  For a network, samples whose
        activations are drawn.
    y : array_like of int, shape (n_images, ...), optional
        Labels, for a recording.
    detail : Recording, optional
        Another recording of the first of these samples, with "spikes" and state variables, for
        intervals between spikes, rasters and traces; see `detail_of`.  By default they are taken
        from the recording itself, as far as it has them.
    image : int
        Number of the sample that is shown.
    first : int
        Number of the first of these samples in the data, as in `bioconv.simulate`.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If the subject is none of these, if something required is missing, if there is no such
        sample, or if the file cannot be written.
    DataError
        If samples or labels do not fit the recording, or if a recording is not one of the network.

    Examples
    --------
    >>> import bioconv as bc
    >>> from bioconv.models import weights_path
    >>> x, y = bc.load_data("digits", n_images=50)
    >>> net = bc.convert(weights_path("digits_cnn"), calibration=x, progress=False)
    >>> bc.report(net, "digits.html").name  # doctest: +SKIP
    'digits.html'
    """
    path = check_name(path)
    samples = _samples(subject if isinstance(subject, SpikingNetwork) else network, x)
    return _page(subject, network, samples, y, detail, image, first).save(path)


def _samples(network: SpikingNetwork | None, x: ArrayLike | None) -> NDArray | None:
    if x is None:
        return None
    try:
        several = network is not None and len(network.inputs) > 1
        samples = None if several else np.asarray(x)
    except ValueError:  # ragged
        samples = None
    if samples is None or samples.ndim == 0 or samples.dtype.kind not in "biuf":
        raise ParameterError(
            "the samples of a report are one array of numbers; networks with several inputs, and "
            f"rasters in place of samples, have no report yet. Received: {type(x).__name__}."
        )
    return samples


def _page(
    subject: Any,
    network: SpikingNetwork | None,
    x: Any,
    y: ArrayLike | None,
    detail: Recording | None,
    image: int,
    first: int,
) -> Page:
    if isinstance(subject, SpikingNetwork):
        return conversion_page(subject, x)
    if isinstance(subject, Report):
        return target_page(subject)
    if isinstance(subject, Study | Robustness):
        if not subject.records:
            raise ParameterError("the study has no records, so that there is nothing to report.")
        if isinstance(subject, Study):
            return plausibility_page(subject)
        return robustness_page(subject)
    if not isinstance(subject, Recording):
        raise ParameterError(
            "a report is on a network, a recording, a report of a target or a study. "
            f"Received: {type(subject).__name__}."
        )
    if network is None or x is None:
        raise ParameterError(
            "the report on a recording requires the network and the samples: "
            "report(recording, path, network=net, x=x, y=y)."
        )
    if len(x) != subject.n_images:
        raise DataError(f"The recording has {subject.n_images} samples. Received: {len(x)}.")
    shown = subject if detail is None else detail
    for recording in (subject, shown):
        problems = belonging_problems(recording, network)
        if problems:
            raise DataError(
                f"the recording of {recording.network!r} is not one of the network "
                f"{network.name!r}: {'; '.join(problems)}."
            )
    if not is_whole(first) or first < 0:
        raise ParameterError(f"first must be an integer of at least 0. Received: {first!r}.")
    if shown.n_images > subject.n_images:
        raise DataError(
            f"detail has {shown.n_images} samples, expected at most the {subject.n_images} of the "
            "recording, of which it shows the first ones."
        )
    return simulation_page(subject, network, x, y, detail, check_image(shown, image), first)
