"""stanojevic Fig 3.5: jitter, time steps, weight bits and latency, with and without fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import Affine, AnalogGraph
from bioconv.codes import FirstSpikeExactCode
from bioconv.network import SpikingNetwork
from bioconv.noise import SpikeJitter, WeightQuantization, disturb
from bioconv.paper_figures.exact_spikes import converted, simulated, workload
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.hardware import curves, sweep
from bioconv.paper_figures.spike_training import accuracy
from bioconv.paper_figures.workloads import Workload, cifar10_training
from bioconv.plots.style import BLUE, GREEN, ORANGE, finish, legend_above, panels
from bioconv.training import Training, evaluate

#: standard deviations in time units U, in which an activation of 1 takes 1 U; the thesis gives
#: those of its figure in the picture alone
SIGMAS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPS = (128, 64, 32, 16, 8)
BITS = (10, 8, 6, 5, 4)
#: of the activations of a layer, that its window holds (thesis 3.6.3 (iv))
PERCENTILES = (100.0, 99.0, 95.0, 92.0, 90.0)
#: steps and bits that claims are about
_QUICK = (64, 6, 4)
#: percentile of the weights that the grid spans, on both sides together (thesis 3.6.3 (iii): one a
#: side, four for 4 bits), and of the activations that windows hold in (ii)
_PERCENTILE, _PERCENTILE_4, _STEPS_PERCENTILE = 98.0, 92.0, 99.0
#: chapter 3: the linearly mappable condition (Eq 3.9), where ramps begin with the own window
_CHAPTER_3: dict[str, Any] = {"slope": "identical", "ramp": "own"}
#: there activations are times in U; layers are not scaled, and windows of convolutions are half
#: as long again as the largest activation
_IN_UNITS = {**_CHAPTER_3, "normalization": "none", "zeta": 0.5}
#: scaled layers with windows of one time unit each
_EQUAL: dict[str, Any] = {**_CHAPTER_3, "zeta": 0.0}

#: settings that are fine-tuned
_TUNED: dict[str, tuple[int, ...]] = {"steps": (16,), "bits": (6, 4), "percentile": (95, 92)}
_TUNED_QUICK: dict[str, tuple[int, ...]] = {"steps": (16,), "bits": (6, 4), "percentile": (95,)}

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 3.5",
    title="Jitter, time steps, weight bits and latency, without and with fine-tuning",
    claims=(
        Claim(
            "jitter",
            "points that the largest jitter, 1 time unit, costs ('drastic failure')",
            10.0,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "steps_64",
            "points lost at 64 steps per layer ('very robust until 16': 1.5 with fine-tuning)",
            1.5,
            kind="at most",
            source="text, at more steps",
        ),
        Claim(
            "bits_4",
            "points that weights of 4 bits cost ('complete failure')",
            20.0,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "loss_90",
            "points that windows for the 90th percentile cost ('detrimental')",
            10.0,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "latency_95",
            "latency with windows for the 95th percentile, in per cent of the initial one",
            33.0,
            tolerance=1.0,
            source="text: about 33 %; another network here, whose activations have another tail",
        ),
        Claim(
            "latency_90",
            "latency with windows for the 90th percentile, in per cent of the initial one",
            22.0,
            tolerance=1.0,
            source="text; another network here, whose activations have another tail",
        ),
        Claim(
            "tuned_16",
            "points lost at 16 steps per layer after fine-tuning",
            1.5,
            kind="at most",
            source="text",
        ),
        Claim(
            "tuned_6",
            "points lost with weights of 6 bits after fine-tuning",
            1.0,
            kind="at most",
            source="text",
        ),
        Claim(
            "recovered_4",
            "share of the loss with weights of 4 bits that fine-tuning recovers ('from a complete "
            "failure')",
            0.8,
            kind="at least",
            source="text; our reading of the number",
        ),
        Claim(
            "tuned_95",
            "points lost with windows for the 95th percentile after fine-tuning ('close to 1')",
            1.0,
            tolerance=1.0,
            source="text",
        ),
    ),
    data="CIFAR-10, VGG16",
    substitute="a published CIFAR-10 network; without data a digits network",
    minutes=30,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy under each of the four restrictions."""
    given = workload(context, "resnet8", context.pick(100, 40))
    network = converted(given, **_IN_UNITS)
    unit = float(network.code["time_unit"])
    n = context.pick(4, 2)
    shorter = [converted(given, **_IN_UNITS, percentile=p) for p in PERCENTILES]
    jitter = sweep(network, given, lambda s: SpikeJitter(s * unit), SIGMAS, n)
    return {
        "jitter": jitter,
        "steps": _some(STEPS, lambda k: _in_steps(given, k), context),
        "bits": _some(BITS, lambda bits: _with_bits(given, bits), context),
        "chip bits": _some(BITS, lambda bits: _after_conversion(given, bits), context),
        **_tuned(given, context),
        "short": np.array([simulated(each, given.x).accuracy(given.y) for each in shorter]),
        "latency": np.array([float(each.code["latency_units"]) for each in shorter]),
        "analog": np.array(given.analog_accuracy()),
        "used": np.array(given.used),
    }


