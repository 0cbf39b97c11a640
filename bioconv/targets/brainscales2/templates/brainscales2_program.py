"""A spiking network for BrainScaleS-2, written by bioconv.  It runs without bioconv:

    python program.py --data images.npz -o result.npz

images.npz holds x, one image per row, and optionally the labels y; --help lists the options.  It
needs NumPy and pynn_brainscales, which comes with EBRAINS or the container of the Electronic
Visions group.  The first run calibrates the neurons, which takes about five minutes.  Run
strength.py first: it measures how strong the synapses of your chip are and prints the --gm to use
here.

The chip runs a thousand times faster than the network that was converted: a millisecond of the
network is a microsecond here.  Potentials are in LSB, the steps of the chip's ADC.  Weights are
whole numbers; a synapse holds at most 63, and larger weights take several synapses.  Weights below
0 form a projection of their own.  Input currents and biases are converted to resting potentials.
Delays are those of the chip.  A network that is larger than the chip is emulated part by part:
RUNS lists which neurons are on the chip together, and spikes of neurons from an earlier run are
replayed by spike sources.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pynn_brainscales.brainscales2 as sim
from pyNN.parameters import Sequence
from support import command_line, images
from support.results import Results

HERE = Path(__file__).parent
weights = np.load(HERE / "weights.npz", allow_pickle=False)

# <network>
NAME = "empty"
DT = 1.0
N_STEPS = 1
I_SYNIN_GM = 500
POPULATIONS: dict = {}
INPUTS: dict = {}
PROJECTIONS: list = []
READOUTS: dict = {}
RUNS: list = []
# </network>

#: pause between two images of a batch, in time constants of the slowest membrane or synapse
PAUSE = 10
#: PyNN counts milliseconds; the tables count microseconds
MS = 1e-3


def emulate(run, spikes, options):
    """Put the neurons of a run on the chip, show them all images, and return their spikes.

    A run is a list of parts of populations: (name, first neuron, last neuron + 1).  Spikes are
    given as {population or input: [(steps, neurons) for each image]} and returned as {part: ...}.
    """
    sim.setup()
    neurons = {part: population(part, options.gm) for part in run}
    sources: dict = {}
    for projection in PROJECTIONS:
        wire(projection, neurons, sources)
    found: dict = {part: [] for part in neurons}
    n_images = len(next(iter(spikes.values())))
    for first in range(0, n_images, options.batch):
        batch = range(first, min(first + options.batch, n_images))
        for part, source in sources.items():
            sent = [spikes[part[0]][image] for image in batch]
            source.set(spike_times=spike_times(part, sent, options))
        sim.run(len(batch) * window(options) * MS)
        for part, cells in neurons.items():
            found[part] += recorded(cells, len(batch), options)
        sim.reset()
        if not options.quiet:
            print(f"image {batch[-1] + 1} of {n_images}", flush=True)
    sim.end()
    return found


def wire(projection, neurons, sources):
    """Connect the neurons that are on the chip; sources replace presynaptic ones that are not."""
    name = projection["pre"]
    posts = [part for part in neurons if part[0] == projection["post"]]
    here = [part for part in neurons if part[0] == name]
    absent = [(name, *span) for span in gaps(size(name), [part[1:] for part in here])]
    if posts:
        for part in absent:
            if part not in sources:
                silent = [Sequence([]) for _ in range(part[2] - part[1])]
                cell = sim.cells.SpikeSourceArray(spike_times=silent)
                sources[part] = sim.Population(len(silent), cell)
    for post in posts:
        for part in (*here, *absent):
            cells = neurons[part] if part in neurons else sources[part]
            connect(projection, part, cells, post, neurons[post])


def population(part, gm):
    """Create a part of a population and record its spikes."""
    name, start, stop = part
    cell = {key: cut(value, start, stop) for key, value in POPULATIONS[name]["cell"].items()}
    cells = sim.Population(
        stop - start, sim.cells.CalibHXNeuronCuba(**cell, i_synin_gm_E=gm, i_synin_gm_I=gm)
    )
    cells.record(["spikes"])
    return cells


def cut(value, start, stop):
    """Return a parameter for the neurons from ``start`` to ``stop``."""
    return value[start:stop] if np.ndim(value) else value


def connect(projection, pre, pre_cells, post, post_cells):
    """Connect two parts of populations.

    The weights are set in a second step: where synapses are missing, the weights of a list, or of
    a synapse type, go to the wrong synapses (pynn-brainscales, Projection._convergent_connect).
    """
    i, j, weight = (weights[f"{projection['synapses']}_{key}"] for key in ("pre", "post", "weight"))
    kept = (i >= pre[1]) & (i < pre[2]) & (j >= post[1]) & (j < post[2])
    matrix = np.zeros((pre[2] - pre[1], post[2] - post[1]), dtype=int)
    matrix[i[kept] - pre[1], j[kept] - post[1]] = weight[kept]
    if not matrix.any():
        return
    sign = 1 if projection["receptor"] == "excitatory" else -1
    made = sim.Projection(
        pre_cells,
        post_cells,
        sim.ArrayConnector(matrix != 0),
        synapse_type=sim.standardmodels.synapses.StaticSynapse(weight=sign),
        receptor_type=projection["receptor"],
    )
    made.set(weight=matrix)


def gaps(n, taken):
    """Return the ranges of 0 ... n that are not in ``taken``."""
    edges = [0, *(edge for span in sorted(taken) for edge in span), n]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def size(name):
    """Return the number of neurons of a population, or of sources of an input."""
    return images.n_neurons(POPULATIONS[name] if name in POPULATIONS else INPUTS[name])


def window(options):
    """Return the time from one image to the next in microseconds."""
    cells = [entry["cell"] for entry in POPULATIONS.values()]
    slowest = max(np.max(cell[tau]) for cell in cells for tau in ("tau_m", "tau_syn_E"))
    return options.steps * DT + (PAUSE * slowest if options.batch > 1 else 0.0)


def spike_times(part, spikes, options):
    """Return the spike times of a batch in ms, one sequence for each source of a part."""
    _, start, stop = part
    steps = np.concatenate([steps for steps, _ in spikes])
    sources = np.concatenate([sources for _, sources in spikes])
    image = np.repeat(np.arange(len(spikes)), [len(steps) for steps, _ in spikes])
    times = ((steps + 1) * DT + image * window(options)) * MS  # at the end of a step
    kept = (sources >= start) & (sources < stop)
    times, sources = times[kept], sources[kept] - start
    order = np.lexsort((times, sources))
    ends = np.cumsum(np.bincount(sources, minlength=stop - start))[:-1]
    return [Sequence(train) for train in np.split(times[order], ends)]


def recorded(cells, n_images, options):
    """Return the spikes of a population after a run, separately for each image."""
    trains = [np.asarray(train) for train in cells.get_data("spikes").segments[-1].spiketrains]
    neurons = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    times = np.concatenate(trains) / MS
    step = np.ceil(times / DT - 1e-6).astype(int) - 1
    image = np.floor((step + 0.5) * DT / window(options)).astype(int)
    step -= np.round(image * window(options) / DT).astype(int)
    shown = step < options.steps
    return [(step[m], neurons[m]) for m in ((image == i) & shown for i in range(n_images))]


def encoded(x, options):
    """Return the spikes that encode the images: {input: [(steps, sources), ...]}."""
    spikes: dict = {name: [] for name in images.spiking(INPUTS)}
    for image in range(len(next(iter(x.values())))):
        sample = {name: values[image] for name, values in x.items()}
        number = options.first + image
        shown = images.input_spikes(sample, INPUTS, options.steps, options.seed, number)
        for name, found in shown.items():
            spikes[name].append(found)
    return spikes


def add(spikes, found, n_images):
    """Add the spikes of the parts that were in a run to those of their populations."""
    for (name, start, _), part in found.items():
        nothing = [(np.zeros(0, int), np.zeros(0, int))] * n_images
        spikes[name] = [
            (np.append(steps, more), np.append(neurons, which + start))
            for (steps, neurons), (more, which) in zip(spikes.get(name, nothing), part, strict=True)
        ]


def parse():
    """Return the options of the command line, what to record, the images and the labels."""
    recordable = {name: ("spikes", "counts") for name in [*images.spiking(INPUTS), *POPULATIONS]}
    parser = command_line.parser(f"{NAME} on BrainScaleS-2.", N_STEPS, recordable)
    parser.add_argument("--batch", type=command_line.positive, default=50, help="images per run")
    parser.add_argument(
        "--gm",
        type=int,
        default=I_SYNIN_GM,
        help="strength of synapses, 30 to 800; see strength.py",
    )
    options = parser.parse_args()
    record = command_line.read_record(options.record, recordable)
    x, y = command_line.read_images(options.data, INPUTS, options.images)
    return options, record, x, y


def main():
    """Emulate the network run by run and write the result."""
    options, record, x, y = parse()
    started = time.perf_counter()
    spikes = encoded(x, options)
    n_images = len(next(iter(x.values())))
    for number, run in enumerate(RUNS):
        if not options.quiet:
            print(f"run {number + 1} of {len(RUNS)}", flush=True)
        add(spikes, emulate(run, spikes, options), n_images)
    results = Results(
        sizes={name: size(name) for name in spikes},
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
    for image in range(n_images):
        results.add({name: found[image] for name, found in spikes.items()}, {})
    results.save(options.output, seconds=[0.0, time.perf_counter() - started])
    results.print_accuracy()


if __name__ == "__main__":
    main()
