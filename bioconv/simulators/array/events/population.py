"""A population as the event engine runs it: its program, and the arrays that stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.events.kernels import LANES
from bioconv.simulators.array.events.program import DRIVE, PERIOD, WAIT, Layout, program_of
from bioconv.simulators.array.events.rows import Rows
from bioconv.simulators.array.plan import Stage

#: values of a batch: a number, or an array of shape (n,) or (batch, n)
Values = Mapping[str, NDArray]


class Spikes(NamedTuple):
    """Spikes of some samples in a chunk of steps, after ``lag`` earlier steps.

    Parameters
    ----------
    words : ndarray of uint64, shape (samples, lag + steps, n_words)
        Eight neurons in each, one byte for a neuron.
    lag : int
    """

    words: NDArray[np.uint64]
    lag: int

    @property
    def fired(self) -> NDArray[np.bool_]:
        """The same memory, shape (samples, lag + steps, 8 * n_words)."""
        return self.words.view(np.bool_)


def no_spikes(samples: int, steps: int, n: int, lag: int) -> Spikes:
    """Return space for the spikes of ``n`` neurons."""
    return Spikes(np.zeros((samples, lag + steps, -(-n // 8)), np.uint64), lag)


class Population:
    """One stage of the plan.

    Parameters
    ----------
    stage : Stage
    arrays : Arrays
    rows : mapping of int to Rows
        By the index of the projection.
    constants : dict of str to array
        The constants of a first batch, which show what is the same for all neurons.
    driven : bool
        Whether the inputs add to a current that also changes by schedule.
    """

    def __init__(
        self,
        stage: Stage,
        arrays: Arrays,
        rows: Mapping[int, Rows],
        constants: Values,
        driven: bool,
    ):
        self.stage = stage
        self.real = np.dtype(arrays.plan.dtype).type
        self._rows = rows
        self._tables = {
            k: (np.array(t.steps), np.array(t.values)) for k, t in _tables(arrays, stage)
        }
        self._starts = {k: np.asarray(v) for k, v in arrays.states()[stage.name].items()}
        self._period = self._fixed_period(arrays)
        self._first = int(arrays.first[stage.name]) if stage.late else 0
        constants = {**constants, **self._period}
        wide = tuple(name for name, value in constants.items() if np.size(value) > 1)
        states = tuple(state.name for state in stage.model.states)
        waits = (WAIT,) if stage.waits and stage.model.threshold else ()
        receptors = tuple(dict.fromkeys(source.variables for source in stage.sources))
        self.layout = Layout(
            model=stage.model,
            dtype=arrays.plan.dtype,
            rows=(*states, *waits, *wide, *((DRIVE,) if driven else ())),
            scalars=tuple(name for name in constants if name not in wide),
            changing=tuple((name, self._tables[name][1].shape[1] > 1) for name in stage.changing),
            set_states=stage.set_states,
            receptors=receptors,
            sources=tuple(
                (receptors.index(source.variables), rows[source.index].counting)
                for source in stage.sources
            ),
            late=stage.late,
            traces=stage.traces,
        )
        self._run = program_of(self.layout)

    def _fixed_period(self, arrays: Arrays) -> dict[str, NDArray]:
        found = arrays.refractory.get(self.stage.name)
        return {} if found is None else {PERIOD: np.asarray(found)}

    def begin(self, samples: slice, constants: Values, drive: NDArray | None) -> NDArray:
        """Return the variables of some samples before step 0, (samples, tiles * rows * LANES)."""
        given = {**self._starts, **constants, **self._period}
        if drive is not None:
            given[DRIVE] = drive
        n, rows = self.stage.n, self.layout.rows
        tiles = -(-n // LANES)
        size = samples.stop - samples.start
        state = np.zeros((size, tiles, len(rows), LANES), self.real)
        padded = np.zeros((size, tiles * LANES), self.real)
        for place, name in enumerate(rows):
            if name == WAIT:
                continue
            value = np.asarray(given[name])
            padded[:, :n] = value[samples] if value.ndim == 2 else value
            state[:, :, place] = padded.reshape(size, tiles, LANES)
        return state.reshape(size, -1)

    def scalars(self, constants: Values) -> NDArray:
        """Return the constants that are one number."""
        given = {**constants, **self._period}
        numbers = [np.asarray(given[name]).reshape(-1)[0] for name in self.layout.scalars]
        return np.array(numbers, self.real)

    def run(
        self,
        first: int,
        n_steps: int,
        dt: float,
        state: NDArray,
        scalars: NDArray,
        before: Mapping[str, Spikes],
        counts: NDArray[np.int32],
        late: NDArray[np.int32],
    ) -> dict[str, NDArray]:
        """Run some samples through a chunk of steps, and return what is recorded of states.

        Parameters
        ----------
        first, n_steps : int
        dt : float
        state, scalars : ndarray
            From `begin` and `scalars`; the state is changed.
        before : mapping of str to Spikes
            Those of this population, which are written, and of those before it.
        counts, late : ndarray of int32, shape (samples, n)
            To which spikes are added.

        Returns
        -------
        dict of str to ndarray, shape (n_steps, samples, n)
        """
        own, stage = before[self.stage.name], self.stage
        arguments: list[Any] = [stage.n, first, n_steps, self.real(dt), own.lag]
        arguments += [state, scalars, own.fired, own.words, counts]
        arguments += [late, self._first] if self.layout.late else []
        steps = np.arange(first, first + n_steps)
        for name in stage.changing:
            when, values = self._tables[name]
            arguments += [_row(when, steps), values]
        for name in stage.set_states:
            when, values = self._tables[name]
            row = _row(when, steps)
            due = (row >= 0) & (when[np.maximum(row, 0)] == steps)
            arguments += [np.where(due, row, -1), values]
        for source in stage.sources:
            spikes = before[source.pre]
            rows = self._rows[source.index]
            arguments += [spikes.words, spikes.lag, source.delay, rows.cells, *rows[1:]]
        traces = {
            name: np.empty((n_steps, len(state), stage.n), self.real) for name in stage.traces
        }
        self._run(*arguments, *traces.values())
        return traces


def _tables(arrays: Arrays, stage: Stage) -> list[tuple[str, Any]]:
    return [*arrays.tables[stage.name].items(), *arrays.set_states[stage.name].items()]


def _row(when: NDArray, steps: NDArray) -> NDArray[np.int64]:
    """Return the row of a table that applies in each step."""
    return np.searchsorted(when, steps, side="right") - 1
