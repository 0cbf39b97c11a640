"""mueller Fig 2.4: Hodgkin-Huxley, leaky and perfect integrate-and-fire under one current."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.neurons import HodgkinHuxley, IntegrateAndFire, LeakyIntegrateAndFire, Neuron
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, GRAY, LABEL, RED, finish, legend_above, panels
from bioconv.simulators.stimulation import stimulate

#: ms, pA: the two pulses (start, end, current)
PULSES = ((10.0, 30.0, 1000.0), (60.0, 85.0, 500.0))
DURATION, STEP = 110.0, 0.05
#: mV from rest to threshold, and pF, of both integrators
_GAP, _C_M = 15.0, 450.0
_REST = {"LIF": -65.0, "IF": 0.0}


def _membrane(rest: float) -> dict[str, Any]:
    return {"v_reset": rest, "v_th": rest + _GAP, "c_m": _C_M}


def neurons() -> dict[str, Neuron]:
    """Return the three neurons.

    The second pulse is below the rheobase of the leaky neuron (519 pA) and below that of
    repetitive firing of the squid axon (600 pA), which fires only at the onset of the pulse.
    """
    lif, perfect = (_membrane(rest) for rest in _REST.values())
    return {
        "Hodgkin-Huxley": HodgkinHuxley(),
        "LIF": LeakyIntegrateAndFire(v_rest=_REST["LIF"], tau_m=13.0, **lif),
        "IF": IntegrateAndFire("value", **perfect),
    }


MANIFEST = Manifest(
    paper="mueller",
    number="Fig 2.4",
    title="Voltage courses of Hodgkin-Huxley, LIF and IF neurons under one current",
    claims=tuple(
        Claim(f"{name}_{pulse}", f"spikes of {name} in the {word} pulse", count, source="caption")
        for name, counts in (("Hodgkin-Huxley", (2, 1)), ("LIF", (2, 0)), ("IF", (2, 2)))
        for pulse, word, count in zip((1, 2), ("first", "second"), counts, strict=True)
    ),
    data="three neurons, two current pulses",
    substitute="our own current and parameters of the integrators, which the thesis does not give",
    minutes=0.3,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Potentials and spike times of the three neurons."""
    time = np.arange(round(DURATION / STEP)) * STEP
    current = np.zeros((len(time), 1))
    for start, end, level in PULSES:
        current[(time >= start - STEP / 2) & (time < end - STEP / 2)] = level
    result = {"current": current[:, 0], "time": time + STEP, "used": np.array(MANIFEST.data)}
    for name, neuron in neurons().items():
        response = stimulate(neuron, current, duration=DURATION, dt=STEP)
        result[f"{name} v"] = response.traces["v"][:, 0]
        result[f"{name} spikes"] = response.spike_times[0]
    return result


def measure(result: Result) -> dict[str, float]:
    """Return the numbers of spikes before and after the start of the second pulse."""
    edges = [0.0, PULSES[1][0], DURATION]
    return {
        f"{name}_{pulse + 1}": float(count)
        for name in neurons()
        for pulse, count in enumerate(np.histogram(result[f"{name} spikes"], edges)[0])
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the current and below it the three potentials."""
    figure, axes = panels(1, rows=4, width=6.4, height=1.35)
    axes[0].plot(result["time"], result["current"] * 1e-3, color=GRAY)
    finish(axes[0], "", "", "current (nA)")
    for panel, name in zip(axes[1:], neurons(), strict=True):
        panel.plot(result["time"], result[f"{name} v"], color=BLUE, linewidth=1)
        for at in result[f"{name} spikes"]:
            panel.axvline(at, ymin=0.88, color="black", linewidth=0.9)
        if name != "Hodgkin-Huxley":
            threshold = _REST[name] + _GAP
            panel.axhline(threshold, color=RED, linewidth=0.8, linestyle="--", label="threshold")
        low, high = panel.get_ylim()
        panel.set_ylim(low, high + 0.25 * (high - low))
        finish(panel, "", "", "v (mV)")
        panel.set_title(name, fontsize=LABEL, loc="left")
    for panel in axes:
        panel.set_xlim(0, DURATION)
        panel.tick_params(labelbottom=panel is axes[-1])
    axes[-1].set_xlabel("time (ms)", fontsize=LABEL)
    legend_above(figure, *axes)
    return figure
