"""Analog stages: functions of what the spikes so far represent, which drive populations.

In step t of a population, counted from 1 in its first step, a stage with the value F(t) drives the
current A(t) - A(t - 1), where A(t) is the weighted sum of t F(t), rounded to a grid.  The mean
current up to any step is therefore that of the last value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.formulas import FORMULAS

from .images import Arrays, Rows, Table, n_neurons, on_grid, weighted_sum

Floats = NDArray[np.float64]
Spikes = Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]


class Stages:
    """The analog stages of a network; `start` begins an image, `currents` continues with a step.

    Parameters
    ----------
    stages : mapping of str to mapping
        ``function``, ``options`` and ``inputs``, its arguments: ``shape``, ``bias`` and ``terms``,
        each with ``source``, ``first_step``, ``per_step`` (spikes that represent 1) and
        ``synapses`` (name of the arrays).
    drives : sequence of mapping
        ``stage``, ``post``, ``synapses`` and ``grid``.
    inputs, populations : mapping of str to mapping
    weights : mapping of str to ndarray
    """

    def __init__(
        self, stages: Table, drives: Rows, inputs: Table, populations: Table, weights: Arrays
    ):
        self._stages, self._drives = stages, drives
        self._inputs, self._populations = inputs, populations
        # An .npz file is read again at every access.
        rows = [t for stage in stages.values() for a in stage["inputs"] for t in a["terms"]]
        keys = [
            f"{row['synapses']}_{part}"
            for row in (*rows, *drives)
            for part in ("pre", "post", "weight")
        ]
        self._weights = {key: weights[key] for key in keys}
        self._first = {term["source"]: term["first_step"] for term in rows}
        self.decoded = tuple(name for name in populations if name in self._first)
        self.driven = tuple(dict.fromkeys(row["post"] for row in drives))
        self._constant: set[str] = set()
        for name, stage in stages.items():
            given = {term["source"] for a in stage["inputs"] for term in a["terms"]}
            if all(self._is_sample(source) or source in self._constant for source in given):
                self._constant.add(name)

    def start(self, x: Arrays, spikes: Spikes) -> None:
        """Begin an image.

        Parameters
        ----------
        x : mapping of str to ndarray
            One sample for each input.
        spikes : mapping of str to (steps, sources)
            Spikes of each spiking input.
        """
        self._counts: dict[str, NDArray[np.int64]] = {}
        for name in self._first:
            if name in self._populations or name in self._inputs:
                entry = self._populations[name] if name in self._populations else self._inputs[name]
                self._counts[name] = np.zeros(n_neurons(entry), np.int64)
        self._spikes = {name: spikes[name] for name in spikes if name in self._first}
        self._before: dict[int, Floats] = {}
        self._samples = {name: np.ravel(x[name]) for name in self._first if self._is_sample(name)}
        self._known: dict[str, Floats] = {}
        for name in self._stages:
            if name in self._constant:
                self._known[name] = self._value(name, 0, self._known)

    def currents(self, step: int, fired: Mapping[str, NDArray[np.int64]]) -> dict[str, Floats]:
        """Return the current in pA into each driven population in a step.

        Parameters
        ----------
        step : int
            Every step of an image, one after the other.
        fired : mapping of str to ndarray of int
            Neurons of each population in ``decoded`` that spiked in the step before.
        """
        given = {
            name: sources[steps == step - 1] for name, (steps, sources) in self._spikes.items()
        }
        for name, neurons in (*fired.items(), *given.items()):
            if step > self._first[name]:
                self._counts[name][neurons] += 1
        values = dict(self._known)
        total: dict[str, Floats] = {}
        for number, drive in enumerate(self._drives):
            entry = self._populations[drive["post"]]
            n = max(step - entry["start_step"] + 1, 0)
            current = np.zeros(n_neurons(entry))
            if n:
                value = self._value(drive["stage"], step, values)
                current = self._current(number, drive, value, n, len(current))
            total[drive["post"]] = total.get(drive["post"], 0.0) + current
        return total

    def _current(
        self, number: int, drive: Mapping[str, Any], value: Floats, n: int, size: int
    ) -> Floats:
        drawn, grid = weighted_sum(drive, np.ravel(value), self._weights, size), drive["grid"]
        if drive["stage"] in self._constant:  # rounded as the current of an input
            return on_grid(drawn, grid)
        last = self._before.get(number, drawn)
        self._before[number] = drawn
        return on_grid(n * drawn, grid) - on_grid((n - 1) * last, grid)

    def _is_sample(self, name: str) -> bool:
        return name in self._inputs and self._inputs[name]["encoder"] == "current"

    def _value(self, name: str, step: int, values: dict[str, Floats]) -> Floats:
        """Return the value of a stage in a step, which is kept in ``values``."""
        if name not in values:
            stage = self._stages[name]
            arguments = [self._argument(entry, step, values)[None] for entry in stage["inputs"]]
            (values[name],) = FORMULAS[stage["function"]](np, arguments, **stage["options"])
        return values[name]

    def _argument(self, entry: Mapping[str, Any], step: int, values: dict[str, Floats]) -> Floats:
        """Return one argument of the function of a stage."""
        size = n_neurons(entry)
        parts = [
            weighted_sum(term, self._source(term, step, values), self._weights, size)
            for term in entry["terms"]
        ]
        return (sum(parts, np.zeros(size)) + entry["bias"]).reshape(entry["shape"])

    def _source(self, term: Mapping[str, Any], step: int, values: dict[str, Floats]) -> Floats:
        """Return what a part of the network represents in a step."""
        name = term["source"]
        if name in self._samples:
            return self._samples[name]
        if name in self._stages:
            return np.ravel(self._value(name, step, values))
        return self._counts[name] / (max(step - self._first[name], 1) * term["per_step"])
