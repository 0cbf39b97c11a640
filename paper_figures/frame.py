"""The common frame of all figures: manifests with claims, execution, and verdicts.

A figure is a module of this package with a ``MANIFEST`` and three functions:

- ``compute(context) -> dict of arrays``: the expensive part, saved as ``NAME.npz``;
- ``measure(result) -> dict of float``: one number for each claim of the manifest;
- ``plot(result, context) -> matplotlib Figure``: drawn from the saved arrays alone.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import textwrap
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bioconv.export.support.arrays import write
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.files import write_json
from bioconv.ground.machine import commit_of, machine
from bioconv.paper_figures.provenance import code_of
from bioconv.reports.networks import versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = Mapping[str, NDArray]

#: status of a quick run, which says nothing about the claims
QUICK = "no verdict"
#: prefix of the names of figures: the paper
PAPERS = ("bioconv_", "mueller_", "rueckauer_", "stanojevic_", "stoeckl_", "yousefzadeh_")


@dataclass(frozen=True)
class Claim:
    """One statement of a paper that can be checked.

    Parameters
    ----------
    name : str
        Key of the measured number.
    what : str
        Description of the statement.
    value : float
        The number in the paper.
    tolerance : float
        Tolerated deviation of our number (for "within"), in the unit of ``value``.
    kind : {"within", "at least", "at most"}
    source : str
        Origin of the number in the paper: text, caption, table, equation, or read from a curve.
    """

    name: str
    what: str
    value: float
    tolerance: float = 0.0
    kind: str = "within"
    source: str = "text"

    def holds(self, measured: float) -> bool:
        """Whether ``measured`` satisfies the claim."""
        if not np.isfinite(measured):
            return False
        if self.kind == "at least":
            return measured >= self.value - self.tolerance
        if self.kind == "at most":
            return measured <= self.value + self.tolerance
        return abs(measured - self.value) <= self.tolerance

    def accepted(self) -> str:
        """Return the numbers that satisfy the claim, in words."""
        if self.kind == "at least":
            return f"at least {self.value - self.tolerance:.6g}"
        if self.kind == "at most":
            return f"at most {self.value + self.tolerance:.6g}"
        if not self.tolerance:
            return f"{self.value:.6g}"
        return f"{self.value - self.tolerance:.6g} to {self.value + self.tolerance:.6g}"


@dataclass(frozen=True)
class Manifest:
    """Description of a figure: its claims, data and cost.

    Parameters
    ----------
    paper : str
        Key of the paper, as in `PAPERS`; ``bioconv`` for a figure of this project, whose claims
        are the promises of the project.
    number : str
        As printed, e.g. ``"Fig 4.3"``.
    title : str
    claims : tuple of Claim
    data : str
        Dataset and network of the paper.
    substitute : str
        Data and network used here instead, with the reason; empty if they are the same.
    partly : str
        Reason why the figure cannot be fully reproduced even if all claims hold; empty if it can.
    minutes : float
        Duration of a full run on two cores.
    """

    paper: str
    number: str
    title: str
    claims: tuple[Claim, ...]
    data: str
    substitute: str = ""
    partly: str = ""
    minutes: float = 1.0


@dataclass(frozen=True)
class Context:
    """Settings with which a figure is run.

    Parameters
    ----------
    quick : bool
        Whether to use fewer samples and steps, as a smoke test without meaningful numbers.
    data : Path or None
        Folder with real datasets and models (``--data``).
    seed : int
    images : int
        Number of test images of the figures that simulate real networks for many steps
        (``--images``); 0 for as many as the figure needs.
    progress : bool
    workers : int or None
        Processes of a study within a figure; None: one for each core.
    """

    quick: bool = False
    data: Path | None = None
    seed: int = 0
    images: int = 0
    progress: bool = True
    workers: int | None = None
    notes: dict[str, str] = field(default_factory=dict)

    def pick(self, full: int, quick: int) -> int:
        """Return ``quick`` on a quick run, else ``full``."""
        return quick if self.quick else full

    def pick_images(self, full: int, quick: int) -> int:
        """Return the number of test images: as `pick`, or the number that was asked for."""
        return self.images or self.pick(full, quick)

    def model_file(self, *parts: str) -> Path | None:
        """Return the path of a model file in the data folder, or None if it does not exist."""
        path = self.data.joinpath("models", *parts) if self.data else None
        return path if path and path.is_file() else None


class FigureModule(Protocol):
    """Interface of a figure module."""

    MANIFEST: Manifest

    def compute(self, context: Context) -> dict[str, NDArray]:
        """Compute the arrays of the figure, which is the expensive part."""

    def measure(self, result: Result) -> dict[str, float]:
        """Return one number for each claim."""

    def plot(self, result: Result, context: Context) -> Figure:
        """Draw."""


#: what a record says about its run
_MADE = ("seconds", "versions", "machine", "commit", "code", "images", "with_data")


def names() -> list[str]:
    """Return the names of all figures."""
    from bioconv import paper_figures

    found = (module.name for module in pkgutil.iter_modules(paper_figures.__path__))
    return sorted(name for name in found if name.startswith(PAPERS))


def figure(name: str) -> FigureModule:
    """Return the module of a figure; `ParameterError` with the valid names if unknown."""
    if name not in names():
        raise ParameterError(f"no figure {name!r}. Figures: {', '.join(names())}.")
    return importlib.import_module(f"bioconv.paper_figures.{name}")


def run(name: str, folder: str | Path, context: Context) -> dict[str, Any]:
    """Compute, measure and plot one figure into ``folder``.

    Writes ``NAME.npz``, ``NAME.png`` and ``NAME.json``.

    Returns
    -------
    dict
        The record that was written as JSON: manifest, measured numbers, status and reason.
    """
    result, made = computed(name, context)
    return stored(name, folder, result, context, made)


def computed(name: str, context: Context) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Compute one figure, and return its arrays and what its record says about the run."""
    module = figure(name)
    start = time.perf_counter()
    result = module.compute(context)
    seconds = time.perf_counter() - start
    made = {
        "seconds": round(seconds, 1),
        "versions": versions(),
        "machine": machine(),
        "commit": commit_of(Path(__file__).parent),
        "code": code_of(name),
        **asked(context),
    }
    return result, made


