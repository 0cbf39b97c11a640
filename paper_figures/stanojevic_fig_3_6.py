"""stanojevic Fig 3.6: double-exponential postsynaptic potentials, and what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.codes.first_spike_exact.decaying import Decay, DecayingIntegrator
from bioconv.data import fit_shape
from bioconv.network import SpikingNetwork
from bioconv.paper_figures.exact_spikes import converted, workload
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.spike_training import accuracy, dataset
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.style import BLUE, GRAY, GREEN, ORANGE, finish, legend_above, panels
from bioconv.simulators.stimulation import stimulate
from bioconv.training import Training, evaluate

#: time constants of the figure; step and duration, all in ms
_TAU_1, _TAU_2, _STEP, _DURATION = 1.0, 2.0, 0.001, 8.0
#: tau_1 in units of the longest interval; Eq 3.18 asks for more than 2
RATIOS = (0.4, 0.5, 0.6, 0.7, 1.0, 2.0, 5.0)
#: those that are fine-tuned
TUNED = (0.4, 0.5, 0.6, 0.7)
#: tau_1 of the claim about fine-tuning
_CLAIMED = 0.6
#: tau_1 at the bound of Eq 3.18
_BOUND = 2.0
_OWN: dict[str, Any] = {"slope": "identical", "ramp": "own", "normalization": "none"}

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 3.6",
    title="Double-exponential postsynaptic potentials, and the accuracy that they leave",
    claims=(
        Claim(
            "peak",
            "time of the largest potential in units of tau_1 ('reached at t > tau_1')",
            1.0986,
            tolerance=0.002,
            source="maximum of Eq 3.15: log(1 + tau_2 / tau_1); tolerance: two time steps",
        ),
        Claim(
            "start",
            "slope of the potential at its start times tau_1, simulated (Eq 3.16)",
            1.0,
            tolerance=0.01,
            source="Eq 3.16; tolerance: ten time steps",
        ),
        Claim(
            "lost_at_bound",
            "points lost without fine-tuning where tau_1 is twice the longest interval ('requires "
            "the following relationship')",
            1.0,
            kind="at most",
            source="Eq 3.18; our reading of the loss that a valid approximation has",
        ),
        Claim(
            "recovered",
            "share of the points lost at a tau_1 of 0.6 intervals that fine-tuning "
            "recovers ('would become crucial')",
            0.5,
            kind="at least",
            source="text; our reading of the number",
        ),
    ),
    data="no network; a VGG16 on CIFAR-10 as an example for time constants",
    substitute="LeNet-5 on MNIST; without data a digits network",
    minutes=8,
)


def compute(context: Context) -> dict[str, NDArray]:
    """The potential after one spike, and accuracies by time constant."""
    decay = Decay.from_published(_TAU_1, _TAU_2)
    neuron = DecayingIntegrator(t_start=_STEP, c_m=1.0, **decay.parameters())
    constant = np.full((round(_DURATION / _STEP), 1), 1.0 / _TAU_1)
    response = stimulate(neuron, constant, duration=_DURATION, dt=_STEP)
    given = workload(context, "lenet5", context.pick(1000, 40))
    ratios = RATIOS if not context.quick else (_CLAIMED, _BOUND)
    tuned = [ratio for ratio in TUNED if ratio in ratios]
    networks = {ratio: _network(given, tau_1=ratio) for ratio in ratios}
    return {
        "time": np.arange(1, len(constant) + 1) * _STEP - _STEP,
        "potential": response.traces["v"][:, 0],
        "ratios": np.array(ratios),
        "plain": np.array([_accuracy(network, given) for network in networks.values()]),
        "tuned ratios": np.array(tuned),
        "tuned": np.array([_tuned(networks[ratio], given, context) for ratio in tuned]),
        "analog": np.array(given.analog_accuracy()),
        "used": np.array(given.used),
    }


def _network(given: Workload, **options: Any) -> SpikingNetwork:
    return converted(given, **_OWN, response="double_exponential", **options)


def _accuracy(network: SpikingNetwork, given: Workload) -> float:
    return accuracy(evaluate(network, given.x), given.y)


def _tuned(network: SpikingNetwork, given: Workload, context: Context) -> float:
    """Return the accuracy after fine-tuning with fixed windows and time constants."""
    data = dataset(context, "mnist", context.pick(8000, 200), 1)
    x = fit_shape(data.x, given.graph.inputs[0].shape)
    options = Training(
        epochs=context.pick(2, 3), batch_size=16, learning_rate=1e-3, clip=1.0, seed=context.seed
    )
    done = bc.finetune(network, x, data.y, options=options, progress=context.progress)
    return _accuracy(done.network, given)


def measure(result: Result) -> dict[str, float]:
    """Return the time of the peak, the slope at the start, and points lost."""
    v, time = result["potential"], result["time"]
    lost = 100 * (float(result["analog"]) - result["plain"])
    at = dict(zip(result["ratios"].tolist(), lost.tolist(), strict=True))
    tuned = dict(zip(result["tuned ratios"].tolist(), result["tuned"].tolist(), strict=True))
    left = 100 * (float(result["analog"]) - tuned[_CLAIMED])
    return {
        "peak": float(time[v.argmax()]) / _TAU_1,
        "start": float(np.diff(v)[1]) / _STEP * _TAU_1,
        "lost_at_bound": at[_BOUND],
        "recovered": (at[_CLAIMED] - left) / max(at[_CLAIMED], 0.1),
    }


def plot(result: Result, context: Context) -> Figure:
    """The potential beside its linear start, and accuracy by time constant."""
    figure, (a, b) = panels(2, columns=2, width=3.6, height=2.8)
    time = result["time"]
    a.plot(time, result["potential"], color=BLUE, label="double exponential")
    a.plot(time[time < 0.5], time[time < 0.5], color=ORANGE, linestyle="--", label="linear")
    finish(a, "response to one spike", r"time ($\tau_1$)", "potential (1)")
    b.plot(result["ratios"], 100 * result["plain"], "o-", color=BLUE, label="converted")
    b.plot(result["tuned ratios"], 100 * result["tuned"], "^", color=GREEN, label="fine-tuned")
    b.axhline(100 * float(result["analog"]), color="k", linestyle=":", label="ReLU network")
    b.set_xscale("log")
    b.axvline(_BOUND, color=GRAY, linewidth=0.8)
    b.annotate("Eq 3.18", (_BOUND, 20), (4, 0), fontsize=7, textcoords="offset points")
    ticks = [ratio for ratio in result["ratios"] if ratio != 0.6]  # too close to its neighbour
    b.set_xticks(ticks, [f"{ratio:g}" for ratio in ticks])
    b.minorticks_off()
    b.set_ylim(0, 102)
    finish(b, "accuracy", r"$\tau_1$ (longest coding interval)", "accuracy (%)")
    legend_above(figure, a, b)
    return figure
