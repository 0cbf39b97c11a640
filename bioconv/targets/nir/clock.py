"""The unit of time and the step that a NIR file implies.

NIR has neither, and its writers differ.  Most write seconds and R = tau / dt (1 / dt for perfect
integrators), so that a weight counts in full in a step of dt, which is therefore in the file:
snnTorch's dt is 1e-4 s, that of bioconv is stored.  sinabs, Spyx and hxtorch count in steps or ms:
their time constants are larger than 1, and R = 1 for integrators, which is the same with dt = 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import NetworkFileError
from bioconv.targets.nir.graph import NEURONS, Graph, Node

#: unit of time in a file -> its length in ms
UNITS = {"s": 1e3, "ms": 1.0}
DT, N_STEPS = 1.0, 100
#: Times of at least this length are not in seconds: no program has such steps or membranes.
_LONG = 0.5
#: relative difference of steps that are the same
_SAME = 1e-4


@dataclass(frozen=True)
class Clock:
    """How times in a file are read.

    Parameters
    ----------
    unit : {"s", "ms"}
    dt : float
        Step in ms.
    note : str
        What was concluded without being certain, or an empty string.
    """

    unit: str
    dt: float
    note: str = ""


def clock(graph: Graph, label: str, unit: str | None, dt: float | None) -> Clock:
    """Return the unit and the step of a graph.

    Parameters
    ----------
    graph : Graph
    label : str
        Name of the file in messages.
    unit : {"s", "ms"}, optional
    dt : float, optional
        Step in ms.  Both replace what the file implies.

    Raises
    ------
    NetworkFileError
        If bioconv has written the graph, but its step is not valid, and ``dt`` is not given.
    """
    stored = None if dt is not None else _stored_dt(graph, label)
    if stored is not None:
        return Clock(unit or "s", stored)
    steps, taus = _implied_steps(graph), _time_constants(graph)
    step = steps[0] if steps and np.ptp(steps) <= _SAME * steps[0] else None
    found, notes = unit or "s", []
    if unit is None and _is_long(step, taus):
        found = "ms"
        times = f"steps of {step:g}" if step is not None else f"time constants from {min(taus):g}"
        notes.append(f"its {times} are too long for seconds, so that times are read in ms")
    if dt is not None:
        return Clock(found, dt, _sentence(label, notes))
    if step is None or step * UNITS[found] >= _LONG * UNITS["s"]:
        if steps and step is None:
            words = f"between {min(steps):g} and {max(steps):g}"
            notes.append(f"its R imply steps {words}, which differ, so that {DT:g} ms are used")
        return Clock(found, DT, _sentence(label, notes))
    exact = float(f"{step * UNITS[found]:.4g}")
    if exact != DT:
        notes.append(f"its R imply a step of {exact:g} ms, which is used")
    return Clock(found, exact, _sentence(label, notes))


def n_steps(graph: Graph) -> int:
    """Return the number of steps stored with a graph, or the default."""
    stored = _number(graph, "n_steps")
    return N_STEPS if stored is None else max(int(stored), 1)


def _sentence(label: str, notes: list[str]) -> str:
    if not notes:
        return ""
    return f"{label}: {'; '.join(notes)}. If this is wrong, give the unit and dt."


def _is_long(step: float | None, taus: list[float]) -> bool:
    """Return whether times are too long to be in seconds."""
    if taus:
        return min(taus) >= _LONG
    return step is not None and step >= _LONG


def _stored_dt(graph: Graph, label: str) -> float | None:
    """Return the step in ms in the metadata of a graph, or None if there is none."""
    stored = _number(graph, "dt")
    if stored is not None:
        return float(f"{stored * UNITS['s']:.12g}")
    author = graph.metadata.get("written_by")
    if isinstance(author, str) and author == "bioconv":
        raise NetworkFileError(
            f"{label}: its metadata lack a valid dt. Export the network again, or give dt."
        )
    return None


def _number(graph: Graph, name: str) -> float | None:
    value = np.asarray(graph.metadata.get(name, np.nan))
    valid = value.size == 1 and value.dtype.kind in "iuf" and 0 < value.item() < 1e9
    return float(value.item()) if valid else None


def _implied_steps(graph: Graph) -> list[float]:
    """Return the steps for which a weight counts in full, in the unit of the file.

    R = 1 of a leaky neuron implies none: it is the resistance of those who do not use it.
    """
    found: list[float] = []
    for node in graph.of_kind(*NEURONS).values():
        for time, factor in _ratios(node):
            single = time is None
            with np.errstate(all="ignore"):
                ratio = np.ravel((1.0 if time is None else time) / factor)
            used = np.isfinite(ratio) & (ratio > 0)
            if single or np.any(np.asarray(factor) != 1):
                found += [float(ratio[used].min()), float(ratio[used].max())] if used.any() else []
    return found


def _ratios(node: Node) -> Iterator[tuple[NDArray | None, NDArray]]:
    """Yield the times and the factors of a node whose ratio may be a step."""
    yield node.values.get("tau", node.values.get("tau_mem")), node.values["r"]
    if "w_in" in node.values:
        yield node.values["tau_syn"], node.values["w_in"]


def _time_constants(graph: Graph) -> list[float]:
    """Return the smallest time constant of each node."""
    names = ("tau", "tau_mem", "tau_syn")
    nodes = graph.of_kind(*NEURONS).values()
    return [float(np.min(n.values[name])) for n in nodes for name in names if name in n.values]
