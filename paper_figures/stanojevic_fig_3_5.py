"""stanojevic Fig 3.5: jitter, time steps, weight bits and latency, without fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import Affine, AnalogGraph
from bioconv.codes import FirstSpikeExactCode
from bioconv.noise import SpikeJitter, WeightQuantization, disturb
from bioconv.paper_figures.exact_spikes import converted, simulated, workload
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.hardware import curves, sweep
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.style import BLUE, ORANGE, finish, panels

#: standard deviations in time units; steps of a window; bits; windows by zeta
SIGMAS = (0.0, 0.001, 0.01, 0.03, 0.1)
STEPS = (128, 64, 32, 16, 8)
BITS = (10, 8, 6, 5, 4)
ZETAS = (0.0, -0.3, -0.5, -0.67, -0.78)
#: steps and bits that claims are about
_QUICK = (64, 4)
#: percentile of the weights that the grid spans, on both sides together (thesis B: one a side,
#: four for 4 bits)
_PERCENTILE, _PERCENTILE_4 = 98.0, 92.0

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 3.5",
    title="Jitter, time steps, weight bits and latency, without fine-tuning",
    claims=(
        Claim(
            "jitter",
            "points lost at the largest jitter ('drastic failure')",
            10.0,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "steps_64",
            "points lost at 64 steps a layer ('very robust until 16')",
            1.5,
            kind="at most",
            source="text; our reading of the number",
        ),
        Claim(
            "bits_4",
            "points lost with weights of 4 bits ('complete failure')",
            20.0,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "latency_22",
            "points lost with windows of 22 % ('detrimental')",
            10.0,
            kind="at least",
            source="text: 22 % of the latency; our reading of the number",
        ),
    ),
    data="CIFAR-10, VGG16",
    substitute="a published CIFAR-10 network; without data a digits network; windows are those of "
    "layers scaled to the largest activation, not to a percentile of it",
    minutes=15,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy under each of the four restrictions."""
    given = workload(context, "resnet8", context.pick(100, 40))
    network = converted(given, zeta=0.0)
    unit = float(network.code["time_unit"])
    n = context.pick(4, 2)
    zetas = [converted(given, zeta=zeta) for zeta in ZETAS]
    jitter = sweep(network, given, lambda s: SpikeJitter(s * unit), SIGMAS, n)
    return {
        "jitter": jitter,
        "steps": _some(STEPS, lambda k: _in_steps(given, k), context),
        "bits": _some(BITS, lambda bits: _with_bits(given, bits), context),
        "chip bits": _some(BITS, lambda bits: _after_conversion(given, bits), context),
        "short": np.array([simulated(z, given.x).accuracy(given.y) for z in zetas]),
        "analog": np.array(given.analog_accuracy()),
        "used": np.array(given.used),
    }


def _some(
    settings: Sequence[int], accuracy: Callable[[int], float], context: Context
) -> NDArray[np.float64]:
    """Accuracy with each setting; on a quick run with those only that claims are about."""
    wanted = _QUICK if context.quick else settings
    return np.array([accuracy(value) if value in wanted else np.nan for value in settings])


def _in_steps(given: Workload, k: int) -> float:
    """Accuracy with windows of ``k`` steps: spikes on the grid of the array simulator."""
    code = FirstSpikeExactCode(zeta=0.0)
    step = code.time_unit / k
    network = bc.convert(given.graph, calibration=given.calibration, code=code, dt=step)
    recording = bc.simulate(network, given.x, progress=False)
    return recording.accuracy(given.y)


def _rounding(bits: int) -> WeightQuantization:
    return WeightQuantization(bits, percentile=_PERCENTILE_4 if bits <= 4 else _PERCENTILE)


def _with_bits(given: Workload, bits: int) -> float:
    """Accuracy if weights are rounded before the mapping, which adjusts all other parameters."""
    rounded = replace(given, graph=_rounded(given.graph, bits))
    return simulated(converted(rounded, zeta=0.0), given.x).accuracy(given.y)


def _rounded(graph: AnalogGraph, bits: int) -> AnalogGraph:
    rounding = _rounding(bits)

    def affine(entry: Affine) -> Affine:
        terms = [
            replace(term, operator=term.operator.map_weights(rounding.rounded))
            for term in entry.terms
        ]
        return replace(entry, terms=tuple(terms))

    layers = [replace(layer, inputs=tuple(map(affine, layer.inputs))) for layer in graph.layers]
    return replace(graph, layers=tuple(layers))


def _after_conversion(given: Workload, bits: int) -> float:
    """Accuracy if only the synapses of the converted network are rounded."""
    chip = disturb(converted(given, zeta=0.0), _rounding(bits))
    return simulated(chip, given.x).accuracy(given.y)


def measure(result: Result) -> dict[str, float]:
    """Points lost against the ReLU network."""
    analog = float(result["analog"])

    def loss(key: str, index: int) -> float:
        return 100 * (analog - float(np.mean(result[key][index])))

    return {
        "jitter": loss("jitter", -1),
        "steps_64": loss("steps", STEPS.index(64)),
        "bits_4": loss("bits", BITS.index(4)),
        "latency_22": loss("short", -1),
    }


def plot(result: Result, context: Context) -> Figure:
    """Four panels as in the thesis."""
    figure, (a, b, c, d) = panels(4, columns=2, width=3.6, height=2.6)
    curves(a, SIGMAS, {"": result["jitter"]}, linear=1e-3)
    finish(a, "a", "standard deviation of spike times (time units)", "accuracy (%)")
    b.plot(STEPS, 100 * result["steps"], "o-", color=BLUE)
    b.set_xscale("log", base=2)
    b.set_xticks(STEPS, [str(k) for k in STEPS])
    b.invert_xaxis()
    finish(b, "b", "time steps of a layer", "accuracy (%)")
    c.plot(BITS, 100 * result["bits"], "o-", color=BLUE, label="rounded, then mapped")
    c.plot(BITS, 100 * result["chip bits"], "s--", color=ORANGE, label="mapped, then rounded")
    c.set_xticks(BITS)
    c.invert_xaxis()
    c.legend(fontsize=7, frameon=False)
    finish(c, "c", "bits of a weight", "accuracy (%)")
    windows = [100 * (1 + zeta) for zeta in ZETAS]
    d.plot(windows, 100 * result["short"], "o-", color=BLUE)
    d.invert_xaxis()
    finish(d, "d", "windows of the layers (% of what they need)", "accuracy (%)")
    for axes in (a, b, c, d):
        axes.axhline(100 * float(result["analog"]), color="k", linestyle=":", linewidth=0.9)
        axes.set_ylim(0, 102)
    return figure
