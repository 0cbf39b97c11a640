"""Notice data that do not belong to a network, or to one another.

Everything works with such data, except that the result is chance: pixels from 0 to 255 for a
network that was calibrated with values from 0 to 1, samples that were scaled twice, calibration
data for which a layer is silent.  What probably is such a mistake gives a `DataWarning`; what
cannot be right is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.base import Function
from bioconv.analog.elementwise import ReLU, Softmax
from bioconv.analog.evaluate import iterate
from bioconv.analog.graph import AnalogGraph
from bioconv.ground.errors import DataError, DataWarning

#: smallest and largest value, and root mean square
Range = tuple[float, float, float]

#: values may lie outside the range of the calibration data by this share of its extent ...
_MARGIN = 0.25
#: ... and this share of them even further away
_OUTSIDE = 0.01
#: samples that are smaller than the calibration data by this factor do not belong to them
_SMALLER = 20.0
#: nor do several samples whose root mean square is larger by this factor
_LARGER = 2.5
#: fewest samples that determine a scale
_FEW = 10
#: largest number of calibration samples whose activations are examined
_EXAMINED = 64
#: outputs that vary by less than this share of their size do not depend on the samples
_CONSTANT = 1e-4
#: a softmax that is this close to 1 for every sample is saturated
_SATURATED = 1e-6

_SCALED = "Are the samples scaled as those on which the network was trained?"


def range_of(values: NDArray) -> Range:
    """Return the smallest and the largest value, and the root mean square."""
    square = np.mean(np.square(values, dtype=np.float64))
    low, high = float(np.min(values)), float(np.max(values))
    return low + 0.0, high + 0.0, float(np.sqrt(square))  # no negative zero, which reads badly


def warn_of_samples(
    samples: Mapping[str, NDArray], ranges: Mapping[str, Range | None], stacklevel: int = 3
) -> None:
    """Warn of samples with another range than the calibration data.

    Parameters
    ----------
    samples : mapping of str to ndarray
        Samples for each input.
    ranges : mapping of str to tuple of float, or None
        From `range_of` for the calibration data of each input, if they are known.
    stacklevel : int
        As in `warnings.warn`.
    """
    for name, calibrated in ranges.items():
        text = "" if calibrated is None else _other_range(samples[name], calibrated)
        if text:
            warnings.warn(
                f"input {name!r}: {text} Scale the samples as those of the calibration.",
                DataWarning,
                stacklevel=stacklevel,
            )


def warn_of_calibration(graph: AnalogGraph, calibration: Mapping[str, NDArray]) -> None:
    """Warn of calibration data that probably do not belong to the network.

    Parameters
    ----------
    graph : AnalogGraph
    calibration : mapping of str to ndarray
        Samples for each input.

    Raises
    ------
    DataError
        If all values of all samples are zero.
    """
    if not any(np.any(x) for x in calibration.values()):
        raise DataError(
            "calibration data: all values are zero, so that no scale can be determined. Give "
            "samples like those on which the network was trained."
        )
    for text in _calibration_problems(graph, calibration):
        warnings.warn(f"calibration data: {text}", DataWarning, stacklevel=3)


def _other_range(values: NDArray, calibrated: Range) -> str:
    low, high, usual = calibrated
    found_low, found_high, size = range_of(values)
    between = f"from {found_low:.4g} to {found_high:.4g}, not from {low:.4g} to {high:.4g}"
    margin = _MARGIN * (high - low)
    outside = np.mean((values < low - margin) | (values > high + margin))
    if outside > _OUTSIDE:
        return (
            f"{100 * outside:.0f} % of the values are far outside the calibration data: {between}."
        )
    largest, usually = (max(abs(a), abs(b)) for a, b in ((found_low, found_high), (low, high)))
    if 0 < largest * _SMALLER < usually:
        return f"the values are much smaller than the calibration data: {between}."
    if len(values) >= _FEW and size > _LARGER * usual:
        return f"the values are {size / usual:.2g} times as large as the calibration data."
    return ""


def _calibration_problems(graph: AnalogGraph, calibration: Mapping[str, NDArray]) -> Iterator[str]:
    n = len(next(iter(calibration.values())))
    if n < _FEW:
        yield (
            f"{n} sample{'s' if n > 1 else ''} cannot show which activations occur. Give some "
            "hundred samples like those on which the network was trained."
        )
        return
    if all(np.all(x == x[:1]) for x in calibration.values()):
        yield f"all {n} samples are the same. Give samples that differ."
        return
    chosen = np.linspace(0, n - 1, min(n, _EXAMINED)).astype(int)
    silent, outputs = _examined(graph, {name: x[chosen] for name, x in calibration.items()})
    if silent:
        yield f"{', '.join(silent)} gives zero for every sample. {_SCALED}"
    for name, output in outputs.items():
        size = float(np.max(np.abs(output)))
        if np.max(np.ptp(output, axis=0)) <= _CONSTANT * size:
            yield f"the output {name} is nearly the same for every sample. {_SCALED}"
        elif _is_saturated(graph.layer(name).function, output):
            yield f"the output {name} is saturated for every sample. {_SCALED}"


def _examined(
    graph: AnalogGraph, samples: Mapping[str, NDArray]
) -> tuple[list[str], dict[str, NDArray]]:
    """Return the rectified layers that are zero for all samples, and the outputs of layers."""
    layers = {layer.name: layer.function for layer in graph.layers}
    silent = [name for name, function in layers.items() if isinstance(function, ReLU)]
    outputs: dict[str, list[NDArray]] = {name: [] for name in graph.outputs if name in layers}
    names = tuple(dict.fromkeys((*silent, *outputs)))
    for batch in iterate(graph, samples, names=names):
        silent = [name for name in silent if not np.any(batch[name])]
        for name, parts in outputs.items():
            parts.append(batch[name])
    return silent, {name: np.concatenate(parts) for name, parts in outputs.items()}


def _is_saturated(function: Function, output: NDArray) -> bool:
    """Whether a softmax assigns all probability to one class in every sample."""
    if not isinstance(function, Softmax) or output[0].size == 1:
        return False
    return bool(np.all(output.reshape(len(output), -1).max(axis=1) > 1 - _SATURATED))
