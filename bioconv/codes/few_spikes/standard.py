"""Tables of functions: those of common functions are included, others are fitted and cached.

``python -m bioconv.codes.few_spikes.standard FILE`` recomputes the included tables.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import (
    Elementwise,
    Exponential,
    Gelu,
    LogSigmoid,
    Sigmoid,
    Silu,
    Softsign,
    Tanh,
)
from bioconv.codes.few_spikes.fitting import USUAL_EFFORT, Effort, Goal, fit_table, values_of
from bioconv.codes.few_spikes.tables import GRID, Table
from bioconv.ground.archives import read_arrays
from bioconv.ground.cache import remembered
from bioconv.ground.errors import NetworkFileError
from bioconv.operators import Array

Floats = NDArray[np.float64]

#: to be changed whenever the same key would result in different tables
_VERSION = 1
_NAMES = ("threshold", "fall", "worth")
_FILE = "tables.npz"
#: numbers of inputs at which a table is fitted, in the inner region and in the whole region
_INNER, _ALL = 400, 400
#: weight of the whole range, in addition to that of the inputs of a layer
_ANYWHERE = 0.05
#: inputs of a layer are taken at these quantiles
_QUANTILES = (np.arange(_INNER) + 0.5) / _INNER
#: functions whose tables are included, and their numbers of steps
SHIPPED: tuple[Elementwise, ...] = (Silu(), Sigmoid(), Gelu(), Gelu(True), Tanh())
SHIPPED_STEPS = (4, 8, 12, 16)
_SHIPPED_EFFORT = Effort(starts=48, steps=500, changes=4000)
#: for one layer: a fit takes about two seconds, and spikes hardly count against accuracy
_LAYER_EFFORT = Effort(starts=16, steps=200, changes=1000, cost=1e-6)
#: largest error of an included table for the inputs of a layer: root mean square, as a share of
#: the standard deviation of the values of the function.  Where most inputs lie in the inner region
#: of the table it is 1 to 3 percent.
TOLERANCE = 0.03


@dataclass(frozen=True)
class Region:
    """Range in which a function is fitted, and inner range in which most inputs lie.

    Parameters
    ----------
    low, high : float
    inner : tuple of float
    inner_weight : float
        Weight of an error in the inner region, relative to one outside.
    reach : float
        Largest absolute value of a parameter T, h or d.
    """

    low: float
    high: float
    inner: tuple[float, float] = (-2.0, 2.0)
    inner_weight: float = 5.0
    reach: float = np.inf


_USUAL = Region(-8.0, 12.0)
#: the range of the parameters in "Analysis of FS-coding", which Fig 5e and f divide into 2^Q values
_REACH = 8.0
#: for SiLU and sigmoid, the regions in the Methods of the paper; smaller where functions saturate
REGIONS: Mapping[type, Region] = MappingProxyType(
    {
        Exponential: Region(-8.0, 4.0),
        Gelu: Region(-8.0, 12.0, reach=_REACH),
        LogSigmoid: Region(-12.0, 8.0, reach=_REACH),
        Sigmoid: Region(-10.0, 10.0, reach=_REACH),
        Silu: Region(-8.0, 12.0, reach=_REACH),
        Softsign: Region(-10.0, 10.0, reach=_REACH),
        Tanh: Region(-6.0, 6.0, reach=_REACH),
    }
)


def region_of(function: Elementwise | Callable[[Array], Any]) -> Region:
    """Return the region in which a function is fitted if its inputs are not known."""
    return REGIONS.get(type(function), _USUAL)


def goal_in(function: Callable[[Array], Any], region: Region) -> Goal:
    """Return the goal of fitting a function in a region."""
    inner = np.linspace(*region.inner, _INNER)
    x = np.unique(np.concatenate([inner, np.linspace(region.low, region.high, _ALL)]))
    inside = (x >= region.inner[0]) & (x <= region.inner[1])
    weight = np.gradient(x) * np.where(inside, region.inner_weight, 1.0)
    return Goal(x, values_of(function, x), weight, region.reach)


def goal_for(function: Callable[[Array], Any], inputs: Floats) -> Goal:
    """Return the goal of fitting a function to the distribution of the inputs of a layer."""
    often = np.quantile(inputs, _QUANTILES)
    margin = 0.05 * (np.ptp(inputs) + 1e-3)
    anywhere = np.linspace(inputs.min() - margin, inputs.max() + margin, _ALL)
    x = np.concatenate([often, anywhere])
    weight = np.repeat([1.0 / _INNER, _ANYWHERE / _ALL], [_INNER, _ALL])
    order = np.argsort(x, kind="stable")
    return Goal(x[order], values_of(function, x[order]), weight[order])


def cached_table(goal: Goal, k: int, effort: Effort = USUAL_EFFORT, seed: int = 0) -> Table:
    """Return the result of `fit_table`, cached by the content of the arguments.

    Parameters
    ----------
    goal : Goal
    k : int
    effort : Effort
    seed : int
    """
    key = {
        "version": _VERSION,
        **{name: np.asarray(value) for name, value in vars(goal).items()},
        "k": k,
        "effort": asdict(effort),
        "seed": seed,
    }
    arrays = remembered("few_spikes", key, _NAMES, partial(_arrays, goal, k, effort, seed))
    return Table(**arrays, grid=GRID, reach=goal.reach)


def _arrays(goal: Goal, k: int, effort: Effort, seed: int) -> dict[str, Floats]:
    table = fit_table(goal, k, effort, seed)
    return {name: getattr(table, name) for name in _NAMES}


def standard_table(function: Elementwise | Callable[[Array], Any], k: int) -> Table:
    """Return the table of a function over its region: included, from the cache, or newly fitted.

    Parameters
    ----------
    function : Elementwise or function of arrays
        Any elementwise function of JAX arrays.
    k : int
    """
    value = function.value if isinstance(function, Elementwise) else function
    shipped = _shipped(function, k) if isinstance(function, Elementwise) else None
    return shipped or cached_table(goal_in(value, region_of(function)), k)


def fitted_table(function: Elementwise, k: int, inputs: Floats) -> Table:
    """Return the table of a function that is fitted to the inputs of a layer, or from the cache.

    Parameters
    ----------
    function : Elementwise
    k : int
    inputs : ndarray, shape (n,)
        Inputs of the function on the calibration data.
    """
    return cached_table(goal_for(function.value, inputs), k, _LAYER_EFFORT)


def suited_table(function: Elementwise, k: int, inputs: Floats) -> Table:
    """Return the included table if it suits the inputs of a layer, and a fitted one otherwise.

    An included table is good for the region in which it was fitted, above all for its inner part:
    larger inputs have wrong values, and where all inputs are small its levels are too far apart.
    Both show as an error above `TOLERANCE`.

    Parameters
    ----------
    function : Elementwise
    k : int
    inputs : ndarray, shape (n,)
        Inputs of the function on the calibration data.
    """
    shipped = _shipped(function, k)
    if shipped is not None and error_of(shipped, function, inputs) <= TOLERANCE:
        return shipped
    return fitted_table(function, k, inputs)


class Approximation(Protocol):
    """What computes approximate values of a function, such as a table."""

    def value(self, x: Floats, /) -> Floats:
        """Return the values at some places."""


def error_of(table: Approximation, function: Elementwise, inputs: Floats) -> float:
    """Return the error of a table, or of another approximation, for given inputs.

    Returns
    -------
    float
        Root mean square, as a share of the standard deviation of the values of the function; 0 if
        there is only one value.
    """
    some = np.asarray(np.quantile(inputs, _QUANTILES), np.float64)
    exact = values_of(function.value, some)
    spread = float(np.std(exact))
    missed = float(np.sqrt(np.mean((table.value(some) - exact) ** 2)))
    return missed / spread if spread else 0.0


def _label(function: Elementwise) -> str:
    """Return a label made of the class and the options of a function."""
    options = "".join(f"_{value}" for value in vars(function).values())
    return f"{type(function).__name__}{options}"


def _shipped(function: Elementwise, k: int) -> Table | None:
    names = [f"{_label(function)}/{k}/{name}" for name in _NAMES]
    with as_file(files("bioconv.codes.few_spikes").joinpath(_FILE)) as path:
        arrays = read_arrays(path, NetworkFileError, names)
    if names[0] not in arrays:
        return None
    threshold, fall, worth = (arrays[name] for name in names)
    return Table(threshold, fall, worth, GRID, region_of(function).reach)


def shipped_tables() -> Iterator[tuple[str, int, Table]]:
    """Fit all included tables anew and yield label, number of steps and table of each."""
    for function in SHIPPED:
        goal = goal_in(function.value, region_of(function))
        for k in SHIPPED_STEPS:
            yield _label(function), k, fit_table(goal, k, _SHIPPED_EFFORT)


def write_shipped(path: str | Path) -> None:
    """Fit the tables of the common functions and write them to a file, which takes minutes."""
    from bioconv.export.support.arrays import write

    arrays = {
        f"{label}/{k}/{name}": getattr(table, name)
        for label, k, table in shipped_tables()
        for name in _NAMES
    }
    write(Path(path), arrays)


if __name__ == "__main__":
    write_shipped(sys.argv[1])
