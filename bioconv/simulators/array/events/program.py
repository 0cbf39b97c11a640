"""The program of a population: Python for Numba, written from the equations of its neurons.

It depends on the neuron model and on which of its values are numbers and which are arrays, not on
sizes, weights or values, so that few programs serve all networks.  They are kept in the cache of
the user, together with the machine code that Numba adds.  Numba reads this code without checks, so
that the cache has to be a folder that nobody else can write.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bioconv.ground.digests import digest_of
from bioconv.ground.places import check_private, default_cache, private_folder
from bioconv.ground.versions import version
from bioconv.ground.whole import whole
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.language.printing import arrival, step_lines, variable
from bioconv.neurons.language.update import update_of

#: name of the row with the remaining refractory steps, and of the constant with the period
WAIT, PERIOD = "_wait", "_period"
#: name of the row with the current of the inputs, where the current also changes by schedule
DRIVE = "_drive"

_HEAD = """\
import numpy as np
from numba import njit

from bioconv.simulators.array.events.kernels import (
    LANES,
    OPTIONS,
    add_counts,
    add_rows,
    empty_tally,
    find_plain,
    find_singly,
    find_words,
    set_lanes,
)

real = np.{dtype}

"""


@dataclass(frozen=True)
class Layout:
    """What the program of a population depends on.

    Parameters
    ----------
    model : NeuronModel
    dtype : str
    rows : tuple of str
        Variables with a value for each neuron and sample: states, `WAIT`, constants, `DRIVE`.
    scalars : tuple of str
        Constants that are one number.
    changing : tuple of (str, bool)
        Parameters that scheduled changes set, and whether the values differ between neurons.
    set_states : tuple of str
        States that scheduled changes set.
    receptors : tuple of tuple of str
        State variables of each receptor with projections.
    sources : tuple of (int, str)
        Receptor of each projection, and how its spikes are counted (`rows.Rows.counting`).
    late : bool
        Whether spikes are also counted from a later step on.
    traces : tuple of str
        States that are recorded.
    """

    model: NeuronModel
    dtype: str
    rows: tuple[str, ...]
    scalars: tuple[str, ...]
    changing: tuple[tuple[str, bool], ...]
    set_states: tuple[str, ...]
    receptors: tuple[tuple[str, ...], ...]
    sources: tuple[tuple[int, str], ...]
    late: bool
    traces: tuple[str, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the state variables."""
        return tuple(state.name for state in self.model.states)


@lru_cache(maxsize=256)
def program_of(layout: Layout) -> Callable[..., None]:
    """Return the compiled function ``run`` of a population; `source_of` describes it."""
    text = source_of(layout)
    loops = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in ("kernels", "vectors")]
    key = {"text": text, "loops": loops, "numba": version("numba")}
    name = f"bioconv_population_{digest_of(key)[:24]}"
    try:
        return _kept(name, text)
    except (OSError, RuntimeError):  # nothing is kept where it cannot be, or would not be safe
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / f"{name}.py"
            path.write_text(text, encoding="utf-8")
            return _imported(path, keep=False)


def _kept(name: str, text: str) -> Callable[..., None]:
    """Return a function whose machine code is kept; raise OSError or RuntimeError if it cannot be.

    Numba chooses the folder of the machine code, which depends on the environment.
    """
    folder = private_folder(default_cache() / "events")
    path = folder / f"{name}.py"
    if path.is_file():
        check_private(path)
    else:
        with whole(path) as part:
            part.write_text(text, encoding="utf-8")
    run = _imported(path, keep=True)
    private_folder(Path(run.stats.cache_path))
    return run


def _imported(path: Path, keep: bool) -> Any:
    from numba import njit

    from bioconv.simulators.array.events.kernels import OPTIONS

    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} cannot be imported")
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where Numba looks for it when it reads machine code
    spec.loader.exec_module(module)
    return njit(cache=keep, **OPTIONS)(module.run)


