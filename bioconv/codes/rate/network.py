"""Construction of the spiking network of the rate code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Embedding, FICurve, MaxPool, ReLU, Softmax
from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common.adaptation import drifts, warn_of_drift
from bioconv.codes.common.assembly import add_all
from bioconv.codes.common.calibration import (
    RECTIFIERS,
    LowestValues,
    Scales,
    activity_of,
    input_scales,
    measure,
)
from bioconv.codes.common.driving import SPIKES
from bioconv.codes.common.expectation import Level, applied, expect
from bioconv.codes.common.layout import asked_steps, describe_options, names
from bioconv.codes.common.layout import depths as depths_of
from bioconv.codes.common.membrane import Membrane
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.rate.code import RateCode
from bioconv.codes.rate.correction import Correction, correct
from bioconv.codes.rate.curve import curves_of, layer_curves, membrane_of_curves
from bioconv.codes.rate.populations import (
    RatePlan,
    add_gates,
    add_readout,
    add_spiking,
    add_stage,
)
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.ground.progress import LOG
from bioconv.network import Input, SpikingNetwork
from bioconv.neurons import Neuron

#: default number of steps for which a sample is presented to perfect integrators
DEFAULT_STEPS = 500
#: synaptic time constants per layer to wait before outputs are read
_BUILD_UP = 1.0
#: smallest share of the usual duration for which outputs are read
_READ = 0.65
#: smallest share of the usual duration for which the outputs of clamped networks are read
_READ_CLAMPED = 0.5
#: share of any duration after which outputs are read at the latest
_LATEST = 0.75


def build(code: RateCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : RateCode
    request : Request
        ``dt`` is by default 1 ms for a perfect integrator, and otherwise the step that the neuron
        requires.  ``n_steps`` is by default 500 for a perfect integrator, and otherwise corresponds
        to 300 ms, or more at rates below 130 Hz.

    Raises
    ------
    ConversionError
        Some layers cannot be converted to spiking neurons, or the neuron is not suited to the rate
        code.  The message lists all layers and reasons.
    """
    graph, calibration, neuron = request.graph, request.calibration, request.neuron
    rewritten = rewrite(graph, LowestValues(graph, calibration), stages=True)
    _check_readouts(code, rewritten)
    scales = measure(
        rewritten,
        calibration,
        percentile=code.percentile,
        normalization=code.normalization,
        over=code.over,
        readout=code.readout,
    )
    _check_arrays(neuron, rewritten)
    curves = curves_of(rewritten.layers)
    activity = activity_of(rewritten, scales, calibration)
    LOG.info("fitting the drive of %s", neuron.model.name)
    membrane = (
        membrane_of_curves(curves, neuron, request.dt, activity, code)
        if curves
        else Membrane.of(neuron, request.dt, code.max_rate, **activity, noise=code.noise)
    )
    _check_stages(rewritten, membrane)
    warn_of_drift(membrane.neuron.model.name, membrane.report)
    exact, neuron_curves = rewritten, dict[str, FICurve]()
    if membrane.report and not curves:
        neuron_curves = layer_curves(
            code, rewritten, scales, membrane, neuron, activity, code.irregularity
        )
    if code.correction and neuron_curves:
        LOG.info("correcting the layers for the f-I curve of %s", neuron.model.name)
        found = correct(rewritten, neuron_curves, calibration, request.decided())
        rewritten, membrane = found.rewritten, _with_report(membrane, found)
    inputs = _inputs(code, rewritten, calibration)
    currents = {name for name, entry in inputs.items() if not entry.spikes}
    n_steps = asked_steps(request, membrane.dt)
    if n_steps is None:
        n_steps = default_steps(
            membrane,
            max(depths_of(rewritten, currents).values()),
            max(_clamp_ends(rewritten, code, currents).values()) if membrane.held else 0,
        )
    depths, releases = _times(rewritten, code, membrane, n_steps, currents)
    _check_duration(n_steps, max(releases.values()))
    # spikes that represent the scale of a layer
    most = {
        name: max(int((n_steps - step) * membrane.max_rate * membrane.dt / 1000.0 + 0.5), 1)
        for name, step in releases.items()
    }
    record = {}
    if not drifts(membrane.report):  # otherwise there are no steady rates, and `convert` runs it
        levels = _levels_of_curves(neuron_curves) or _levels(code, rewritten, scales, most)
        levels |= _levels_of_inputs(inputs, n_steps, request.seed)
        decisions = request.decided()
        record = expect(exact, levels, calibration, spiking=rewritten, decisions=decisions).record()
    plan = RatePlan(
        code,
        graph,
        rewritten,
        membrane,
        scales,
        inputs,
        names(rewritten),
        depths,
        releases,
        rewritten.carried(graph),
        neuron,
        request.seed,
        {entry.name: 0 for entry in inputs.values()},
    )
    add_all(
        plan,
        rewritten,
        graph.outputs,
        layer=add_spiking,
        gates=add_gates,
        readout=add_readout,
        stage=add_stage,
    )
    return plan.network(
        graph,
        inputs.values(),
        dt=membrane.dt,
        n_steps=n_steps,
        record={**_record(plan, request), **record},
    )