def asked(context: Context) -> dict[str, Any]:
    """Return what a record says about the data that were asked for."""
    return {"images": context.images, "with_data": context.data is not None}


def stored(
    name: str, folder: str | Path, result: Result, context: Context, made: Mapping[str, Any]
) -> dict[str, Any]:
    """Measure and plot what was computed, into ``folder``; see `run`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / f"{name}.npz", result)
    return _judged(name, folder, result, context, made)


def judge(name: str, folder: str | Path) -> dict[str, Any]:
    """Measure and plot a figure again, from the arrays of an earlier run in ``folder``.

    Replaces ``NAME.png`` and ``NAME.json``, for claims or a plot that have changed.

    Returns
    -------
    dict
        As `run`, with the duration, versions and code of the earlier run.

    Raises
    ------
    DataError
        If there is no earlier run, or if its files are damaged.
    """
    figure(name)  # names a wrong name
    folder = Path(folder)
    try:
        old = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        context = Context(quick=bool(old["quick"]), seed=int(old["seed"]))
        made = {key: old[key] for key in _MADE if key in old}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"no earlier run of {name} in {str(folder)!r}. Run: python -m paper_figures run {name}"
        ) from error
    result = read_arrays(folder / f"{name}.npz", DataError)
    return _judged(name, folder, result, context, made)


def _judged(
    name: str, folder: Path, result: Result, context: Context, made: Mapping[str, Any]
) -> dict[str, Any]:
    from bioconv.plots.style import save  # reading claims requires no plotting library

    module = figure(name)
    picture = module.plot(result, context)
    _caption(picture, module.MANIFEST, result, context)
    save(picture, folder / f"{name}.png")
    record = _record(name, module.MANIFEST, module.measure(result), result, context)
    record |= made
    write_json(folder / f"{name}.json", record)
    return record


def _record(
    name: str, manifest: Manifest, measured: dict[str, float], result: Result, context: Context
) -> dict[str, Any]:
    missing = [claim.name for claim in manifest.claims if claim.name not in measured]
    if missing:
        raise ParameterError(f"{name} does not measure {', '.join(missing)}.")
    # NumPy's own numbers are not written as JSON.
    measured = {claim.name: float(measured[claim.name]) for claim in manifest.claims}
    rows = [
        {
            **asdict(claim),
            "measured": measured[claim.name],
            "holds": claim.holds(measured[claim.name]),
        }
        for claim in manifest.claims
    ]
    held = sum(row["holds"] for row in rows)
    whole = held == len(rows) and not manifest.partly
    status = "reproduced" if whole else "partly" if held else "not reproduced"
    if context.quick:
        status = QUICK
    reasons = [
        f"{row['what']}: paper {row['value']:g}, here {row['measured']:g}"
        for row in rows
        if not row["holds"]
    ]
    why = "; ".join([*reasons, manifest.partly] if manifest.partly else reasons)
    if context.quick:
        why = "a quick run uses too few samples and steps to judge the claims"
    return {
        "name": name,
        "paper": manifest.paper,
        "number": manifest.number,
        "title": manifest.title,
        "status": status,
        "why": why,
        "claims": rows,
        "data": manifest.data,
        "used": data_used(result),
        "substitute": manifest.substitute,
        "quick": context.quick,
        "seed": context.seed,
    }


def data_used(result: Result) -> str:
    """Return the text on the data of a figure, which is stored under the key ``used``."""
    return str(result["used"])


def _caption(picture: Figure, manifest: Manifest, result: Result, context: Context) -> None:
    used = data_used(result)
    text = f"{manifest.paper} {manifest.number}. {manifest.title}. Computed on: {used}."
    if manifest.substitute and used != manifest.data:
        where = "In full" if manifest.paper == "bioconv" else "In the paper"
        text += f" {where}: {manifest.data}."
    if context.quick:
        text += " Quick run: fewer samples and steps than the figure."
    # About 13 characters per inch at this size; the layout reserves space for the lines.
    wrapped = textwrap.fill(text, int(13 * picture.get_figwidth()))
    picture.supxlabel(wrapped, x=0.02, ha="left", fontsize=7)


def data_folder(given: str | None) -> Path | None:
    """Return the folder of real data: ``given``, the environment variable BIOCONV_DATA, or None.

    Raises
    ------
    DataError
        If the folder does not exist.
    """
    chosen = given or os.environ.get("BIOCONV_DATA")
    if not chosen:
        return None
    if not Path(chosen).is_dir():
        raise DataError(f"no data folder {chosen!r}. Omit --data to use the substitutes.")
    return Path(chosen)


def use_data(folder: Path | None) -> None:
    """Let Keras, which reads this when it is imported, find the datasets of a folder."""
    if folder and (folder / "keras").is_dir():
        os.environ.setdefault("KERAS_HOME", str((folder / "keras").absolute()))
