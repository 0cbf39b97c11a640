"""Whether a neuron adapts while outputs are read, so that its rates represent no constant value."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.common.driving import FittedDrive, window
from bioconv.ground.errors import AccuracyWarning
from bioconv.neurons.language.update import update_of
from bioconv.neurons.response.transfer import measure_curve

#: largest drift of a neuron with which networks can be expected to work: between those of the
#: adaptive exponential neuron, which works, and of the Hindmarsh-Rose neuron, which fails
MOST_DRIFT = 0.4
#: number of activations at which it is measured, and of neurons for each if there is noise
_N_PROBES, _TRIALS = 28, 16


def drift(drive: FittedDrive, typical: NDArray[np.float64]) -> float:
    """Return the change of the rates between the two halves of the time that is read by default.

    Parameters
    ----------
    drive : FittedDrive
    typical : ndarray
        Activations that occur, in units of the scale.

    Returns
    -------
    float
        Root mean squared change under constant currents from rest, divided by the root mean square
        of the rates; 0 for a neuron that does not adapt.
    """
    if drive.report["adaptation_ratio"] <= 1.0:
        return 0.0
    duration, discard = window(drive.max_rate, drive.dt)
    middle = float(np.round((duration + discard) / 2 / drive.dt)) * drive.dt
    a = np.quantile(typical, np.linspace(0, 1, _N_PROBES))
    early, late = (
        measure_curve(
            drive.neuron,
            drive.fit.i0 + drive.fit.gain * a,
            dt=drive.dt,
            duration=end,
            discard=start,
            trials=_TRIALS if update_of(drive.neuron.model).noisy else 1,
        ).rates
        for start, end in ((discard, middle), (middle, duration))
    )
    mean = float(np.sqrt(np.mean((0.5 * (early + late)) ** 2)))
    return float(np.sqrt(np.mean((early - late) ** 2))) / mean if mean else 0.0


def drifts(report: Mapping[str, Any]) -> bool:
    """Whether a neuron has no steady rates while outputs are read.

    Parameters
    ----------
    report : mapping of str
        Of the membrane, see `bioconv.codes.common.membrane`, or the record of a network.
    """
    return float(report.get("adaptation_drift", 0.0)) > MOST_DRIFT


def warn_of_drift(neuron: str, report: Mapping[str, float]) -> None:
    """Warn of a neuron whose rates are far from constant while outputs are read.

    A neuron that adapts this slowly gives the next layer an input that is not constant.

    Parameters
    ----------
    neuron : str
    report : mapping of str to float
        Of the membrane, see `bioconv.codes.common.membrane`.
    """
    if drifts(report):
        share = 100 * report["adaptation_drift"]
        warnings.warn(
            f"{neuron} adapts with a time constant of {report['adaptation_time']:.3g} ms: under a "
            f"constant current its rates change by {share:.0f} % (rms) within the time that "
            "is read. Layers after the first will not represent their activations. Use a neuron "
            "that adapts faster, or less.",
            AccuracyWarning,
            stacklevel=3,
        )