def _with_report(membrane: Membrane, found: Correction) -> Membrane:
    return replace(membrane, report={**membrane.report, "expected_error": found.error})


def _levels_of_curves(curves: Mapping[str, FICurve]) -> dict[str, Level]:
    """Return the values that the rates of neurons with these curves represent, for `expect`."""
    return {name: partial(_said_by_curve, curve) for name, curve in curves.items()}


def _said_by_curve(curve: FICurve, x: NDArray) -> NDArray:
    return np.asarray(applied(curve, x))


def _levels(
    code: RateCode, rewritten: Rewritten, scales: Scales, most: Mapping[str, int]
) -> dict[str, Level]:
    """Return the values that spike counts of perfect integrators represent, for `expect`."""
    return {
        layer.name: partial(_said, code, scales.of[layer.name], most[layer.name])
        for layer in rewritten.layers
        if isinstance(layer.function, ReLU)
    }


def _levels_of_inputs(inputs: Mapping[str, Input], n_steps: int, seed: int) -> dict[str, Level]:
    """Return the values that the spikes of inputs represent, for `expect`."""
    return {
        name: partial(_said_by_sources, source, n_steps, np.random.default_rng(seed))
        for name, source in inputs.items()
        if source.spikes
    }


def _said_by_sources(
    source: Input, n_steps: int, random: np.random.Generator, x: NDArray
) -> NDArray:
    share = np.clip(np.abs(x) * source.scale, 0.0, 1.0)
    poisson = source.encoder == "poisson"
    spikes = random.binomial(n_steps, share) if poisson else np.round(share * n_steps)
    return np.sign(x) * spikes / (n_steps * source.scale)


def _said(code: RateCode, scale: NDArray, most: int, x: NDArray) -> NDArray:
    return scale * code.encode(x / scale, most)


def default_steps(membrane: Membrane, depth: int, clamped: int = 0) -> int:
    """Return the default duration of a sample in steps: 500 for a perfect integrator, else 300 ms.

    It is longer if the neuron fires more slowly than usual, if the synaptic currents of a deep
    network take longer to build up than the usual waiting time of outputs, or if the clamp of a
    deep network, which grows with depth (mueller Eq 4.4), would leave less than half of these steps
    for reading the outputs.  A perfect integrator therefore gets more than 500 steps from 51
    clamped layers on.

    Parameters
    ----------
    membrane : Membrane
    depth : int
        Number of layers on the longest path of spikes.
    clamped : int
        Step in which the last layer is released from its clamp.
    """
    if membrane.exact or not membrane.report:
        usual, settled = float(DEFAULT_STEPS), 0.0
    else:
        usual = SPIKES * 1000.0 / membrane.max_rate / membrane.dt
        settled = _settling(membrane, depth) + _READ * usual
    enough = max(usual, settled, clamped + _READ_CLAMPED * usual)
    return int(np.ceil(round(enough, 6)))


def _settling(membrane: Membrane, depth: int) -> float:
    """Return the steps in which the synaptic currents of ``depth`` successive layers build up."""
    tau = membrane.neuron.model.receptors[0].tau
    return _BUILD_UP * depth * float(membrane.neuron.value(tau)) / membrane.dt if tau else 0.0


def _check_arrays(neuron: Neuron, rewritten: Rewritten) -> None:
    """Check that parameters with one value for each neuron fit every population."""
    layers = [entry for entry in rewritten.layers if isinstance(entry.function, RECTIFIERS)]
    problems = [problem for layer in layers for problem in _array_problems(neuron, layer)]
    if problems:
        raise ConversionError("The rate code cannot use this neuron:", problems)


def _array_problems(neuron: Neuron, layer: Layer) -> Iterator[Problem]:
    for name, value in neuron.parameters.items():
        shape = np.shape(value)
        try:
            fits = np.broadcast_shapes(shape, layer.shape) == tuple(layer.shape)
        except ValueError:
            fits = False
        if not fits:
            reason = (
                f"{name} has values of shape {shape}, but the layer has the shape {layer.shape}."
            )
            advice = "Pass one value or a distribution of scipy.stats."
            yield Problem(layer.name, neuron.model.name, reason, advice)


