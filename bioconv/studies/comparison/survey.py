"""Simulation of the cases on every simulator, and evaluation of the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bioconv.export.cells import GENERATED, obstacles
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.simulators import simulate
from bioconv.studies.comparison.cases import N_DRIVEN, N_SECOND, Case, names_of, network_of

#: column of the table -> name of the simulator, its options
COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "Brian2": ("brian2", {}),
    "NEST, generated model": ("nest", {"cells": "generated"}),
    "NEST, standard cell": ("nest", {"cells": "standard"}),
    "NEURON, standard cell": ("neuron", {}),
    "Brian2 under PyNN, standard cell": ("pynn.brian2", {}),
}

_SHAPES = ("exp", "alpha")
_EULER = "NEURON integrates by backward Euler, which is of first order in the step"
_ADAPTIVE = "NEST integrates by Runge-Kutta with adaptive steps, the reference by"

#: (standard cell, simulator) -> largest shift of a spike in ms with a step of 0.1 ms, and why
BOUNDS: dict[tuple[str, str], tuple[float, str]] = {
    **{
        (f"IF_{kind}", "neuron"): (3.0, _EULER)
        for kind in ("curr_exp", "curr_alpha", "cond_exp", "cond_alpha")
    },
    **{(f"IF_cond_{kind}", "nest"): (2.0, f"{_ADAPTIVE} exponential Euler") for kind in _SHAPES},
    **{
        (f"EIF_cond_{kind}_isfa_ista", "nest"): (
            10.0,
            f"{_ADAPTIVE} Euler; and NEST resets within the step",
        )
        for kind in _SHAPES
    },
    **{(f"EIF_cond_{kind}_isfa_ista", "neuron"): (4.0, _EULER) for kind in _SHAPES},
    ("Izhikevich", "neuron"): (6.0, _EULER),
    ("HH_cond_exp", "neuron"): (8.0, _EULER),
    ("HH_cond_exp", "nest"): (
        8.0,
        f"{_ADAPTIVE} exponential Euler; and NEST takes the peak of an action potential as the "
        "spike, not the threshold crossing",
    ),
}

#: factor by which the time step is divided for a second comparison
_QUARTER = 4


@dataclass(frozen=True)
class Difference:
    """Difference between a simulator and the reference, over both populations.

    Parameters
    ----------
    n_spikes : int
        Number of spikes of the reference.
    identical : bool
        Whether every spike occurs in the same step in the same neuron.
    trace : float
        Largest difference of a membrane potential in any step, in its unit.
    shift : float
        Largest difference in ms between the k-th spikes of a neuron, for all k in both results.
    lost : int
        Largest difference between the spike counts of a neuron.
    """

    n_spikes: int
    identical: bool
    trace: float
    shift: float
    lost: int


@dataclass(frozen=True)
class Field:
    """One field of the table.

    Parameters
    ----------
    case : Case
    column : str
        A key of `COLUMNS`.
    verdict : {"identical", "within", "refused", "differs"}
        "within": all k-th spikes differ by at most ``bound``, and much less with a quarter of the
    step.
    reason : str
        Reason why it is not identical.
    bound : float
        Tolerance in ms.
    differences : tuple of Difference
        Differences with the step of the case and, unless identical, with a quarter of it; empty
        if refused.
    """

    case: Case
    column: str
    verdict: str
    reason: str = ""
    bound: float = 0.0
    differences: tuple[Difference, ...] = ()


def run(chosen: Sequence[Case], simulator: str, **options: Any) -> dict[str, Recording]:
    """Simulate the cases, combining those with the same time step in one network.

    Returns
    -------
    dict of str to Recording
        The recording that contains a population, by name of the population.
    """
    groups = [[case for case in chosen if case.dt == dt] for dt in {c.dt: None for c in chosen}]
    if simulator == "array":  # compiling many small networks is faster than a large one
        groups = [[case] for case in chosen]
    recordings: dict[str, Recording] = {}
    for group in groups:
        network = network_of(group)
        recording = simulate(
            network,
            {f"x_{names_of(case)[0]}": case.currents[0][None] for case in group},
            simulator=simulator,
            record={p.name: ("spikes", p.model.potential) for p in network.populations},
            dtype="float64",
            progress=False,
            **options,
        )
        recordings |= dict.fromkeys((p.name for p in network.populations), recording)
    return recordings


def compare(
    case: Case, reference: Mapping[str, Recording], found: Mapping[str, Recording]
) -> Difference:
    """Compare spikes and potentials of one case in the results of `run` for two simulators."""
    pairs = [(reference[n].rasters[n], found[n].rasters[n]) for n in names_of(case)]
    keys = [(name, case.neuron.model.potential) for name in names_of(case)]
    traces = [(reference[key[0]].traces[key], found[key[0]].traces[key]) for key in keys]
    shifts = [_shifts(one, other, case.dt) for one, other in pairs]
    return Difference(
        n_spikes=sum(len(one.step) for one, _ in pairs),
        identical=all(
            np.array_equal(one.step, other.step) and np.array_equal(one.neuron, other.neuron)
            for one, other in pairs
        ),
        trace=max(float(np.abs(one - other).max()) for one, other in traces),
        shift=max(shift for shift, _ in shifts),
        lost=max(lost for _, lost in shifts),
    )


def _shifts(one: Raster, other: Raster, dt: float) -> tuple[float, int]:
    """Return the largest time difference between k-th spikes, and that of the spike counts."""
    shift, lost = 0.0, 0
    for neuron in range(max(N_DRIVEN, N_SECOND)):
        mine, theirs = (raster.step[raster.neuron == neuron] for raster in (one, other))
        both = min(len(mine), len(theirs))
        lost = max(lost, abs(len(mine) - len(theirs)))
        shift = max(shift, float(np.abs(mine[:both] - theirs[:both]).max(initial=0)) * dt)
    return shift, lost


def survey(chosen: Sequence[Case], columns: Iterable[str] = tuple(COLUMNS)) -> list[Field]:
    """Run all cases on the simulators of all columns, and evaluate every field of the table."""
    reference, finer = run(chosen, "array"), _Finer()
    fields = []
    for column in columns:
        simulator, options = COLUMNS[column]
        reasons = {id(case): _refusal(case, column) for case in chosen}
        accepted = [case for case in chosen if not reasons[id(case)]]
        found = run(accepted, simulator, **options) if accepted else {}
        first = {id(case): compare(case, reference, found) for case in accepted}
        doubtful = [case for case in accepted if not first[id(case)].identical]
        second = finer.differences(doubtful, simulator, options)
        for case in chosen:
            if reasons[id(case)]:
                fields.append(Field(case, column, "refused", reasons[id(case)]))
            else:
                fields.append(_judge(case, column, first[id(case)], second.get(id(case))))
    return fields


class _Finer:
    """Repeat with a quarter of the step; the reference is simulated once for all columns."""

    def __init__(self) -> None:
        self._reference: dict[str, Recording] = {}

    def differences(
        self, chosen: Sequence[Case], simulator: str, options: Mapping[str, str]
    ) -> dict[int, Difference]:
        if not chosen:
            return {}
        fine = [replace(case, dt=case.dt / _QUARTER) for case in chosen]
        missing = [case for case in fine if names_of(case)[0] not in self._reference]
        self._reference |= run(missing, "array")
        found = run(fine, simulator, **options)
        return {
            id(case): compare(quarter, self._reference, found)
            for case, quarter in zip(chosen, fine, strict=True)
        }


def _refusal(case: Case, column: str) -> str:
    """Return why the simulator of a column has no standard cell for a case, if so."""
    simulator, options = COLUMNS[column]
    if simulator == "brian2" or options.get("cells") == GENERATED:
        return ""
    network = network_of([case])
    return "; ".join(
        dict.fromkeys(
            reason
            for population in network.populations
            for reason in obstacles(population, network, simulator.removeprefix("pynn."))
        )
    )


def _judge(case: Case, column: str, first: Difference, second: Difference | None) -> Field:
    if second is None:
        return Field(case, column, "identical", differences=(first,))
    cell, simulator = case.neuron.model.standard_cell, COLUMNS[column][0]
    bound, reason = BOUNDS.get((cell, simulator), (0.0, "not explained"))
    close = first.shift <= bound and first.lost <= 1
    smaller = second.shift <= max(first.shift / 2, case.dt)
    verdict = "within" if close and smaller else "differs"
    return Field(case, column, verdict, reason, bound, (first, second))
