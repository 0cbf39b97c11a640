"""Export and run recurrent layers with populations as Brian2 programs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import (
    GRU,
    LSTM,
    CountingCell,
    Elementwise,
    HardSigmoid,
    HardTanh,
    Linear,
    Recurrent,
    ReLU,
    Sigmoid,
    Softsign,
    Tanh,
    ThresholdCount,
)
from bioconv.analog.samples import Data
from bioconv.export.folder import GROUND, copy_support, template
from bioconv.export.support.arrays import write
from bioconv.export.tables import source
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import ExportError, ParameterError, Problem, SimulationError
from bioconv.ground.files import new_folder
from bioconv.ground.processes import ending_with_us
from bioconv.recurrent.activity import received
from bioconv.recurrent.places import sides
from bioconv.simulators.exported import require

_LAST_LINES = 15


@dataclass(frozen=True)
class CellRun:
    """Results of a recurrent layer in Brian2.

    Parameters
    ----------
    output : ndarray, shape (n_samples, steps, units)
        The layer's output in every step.
    counts : dict of str to ndarray of int, shape (n_samples, steps, units)
        Spike counts of every population, which equal those of `bioconv.recurrent.counts`, except
        in masked steps, in which they have no effect because the state is kept.
    """

    output: NDArray[np.float64]
    counts: Mapping[str, NDArray[np.int64]]


def emit(graph: AnalogGraph, layer: str, folder: str | Path) -> list[Path]:
    """Write a recurrent layer with populations as a Brian2 program.

    The program has one group of cells, whose equations and statements compute the products of gates
    and states as analog quantities, and one group of neurons for every population.

    Parameters
    ----------
    graph : AnalogGraph
        A graph from `populate`.
    layer : str
        Name of the layer; for a bidirectional layer ``LAYER/forward`` or ``LAYER/backward``.
    folder : str or Path
        Folder to create.  It is replaced if there is nothing in it but what bioconv wrote.

    Returns
    -------
    list of Path
        ``program.py``, which is run by ``python program.py --data sequences.npz -o result.npz``,
        and its weights.

    Raises
    ------
    ExportError
        If a part that is still analog has a function without a formula in Brian2.
    ParameterError
        If there is no such layer, or if it has no populations.
    """
    tables, arrays = _tables(layer, _cell_of(graph, layer)[1])
    folder = Path(folder)
    with new_folder(folder, ExportError) as scratch:
        text = template("brian2_cell.py", source(tables, with_units=True))
        (scratch / "program.py").write_text(text, encoding="utf-8")
        write(scratch / "weights.npz", arrays)
        copy_support(("arrays.py", "command_line.py", "encoders.py", "images.py"), scratch)
        copy_support(("archives.py", "errors.py", "suggestions.py", "whole.py"), scratch, GROUND)
    return [folder / "program.py", folder / "weights.npz"]


def simulate(graph: AnalogGraph, x: Data, layer: str) -> CellRun:
    """Simulate every neuron of a recurrent layer in Brian2 with the program of `emit`.

    Parameters
    ----------
    graph : AnalogGraph
        A graph from `populate`.
    x : array, or a sequence or mapping of arrays
        Samples of the whole network.  The layers before this one are not simulated in Brian2.
    layer : str
        As in `emit`.

    Returns
    -------
    CellRun

    Raises
    ------
    ParameterError, ExportError
        As for `emit`.
    SimulatorMissingError
        If Brian2 is not installed.
    SimulationError
        If the program fails.  The message contains the last lines of its output.
    """
    require({"brian2": "pip install brian2"})
    whole, cell = _cell_of(graph, layer)
    inputs = received(graph, x, whole, dtype="float64")
    with tempfile.TemporaryDirectory(prefix="bioconv-") as scratch:
        place = Path(scratch)
        program = emit(graph, layer, place / "program")[0]
        write(place / "x.npz", dict(zip(("x", "mask"), inputs, strict=False)))
        command: list[str | Path] = [
            sys.executable,
            program,
            "--data",
            place / "x.npz",
            "-o",
            place / "result.npz",
        ]
        done = subprocess.run(ending_with_us(command), capture_output=True, text=True, check=False)
        if done.returncode:
            lines = "\n".join(done.stderr.splitlines()[-_LAST_LINES:])
            raise SimulationError(f"The Brian2 program of {layer} failed:\n{lines}")
        found = read_arrays(place / "result.npz", SimulationError)
    counts = {f"{layer}/{name}": found[f"count_{name.replace('/', '_')}"] for name in _names(cell)}
    return CellRun(found["output"], counts)


@dataclass(frozen=True)
class _Kind:
    """Equations of a kind of cell in the language of Brian2.

    Parameters
    ----------
    columns : dict of str to int
        Index of the weights of each part in the kernel.
    phases : dict of str to int
        Phase of a step in which each part is computed.
    receive : dict of str to str
        Input of those parts for which it is not the sum of drive and feedback.
    sent : dict of str to str
        Signal in the feedback of those parts for which it is not the output.
    statements : tuple of tuple of (str, str)
        For each phase, the variables that are updated at its end, with their new values.
    """

    columns: Mapping[str, int]
    phases: Mapping[str, int]
    statements: tuple[tuple[tuple[str, str], ...], ...]
    receive: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict)


def _kept(variable: str, new: str) -> tuple[str, str]:
    """Return the update of a state that is kept in masked steps."""
    return variable, f"int(present(t) > 0.5) * ({new}) + int(present(t) <= 0.5) * {variable}"


_LSTM = _Kind(
    columns={"input": 0, "forget": 1, "carry": 2, "output": 3},
    phases={"input": 0, "forget": 0, "carry": 0, "output": 0, "hidden": 1},
    statements=(
        (_kept("c", "a_forget * c + a_input * a_carry"),),
        (_kept("h", "a_output * a_hidden"),),
    ),
    receive={"hidden": "c"},
)
_SIMPLE = _Kind(columns={"state": 0}, phases={"state": 0}, statements=((_kept("h", "a_state"),),))


def _gru(cell: GRU) -> _Kind:
    after = cell.reset_after
    return _Kind(
        columns={"update": 0, "reset": 1, "candidate": 2},
        phases={"update": 0, "reset": 0, "candidate": 1},
        statements=((), (_kept("h", "a_update * h + (1 - a_update) * a_candidate"),)),
        receive=(
            {"candidate": "drive_candidate(t, i) + a_reset * (back_candidate + recurrent_bias)"}
            if after
            else {}
        ),
        sent={} if after else {"candidate": "a_reset_pre * h_pre"},
    )


def _kind_of(cell: Recurrent) -> _Kind:
    if isinstance(cell, LSTM):
        return _LSTM
    return _gru(cell) if isinstance(cell, GRU) else _SIMPLE


def _formula(function: Elementwise, x: str) -> str | None:
    """Return the formula of an analog function in Brian2's language, or None if it has none."""
    match function:
        case Sigmoid():
            return f"1 / (1 + exp(-{x}))"
        case Tanh():
            return f"tanh({x})"
        case HardSigmoid(slope=slope, shift=shift):
            return f"clip({slope!r} * {x} + {shift!r}, 0, 1)"
        case HardTanh():
            return f"clip({x}, -1, 1)"
        case Softsign():
            return f"{x} / (1 + abs({x}))"
        case Linear():
            return x
        case ReLU(negative_slope=0.0, threshold=0.0):
            return f"clip({x}, 0, {float(min(function.max_value, 1e300))!r})"
        case _:
            return None


