"""Common style of all plots, and the function that saves them."""

from __future__ import annotations

import io
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.ground.files import new_file
from bioconv.ground.options import is_whole
from bioconv.ground.tables import words
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
RED, GRAY, PALE = "#D55E00", "#666666", "#E8E8E8"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, "#56B4E9", RED)
#: color map without the palest shades, in which single points would be invisible
DENSITY = ListedColormap(colormaps["Blues"](np.linspace(0.35, 1.0, 256)), "density")
SMALL, LABEL, TITLE = 8, 9, 10
MAX_PANELS = 12
#: largest number of points in a plot; larger sets are thinned out evenly
_MAX_POINTS = 300_000


Place: TypeAlias = Literal["outside lower center", "outside upper center"]
#: file format -> metadata that make a file depend on the picture alone
_METADATA: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "png": {"Software": None},
        "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
        "svg": {"Creator": None, "Date": None},
    }
)
#: names of the file formats of pictures
FORMATS = tuple(_METADATA)
#: texts of vector graphics stay texts, and names within them do not depend on chance
_VECTOR: Any = {"svg.fonttype": "none", "svg.hashsalt": "bioconv", "pdf.fonttype": 42}


class ShownFigure(Figure):
    """A figure that is shown in notebooks, without pyplot and its backend."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=self.dpi, metadata=_METADATA["png"])
        return file.getvalue()


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` as a file, which is identical for identical figures.

    Parameters
    ----------
    figure : Figure
    path : str or Path
        Its ending is the format: .png, .pdf or .svg.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If it ends otherwise, or if it cannot be written.
    """
    path = Path(path)
    kind = check_format(path.suffix.lower().removeprefix("."))
    with new_file(path, ParameterError) as part, rc_context(_VECTOR):
        figure.savefig(part, format=kind, dpi=200, metadata=_METADATA[kind])
    return path


def check_format(kind: str) -> str:
    """Return the name of a file format, or raise `ParameterError` if it is none of `FORMATS`."""
    if kind not in FORMATS:
        raise ParameterError(
            f"the format of a picture must be one of {', '.join(FORMATS)}. Received: {kind!r}."
        )
    return kind


def panels(
    n: int,
    *,
    rows: int = 0,
    columns: int = 3,
    width: float = 2.6,
    height: float = 2.3,
    letters: bool = True,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` panels, ``columns`` in a row, or ``rows`` rows of one panel.

    Several panels have letters, unless their titles have numbers (``letters``).
    """
    columns = 1 if rows else min(n, columns)
    n *= rows or 1
    rows = rows or -(-n // columns)
    figure = ShownFigure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for panel in axes[:n]:
        panel.set_prop_cycle(color=COLORS)
    for unused in axes[n:]:
        unused.set_axis_off()
    if n > 1 and letters:
        letter(axes[:n])
    return figure, axes


def letter(axes: Sequence[Axes]) -> None:
    """Write the letters a, b, c, ... to the upper left of panels."""
    for panel, name in zip(axes, string.ascii_lowercase, strict=False):
        panel.annotate(
            name,
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(-6, 5),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=TITLE,
            fontweight="bold",
        )


def head(figure: Figure, network: SpikingNetwork, text: str = "") -> None:
    """Write the name of a network and its code, and a text, above all panels."""
    figure.suptitle(", ".join(filter(None, [title_of(network), text])), fontsize=TITLE)


def title_of(network: SpikingNetwork) -> str:
    """Return the name of a network and its code as words."""
    code = str(network.code.get("code", ""))
    return f"{network.name}, {words(code)} code" if code else network.name


def legend_below(figure: Figure, *axes: Axes, columns: int = 3) -> None:
    """Write one legend for some panels below all panels, where it hides nothing."""
    _legend(figure, axes, columns, "outside lower center")


def legend_above(figure: Figure, *axes: Axes, columns: int = 3) -> None:
    """Write one legend for some panels above all panels, for figures with a caption below."""
    _legend(figure, axes, columns, "outside upper center")


def _legend(figure: Figure, axes: Sequence[Axes], columns: int, place: Place) -> None:
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        figure.legend(
            list(found.values()),
            list(found),
            loc=place,
            ncols=columns,
            fontsize=SMALL,
            frameon=False,
        )


def finish(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    """Apply the common style to a panel."""
    axes.set_title(title, fontsize=TITLE)
    axes.set_xlabel(x_label, fontsize=LABEL)
    axes.set_ylabel(y_label, fontsize=LABEL)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def mark_spikes(axes: Axes, times: NDArray[np.float64], low: float) -> None:
    """Mark spikes by lines from ``low``, a share of the height of a panel, to its top."""
    if len(times):
        place = axes.get_xaxis_transform()
        axes.vlines(times, low, 1.0, transform=place, color="black", linewidth=0.8, label="spike")


def names_of(network: SpikingNetwork) -> list[str]:
    """Return the names of the spiking inputs and the populations, in order."""
    return [*(i.name for i in network.spiking_inputs), *(p.name for p in network.populations)]


def require(found: Sequence[object], what: str) -> None:
    """Raise `ParameterError` if there is nothing to draw."""
    if not found:
        raise ParameterError(
            f"The recording has no {what} to draw. Simulate with record={{name: ({what!r},)}}."
        )


def check_image(recording: Recording, image: int) -> int:
    """Return the number of a sample of a recording.

    Raises
    ------
    ParameterError
        If there is no such sample.
    """
    if not is_whole(image) or not 0 <= image < recording.n_images:
        raise ParameterError(
            f"image must be an integer from 0 to {recording.n_images - 1}, the samples of the "
            f"recording. Received: {image!r}."
        )
    return int(image)


def thin(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return evenly spaced entries of ``index``, at most as many as a plot shows."""
    return index[:: -(-index.size // _MAX_POINTS) or 1]