def source_of(layout: Layout) -> str:
    """Return the text of the program.

    Its function ``run`` takes the following arguments, in this order, which `arguments` names:
    ``n`` neurons, ``first`` step, ``n_steps``, ``dt``, ``lag`` (number of earlier steps in the
    arrays of spikes), ``state`` (samples, tiles * rows * `LANES`), ``scalars``, ``spikes`` and
    ``words`` (the same memory as bytes and as integers of eight), ``counts``; for late counts
    ``late`` and ``late_from``; for each changing parameter the row of each step and the table; for
    each state that is set the row of each step, -1 for none, and the table; for each projection
    the words of the spikes before it, their lag, its delay, empty cells and the fields of
    `rows.Rows`; for each trace an array (n_steps, samples, n).
    """
    lines = [*_update(layout), "", "", *_run(layout)]
    return _HEAD.format(dtype=layout.dtype) + "\n".join(lines) + "\n"


def _update(layout: Layout) -> Iterator[str]:
    """Yield the function that runs one step of one sample."""
    model = layout.model
    tables = [variable(name) for name, _ in layout.changing]
    arriving = [f"arriving_{i}" for i in range(len(layout.receptors))]
    names = ["n", "t", "dt", "state", "scalars", "spikes", *tables, *arriving]
    names += [f"trace_{name}" for name in layout.traces]
    yield "@njit(**OPTIONS)"
    yield f"def update({', '.join(names)}):"
    yield f"    {variable('t')} = t"
    for place, name in enumerate(layout.scalars):
        yield f"    {variable(name)} = scalars[{place}]"
    wide = {name for name, varies in layout.changing if varies}
    for name, varies in layout.changing:
        value = variable(name)
        yield f"    {'table' if varies else 'value'}_{name} = {value}{'' if varies else '[0]'}"
    yield "    for tile in range((n + LANES - 1) // LANES):"
    yield "        first = tile * LANES"
    n_rows = len(layout.rows)
    yield f"        row = state[first * {n_rows} : (first + LANES) * {n_rows}]"
    sliced = [*arriving, "spikes", *(f"table_{name}" for name in sorted(wide))]
    sliced += [f"trace_{name}" for name in layout.traces]
    for name in sliced:
        yield f"        {name}_lanes = {name}[first : first + LANES]"
    yield "        for lane in range(min(LANES, n - first)):"
    for line in _neuron(layout, model, wide):
        yield f"            {line}"


def _neuron(layout: Layout, model: NeuronModel, wide: set[str]) -> Iterator[str]:
    """Yield the statements for one neuron."""
    places = {name: f"row[{i} * LANES + lane]" for i, name in enumerate(layout.rows)}
    update = update_of(model, frozenset(name for name, _ in layout.changing))
    waits = WAIT in layout.rows
    for name, place in places.items():
        yield f"{'wait' if name == WAIT else variable(name)} = {place}"
    for name, _ in layout.changing:
        value = f"table_{name}_lanes[lane]" if name in wide else f"value_{name}"
        driven = name == model.current and DRIVE in layout.rows
        yield f"{variable(name)} = {value}{f' + {variable(DRIVE)}' if driven else ''}"
    if waits and not model.crossing:
        given = PERIOD in (*layout.rows, *layout.scalars)
        rounded = f"np.rint({variable(model.refractory)} / dt)"
        yield f"period = {variable(PERIOD) if given else rounded}"
    receives = dict.fromkeys(name for receptor in layout.receptors for name in receptor)
    for name in receives:
        parts = [f"arriving_{i}_lanes[lane]" for i, r in enumerate(layout.receptors) if name in r]
        yield f"{arrival(name)} = {' + '.join(parts)}"
    yield from step_lines(update, receives, waits)
    if model.threshold:
        yield "spikes_lanes[lane] = fired"
    for name in (*layout.states, *((WAIT,) if waits else ())):
        yield f"{places[name]} = {'wait' if name == WAIT else variable(name)}"
    for name in layout.traces:
        yield f"trace_{name}_lanes[lane] = {variable(name)}"


