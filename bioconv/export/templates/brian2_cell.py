"""A recurrent layer whose gates are populations of neurons, in Brian2, written by bioconv.

It runs without bioconv:

    python program.py --data sequences.npz -o result.npz

sequences.npz holds x (samples, steps, features), the input of the layer, and optionally mask
(samples, steps): where it is 0, the state is kept.  result.npz contains output (samples, steps,
units) and, for every population, its numbers of spikes, count_PART (samples, steps, units).

Every step of a sequence takes as many clock steps as there are phases.  In its phase, a neuron
fires if the input of its unit reaches its threshold; a spike adds one to a count of the cell in
the same step.  Products of gates and states are analog: they are computed by the statements of the
cells.  All quantities are dimensionless, as in the Keras layer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import brian2
import numpy as np
from brian2 import ms
from support import command_line
from support.arrays import write

weights = np.load(Path(__file__).with_name("weights.npz"), allow_pickle=False)

# <network>
NAME = "empty"
BACKWARDS = False
EQUATIONS = ""
RECEIVE = ""
PHASES: list = []
DRIVES: dict = {}
FEEDBACK: dict = {}
POPULATIONS: dict = {}
# </network>

DT = 1.0 * ms


def main():
    """Run all sequences, one after the other."""
    parser = argparse.ArgumentParser(
        description=f"Recurrent layer {NAME} whose gates are populations of neurons."
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="an .npz file with x and, optionally, mask"
    )
    parser.add_argument("-o", "--output", required=True, help="the .npz file to write")
    options = parser.parse_args()
    x, mask = read(options.data)
    if BACKWARDS:
        x, mask = x[:, ::-1], mask[:, ::-1]
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = DT
    result = run(x, mask)
    if BACKWARDS:
        result = {name: values[:, ::-1] for name, values in result.items()}
    write(Path(options.output), result)


def read(path):
    """Return the sequences and their mask; stop if they do not fit the layer."""
    arrays = command_line.arrays_of(path)
    x = command_line.numbers(path, arrays, "x")
    n_features = len(weights["kernel"])
    if x.ndim != 3 or x.shape[2] != n_features or 0 in x.shape:
        command_line.stop(
            f"{path}: x must have the shape (samples, steps, {n_features}). Received {x.shape}"
        )
    if "mask" not in arrays:
        return x, np.ones(x.shape[:2], bool)
    mask = command_line.numbers(path, arrays, "mask") != 0
    if mask.shape != x.shape[:2]:
        command_line.stop(f"{path}: mask must have the shape {x.shape[:2]}. Received {mask.shape}")
    return x, mask


def run(x, mask):
    """Return output and counts, in the order in which the cells process the steps."""
    n_samples, n_steps, _ = x.shape
    n_units, n_phases = weights["recurrent_kernel"].shape[0], len(PHASES)
    sequence_step = n_phases * DT
    names = {"N_PHASES": n_phases, "N_STEPS": n_steps}
    for part, columns in DRIVES.items():
        drive = x @ weights["kernel"][:, slice(*columns)] + weights[f"bias_{part}"]
        values = drive.reshape(n_samples * n_steps, n_units)
        names[f"drive_{part}"] = brian2.TimedArray(values, dt=sequence_step)
    names["present"] = brian2.TimedArray(mask.ravel().astype(float), dt=sequence_step)

    cells = brian2.NeuronGroup(n_units, EQUATIONS, namespace=names, name="cells")
    if "recurrent_bias" in weights:
        cells.recurrent_bias = weights["recurrent_bias"]
    first = "int(timestep(t, dt) % (N_PHASES * N_STEPS) > 0)"
    cells.run_regularly(f"h *= {first}\nc *= {first}", when="start")
    cells.run_regularly(RECEIVE, when="before_thresholds")
    cells.run_regularly(transition(n_phases), when="after_synapses")
    parts = [cells]
    for part, (columns, sent) in FEEDBACK.items():
        loop = brian2.Synapses(cells, cells, f"w : 1\nback_{part}_post = w * ({sent}) : 1 (summed)")
        loop.connect()
        loop.w = weights["recurrent_kernel"][:, slice(*columns)].ravel()
        parts.append(loop)
    monitors = {}
    for name, entry in POPULATIONS.items():
        neurons, synapses = make_population(name, entry, cells, n_units, n_phases)
        monitors[name] = brian2.SpikeMonitor(neurons)
        parts += [neurons, synapses, monitors[name]]
    state = brian2.StateMonitor(cells, "h", record=True, when="end")
    brian2.Network(*parts, state).run(n_samples * n_steps * sequence_step)

    shape = (n_samples, n_steps, n_units)
    found = {"output": state.h[:, n_phases - 1 :: n_phases].T.reshape(shape)}
    for name, monitor in monitors.items():
        step = np.rint(monitor.t / DT).astype(int) // n_phases
        unit = np.asarray(monitor.i) // POPULATIONS[name]["n"]
        counts = np.bincount(step * n_units + unit, minlength=n_samples * n_steps * n_units)
        found[f"count_{name}"] = counts.reshape(shape)
    return found


def transition(n_phases):
    """Return the statements of the cells at the end of every phase, each for its own phase."""
    lines = []
    for phase, statements in enumerate(PHASES):
        now = f"int(timestep(t, dt) % N_PHASES == {phase})"
        for variable, expression in statements:
            lines.append(f"{variable} = {now} * ({expression}) + (1 - {now}) * {variable}")
    last = f"int(timestep(t, dt) % N_PHASES < {n_phases - 1})"
    return "\n".join([*lines, *(f"e_{name} *= {last}" for name in POPULATIONS)])


def make_population(name, entry, cells, n_units, n_phases):
    """Create neurons with thresholds, and the synapses by which the cells count their spikes."""
    n = entry["n"]
    neurons = brian2.NeuronGroup(
        n_units * n,
        "x : 1 (linked)\ntheta : 1 (constant)",
        threshold=f"{entry['sign']} * x >= theta"
        f" and timestep(t, dt) % {n_phases} == {entry['phase']}",
        name=f"population_{name}",
    )
    unit = np.arange(n_units * n) // n
    neurons.x = brian2.linked_var(cells, f"z_{entry['part']}", index=unit)
    neurons.theta = np.broadcast_to(weights[f"theta_{name}"], (n_units, n)).ravel()
    synapses = brian2.Synapses(neurons, cells, on_pre=f"e_{name}_post += 1")
    synapses.connect(i=np.arange(n_units * n), j=unit)
    return neurons, synapses


if __name__ == "__main__":
    main()
