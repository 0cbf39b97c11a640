"""Build the spiking network of the rate code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import MaxPool, Softmax
from bioconv.codes.calibration import (
    LowestValues,
    input_scales,
    measure,
    typical_activations,
)
from bioconv.codes.membrane import Membrane
from bioconv.codes.names import identifiers
from bioconv.codes.rate_populations import Plan, add_gates, add_readout, add_spiking
from bioconv.codes.rewriting import rewrite
from bioconv.codes.rewritten import Rewritten
from bioconv.errors import ConversionError, ParameterError, Problem
from bioconv.network import Input, SpikingNetwork
from bioconv.neurons import Neuron

if TYPE_CHECKING:
    from bioconv.codes.rate import RateCode


def build(
    code: RateCode,
    graph: AnalogGraph,
    calibration: dict[str, NDArray],
    neuron: Neuron,
    *,
    dt: float,
    n_steps: int,
    seed: int,
) -> SpikingNetwork:
    """The spiking network of ``graph``; see `bioconv.convert`.

    Raises
    ------
    ConversionError
        With every layer that cannot spike, and every reason why the neuron cannot carry a rate.
    """
    rewritten = rewrite(graph, LowestValues(graph, calibration))
    _check_readouts(code, rewritten)
    scales = measure(code, rewritten, calibration)
    membrane = Membrane.of(
        neuron, dt, code.max_rate, lambda: typical_activations(rewritten, scales, calibration)
    )
    inputs = _inputs(code, graph, calibration)
    depths, releases = _times(rewritten, code)
    _check_duration(n_steps, max(releases.values()))
    plan = Plan(
        code,
        graph,
        rewritten,
        membrane,
        scales,
        inputs,
        _names(rewritten),
        depths,
        releases,
        rewritten.carried(graph),
        {entry.name: 0 for entry in inputs.values()},
    )
    for layer in rewritten.layers:
        if isinstance(layer.function, MaxPool):
            add_gates(plan, layer)
        else:
            add_spiking(plan, layer)
    for layer, name in zip(rewritten.readouts, graph.outputs, strict=True):
        add_readout(plan, layer, name)
    return SpikingNetwork(
        name=identifiers([graph.name])[0],
        dt=dt,
        n_steps=n_steps,
        inputs=tuple(inputs.values()),
        populations=tuple(plan.populations),
        projections=tuple(plan.projections),
        drives=tuple(plan.drives),
        changes=tuple(plan.changes),
        readouts=tuple(plan.readouts),
        analog=graph,
        code=_record(plan, neuron, calibration, seed),
    )


def _check_readouts(code: RateCode, rewritten: Rewritten) -> None:
    problems = [
        Problem(
            layer.name,
            type(layer.function).__name__,
            "readout 'softmax' draws classes, but this output is no single softmax.",
            "Use readout 'potential'.",
        )
        for layer in rewritten.readouts
        if code.readout == "softmax"
        and not (isinstance(layer.function, Softmax) and len(layer.shape) == 1)
    ]
    if problems:
        raise ConversionError(f"{rewritten.name!r} cannot be read out this way:", problems)


def _check_duration(n_steps: int, start: int) -> None:
    if n_steps <= start:
        raise ParameterError(
            f"n_steps = {n_steps} is too short: the output starts in step {start}. Use more steps, "
            "or a smaller clamp."
        )


def _inputs(
    code: RateCode, graph: AnalogGraph, calibration: Mapping[str, NDArray]
) -> dict[str, Input]:
    names = identifiers(entry.name for entry in graph.inputs)
    inputs = {}
    for entry, name in zip(graph.inputs, names, strict=True):
        if code.input == "current":
            inputs[entry.name] = Input(name, entry.shape)
            continue
        largest, signed = input_scales(calibration[entry.name])
        inputs[entry.name] = Input(name, entry.shape, code.input, 1.0 / largest, signed)
    return inputs


def _names(rewritten: Rewritten) -> dict[str, str]:
    keys = [entry.name for entry in rewritten.inputs]
    keys += [layer.name for layer in (*rewritten.layers, *rewritten.readouts)]
    return dict(zip(keys, identifiers(keys), strict=True))


def _times(rewritten: Rewritten, code: RateCode) -> tuple[dict[str, int], dict[str, int]]:
    """Longest path to each layer, in delays, and the step in which the layer is released."""
    depths = {entry.name: 0 for entry in rewritten.inputs}
    releases = dict(depths)
    currents = set(depths) if code.input == "current" else set()
    for layer in (*rewritten.layers, *rewritten.readouts):
        sources = {term.source for term in layer.inputs[0].terms} - currents
        # A gate passes spikes on and has no transient of its own to wait for.
        wait = min(1, code.clamp) if isinstance(layer.function, MaxPool) else code.clamp
        depths[layer.name] = max((depths[s] + 1 for s in sources), default=0)
        releases[layer.name] = max((releases[s] + wait for s in sources), default=0)
    return depths, releases


def _record(
    plan: Plan, neuron: Neuron, calibration: Mapping[str, NDArray], seed: int
) -> dict[str, str | int | float | bool]:
    """Everything that set the network up, as plain values."""
    values = np.concatenate([np.ravel(scale) for scale in plan.scales.of.values()])
    membrane = plan.membrane
    return {
        **plan.code.options(),
        "neuron": neuron.model.name,
        "max_rate": membrane.max_rate,
        "drive_current": membrane.current,
        "drive_gain": membrane.gain,
        "drive_residual": membrane.residual,
        "exact": membrane.exact,
        "calibration_samples": len(next(iter(calibration.values()))),
        "smallest_scale": float(values.min()),
        "largest_scale": float(values.max()),
        "silent_layers": ", ".join(plan.names[name] for name in plan.scales.silent_layers),
        "silent_channels": plan.scales.n_silent_channels,
        "depth": max(plan.depths.values()),
        "seed": seed,
    }