def arguments(layout: Layout) -> list[str]:
    """Return the names of the arguments of the function ``run``, one for each of its arrays."""
    names = ["n", "first", "n_steps", "dt", "lag"]
    names += ["state", "scalars", "spikes", "words", "counts"]
    names += ["late", "late_from"] if layout.late else []
    for name, _ in layout.changing:
        names += [f"row_{name}", f"values_{name}"]
    for name in layout.set_states:
        names += [f"due_{name}", f"set_{name}"]
    for i in range(len(layout.sources)):
        names += [f"{part}_{i}" for part in _SOURCE]
    return names + [f"record_{name}" for name in layout.traces]


_ROWS = ("pattern", "base", "shift", "stop", "start", "segments", "weight")
_SOURCE = ("before", "lag_before", "delay", "cells", "target", "sign", "divisor", *_ROWS)


def _run(layout: Layout) -> Iterator[str]:
    """Yield the function that runs all samples and steps of a chunk."""
    model = layout.model
    yield f"def run({', '.join(arguments(layout))}):"
    for i in range(len(layout.receptors)):
        yield f"    arriving_{i} = np.zeros(n, real)"
    for i in range(len(layout.sources)):
        parts = ", ".join(f"{part}_{i}" for part in _ROWS)
        yield f"    rows_{i} = ({parts})"
        yield f"    found_{i} = np.empty(divisor_{i}.shape[0], np.int32)"
        yield f"    bases_{i} = np.empty(divisor_{i}.shape[0], np.int32)"
        yield f"    factors_{i} = np.empty(divisor_{i}.shape[0], real)"
    yield "    tally = np.zeros(words.shape[2], np.uint64)"
    yield "    bytes_of_tally = tally.view(np.uint8)"
    if layout.late:
        yield "    late_tally = np.zeros(words.shape[2], np.uint64)"
        yield "    bytes_of_late = late_tally.view(np.uint8)"
    yield "    for sample in range(state.shape[0]):"
    yield "        held = 0"
    yield "        for step in range(n_steps):"
    for name in layout.set_states:
        place = layout.rows.index(name)
        yield f"            if due_{name}[step] >= 0:"
        values = f"set_{name}[due_{name}[step]]"
        yield f"                set_lanes(state[sample], n, {len(layout.rows)}, {place}, {values})"
    for i in range(len(layout.receptors)):
        yield f"            dirty_{i} = False"
    for i, (receptor, counting) in enumerate(layout.sources):
        found = f"before_{i}[sample, lag_before_{i} + step - delay_{i}]"
        space = f"cells_{i}, target_{i}, sign_{i}, divisor_{i}, found_{i}, factors_{i}"
        yield f"            n_found = find_{counting}({found}, {space})"
        yield "            if n_found > 0:"
        space = f"found_{i}, factors_{i}, bases_{i}, rows_{i}, arriving_{receptor}"
        yield f"                add_rows(n_found, {space})"
        yield f"                dirty_{receptor} = True"
    given = ["n", "real(first + step) * dt", "dt", "state[sample]", "scalars"]
    given += ["spikes[sample, lag + step]"]
    given += [f"values_{name}[row_{name}[step]]" for name, _ in layout.changing]
    given += [f"arriving_{i}" for i in range(len(layout.receptors))]
    given += [f"record_{name}[step, sample]" for name in layout.traces]
    yield f"            update({', '.join(given)})"
    for i in range(len(layout.receptors)):
        yield f"            if dirty_{i}:"
        yield f"                arriving_{i}[:] = 0"
    if not model.threshold:
        return
    yield "            add_counts(words[sample, lag + step], tally)"
    if layout.late:
        yield "            if first + step >= late_from:"
        yield "                add_counts(words[sample, lag + step], late_tally)"
    yield "            held += 1"
    yield "            if held == 255 or step == n_steps - 1:"
    yield "                empty_tally(bytes_of_tally, counts[sample])"
    if layout.late:
        yield "                empty_tally(bytes_of_late, late[sample])"
    yield "                held = 0"