def _cell_of(graph: AnalogGraph, layer: str) -> tuple[str, CountingCell]:
    """Return the name of the whole layer and its cell."""
    cells = {
        front: (entry.name, cell)
        for entry in graph.layers
        for front, cell in sides(entry)
        if isinstance(cell, CountingCell)
    }
    if layer not in cells:
        raise ParameterError(
            f"{layer!r} is not a recurrent layer with populations. "
            f"Such layers of {graph.name}: {', '.join(cells) or 'none'}."
        )
    return cells[layer]


def _names(cell: CountingCell) -> list[str]:
    """Return the names of a cell's populations, those of inhibitory ones with a suffix."""
    names = []
    for part, function in cell.parts.items():
        if isinstance(function, ThresholdCount):
            names += [part] if function.inhibitory is None else [part, f"{part}/inhibitory"]
    return names


def _tables(layer: str, counting: CountingCell) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tables and the arrays of the program."""
    cell, parts = counting.cell, counting.parts
    kind, units = _kind_of(cell), cell.n_units
    problems: list[Problem] = []
    values: list[str] = []
    populations: dict[str, dict[str, Any]] = {}
    arrays: dict[str, Any] = {
        "kernel": cell.kernel,
        "recurrent_kernel": cell.recurrent_kernel,
        **_biases(cell, kind),
    }
    for part, function in parts.items():
        if isinstance(function, ThresholdCount):
            values.append(_count_value(part, function))
            populations |= _populations(part, function, kind.phases[part], arrays)
            continue
        formula = _formula(function, f"z_{part}")
        values.append(f"a_{part} = {formula} : 1")
        if formula is None:
            reason = "it is still analog and has no formula in Brian2."
            problems.append(Problem(f"{layer}/{part}", type(function).__name__, reason))
    if problems:
        raise ExportError(f"{layer} cannot become a Brian2 program:", problems)
    columns = {part: (n * units, (n + 1) * units) for part, n in kind.columns.items()}
    receive = {part: f"drive_{part}(t, i) + back_{part}" for part in columns} | dict(kind.receive)
    states = ["h : 1", "c : 1", *(f"z_{part} : 1" for part in parts)]
    states += [f"back_{part} : 1" for part in columns] + [f"e_{name} : 1" for name in populations]
    if "recurrent_bias" in arrays:
        states.append("recurrent_bias : 1 (constant)")
    return {
        "NAME": layer,
        "BACKWARDS": bool(cell.go_backwards),
        "EQUATIONS": "\n".join([*states, *values]) + "\n",
        "RECEIVE": "\n".join(f"z_{part} = {receive[part]}" for part in parts) + "\n",
        "PHASES": [list(statements) for statements in kind.statements],
        "DRIVES": columns,
        "FEEDBACK": {part: (columns[part], kind.sent.get(part, "h_pre")) for part in columns},
        "POPULATIONS": populations,
    }, arrays


def _biases(cell: Recurrent, kind: _Kind) -> dict[str, NDArray[np.float64]]:
    """Return the bias of each part and, for a GRU with two biases, the recurrent bias.

    The two biases of a part are added up, except for those of the candidate of such a GRU.
    """
    bias = getattr(cell, "bias", None)
    parts = len(kind.columns)
    width = cell.n_units
    if bias is None:
        rows = np.zeros((2, parts, width))
    elif np.ndim(bias) == 2:
        rows = np.asarray(bias, np.float64).reshape(2, parts, width)
    else:
        rows = np.stack([np.reshape(bias, (parts, width)), np.zeros((parts, width))])
    found = {f"bias_{part}": rows[0, n] + rows[1, n] for part, n in kind.columns.items()}
    if "candidate" in kind.receive:
        last = kind.columns["candidate"]
        found |= {"bias_candidate": rows[0, last], "recurrent_bias": rows[1, last]}
    return found


def _count_value(part: str, function: ThresholdCount) -> str:
    """Return a subexpression that computes the value of a population from its counts."""
    terms = [f"e_{part} * {function.excitation / function.n!r}"]
    if function.inhibitory is not None:
        share = function.inhibition / function.inhibitory.shape[-1]
        terms.append(f"e_{part}_inhibitory * {share!r}")
    return f"a_{part} = {' + '.join(terms)} : 1"


def _populations(
    part: str, function: ThresholdCount, phase: int, arrays: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the entries of a part's populations, and add their thresholds to ``arrays``."""
    found = {}
    both = ((part, 1, function.excitatory), (f"{part}_inhibitory", -1, function.inhibitory))
    for name, sign, thresholds in both:
        if thresholds is not None:
            n = int(thresholds.shape[-1])
            found[name] = {"part": part, "phase": phase, "sign": sign, "n": n}
            arrays[f"theta_{name}"] = np.asarray(thresholds, np.float64)
    return found
