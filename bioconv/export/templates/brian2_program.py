"""A spiking network in Brian2, written by bioconv.  It runs without bioconv:

    python program.py --data images.npz -o result.npz

It needs NumPy and Brian2 (pip install brian2).  images.npz holds x, one image of the shape in
INPUTS per row, and optionally the labels y; --help lists the options.  To change a parameter or a
start value, change the number in POPULATIONS; if a population waits for its input with a threshold
out of reach, change the number in CHANGES.  Neurons are numbered in C order of the shape.
weights.npz contains the synapses of PROJECTIONS and DRIVES (pA for an input of one) as
{synapses}_pre, _post and _weight.  result.npz contains READOUT.output and, over time,
READOUT.classes; POPULATION.spikes_per_image and .spikes_per_neuron; synaptic_operations; and the
variables requested by --record.

Layers in STAGES are computed from the spikes so far before every step, and drive populations.

In every step the neurons integrate, receive the spikes that arrive, fire, and are reset (SCHEDULE;
Brian2's default order differs).  A spike fired in step t arrives in step t + delay_steps.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import brian2
import numpy as np
from brian2 import Hz, ms, mV, nS, pA, pF, second  # noqa: F401 - the tables use what they need
from support import command_line, images
from support.brian2_operations import make_after, make_changes
from support.encoders import noise_seed
from support.results import Results, versions
from support.stages import Stages

weights = np.load(Path(__file__).with_name("weights.npz"), allow_pickle=False)

# <network>
NAME = "empty"
DT = 1.0 * ms
N_STEPS = 1
MODELS: dict = {}
POPULATIONS: dict = {}
INPUTS: dict = {}
PROJECTIONS: list = []
DRIVES: list = []
CHANGES: list = []
READOUTS: dict = {}
STAGES: dict = {}
STAGE_DRIVES: list = []
# </network>

# The seed of random numbers in equations is set again for every image.
NOISY = any(model["noisy"] for model in MODELS.values())
NOISY |= any(projection["release"] < 1 for projection in PROJECTIONS)
SEED_CODE = 'brian::_random_generators[0].seed(std::stoul(std::getenv("NOISE_SEED")));'

SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]


def make_population(name, entry):
    """Create neurons of one model with parameters, start values and scheduled changes."""
    model = MODELS[entry["model"]]
    changes = {n: change for n, change in enumerate(CHANGES) if change["population"] == name}
    columns = [f"change{n} : {change['dimension']}\n" for n, change in changes.items()]
    group = brian2.NeuronGroup(
        images.n_neurons(entry),
        model["equations"] + "".join(columns),
        threshold=model["threshold"],
        reset=model["reset"],
        refractory=model["refractory"],
        method=model["method"],
        name=f"population_{name}",
    )
    for variable, value in (*entry["parameters"].items(), *entry["initial"].items()):
        setattr(group, variable, value)
    for n, change in changes.items():
        setattr(group, f"change{n}", change["value"])
    return group, [*make_changes(name, group, changes), *make_after(name, group, model["after"])]


def make_source(name, entry, n_steps, standalone):
    """Create the spike sources of an input, whose spikes are set before each image."""
    n_sources = images.n_neurons(entry)
    if not standalone:
        return brian2.SpikeGeneratorGroup(n_sources, [], [] * second, name=f"input_{name}"), None
    raster = brian2.TimedArray(np.zeros((n_steps, n_sources)), dt=DT, name=f"raster_{name}")
    group = brian2.NeuronGroup(
        n_sources,
        "",
        threshold=f"{raster.name}(t, i) > 0.5",
        reset="",
        namespace={raster.name: raster},
        name=f"input_{name}",
    )
    return group, raster


def make_synapses(number, projection, groups):
    """Create a projection: each synapse adds its weight to the variables of its receptor."""
    states = MODELS[POPULATIONS[projection["post"]]["model"]]["states"]
    dimension = states[projection["variables"][0]]["dimension"]
    key = projection["synapses"]
    arrives = ["arrives = weight"]
    if projection["release"] < 1:
        arrives = [f"arrives = weight * int(rand() < {projection['release']!r})"]
    synapses = brian2.Synapses(
        groups[projection["pre"]],
        groups[projection["post"]],
        f"weight : {dimension} (constant)",
        on_pre="\n".join(arrives + [f"{v}_post += arrives" for v in projection["variables"]]),
        # Brian2 delivers spikes in the step after they were fired, which is already one step.
        delay=(projection["delay_steps"] - 1) * DT,
        name=f"projection_{number}",
    )
    synapses.connect(i=weights[f"{key}_pre"], j=weights[f"{key}_post"])
    synapses.weight = weights[f"{key}_weight"] * projection["unit"]
    return synapses


class Network:
    """The network, which is built once; `present` shows it an image."""

    def __init__(self, n_steps, traced, standalone):
        self.n_steps, self.standalone = n_steps, standalone  # standalone: a folder, or None
        built = {name: make_population(name, entry) for name, entry in POPULATIONS.items()}
        self.groups = {name: group for name, (group, _) in built.items()}
        self.sources, self.rasters = {}, {}
        for name, entry in INPUTS.items():
            if entry["encoder"] != "current":
                group, raster = make_source(name, entry, n_steps, standalone)
                self.sources[name], self.rasters[name] = group, raster
        connected = [
            make_synapses(number, projection, {**self.groups, **self.sources})
            for number, projection in enumerate(PROJECTIONS)
            if len(weights[f"{projection['synapses']}_pre"])
        ]
        self.monitors = {
            name: brian2.SpikeMonitor(group, name=f"spikes_{name}")
            for name, group in self.groups.items()
            if MODELS[POPULATIONS[name]["model"]]["threshold"]
        }
        self.traces = {
            (name, v): brian2.StateMonitor(
                self.groups[name], v, record=True, when="end", name=f"trace_{number}"
            )
            for number, (name, v) in enumerate(traced)
        }
        self.stages, self.constant = Stages(STAGES, STAGE_DRIVES, INPUTS, POPULATIONS, weights), {}
        driving = brian2.NetworkOperation(self._drive, when="before_start", order=-1)
        self.network = brian2.Network(
            *([driving] if STAGES else []),
            *self.groups.values(),
            *(change for _, changes in built.values() for change in changes),
            *self.sources.values(),
            *connected,
            *self.monitors.values(),
            *self.traces.values(),
        )
        self.network.schedule = SCHEDULE
        if standalone:
            if NOISY:
                brian2.device.insert_code("main", SEED_CODE)
            # A single run: Brian2's C++ loses pending spikes between two runs.
            self.network.run(n_steps * DT, namespace={})
            brian2.device.build(directory=standalone, compile=True, run=False)
        else:
            self.network.store()

    def present(self, x, image, seed):
        """Show one image to the network at rest; return spikes and traces.

        x holds one array for each input, image is its number, which random numbers depend on.
        Spikes are returned as {population: (steps, neurons)}.
        """
        driven = self._driven(images.drive_currents(x, DRIVES, POPULATIONS, weights))
        spikes = images.input_spikes(x, INPUTS, self.n_steps, seed, image)
        if self.standalone:
            os.environ["NOISE_SEED"] = str(noise_seed(seed, image))
            self._run_binary(driven, spikes)
        else:
            self.network.restore()  # all variables as built, and no spikes pending
            for name, (steps, sources) in spikes.items():
                self.sources[name].set_spikes(sources, steps * DT)
            for name, variable, value in driven:
                setattr(self.groups[name], variable, value)
            self.stages.start(x, spikes)
            brian2.seed(noise_seed(seed, image))
            self.network.run(self.n_steps * DT, namespace={})
        for name, monitor in self.monitors.items():
            spikes[name] = (in_steps(monitor.t), np.asarray(monitor.i[:], np.int64))
        for name in self.groups.keys() - self.monitors.keys():
            spikes[name] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        traces = {
            (name, v): np.asarray(getattr(monitor, v) / unit_of(name, v)).T
            for (name, v), monitor in self.traces.items()
        }
        return spikes, traces

    def _driven(self, currents):
        """Return (population, variable, value): constant currents plus those of the image."""
        values = []
        for name, current in currents.items():
            model = MODELS[POPULATIONS[name]["model"]]
            parameter, unit = model["current"], model["current_unit"]
            constants = {parameter: POPULATIONS[name]["parameters"][parameter]}
            for n, change in enumerate(CHANGES):
                if (change["population"], change["variable"]) == (name, parameter):
                    constants[f"change{n}"] = change["value"]
            values += [(name, v, constant + current * unit) for v, constant in constants.items()]
        return values

    def _drive(self, t):
        """Set what analog stages drive in this step, in addition to constant currents."""
        step = int(in_steps(t))
        fired = {name: self.groups[name].spikes for name in self.stages.decoded}
        for name, current in self.stages.currents(step, fired).items():
            model, group = MODELS[POPULATIONS[name]["model"]], self.groups[name]
            parameter = model["current"]
            set_now = [
                c["step"] == step
                for c in CHANGES
                if (c["population"], c["variable"]) == (name, parameter)
            ]
            if step == 0 or any(set_now):
                self.constant[name] = getattr(group, parameter)[:].copy()
            setattr(group, parameter, self.constant[name] + current * model["current_unit"])

    def _run_binary(self, driven, spikes):
        """Run the compiled network with these start values and input spikes."""
        arguments = {getattr(self.groups[name], v): value for name, v, value in driven}
        for name, raster in self.rasters.items():
            values = np.zeros(raster.values.shape)
            values[spikes[name]] = 1.0
            arguments[raster] = values
        brian2.device.run(run_args=arguments, with_output=False)
        brian2.device.delete(code=False, data=False, directory=False)  # only the arguments


def in_steps(t):
    """Return times as whole steps."""
    return np.rint(np.asarray(t / DT)).astype(np.int64)


def unit_of(name, variable):
    """Return the unit of a state variable of a population."""
    return MODELS[POPULATIONS[name]["model"]]["states"][variable]["unit"]


def parse():
    """Return the options of the command line, what to record, images, labels and checkpoints."""
    recordable = images.recordable(INPUTS, POPULATIONS, MODELS)
    parser = command_line.parser(f"{NAME}: a spiking network in Brian2.", N_STEPS, recordable)
    parser.add_argument("--codegen", choices=["numpy", "cython"], default="numpy")
    parser.add_argument("--standalone", metavar="DIR", help="compile to C++ in this folder")
    options = parser.parse_args()
    if options.standalone and STAGES:
        command_line.stop("--standalone: analog stages are computed in Python, not in C++")
    record = command_line.read_record(options.record, recordable)
    x, y = command_line.read_images(options.data, INPUTS, options.images)
    return options, record, x, y


def main():
    """Build the network, show it the images and write the results."""
    options, record, x, y = parse()
    # Avoid compiler options that change how a*b+c or a sum is rounded.
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-ffp-contract=off"]
    brian2.prefs.codegen.target = options.codegen
    if options.standalone:
        options.standalone = str(Path(options.standalone).absolute())
        brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.defaultclock.dt = DT

    started = time.perf_counter()
    traced = images.traced(record, READOUTS)
    network = Network(options.steps, traced, options.standalone)
    results = Results(
        sizes={name: group.N for name, group in {**network.groups, **network.sources}.items()},
        start_steps={name: entry["start_step"] for name, entry in POPULATIONS.items()},
        fan_out=images.fan_out(INPUTS, POPULATIONS, PROJECTIONS, weights),
        outputs=READOUTS,
        record=record,
        checkpoints=command_line.read_checkpoints(options.checkpoints, options.steps),
        dt=float(DT / ms),
        seed=options.seed,
        first=options.first,
        y=y,
    )
    build_seconds = time.perf_counter() - started

    started = time.perf_counter()
    n_images = len(next(iter(x.values())))
    for image in range(n_images):
        sample = {name: values[image] for name, values in x.items()}
        results.add(*network.present(sample, options.first + image, options.seed))
        if not options.quiet:
            print(f"image {image + 1} of {n_images}", flush=True)
    seconds = [build_seconds, time.perf_counter() - started]
    results.save(options.output, seconds=seconds, versions=versions("brian2"))
    results.print_accuracy()


if __name__ == "__main__":
    main()
