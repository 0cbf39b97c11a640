"""Estimate the accuracy of a spiking network before conversion, and find the best percentile."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph, check_samples, evaluate
from bioconv.analog.belonging import range_of, warn_of_calibration, warn_of_samples
from bioconv.analog.decisions import Choice, decisions_of
from bioconv.analog.functions import Elementwise, ReLU
from bioconv.codes import RateCode
from bioconv.codes.common.calibration import LowestValues, Scales, measure
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.common.rewritten import Rewritten
from bioconv.conversion import as_graph, calibration_of, convert
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import AccuracyWarning, DataWarning, ParameterError
from bioconv.measures.metrics import Metric, metric_of, named_outputs
from bioconv.neurons import Neuron
from bioconv.operators import LEAF, Array, register

PERCENTILES = (99.0, 99.9, 99.99, 99.999, 100.0)

Data = ArrayLike | Sequence[ArrayLike] | Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Estimate:
    """Estimated accuracy for one percentile.

    Parameters
    ----------
    percentile : float
    accuracy : float or None
        Fraction of decisions (classes, labels or values) that are right; None without labels.
    agreement : float
        Fraction of decisions that are those of the analog network.
    output_error : float
        Mean absolute error of the output, as a fraction of the range of the analog output.
    metric, analog_metric : float or None
        The metric that was asked for, of the outputs and of those of the analog network.
    """

    percentile: float
    accuracy: float | None
    agreement: float
    output_error: float
    metric: float | None = None
    analog_metric: float | None = None


@dataclass(frozen=True)
class Candidate:
    """Result of a simulation of noise samples for one percentile.

    Parameters
    ----------
    percentile : float
    agreement : float
        Fraction of decisions for noise samples that are those of the analog network.
    output_error : float
        Mean absolute error of the output, as a fraction of the range of the analog output.
    chosen : bool
        Whether the search recommends it.
    """

    percentile: float
    agreement: float
    output_error: float
    chosen: bool = False


@register
@dataclass(frozen=True, eq=False)
class RateReLU(Elementwise):
    """Rectification as firing rates represent it, limited by its scale and optionally rounded.

    Parameters
    ----------
    scale : ndarray broadcastable to one sample
        Largest value (ReLU1 of mueller 3.3.3, in the units of the layer).
    n_steps : int
        If positive, values are rounded to multiples of ``scale / n_steps``.
    start : float
        Initial membrane potential as a fraction of the threshold.  With 0.5, values are rounded
        to the nearest multiple, with 0 to the next lower one.
    """

    scale: NDArray = field(metadata=LEAF)
    n_steps: int = 0
    start: float = 0.5

    def value(self, x: Array) -> Array:
        """Apply the function to one array."""
        share = jnp.clip(x / self.scale, 0, 1)
        if self.n_steps:
            share = jnp.floor(share * self.n_steps + self.start) / self.n_steps
        return share * self.scale


def estimate(
    model: Any | str | Path | AnalogGraph,
    x: Data,
    y: Any = None,
    *,
    calibration: Data,
    code: RateCode | None = None,
    percentiles: Sequence[float] = PERCENTILES,
    n_steps: int | None = None,
    decision: Choice = None,
    metric: Metric | None = None,
) -> list[Estimate]:
    """Estimate the accuracy or any metric by clipping every ReLU of the network (mueller 3.3.3).

    Activations are clipped at the scale of their layer.  The result is the accuracy of the spiking
    network after infinite time, which shows the loss by saturation.  With ``n_steps``, activations
    are also rounded to the values that rates can take in this number of steps.  This estimate is
    optimistic, because errors of single steps accumulate through the layers.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
    x : array, or a sequence or mapping of arrays
        Samples for each input.
    y : array of int, shape (n, ...), optional
        Labels, or values; with a metric, whatever the metric takes.
    calibration : array, or a sequence or mapping of arrays
        Samples that set the scales.
    code : RateCode, optional
        Code whose options normalization, over and initial are used.  Default: ``RateCode()``, as
        in `bioconv.convert`.
    percentiles : sequence of float
    n_steps : int, optional
    decision : Decision or str, or mapping of output names to these, optional
        What the output stands for; see `bioconv.convert`.
    metric : function, `keras.metrics.Metric` or str, optional
        Measured in place of the accuracy: a function ``metric(y, outputs)`` of the labels as they
        are given and of the outputs, an array (n, ...) or, if there are several, arrays by name; a
        metric of Keras, or its name; "map" is the mean average precision of a detector
        (`bioconv.detection.MeanAveragePrecision`).  If it returns one number for each sample, the
        mean counts.

    Returns
    -------
    list of Estimate
        One for each percentile, in the given order.

    Raises
    ------
    DataError
        If data or labels do not fit.
    ParameterError
        If there are no percentiles, if one is out of range, if the code is not a rate code, or if
        the metric cannot be computed.
    ConversionError
        If rates cannot represent a layer.  The message lists all such layers.

    Warns
    -----
    DataWarning
        If the samples or the calibration data probably do not belong to the network.
    """
    measured = None if metric is None else metric_of(metric)
    if measured is not None and y is None:
        raise ParameterError("a metric requires labels y.")
    graph = as_graph(model)
    code = RateCode() if code is None else code
    if not isinstance(code, RateCode):
        raise ParameterError(
            f"an estimate requires a rate code, RateCode(...). Received: {code!r}."
        )
    codes = [replace(code, percentile=p) for p in percentiles]
    if not codes:
        raise ParameterError("give at least one percentile")
    samples = calibration_of(graph, calibration)
    warn_of_calibration(graph, samples)
    given = check_samples(x, {entry.name: entry.shape for entry in graph.inputs})
    warn_of_samples(given, {name: range_of(values) for name, values in samples.items()})
    rewritten = rewrite(graph, LowestValues(graph, samples), stages=True)
    exact = evaluate(graph, given)
    reference = _first_output(exact)
    decided = next(iter(decisions_of(graph, decision).values()))
    shape, labels = reference.shape[1:], None
    if y is not None and measured is None:
        labels = decided.labels(y, shape, len(reference))
    rows = []
    for code in codes:
        scales = measure(
            rewritten,
            samples,
            percentile=code.percentile,
            normalization=code.normalization,
            over=code.over,
        )
        clipped = _clipped(rewritten, scales, n_steps or 0, 0.5 if code.initial == "half" else 0.0)
        outputs = evaluate(clipped, given)
        output = _first_output(outputs)
        accuracy = None if labels is None else decided.share(decided.of(output), labels)
        row = Estimate(code.percentile, accuracy, *_compare(decided, output, reference))
        if measured is not None:
            found, analog = (
                measured(y, named_outputs(values, graph.outputs)) for values in (outputs, exact)
            )
            row = replace(row, metric=found, analog_metric=analog)
        rows.append(row)
    return rows


def search_percentile(
    model: Any | str | Path | AnalogGraph,
    *,
    calibration: Data,
    code: RateCode | None = None,
    neuron: Neuron | None = None,
    percentiles: Sequence[float] | None = None,
    n_samples: int = 100,
    scales: str = "noise",
    n_steps: int | None = None,
    dt: float | None = None,
    duration: float | None = None,
    seed: int = 0,
    decision: Choice = None,
) -> list[Candidate]:
    """Find the percentile that converges fastest without loss of accuracy, without test data.

    A trained network classifies uniform noise at random but with confidence, so that noise reveals
    small errors of conversion better than data do (mueller 3.3.2, Fig 3.12).  For each percentile
    the network is converted, and simulated with the array simulator on noise in the range of the
    calibration data.  Low percentiles lose accuracy by saturation, high ones by slow convergence.

    The chosen percentile has the largest agreement of classes with the analog network.  Ties are
    resolved by the smallest error of the output, then by the lowest percentile, which converges
    fastest.  For a network whose outputs are values, only the error is used.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
    calibration : array, or a sequence or mapping of arrays
    code : RateCode, optional
        Code whose other options are used unchanged.
    neuron : Neuron, optional
    percentiles : sequence of float, optional
        Default: `PERCENTILES`.
    n_samples : int
        Number of noise samples; according to mueller 3.3.2, 1 % of a test set is enough.
    scales : {"noise", "calibration"}
        Samples that set the scales during the search.  With "noise", a percentile is taken from
        the same kind of activations on which it is tested, and the loss has its minimum inside the
        range as in Fig 3.12 (``paper_figures/mueller_fig_3_12.py``).  With "calibration", the
        activations that noise causes differ from those that set the scales, so that the result
        mostly depends on how many of them saturate, and high percentiles are chosen for any number
        of steps.
    n_steps : int, optional
        Number of steps per sample within which the network should converge.
    dt : float, optional
        Step in ms.
    duration : float, optional
        Simulated time per sample in ms, in place of ``n_steps``.
    seed : int
        Seed of the noise.
    decision : Decision or str, or mapping of output names to these, optional
        What the output stands for; see `bioconv.convert`.

    Returns
    -------
    list of Candidate
        One for each percentile, in the given order; ``chosen`` marks one.

    Raises
    ------
    ParameterError
        If there are no percentiles or no noise samples, or if ``scales`` is unknown.
    """
    from bioconv.simulators import simulate

    graph, code = as_graph(model), code or RateCode()
    wanted = tuple(PERCENTILES if percentiles is None else percentiles)
    if not wanted or n_samples < 1:
        raise ParameterError("give at least one percentile and one noise sample")
    if scales not in ("noise", "calibration"):
        raise ParameterError(f"scales must be noise or calibration. Received: {scales!r}.")
    samples = calibration_of(graph, calibration)
    n_scaling = max(n_samples, len(next(iter(samples.values()))))
    drawn = _noise(samples, n_scaling, np.random.default_rng(seed))
    noise = {name: x[:n_samples] for name, x in drawn.items()}
    reference = _first_output(evaluate(graph, noise))
    decided = next(iter(decisions_of(graph, decision).values()))
    rows = []
    for percentile in wanted:
        with warnings.catch_warnings():
            # Noise is not like data, and percentiles that lose accuracy are tried on purpose.
            warnings.simplefilter("ignore", AccuracyWarning)
            warnings.simplefilter("ignore", DataWarning)
            network = convert(
                graph,
                calibration=drawn if scales == "noise" else samples,
                code=replace(code, percentile=percentile),
                neuron=neuron,
                dt=dt,
                n_steps=n_steps,
                duration=duration,
                decision=decision,
                progress=False,
            )
        given = {entry.name: noise[key] for entry, key in zip(network.inputs, noise, strict=True)}
        recording = simulate(network, given, seed=seed, progress=False)
        output = np.asarray(recording.outputs[network.readouts[0].name])
        rows.append(Candidate(percentile, *_compare(decided, output, reference)))
    best = min(
        rows,
        key=lambda row: (-row.agreement * decided.of_classes, row.output_error, row.percentile),
    )
    return [replace(row, chosen=row is best) for row in rows]


def _clipped(rewritten: Rewritten, scales: Scales, n_steps: int, start: float) -> AnalogGraph:
    layers = [
        replace(layer, function=RateReLU(np.asarray(scales.of[layer.name]), n_steps, start))
        if isinstance(layer.function, ReLU)
        else layer
        for layer in rewritten.layers
    ]
    return replace(rewritten, layers=layers).graph()


def _noise(
    samples: Mapping[str, NDArray], n: int, random: np.random.Generator
) -> dict[str, NDArray]:
    return {
        name: random.uniform(x.min(), x.max(), (n, *x.shape[1:])) for name, x in samples.items()
    }


def _first_output(outputs: Mapping[str, NDArray]) -> NDArray:
    return next(iter(outputs.values()))


def _compare(decision: Decision, output: NDArray, reference: NDArray) -> tuple[float, float]:
    agreement = decision.share(decision.of(output), decision.of(reference))
    return agreement, float(np.mean(np.abs(output - reference)) / (np.ptp(reference) or 1.0))
