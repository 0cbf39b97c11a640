"""A spiking network for SpiNNaker, written by bioconv.  It runs without bioconv:

    pip install spynnaker numpy
    python program.py --data images.npz -o result.npz

images.npz holds x, one row per image, and optionally the labels y; --help lists the options.
sPyNNaker finds the machine through the file .spynnaker.cfg in the home folder.  Without a machine:

    python program.py --data images.npz -o mapping.npz --map-only      maps on a virtual board
    python program.py --data images.npz -o result.npz --simulator nest

On NEST a spike takes effect one step later than on the board.

Numbers in the tables are in PyNN's units: ms, mV, nF, nA, uS.  An entry of POPULATIONS with "image"
(edge, channels) is one population per channel on the board.  Weights above 0 use the first of the
"receptors" of a projection, those below 0 the second, because weights have no sign on SpiNNaker.
"max_expected_summed_weight" determines how weights are scaled to 16 bits.  Spikes and synaptic
operations in the result are those of the populations that are recorded (--record).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from support import command_line, images, spinnaker_mapping
from support.results import Results, versions
from support.spinnaker_nest import NestNetwork
from support.spinnaker_network import Network

HERE = Path(__file__).parent
weights = np.load(HERE / "weights.npz", allow_pickle=False)

# <network>
NAME = "empty"
DT = 1.0
N_STEPS = 1
POPULATIONS: dict = {}
INPUTS: dict = {}
PROJECTIONS: list = []
DRIVES: list = []
READOUTS: dict = {}
# </network>

SIMULATORS = {"spinnaker": Network, "nest": NestNetwork}
#: simulator -> its name for pip
PACKAGES = {"spinnaker": "spynnaker", "nest": "nest-simulator"}


def observed(record):
    """Return what to record: the spikes and potentials that are requested or read out."""
    wanted = {name: {"spikes"} for name in record}
    for readout in READOUTS.values():
        found = wanted.setdefault(readout["population"], {"spikes"})
        if readout["variable"]:
            found.add("v")
    return {name: sorted(what) for name, what in wanted.items() if name in POPULATIONS}


def driven(x):
    """Return each driven neuron's current in nA for an image, including the constant current."""
    currents = images.drive_currents(x, DRIVES, POPULATIONS, weights)
    return {
        name: POPULATIONS[name]["parameters"]["i_offset"] + current
        for name, current in currents.items()
    }


def present(network, x, image, options, watched):
    """Show one image to the network at rest; return spikes and potentials."""
    incoming = images.input_spikes(x, INPUTS, options.steps, options.seed, options.first + image)
    network.start(driven(x), incoming, again=image > 0)
    network.run(options.steps)
    spikes = {name: network.spikes(name, options.steps) for name in watched}
    potentials = {
        (name, "v"): network.potential(name, options.steps)
        for name, what in watched.items()
        if "v" in what
    }
    return {**spikes, **incoming}, potentials


def run(network, options, record, x, y):
    """Show the images one after the other and write the results."""
    watched = observed(record)
    started = time.perf_counter()
    network.build(watched)
    build_seconds = time.perf_counter() - started
    results = Results(
        sizes=sizes_of(watched),
        start_steps={name: entry["start_step"] for name, entry in POPULATIONS.items()},
        fan_out={name: weights[f"{name}.fan_out"] for name in watched if has_targets(name)},
        outputs=READOUTS,
        record=record,
        checkpoints=command_line.read_checkpoints(options.checkpoints, options.steps),
        dt=DT,
        seed=options.seed,
        first=options.first,
        y=y,
    )
    started = time.perf_counter()
    n_images = len(next(iter(x.values())))
    for image in range(n_images):
        sample = {name: values[image] for name, values in x.items()}
        results.add(*present(network, sample, image, options, watched))
        if not options.quiet:
            print(f"image {image + 1} of {n_images}", flush=True)
    network.end()
    seconds = [build_seconds, time.perf_counter() - started]
    results.save(
        options.output, seconds=seconds, versions=versions("pynn", PACKAGES[options.simulator])
    )
    results.print_accuracy()


def sizes_of(watched):
    """Return the numbers of neurons of the populations and inputs whose spikes are known."""
    sizes = {name: images.n_neurons(POPULATIONS[name]) for name in watched}
    return sizes | {name: images.n_neurons(INPUTS[name]) for name in images.spiking(INPUTS)}


def has_targets(name):
    """Return whether a population sends spikes to another."""
    return f"{name}.fan_out" in weights


def map_only(options, x):
    """Map the network with the first image on a virtual board and write the tool chain's data."""
    output = options.output.absolute()
    with spinnaker_mapping.virtual_board():
        network = Network(DT, POPULATIONS, INPUTS, PROJECTIONS, weights)
        network.build(observed({}))
        first = {name: values[0] for name, values in x.items()}
        incoming = images.input_spikes(first, INPUTS, options.steps, options.seed, options.first)
        network.start(driven(first), incoming, again=False)
        network.run(options.steps)
        needed = spinnaker_mapping.save(network, output)
        network.end()
    print(f"mapped: {needed['cores']} cores on {needed['chips']} chips")


def parse():
    """Return the options of the command line, what to record, the images and the labels."""
    recordable = {name: ("spikes", "counts") for name in POPULATIONS}
    parser = command_line.parser(f"{NAME}: a spiking network for SpiNNaker.", N_STEPS, recordable)
    parser.add_argument("--simulator", choices=list(SIMULATORS), default="spinnaker")
    parser.add_argument(
        "--map-only", action="store_true", help="map on a virtual board; no machine is needed"
    )
    options = parser.parse_args()
    record = command_line.read_record(options.record, recordable)
    x, y = command_line.read_images(options.data, INPUTS, options.images)
    return options, record, x, y


def main():
    """Build the network, show it the images and write the results."""
    options, record, x, y = parse()
    if options.map_only:
        map_only(options, x)
        return
    network = SIMULATORS[options.simulator](DT, POPULATIONS, INPUTS, PROJECTIONS, weights)
    run(network, options, record, x, y)


if __name__ == "__main__":
    main()
