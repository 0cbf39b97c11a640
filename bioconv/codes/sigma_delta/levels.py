"""Levels of the sigma-delta code, and the average value that a spike represents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import iterate
from bioconv.analog.functions import MaxPool
from bioconv.analog.graph import Layer
from bioconv.codes.common.calibration import measure, pooled_scale
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.sigma_delta.code import SigmaDeltaCode

Floats = NDArray[np.float64]


@dataclass
class Levels:
    """Relation between spikes and activations.

    Parameters
    ----------
    of : dict of str to ndarray broadcastable to one sample
        Quantisation level of each layer in units of the activation; for a readout that does not
        spike, the activation that 1 mV represents.
    worth, offset : dict of str to ndarray broadcastable to one sample
        The activation is on average ``worth * n + offset`` for n more ON than OFF spikes.
    """

    of: dict[str, Floats] = field(default_factory=dict)
    worth: dict[str, Floats] = field(default_factory=dict)
    offset: dict[str, Floats] = field(default_factory=dict)


def levels_of(
    code: SigmaDeltaCode, rewritten: Rewritten, calibration: dict[str, NDArray]
) -> Levels:
    """Return levels from the scales of the layers, and spike values from the calibration data."""
    measured = measure(
        rewritten,
        calibration,
        percentile=code.percentile,
        normalization=code.normalization,
        over=code.over,
    ).of
    spiking = [*rewritten.layers]
    if code.readout == "spikes":
        spiking += rewritten.readouts
        if code.normalization == "none":
            measured |= {layer.name: np.ones(()) for layer in rewritten.readouts}
    finer = _balance(spiking) if code.balance else dict.fromkeys(measured, 1.0)
    levels = Levels()
    for layer in spiking:
        if isinstance(layer.function, MaxPool):
            levels.of[layer.name] = pooled_scale(layer, levels.of)
        else:
            levels.of[layer.name] = code.threshold * measured[layer.name] * finer[layer.name]
    early = 0.5 if code.initial == "half" else 0.0
    hidden = {layer.name: levels.of[layer.name] for layer in rewritten.layers}
    fits = _fits(rewritten, hidden, calibration, early) if code.correction else {}
    for layer in spiking:
        factor, offset = fits.get(layer.name, (np.ones(()), np.zeros(())))
        levels.worth[layer.name] = levels.of[layer.name] * factor
        levels.offset[layer.name] = offset
    for layer in rewritten.readouts:
        levels.of.setdefault(layer.name, measured[layer.name])
    return levels


def _balance(layers: Sequence[Layer]) -> dict[str, float]:
    """Return the factors by which the levels of small layers are finer.

    A layer of n neurons whose level is a share t of its scale emits about n / t spikes and adds a
    variance of about t squared.  For a given sum of variances, the number of spikes is smallest if
    t is proportional to the cube root of n.
    """
    sizes = {e.name: prod(e.shape) for e in layers if not isinstance(e.function, MaxPool)}
    return {name: (n / max(sizes.values())) ** (1 / 3) for name, n in sizes.items()}


def _fits(
    rewritten: Rewritten,
    levels: Mapping[str, Floats],
    calibration: dict[str, NDArray],
    early: float,
) -> dict[str, tuple[Floats, Floats]]:
    """Fit a factor and an offset per channel from rounded to exact activations by least squares.

    Rising activations are rounded down to whole levels, ``early`` levels before these are reached.
    The sums are accumulated sample by sample.
    """
    sums: dict[str, Floats | float] = dict.fromkeys(levels, 0.0)
    for batch in iterate(rewritten.graph(), calibration, names=list(levels)):
        for name, values in batch.items():
            exact = np.asarray(values, np.float64)
            said = np.floor(np.maximum(exact, 0.0) / levels[name] + early) * levels[name]
            parts = [np.ones_like(said), said, exact, said**2, said * exact]
            axes = tuple(range(exact.ndim - 1))
            sums[name] = sums[name] + np.stack([part.sum(axis=axes) for part in parts])
    return {name: _line(np.asarray(total), rewritten, name) for name, total in sums.items()}


def _line(sums: Floats, rewritten: Rewritten, name: str) -> tuple[Floats, Floats]:
    """Return factor and offset of each channel, shape (1, ..., channels)."""
    n, said, exact, square, product = sums
    spread = square - said**2 / n
    known = spread > 1e-9 * np.maximum(square, 1e-300)
    factor = np.where(known, (product - said * exact / n) / np.where(known, spread, 1.0), 1.0)
    offset = (exact - factor * said) / n
    (rank,) = (len(layer.shape) for layer in rewritten.layers if layer.name == name)
    shape = (1,) * (rank - 1) + (-1,)
    return factor.reshape(shape), offset.reshape(shape)
