"""Signals for the figures of encoders, from 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import chirp, resample

from bioconv.data import load_data
from bioconv.paper_figures.frame import Context

Floats = NDArray[np.float64]


def wide_pulse(n: int, low: float = 0.2, high: float = 0.8) -> Floats:
    """Return a signal that is high in its middle third."""
    time = np.arange(n) / n
    return np.where((time >= 1 / 3) & (time < 2 / 3), high, low)


def four_signals(context: Context, n: int) -> tuple[dict[str, Floats], str]:
    """Return a step, a sine, a chirp and a natural signal of ``n`` samples, and the last's source.

    The natural one is the loudness of speech (the first cepstral coefficient of Speech Commands
    clips), or, without a data folder, the gray values of scanned digits, smoothed.
    """
    time = np.arange(n) / n
    file = context.data / "speech" / "kws_mfcc.npz" if context.data else None
    if file is not None and file.is_file():
        raw = load_data(file, n_images=8)[0][..., 0, 0].ravel()
        used = "loudness of eight spoken words (Speech Commands)"
    else:
        raw = load_data("digits", n_images=6)[0].ravel()
        used = "gray values of six scanned digits, in rows"
    natural = resample(raw.astype(np.float64), n)
    return {
        "step": np.where(time < 0.5, 0.1, 0.9),
        "sine": 0.5 + 0.45 * np.sin(2 * np.pi * 4 * time),
        "chirp": 0.5 + 0.45 * chirp(time, 1.0, 1.0, 12.0),
        "natural": (natural - natural.min()) / np.ptp(natural),
    }, used
