"""Plot of a robustness study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.ground.tables import words
from bioconv.plots.study import palette
from bioconv.plots.style import SMALL, ShownFigure, finish, panels, save
from bioconv.studies.robustness import curves_of

Record = Mapping[str, Any]
_MARKERS = "osD^vPX*"


def plot_robustness(records: Sequence[Record], path: str | Path) -> Path:
    """Plot a robustness study and save the figure.

    Parameters
    ----------
    records : sequence of dict
        See `bioconv.studies.robustness.Robustness`.
    path : str or Path

    Returns
    -------
    Path
    """
    return save(robustness_figure(records), path)


def robustness_figure(records: Sequence[Record], *, columns: int = 3, above: int = 0) -> Figure:
    """Plot accuracy against amplitude, with one panel per imperfection and one line per code.

    Lines are means over the chips, and bands show one standard deviation on either side.

    Parameters
    ----------
    records : sequence of dict
        See `bioconv.studies.robustness.Robustness`.
    columns : int
        Number of panels in a row.
    above : int
        Height, in rows of panels, of an additional panel at the top, which is left empty.
    """
    curves = curves_of(records)
    axes_of = {r["noise"]: (r["unit"], r["fewer_is_worse"]) for r in records}
    colors = dict(zip(curves, palette(len(curves)), strict=True))
    columns = min(columns, len(axes_of))
    figure, axes = _grid(len(axes_of), columns, above)
    for panel, (noise, (unit, scarce)) in zip(axes, axes_of.items(), strict=False):
        mine = {code: found[noise] for code, found in curves.items() if noise in found}
        _panel(panel, mine, colors, scarce=bool(scarce))
        label = words(noise) + (f"\n({unit})" if unit else "")
        finish(panel, "", label, f"{records[0]['measure']} (%)")
        panel.set_ylim(-2, 102)
    handles, labels = _legend(axes)
    figure.legend(
        handles, labels, loc="outside upper center", ncols=3, fontsize=SMALL, frameon=False
    )
    return figure


def _grid(n: int, columns: int, above: int) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels, except for the additional one at the top."""
    if not above:
        return panels(n, columns=columns, width=3.4, height=2.7)
    rows = -(-n // columns)
    figure = ShownFigure(figsize=(2.9 * columns, 2.4 * (rows + above)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(rows + above, columns)
    figure.add_subplot(grid[:above, :])
    places = [(above + i // columns, i % columns) for i in range(n)]
    return figure, [figure.add_subplot(grid[row, column]) for row, column in places]


def _panel(
    axes: Axes,
    curves: Mapping[str, NDArray[np.float64]],
    colors: Mapping[str, Any],
    *,
    scarce: bool,
) -> None:
    for number, (code, curve) in enumerate(curves.items()):
        amplitude, mean, spread = curve if scarce else curve[:, np.argsort(curve[0])]
        place = np.arange(len(amplitude)) if scarce else amplitude
        marker = _MARKERS[number % len(_MARKERS)]
        axes.plot(
            place, mean, color=colors[code], marker=marker, markersize=3.5, alpha=0.85, label=code
        )
        low, high = np.maximum(mean - spread, 0.0), np.minimum(mean + spread, 100.0)
        axes.fill_between(place, low, high, color=colors[code], alpha=0.18, linewidth=0)
        if scarce:  # evenly spaced, from no limit to the severest
            names = ["none", *(f"{value:g}" for value in amplitude[1:])]
            axes.set_xticks(place, names)


def _legend(axes: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """Return one legend entry per code that appears in any panel."""
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
