"""mueller Fig 3.2: a sequence of images over time in several codes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.data import load_data
from bioconv.encoders import SpikeRaster, make
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, panels

#: ms for which a frame is shown, and into how many steps its fading is divided
FRAME, STEPS = 20.0, 20
#: threshold of temporal contrast, as a share of the range
CONTRAST = 0.05
#: options of the codes of frames
CODES = {
    "binary_sequential": {"n_bits": 4},
    "count": {"n_spikes": 8},
    "first_spike": {},
}

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 3.2",
    title="A sequence of images over time: digital, count, first spike, temporal contrast",
    claims=(
        Claim(
            "count",
            "correlation of spike counts with the brightness of all pixels and frames",
            0.99,
            kind="at least",
            source="text, 3.1: the number of spikes a frame represents the intensity",
        ),
        Claim(
            "single",
            "first spikes for each bright pixel and frame",
            1.0,
            source="text, 3.1: a single action potential for each pixel and frame",
        ),
        Claim(
            "early",
            "correlation of the time of the first spike with brightness",
            -0.99,
            kind="at most",
            source="text, 3.1: the exact time encodes the brightness",
        ),
        Claim(
            "contrast",
            "contrast spikes times threshold, divided by the sum of all changes of intensity",
            1.0,
            tolerance=0.15,
            source="text, 3.1: a spike when a change exceeds the threshold",
        ),
        Claim(
            "beyond",
            "values whose error exceeds the bound of their code",
            0.0,
            source="theory of each code",
        ),
    ),
    data="a few images",
    substitute="scanned digits, since the images of the thesis are not published",
    minutes=0.1,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Spikes of all pixels in four codes."""
    frames = load_data("digits", n_images=context.pick(12, 5))[0][..., 0].astype(np.float64)
    pixel = np.unravel_index(frames.std(axis=0).argmax(), frames.shape[1:])
    result: dict[str, NDArray] = {"frames": frames, "pixel": np.array(pixel)}
    for name, options in CODES.items():
        encoder = make(name, {"interval": FRAME, "low": 0.0, "high": 1.0, **options})
        raster = encoder.encode(frames)
        result[f"error_{name}"] = np.abs(encoder.decode(raster) - frames)
        result[f"bound_{name}"] = np.asarray(encoder.bound(frames), np.float64)
        result |= _spikes(name, raster)
    contrast = make("step_forward", {"interval": FRAME / STEPS, "threshold": CONTRAST})
    # The camera sees a continuous change from one image to the next.
    place = np.arange((len(frames) - 1) * STEPS + 1) / STEPS
    before = np.minimum(place.astype(int), len(frames) - 2)
    share = (place - before)[:, None, None]
    film = frames[before] * (1 - share) + frames[before + 1] * share
    contrast = contrast.fitted(film - film[0])
    result |= _spikes("contrast", contrast.encode(film - film[0]))
    result["film"] = film
    result["used"] = np.array(f"{len(frames)} scanned digits of scikit-learn")
    return result


def _spikes(name: str, raster: SpikeRaster) -> dict[str, NDArray]:
    return {f"time_{name}": raster.time, f"unit_{name}": raster.unit}


def measure(result: Result) -> dict[str, float]:
    """Return what the spikes have to do with brightness and its changes."""
    frames = result["frames"].reshape(len(result["frames"]), -1)
    frame, unit, time = {}, {}, {}
    for name in ("count", "first_spike"):
        time[name], unit[name] = result[f"time_{name}"], result[f"unit_{name}"]
        frame[name] = np.clip(np.ceil(time[name] / FRAME - 1e-6) - 1, 0, len(frames) - 1)
        frame[name] = frame[name].astype(int)
    counts = np.zeros(frames.shape)
    np.add.at(counts, (frame["count"], unit["count"]), 1)
    latency = time["first_spike"] - frame["first_spike"] * FRAME
    bright = frames[frame["first_spike"], unit["first_spike"]]
    changes = np.abs(np.diff(result["film"], axis=0)).sum()
    beyond = [result[f"error_{name}"] > result[f"bound_{name}"] for name in CODES]
    return {
        "count": float(np.corrcoef(counts.ravel(), frames.ravel())[0, 1]),
        "single": float(np.divide(len(latency), (frames > 1e-5).sum())),
        "early": float(np.corrcoef(latency, bright)[0, 1]),
        "contrast": float(np.divide(CONTRAST * len(result["time_contrast"]), changes)),
        "beyond": float(sum(entry.sum() for entry in beyond)),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the intensity of one pixel and its spikes in each code."""
    frames, (row, column) = result["frames"], result["pixel"]
    n_pixels = frames[0].size
    pixel = int(np.ravel_multi_index((row, column), frames.shape[1:]))
    figure, (intensity, digital, count, first, contrast) = panels(1, rows=5, width=6.0, height=1.15)
    time = np.arange(len(result["film"])) * FRAME / STEPS
    intensity.plot(time, result["film"][:, row, column], color=GRAY)
    intensity.plot(np.arange(len(frames)) * FRAME, frames[:, row, column], "o", color=BLUE, ms=4)
    rows = (
        (digital, "binary_sequential", "digital"),
        (count, "count", "count"),
        (first, "first_spike", "TTFS"),
        (contrast, "contrast", "TC"),
    )
    for axes, name, label in rows:
        unit, when = result[f"unit_{name}"], result[f"time_{name}"]
        for sign, color, mine in (
            (1, BLUE if axes is contrast else "k", unit == pixel),
            (-1, ORANGE, unit == pixel + n_pixels),
        ):
            axes.vlines(when[mine], 0, sign, color=color, linewidth=1)
        axes.set_yticks([])
        finish(axes, "", "", label)
    finish(intensity, "", "", "intensity")
    contrast.set_xlabel("time (ms)", fontsize=9)
    for axes in (intensity, digital, count, first, contrast):
        axes.set_xlim(-1, len(frames) * FRAME)
        for edge in range(len(frames)):
            axes.axvline(edge * FRAME, color=GRAY, linestyle="--", linewidth=0.6)
    return figure
