"""stoeckl Fig 5: number of spikes by input, and influence of K and of the parameters' bits."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from bioconv.analog.functions import Elementwise, ReLU, Sigmoid, Silu
from bioconv.codes import FewSpikesCode
from bioconv.codes.few_spikes.standard import region_of, standard_table
from bioconv.conversion import convert
from bioconv.paper_figures.few_spikes import mean_squared_error, neuron_responses
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.workloads import Workload, cifar10
from bioconv.plots.style import BLUE, RED, finish, panels
from bioconv.simulators import simulate

#: the paper's models of the inputs: mean and variance
GAUSSIANS = {"SiLU": (-0.112, 1.99), "ReLU": (-0.3697, 2.19)}
BITS = (4, 5, 6, 7, 8, 10, 12)
#: of the ReLU in panel b
ALPHA, K_RELU = 10.0, 6
SHIPPED_K = (4, 8, 12, 16)

MANIFEST = Manifest(
    paper="stoeckl",
    number="Fig 5a-f",
    title="Spikes of a neuron by input (a, b), and error by K and by bits Q (c to f)",
    claims=(
        Claim(
            "silu_spikes",
            "mean number of spikes of a SiLU neuron (K = 16) over the inputs of EfficientNet",
            2.0,
            tolerance=0.5,
            source="text: about two; tolerance: what is rounded to two",
        ),
        Claim(
            "relu_spikes",
            "spikes of a ReLU neuron (K = 6, alpha = 10) over the inputs of ResNet50, for each "
            "binary one of these inputs",
            1.0,
            tolerance=0.01,
            source="text: the output of the ReLU, written as a binary number; tolerance: rounding "
            "of inputs that are multiples",
        ),
        Claim(
            "silu_k_16",
            "SiLU: mean squared error in [-2, 2] at K = 16",
            0.0023,
            kind="at most",
            source="text",
        ),
        Claim(
            "more_bits",
            "error with 6 bits over that with 12, SiLU or sigmoid, the smaller one (falls with Q)",
            2.0,
            kind="at least",
            source="caption: the sign; the factor is our reading",
        ),
        Claim(
            "loss_10",
            "points lost on CIFAR-10 at K = 10 (ResNet50: 0.57, ResNet8: 0.17)",
            0.57,
            kind="at most",
            source="table",
        ),
    ),
    data="CIFAR-10, ResNet50; single neurons",
    substitute="a published ResNet-8 (CIFAR-10); without data a digits network",
    minutes=20,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Spike counts, errors and accuracies."""
    n = context.pick(1001, 201)
    result: dict[str, NDArray] = {}
    neurons = {
        "SiLU": (Silu(), FewSpikesCode(k=16, fit="standard"), (-6, 6)),
        "ReLU": (ReLU(), FewSpikesCode(k=K_RELU, alpha=ALPHA, initial="zero"), (-6, 9.9)),
    }
    for name, (function, code, (low, high)) in neurons.items():
        x = np.linspace(low, high, n)
        result[f"{name}_x"] = x
        result[f"{name}_spikes"] = neuron_responses(function, code, x)["spikes"].sum(axis=1)
    result["silu_by_k"] = np.array([_error(Silu(), k, 0) for k in SHIPPED_K])
    result["silu_by_bits"] = np.array([_error(Silu(), 16, q) for q in BITS])
    result["sigmoid_by_bits"] = np.array([_error(Sigmoid(), 12, q) for q in BITS])
    workload = cifar10(context, "resnet8", context.pick(100, 40))
    steps = np.array([4, 6, 8, 10] if not context.quick else [4, 10])
    result["accuracy_k"] = steps
    result["accuracy"] = np.array([_accuracy(workload, int(k), context) for k in steps])
    result["analog"] = np.array(workload.analog_accuracy())
    result["used"] = np.array(workload.used)
    return result


def _error(function: Elementwise, k: int, bits: int) -> float:
    inner = region_of(function).inner
    x = np.linspace(*inner, 2001)
    table = standard_table(function, k).limited(bits)
    return mean_squared_error(table.value(x), np.asarray(function.value(x), np.float64))


def _accuracy(workload: Workload, k: int, context: Context) -> float:
    network = convert(
        workload.graph, calibration=workload.calibration[:500], code=FewSpikesCode(k=k)
    )
    return simulate(network, workload.x, progress=context.progress).accuracy(workload.y)


def _binary_ones(x: NDArray) -> NDArray[np.int64]:
    """Ones among the digits of each input in units of alpha 2^-K, as ReLU would hand it on."""
    numbers = np.floor(np.maximum(x, 0.0) / ALPHA * 2**K_RELU).astype(np.int64)
    return np.sum(numbers[:, None] >> np.arange(K_RELU) & 1, axis=1)


def measure(result: Result) -> dict[str, float]:
    """Mean spike counts under the paper's Gaussians, errors and loss."""
    spikes, ones = {}, {}
    for name, (mean, variance) in GAUSSIANS.items():
        weight = norm(mean, np.sqrt(variance)).pdf(result[f"{name}_x"])
        spikes[name] = float(np.average(result[f"{name}_spikes"], weights=weight))
        ones[name] = float(np.average(_binary_ones(result[f"{name}_x"]), weights=weight))
    by_bits = np.stack([result["silu_by_bits"], result["sigmoid_by_bits"]])
    falls = by_bits[:, BITS.index(6)] / by_bits[:, BITS.index(12)]
    return {
        "silu_spikes": spikes["SiLU"],
        "relu_spikes": spikes["ReLU"] / ones["ReLU"],
        "silu_k_16": float(result["silu_by_k"][-1]),
        "more_bits": float(falls.min()),
        "loss_10": 100 * float(result["analog"] - result["accuracy"][-1]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Six panels as in the paper."""
    figure, axes = panels(6, columns=2, width=3.4, height=2.2)
    for panel, name in zip(axes, GAUSSIANS, strict=False):
        x = result[f"{name}_x"]
        panel.plot(x, result[f"{name}_spikes"], color=BLUE)
        other = panel.twinx()
        other.plot(x, norm(GAUSSIANS[name][0], np.sqrt(GAUSSIANS[name][1])).pdf(x), color=RED)
        other.set_yticks([])
        finish(panel, name, "input x", "spikes (1)")
    analog = 100 * float(result["analog"])
    axes[2].plot(result["accuracy_k"], 100 * result["accuracy"], "o-", color=BLUE)
    axes[2].axhline(analog, color=RED, linestyle="--")
    finish(axes[2], "network", "K (steps)", "accuracy (%)")
    curves = (
        ("SiLU", SHIPPED_K, "silu_by_k", "K (steps)"),
        ("SiLU, K = 16", BITS, "silu_by_bits", "Q (bits)"),
        ("sigmoid, K = 12", BITS, "sigmoid_by_bits", "Q (bits)"),
    )
    for panel, (title, places, key, label) in zip(axes[3:], curves, strict=True):
        panel.semilogy(places, result[key], "o-", color=BLUE)
        finish(panel, title, label, "mean squared error (1)")
    return figure