def _check_readouts(code: RateCode, rewritten: Rewritten) -> None:
    problems = [
        Problem(
            layer.name,
            type(layer.function).__name__,
            "readout 'softmax' draws classes, but this output is not a single softmax.",
            "Use readout 'potential'.",
        )
        for layer in rewritten.readouts
        if code.readout == "softmax"
        and not (isinstance(layer.function, Softmax) and len(layer.shape) == 1)
    ]
    if problems:
        raise ConversionError(f"{rewritten.name!r} cannot be read out this way:", problems)


def _check_stages(rewritten: Rewritten, membrane: Membrane) -> None:
    """Refuse analog stages for neurons that do not sum their input, on which their drive relies."""
    if membrane.exact or not rewritten.analog:
        return
    problems = [
        Problem(
            layer.name,
            type(layer.function).__name__,
            "it stays analog, in a stage whose current is right on average only, and "
            f"{membrane.neuron.model.name} does not integrate its input exactly.",
            "Omit the neuron: perfect integrators with pulses as synapses do.",
        )
        for layer in rewritten.layers
        if layer.name in rewritten.analog
    ]
    raise ConversionError("The rate code cannot use this neuron with analog stages:", problems)


def _check_duration(n_steps: int, start: int) -> None:
    if n_steps <= start:
        raise ParameterError(
            f"n_steps = {n_steps} is too short: the output starts in step {start}. Use more steps, "
            "or a smaller clamp."
        )


def _inputs(
    code: RateCode, rewritten: Rewritten, calibration: Mapping[str, NDArray]
) -> dict[str, Input]:
    """Return the inputs; tokens, which are numbers of rows and no strengths, are never spikes."""
    names = identifiers(entry.name for entry in rewritten.inputs)
    tables = (layer for layer in rewritten.layers if isinstance(layer.function, Embedding))
    tokens = {source for layer in tables for source in layer.sources}
    inputs = {}
    for entry, name in zip(rewritten.inputs, names, strict=True):
        if code.input == "current" or entry.name in tokens:
            inputs[entry.name] = Input(name, entry.shape)
            continue
        largest, signed = input_scales(calibration[entry.name])
        inputs[entry.name] = Input(name, entry.shape, code.input, 1.0 / largest, signed)
    return inputs


def _clamp_ends(rewritten: Rewritten, code: RateCode, currents: set[str]) -> dict[str, int]:
    """Return the step in which the clamp of each layer ends (mueller Eq 4.4)."""
    ends = {entry.name: 0 for entry in rewritten.inputs}
    silent = rewritten.constant(currents)
    for layer in (*rewritten.layers, *rewritten.readouts):
        sources = set(layer.sources) - silent
        # A gate passes spikes on and has no transient of its own; a stage follows them at once.
        wait = min(1, code.clamp) if isinstance(layer.function, MaxPool) else code.clamp
        wait = 0 if layer.name in rewritten.analog else wait
        ends[layer.name] = max((ends[s] + wait for s in sources), default=0)
    return ends


def _times(
    rewritten: Rewritten, code: RateCode, membrane: Membrane, n_steps: int, currents: set[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the longest path to each layer in delays, and the step of the layer's release.

    Neurons that cannot be held are all released together after the settling time, as are the
    outputs of neurons with slow synaptic currents.
    """
    depths = depths_of(rewritten, currents)
    releases = _clamp_ends(rewritten, code, currents)
    deepest = max(depths.values())
    build_up = min(_settling(membrane, deepest), _LATEST * n_steps)
    settled = max(round(code.settle * n_steps), round(build_up), deepest)
    if membrane.report and membrane.neuron.model.receptors[0].tau:
        for layer in rewritten.readouts:
            releases[layer.name] = max(releases[layer.name], settled)
    if not membrane.held:
        inputs = {entry.name for entry in rewritten.inputs}
        releases = {name: 0 if name in inputs else settled for name in releases}
    return depths, releases


def _record(plan: RatePlan, request: Request) -> dict[str, str | int | float | bool]:
    """Return all settings of the network as plain values."""
    values = np.concatenate([np.ravel(scale) for scale in plan.scales.of.values()])
    membrane = plan.membrane
    return {
        **describe_options(plan.code),
        "neuron": membrane.neuron.model.name,
        "max_rate": membrane.max_rate,
        "drive_current": membrane.current,
        "drive_gain": membrane.gain,
        "drive_residual": membrane.residual,
        **membrane.report,
        "exact": membrane.exact,
        "calibration_samples": request.n_samples,
        "smallest_scale": float(values.min()),
        "largest_scale": float(values.max()),
        "silent_layers": ", ".join(plan.names[name] for name in plan.scales.silent_layers),
        "silent_channels": plan.scales.n_silent_channels,
        "depth": max(plan.depths.values()),
        "seed": request.seed,
    }
