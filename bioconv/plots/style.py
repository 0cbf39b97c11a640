"""Common style of all plots, and the function that saves them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.ground.files import new_file
from bioconv.network import SpikingNetwork

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
RED, GRAY = "#D55E00", "#666666"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, "#56B4E9", RED)
#: color map without the palest shades, in which single points would be invisible
DENSITY = ListedColormap(colormaps["Blues"](np.linspace(0.35, 1.0, 256)), "density")
SMALL, LABEL, TITLE = 8, 9, 10
MAX_PANELS = 12
#: largest number of points in a plot; larger sets are thinned out evenly
_MAX_POINTS = 300_000


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` as a PNG file, which is identical for identical figures.

    Parameters
    ----------
    figure : Figure
    path : str or Path

    Returns
    -------
    Path
    """
    path = Path(path)
    # Without "Software" the file does not depend on Matplotlib's version string.
    with new_file(path) as part:
        figure.savefig(part, format="png", dpi=200, metadata={"Software": None})
    return path


def panels(
    n: int, *, rows: int = 0, columns: int = 3, width: float = 2.6, height: float = 2.3
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` panels, ``columns`` in a row, or ``rows`` rows of one panel."""
    columns = 1 if rows else min(n, columns)
    rows = rows or -(-n // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for unused in axes[n * rows if columns == 1 else n :]:
        unused.set_axis_off()
    return figure, axes


def finish(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    """Apply the common style to a panel."""
    axes.set_title(title, fontsize=TITLE)
    axes.set_xlabel(x_label, fontsize=LABEL)
    axes.set_ylabel(y_label, fontsize=LABEL)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def names_of(network: SpikingNetwork) -> list[str]:
    """Return the names of the spiking inputs and the populations, in order."""
    return [*(i.name for i in network.spiking_inputs), *(p.name for p in network.populations)]


def require(found: Sequence[object], what: str) -> None:
    """Raise `ParameterError` if there is nothing to draw."""
    if not found:
        raise ParameterError(
            f"The recording has no {what} to draw. Simulate with record={{name: ({what!r},)}}."
        )


def thin(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return evenly spaced entries of ``index``, at most as many as a plot shows."""
    return index[:: -(-index.size // _MAX_POINTS) or 1]