def _tuned(given: Workload, context: Context) -> dict[str, NDArray]:
    """Return accuracies after fine-tuning with fixed windows, at the settings of the claims."""
    code = FirstSpikeExactCode(**_EQUAL, percentile=_STEPS_PERCENTILE)
    x, y = cifar10_training(context, "resnet8")
    chosen = _TUNED_QUICK if context.quick else _TUNED
    found: dict[str, NDArray] = {}
    for kind, settings in chosen.items():
        values = []
        for value in settings:
            network, more = _plain(given, code, kind, value)
            done = bc.finetune(
                network,
                x,
                y,
                options=Training(epochs=context.pick(3, 1), learning_rate=1e-5),
                progress=context.progress,
                **more,
            )
            outputs = evaluate(done.network, given.x, **_noise_of(more))
            values.append(accuracy(outputs, given.y))
        found[f"tuned {kind}"] = np.array(values)
        found[f"settings {kind}"] = np.array(settings, np.int64)
    return found


def _plain(
    given: Workload, code: FirstSpikeExactCode, kind: str, value: int
) -> tuple[SpikingNetwork, dict[str, Any]]:
    """Return the network before fine-tuning, and its restriction."""
    if kind == "bits":
        return converted(given, **_EQUAL), {"imperfections": [_rounding(value)]}
    if kind == "percentile":
        return converted(given, **_IN_UNITS, percentile=float(value)), {}
    network = bc.convert(
        given.graph, calibration=given.calibration, code=code, dt=code.time_unit / value
    )
    return network, {"time_grid": True}


def _noise_of(more: dict[str, Any]) -> dict[str, Any]:
    """Return the restrictions that hold after fine-tuning, too: weights are rounded already."""
    return {key: value for key, value in more.items() if key == "time_grid"}


def _some(
    settings: Sequence[int], accuracy: Callable[[int], float], context: Context
) -> NDArray[np.float64]:
    """Return the accuracy with each setting, or only with those of the claims on a quick run."""
    wanted = _QUICK if context.quick else settings
    return np.array([accuracy(value) if value in wanted else np.nan for value in settings])


def _in_steps(given: Workload, k: int) -> float:
    """Accuracy with windows of ``k`` steps: spikes on the grid of the array simulator."""
    code = FirstSpikeExactCode(**_EQUAL, percentile=_STEPS_PERCENTILE)
    step = code.time_unit / k
    network = bc.convert(given.graph, calibration=given.calibration, code=code, dt=step)
    recording = bc.simulate(network, given.x, progress=False)
    return recording.accuracy(given.y)


