"""Convert trained networks into spiking networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph, check_samples
from bioconv.analog.belonging import range_of, warn_of_calibration
from bioconv.analog.decisions import Choice, decisions_of
from bioconv.analog.samples import BatchedSamples
from bioconv.codes import Code, RateCode
from bioconv.codes.code import Request
from bioconv.codes.common.expectation import warn_of_loss
from bioconv.codes.common.names import identifiers
from bioconv.ground.compiled import keep_compiled, release_compiled
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.options import is_whole
from bioconv.ground.progress import Progress
from bioconv.network import SpikingNetwork
from bioconv.network.agreement import AGREEMENT, RUN
from bioconv.neurons import IntegrateAndFire, Neuron, make
from bioconv.timing import wrong_number_of_steps, wrong_step


def convert(
    model: Any | str | Path | AnalogGraph,
    *,
    calibration: ArrayLike | Sequence[ArrayLike] | Mapping[str, ArrayLike],
    code: Code | None = None,
    neuron: Neuron | str | None = None,
    dt: float | None = None,
    n_steps: int | None = None,
    duration: float | None = None,
    seed: int = 0,
    name: str | None = None,
    decision: Choice = None,
    batch_size: int | None = None,
    progress: bool = True,
) -> SpikingNetwork:
    """Convert a trained network into a spiking network.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        A model that `bioconv.read` accepts, or a graph that it returns.
    calibration : ndarray, shape (n, ...); mapping of input name to ndarray; or list of ndarray
        Samples like those on which the network was trained, which determine the scales.  A few
        hundred images are enough; dense layers with few features require some thousand samples,
        because every neuron has its own scale.  For models with several inputs, pass a mapping or
        a list in the order of the inputs.
    code : Code, optional
        Default: ``RateCode()``.
    neuron : Neuron or str, optional
        A neuron, or its name in `bioconv.neurons.make`.  Default:
        ``bioconv.neurons.IntegrateAndFire()``.
    dt : float, optional
        Step in ms.  Default: 1 ms for a perfect integrator, else as the neuron requires.
    n_steps : int, optional
        Number of steps per sample that `simulate` uses by default.  Default: 500 for a perfect
        integrator, else 300 ms; longer for neurons that cannot fire at 130 Hz, and for very deep
        networks, whose outputs start late.
    duration : float, optional
        Duration of a sample in ms, instead of ``n_steps``.  It must be a whole number of steps.
    seed : int
        Seed of random numbers during conversion, such as parameters that differ between neurons.
    name : str, optional
        Name of the network.  Default: that of the model.
    decision : Decision or str, or mapping of output names to these, optional
        What the outputs stand for, wherever accuracy or agreement is counted: "largest" (the class
        of the largest output), "threshold:NUMBER" (class 1 above it, such as "threshold:0" for a
        logit; a label for each of several outputs) or "value:TOLERANCE" (values).  Default: what
        the output functions suggest; see `bioconv.analog.decisions`.
    batch_size : int, optional
        Number of calibration samples whose activations are in memory at once; the scales do not
        depend on it.  Default: at most 256, and fewer of a large network.
    progress : bool
        Whether to show that something is being done: on a terminal or in a notebook, else by a
        line every 30 s.

    Returns
    -------
    SpikingNetwork
        ``code["expected_agreement"]`` is the share of decisions on calibration data that are
        expected to be those of the analog network, ``code["expected_deviation"]``, where known
        without a run, the root mean squared error of the outputs as a share of their range, and
        ``code["weakest_layer"]`` the layer that loses most.  Codes that have to be run to know
        (first spike, sigma-delta), and neurons whose rates change while outputs are read, are run
        on ``code["expected_from"]`` calibration samples, as few as 4 of a very large network; this
        is 0, and the others are missing, if even that would take minutes.

    Warns
    -----
    AccuracyWarning
        If the expected agreement is below 0.99, or the expected deviation above 2 % of the range;
        the message says which layer loses most and what helps.
    DataWarning
        If the calibration data probably do not belong to the network: few or constant samples,
        silent layers, or outputs that do not depend on the samples or saturate.

    Raises
    ------
    ReadError
        If the model cannot be read.
    DataError
        If the calibration data are empty, not finite or all zero, or if their shape differs from
        the inputs.
    ConversionError
        If layers cannot be converted with this code and neuron.  The message lists all of them
        with reasons.
    ParameterError
        If an option is out of range.

    Examples
    --------
    >>> import numpy as np, bioconv as bc
    >>> from bioconv.models import weights_path
    >>> images = np.random.default_rng(0).random((20, 8, 8, 1))
    >>> network = bc.convert(weights_path("digits_cnn"), calibration=images)
    >>> network.code["code"]
    'rate'
    """
    keep_compiled()
    release_compiled()
    code = RateCode() if code is None else code
    if isinstance(neuron, str):
        neuron = make(neuron)
    neuron = IntegrateAndFire() if neuron is None else neuron
    _check(code, neuron, dt, n_steps, duration, batch_size)
    graph = as_graph(model)
    request = Request(
        graph=graph,
        calibration=BatchedSamples(calibration_of(graph, calibration), batch_size),
        neuron=neuron,
        dt=None if dt is None else float(dt),
        n_steps=None if n_steps is None else int(n_steps),
        duration=None if duration is None else float(duration),
        seed=int(seed),
        decisions=decisions_of(graph, decision),
    )
    warn_of_calibration(graph, request.calibration)
    with Progress(f"converting {graph.name}", shown=progress) as shown:
        network = code.convert(request).with_decision(request.decisions)
        network = _with_ranges(network, request.calibration)
        if AGREEMENT not in network.code:
            from bioconv.measures.expectation import expect_by_run

            shown.describe(f"converting {graph.name}: running it on calibration samples")
            found = expect_by_run(network, request.calibration, request.seed)
            record = {RUN: 0} if found is None else found.record()
            network = network.replace(code={**network.code, **record})
    warn_of_loss(network.code, network.name, code.remedy)
    (wanted,) = identifiers([graph.name if name is None else name])
    return network if network.name == wanted else network.replace(name=wanted)


def _with_ranges(network: SpikingNetwork, calibration: Mapping[str, NDArray]) -> SpikingNetwork:
    """Return the network with the ranges of the calibration data of its inputs."""
    pairs = zip(network.inputs, calibration.values(), strict=True)
    inputs = [dataclasses.replace(entry, calibrated=range_of(x)) for entry, x in pairs]
    return network.replace(inputs=tuple(inputs))


def as_graph(model: Any | str | Path | AnalogGraph) -> AnalogGraph:
    """Return the analog graph of ``model``, which is read by `bioconv.read` if necessary.

    Inputs of quantized layers are not rounded in it.
    """
    from bioconv.reading import read
    from bioconv.reading.rounding import without_rounding

    return without_rounding(model if isinstance(model, AnalogGraph) else read(model))


def calibration_of(graph: AnalogGraph, calibration: Any) -> dict[str, NDArray]:
    """Return calibration data by name of the input, or raise `DataError` if they do not fit."""
    try:
        return check_samples(calibration, {entry.name: entry.shape for entry in graph.inputs})
    except DataError as error:
        raise DataError(f"calibration data: {error}") from None


def _check(
    code: Any,
    neuron: Any,
    dt: float | None,
    n_steps: int | None,
    duration: float | None,
    batch_size: int | None,
) -> None:
    problems = []
    if not isinstance(code, Code):
        problems.append(f"code must be a code such as RateCode(). Received: {code!r}")
    if not isinstance(neuron, Neuron):
        problems.append(
            f"neuron must be a neuron such as neurons.IntegrateAndFire(). Received: {neuron!r}"
        )
    for name, wrong in (
        ("dt", "" if dt is None else wrong_step(dt)),
        ("n_steps", "" if n_steps is None else wrong_number_of_steps(n_steps)),
    ):
        if wrong:
            problems.append(f"{name} {wrong}")
    if duration is not None and not (
        isinstance(duration, int | float) and np.isfinite(duration) and duration > 0
    ):
        problems.append(f"duration must be above 0 ms. Received: {duration!r}")
    if batch_size is not None and not (is_whole(batch_size) and batch_size >= 1):
        problems.append(f"batch_size must be an integer of at least 1. Received: {batch_size!r}")
    if duration is not None and n_steps is not None:
        problems.append("give n_steps or duration, not both")
    if problems:
        raise ParameterError("convert: " + "; ".join(problems) + ".")
