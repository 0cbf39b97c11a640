"""stanojevic Fig 2.4: spikes of one image in all layers, trajectories, and spike times."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.paper_figures.exact_spikes import (
    agreement,
    closing,
    converted,
    hidden,
    simulated,
    workload,
)
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.style import BLUE, GREEN, RED, finish, legend_above, panels

N_SHOWN, N_BINS = 10, 40

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 2.4",
    title="Spikes of an image in consecutive layers, potentials, and a histogram of spike times",
    claims=(
        Claim(
            "active",
            "neurons of layer 2 that fire before t_max, per cent",
            34.92,
            tolerance=1.0,
            source="caption; tolerance: the spread of the thesis's networks for one dataset (Table "
            "2.1); another network here",
        ),
        Claim(
            "agreement",
            "images whose largest output potential is that of the ReLU network, per cent",
            100.0,
            kind="at least",
            source="caption",
        ),
        Claim(
            "most_spikes",
            "largest number of spikes of a neuron",
            1.0,
            source="text",
        ),
        Claim(
            "window_ratio",
            "longest over shortest window of the layers ('varies considerably')",
            1.5,
            kind="at least",
            source="text; our reading of the number",
        ),
    ),
    data="CIFAR-10, VGG16, a cat",
    substitute="the first test image of CIFAR-10 and a published network with two convolutions; "
    "without data a digits network",
    minutes=2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Spikes of the first image, potentials of three neurons, spike times of all images."""
    given = workload(context, "cnn", context.pick(200, 20))
    network = converted(given, normalization="none")
    spiking = [p for p in network.populations if p.model.threshold]
    recording = simulated(network, given.x, *(p.name for p in spiking), dtype="float64")
    second = hidden(network)[1]
    neurons, traces, spikes = _trajectories(network, given, recording, second)
    raster = recording.rasters[second.name]
    assert raster.time is not None
    close, opened = closing(second), float(np.asarray(second.parameters["t_open"]))
    counts, edges = np.histogram(raster.time, np.linspace(opened, close + 1e-9, N_BINS + 1))
    shown = [_shown(p, recording, context.seed) for p in spiking]
    windows = [closing(p) - float(np.asarray(p.parameters["t_open"])) for p in hidden(network)]
    return {
        "layers": np.array([p.name for p in spiking]),
        "times": np.array([times for times, _ in shown]),
        "values": np.array([values for _, values in shown]),
        "second": np.array(second.name),
        "neurons": neurons,
        "traces": traces,
        "threshold": np.broadcast_to(second.parameters["v_th"], second.shape).ravel()[neurons],
        "spikes": spikes,
        "span": np.array([opened, close]),
        "counts": counts / len(raster.time),
        "edges": edges,
        "active": np.array(np.mean(raster.time < close - 1e-9)),
        "windows": np.array(windows),
        "most": np.array(max(_most(recording, p) for p in spiking)),
        "agreement": np.array(agreement(given, recording)),
        "outputs": recording.outputs[recording.readout][0].ravel(),
        "dt": np.array(network.dt),
        "used": np.array(given.used),
    }


def _trajectories(
    network: SpikingNetwork, given: Workload, recording: Recording, layer: Population
) -> tuple[NDArray, NDArray, NDArray]:
    """Return potentials and spikes of three neurons in the channel of the earliest spike."""
    raster = recording.rasters[layer.name]
    assert raster.time is not None
    times = np.zeros(layer.n_neurons)
    first = raster.image == 0
    times[raster.neuron[first]] = raster.time[first]
    channels = layer.shape[-1]
    same = np.arange(times.argmin() % channels, layer.n_neurons, channels)
    ordered = same[np.argsort(times[same])]
    neurons = ordered[[0, min(len(ordered) // 6, len(ordered) - 1), -1]]
    traced = bc.simulate(
        network, given.x[:1], record={layer.name: ("v",)}, dtype="float64", progress=False
    )
    return neurons, traced.traces[layer.name, "v"][0][:, neurons], times[neurons]


def _shown(population: Population, recording: Recording, seed: int) -> tuple[NDArray, NDArray]:
    """Return spike times and values of the earliest neuron and nine others."""
    raster = recording.rasters[population.name]
    assert raster.time is not None
    times = np.sort(raster.time[raster.image == 0])
    others = np.random.default_rng(seed).choice(times[1:], N_SHOWN - 1, replace=False)
    chosen = np.concatenate([times[:1], others])
    span = max(times[-1] - times[0], 1e-9)
    return chosen, (times[-1] - chosen) / span


def _most(recording: Recording, population: Population) -> int:
    raster = recording.rasters[population.name]
    pairs = raster.image * population.n_neurons + raster.neuron
    return int(np.bincount(pairs).max())


def measure(result: Result) -> dict[str, float]:
    """Return the shares in per cent."""
    return {
        "active": float(100 * result["active"]),
        "agreement": float(100 * result["agreement"]),
        "most_spikes": float(result["most"]),
        "window_ratio": float(result["windows"].max() / result["windows"].min()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Raster, trajectories, histogram."""
    figure, (raster, inset, histogram) = panels(3, width=4.4, height=3.6)
    n = len(result["layers"])
    for row, (times, values) in enumerate(zip(result["times"], result["values"], strict=True)):
        places = row * (N_SHOWN + 3) + np.arange(N_SHOWN)
        raster.scatter(times, places, c=values, cmap="viridis_r", s=10, vmin=0, vmax=1)
    raster.set_yticks(np.arange(n) * (N_SHOWN + 3) + N_SHOWN / 2, list(result["layers"]))
    raster.invert_yaxis()
    finish(raster, "ten neurons per layer", "time (ms)", "")
    steps = (np.arange(len(result["traces"])) + 1) * float(result["dt"])
    for k, color in enumerate((RED, BLUE, GREEN)):
        seen = (steps <= result["spikes"][k]) & (result["traces"][:, k] != 0)
        inset.plot(steps[seen], result["traces"][seen, k], color=color)
        # A neuron that has not reached its threshold when the window closes fires below it.
        inset.plot(result["spikes"][k], result["traces"][seen, k][-1], "o", color=color)
    inset.axhline(result["threshold"][0], color="k", linewidth=0.8, label="threshold")
    inset.axvline(result["span"][0], color="gray", linestyle=":", label="t_min")
    finish(inset, f"three neurons of {result['second']}", "time (ms)", "potential (mV)")
    legend_above(figure, inset)
    centers = (result["edges"][1:] + result["edges"][:-1]) / 2
    histogram.bar(centers, 100 * result["counts"], width=np.diff(result["edges"]))
    histogram.set_yscale("log")
    share = 100 * float(result["active"])
    finish(histogram, f"{share:.1f} % fire before t_max", "time (ms)", "spikes in a bin (%)")
    return figure