def _rounding(bits: int) -> WeightQuantization:
    return WeightQuantization(bits, percentile=_PERCENTILE_4 if bits <= 4 else _PERCENTILE)


def _with_bits(given: Workload, bits: int) -> float:
    """Accuracy if weights are rounded before the mapping, which adjusts all other parameters."""
    rounded = replace(given, graph=_rounded(given.graph, bits))
    return simulated(converted(rounded, **_EQUAL), given.x).accuracy(given.y)


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
    chip = disturb(converted(given, **_EQUAL), _rounding(bits))
    return simulated(chip, given.x).accuracy(given.y)


def measure(result: Result) -> dict[str, float]:
    """Return points lost and latencies.

    Losses are relative to the spiking network without restrictions, so that a network that never
    works fails these claims.
    """
    free = float(result["short"][0])
    share = 100 * result["latency"] / result["latency"][0]
    plain = dict(zip(BITS, result["bits"], strict=True))
    bits = dict(zip(result["settings bits"].tolist(), result["tuned bits"], strict=True))
    lost_4 = max(free - float(plain[4]), 1e-3)
    return {
        "tuned_16": 100 * float(free - result["tuned steps"][0]),
        "tuned_6": 100 * float(free - bits[6]),
        "recovered_4": float(bits[4] - plain[4]) / lost_4,
        "tuned_95": 100 * float(free - result["tuned percentile"][0]),
        "jitter": 100 * float(np.mean(result["jitter"][0]) - np.mean(result["jitter"][-1])),
        "steps_64": 100 * float(result["analog"] - result["steps"][STEPS.index(64)]),
        "bits_4": 100 * (free - float(result["bits"][BITS.index(4)])),
        "loss_90": 100 * (free - float(result["short"][-1])),
        "latency_95": float(share[PERCENTILES.index(95.0)]),
        "latency_90": float(share[PERCENTILES.index(90.0)]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Four panels as in the thesis."""
    figure, (a, b, c, d) = panels(4, columns=2, width=3.6, height=2.6)
    curves(a, SIGMAS, {"": result["jitter"]}, linear=1e-2)
    finish(a, "", "standard deviation of spike times (time units U)", "accuracy (%)")
    b.plot(STEPS, 100 * result["steps"], "o-", color=BLUE)
    b.plot(result["settings steps"], 100 * result["tuned steps"], "^", color=GREEN, label="tuned")
    b.set_xscale("log", base=2)
    b.set_xticks(STEPS, [str(k) for k in STEPS])
    b.invert_xaxis()
    finish(b, "", "time steps of a layer", "accuracy (%)")
    c.plot(BITS, 100 * result["bits"], "o-", color=BLUE, label="rounded, then mapped")
    c.plot(BITS, 100 * result["chip bits"], "s--", color=ORANGE, label="mapped, then rounded")
    c.plot(result["settings bits"], 100 * result["tuned bits"], "^", color=GREEN, label="tuned")
    c.set_xticks(BITS)
    c.invert_xaxis()
    legend_above(figure, c)
    finish(c, "", "bits of a weight", "accuracy (%)")
    latency = 100 * result["latency"] / result["latency"][0]
    d.plot(latency, 100 * result["short"], "o-", color=BLUE)
    place = [latency[PERCENTILES.index(float(p))] for p in result["settings percentile"]]
    d.plot(place, 100 * result["tuned percentile"], "^", color=GREEN)
    for number, percentile in enumerate(PERCENTILES):
        point = (latency[number], 100 * result["short"][number])
        below = -10 - 9 * (number % 2)  # neighbours are close together
        d.annotate(f"{percentile:g}", point, (3, below), fontsize=7, textcoords="offset points")
    d.invert_xaxis()
    finish(d, "", "latency (% of that at percentile 100)", "accuracy (%)")
    for axes in (a, b, c, d):
        axes.axhline(100 * float(result["analog"]), color="k", linestyle=":", linewidth=0.9)
        axes.set_ylim(0, 102)
    return figure
