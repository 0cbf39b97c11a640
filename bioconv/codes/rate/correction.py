"""Fit gain and bias of every channel such that the f-I curve of a neuron approximates the ReLU.

A neuron with a nonlinear f-I curve distorts every layer slightly, and the distortions accumulate in
a deep network: with 16 layers of leaky neurons that are each within 3 % of a line, a network may
lose half of its accuracy.  Part of this loss can be recovered without training.  Layer by layer,
the gain and bias of each channel are fitted such that the curve, applied to the *actual* outputs of
the previous layers, comes closest to the activations of the analog network.  With the bias alone,
this is the light calibration of Li, Deng, Dong, Gong and Gu 2021 (ICML, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph, evaluate
from bioconv.analog.decisions import before_function, decisions_of
from bioconv.analog.functions import FICurve, Linear
from bioconv.analog.graph import GraphInput, Layer
from bioconv.codes.common.affine import pre_activations, scale_affine
from bioconv.codes.common.expectation import compare, n_activations, n_samples_of
from bioconv.codes.common.rewritten import Rewritten
from bioconv.ground.decisions import Decision

Floats = NDArray[np.float64]

#: largest number of calibration samples and, for large networks, of activations that are used
_SAMPLES, _VALUES = 256, 30_000_000
#: smallest number of calibration samples, irrespective of the size of the network
_FEWEST_SAMPLES = 16
#: number of cells in each channel that are used for the fit
_CELLS = 8192
#: regularization of gain and bias towards 1 and 0, in units of the squared error, so that channels
#: with little information are hardly changed
_RIDGE = 1e-5
#: number of iterations of the fit; twice as many do not change the result
_ITERATIONS = 25
#: Marquardt's damping: initial, smallest and largest value, divisor after a successful step and
#: factor after an unsuccessful one
_DAMPING, _DAMPING_RANGE, _DAMPING_LESS, _DAMPING_MORE = 1e-2, (1e-4, 1e4), 3.0, 4.0
#: limits of gain and bias (in units of the scale)
_GAINS, _BIASES = (0.5, 2.0), (-0.5, 0.5)


@dataclass(frozen=True)
class Correction:
    """A corrected network and its expected accuracy.

    Parameters
    ----------
    rewritten : Rewritten
    error : float
        Root mean squared distance of the outputs (before their function) from those of the
        analog network, as a share of the latter's standard deviation.
    agreement : float
        Share of decisions (classes, labels or values) that stay the same.
    """

    rewritten: Rewritten
    error: float
    agreement: float


def correct(
    rewritten: Rewritten,
    curves: Mapping[str, FICurve],
    calibration: Mapping[str, NDArray],
    decisions: Iterable[Decision] | None = None,
) -> Correction:
    """Fit gain and bias of each channel of every layer with a curve, in order.

    Parameters
    ----------
    rewritten : Rewritten
    curves : mapping of str to FICurve
        Responses of the neurons to activations, by layer.
    calibration : mapping of str to ndarray
        Samples for each input; at most 256 are used.
    decisions : iterable of Decision, optional
        What each output stands for.  By default, what its function suggests.

    Returns
    -------
    Correction
    """
    n = n_samples_of(n_activations(rewritten), _SAMPLES, _VALUES, _FEWEST_SAMPLES)
    samples = {name: x[:n] for name, x in calibration.items()}
    readouts = pre_activations(rewritten.readouts)
    names = [layer.name for layer in (*rewritten.layers, *readouts)]
    graph = AnalogGraph(
        rewritten.name,
        rewritten.inputs,
        (*rewritten.layers, *readouts),
        tuple(layer.name for layer in readouts),
    )
    exact = evaluate(graph, samples, names=names)
    values, layers = dict(samples), []
    for layer in rewritten.layers:
        curve = curves.get(layer.name)
        if curve is None:
            layers.append(layer)
            values[layer.name] = _run(layer, values)
            continue
        driven = _run(replace(layer, function=Linear()), values)
        gain, shift = _fit(curve, driven, exact[layer.name])
        affine = scale_affine(layer.inputs[0], gain, shift)
        layers.append(replace(layer, inputs=(affine,)))
        values[layer.name] = np.asarray(curve.value(driven * gain + shift), np.float32)
    shifted, errors = [], []
    for layer, probe in zip(rewritten.readouts, readouts, strict=True):
        missing = exact[layer.name] - _run(probe, values)
        shift = _channels(missing).mean(axis=0).reshape((1,) * (missing.ndim - 2) + (-1,))
        shifted.append(replace(layer, inputs=(scale_affine(layer.inputs[0], 1.0, shift),)))
        errors.append(exact[layer.name] - missing + shift)
    result = replace(rewritten, layers=layers, readouts=shifted)
    if decisions is None:
        decisions = decisions_of(rewritten.graph()).values()
    before = [
        before_function(decision, layer.function, layer.shape)
        for layer, decision in zip(rewritten.readouts, decisions, strict=True)
    ]
    analog = [exact[layer.name] for layer in readouts]
    return Correction(result, *compare(analog, errors, before))


def _run(layer: Layer, values: Mapping[str, NDArray]) -> NDArray:
    """Evaluate a layer for given values of its sources."""
    sources = dict.fromkeys(layer.sources)
    inputs = tuple(GraphInput(name, values[name].shape[1:]) for name in sources)
    if not inputs:  # a constant
        n = len(next(iter(values.values())))
        return np.broadcast_to(layer.inputs[0].bias, (n, *layer.shape)).astype(np.float32)
    graph = AnalogGraph(layer.name, inputs, (layer,), (layer.name,))
    return evaluate(graph, {name: values[name] for name in sources})[layer.name]


def _channels(values: NDArray) -> NDArray:
    """Reshape values to one column for each channel."""
    return values.reshape(-1, values.shape[-1])


def _fit(curve: FICurve, driven: NDArray, wanted: NDArray) -> tuple[Floats, Floats]:
    """Fit gain and shift, broadcastable to one sample, by damped least squares (Marquardt 1963)."""
    n_channels = driven.shape[-1]
    scale = np.broadcast_to(np.ravel(curve.scale), n_channels)
    rows = len(_channels(driven))
    some = np.arange(rows)
    if rows > _CELLS:
        some = np.random.default_rng(0).choice(rows, _CELLS, replace=False)
    x, y = (_channels(values)[some] / scale for values in (driven, wanted))
    unit = replace(curve, scale=np.ones(()))
    gain, bias = _levenberg(unit, x.astype(np.float32), y.astype(np.float32))
    shape = (1,) * (driven.ndim - 2) + (n_channels,)
    return np.asarray(gain, np.float64).reshape(shape), (np.asarray(bias) * scale).reshape(shape)


@jax.jit
def _levenberg(curve: FICurve, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Fit gain and bias of each column such that ``curve(gain x + bias)`` is closest to ``y``."""

    def cost(gain: jax.Array, bias: jax.Array) -> jax.Array:
        error = jnp.mean((curve.value(gain * x + bias) - y) ** 2, axis=0)
        return error + _RIDGE * ((gain - 1) ** 2 + bias**2)

    def step(_: int, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        gain, bias, best, damping = state
        value, slope = jax.jvp(curve.value, (gain * x + bias,), (jnp.ones_like(x),))
        by_gain, rest = slope * x, y - value
        a = jnp.mean(by_gain**2, axis=0) + _RIDGE
        b = jnp.mean(by_gain * slope, axis=0)
        c = jnp.mean(slope**2, axis=0) + _RIDGE
        to_gain = jnp.mean(by_gain * rest, axis=0) - _RIDGE * (gain - 1)
        to_bias = jnp.mean(slope * rest, axis=0) - _RIDGE * bias
        a, c = a * (1 + damping), c * (1 + damping)
        determinant = a * c - b * b
        new_gain = jnp.clip(gain + (c * to_gain - b * to_bias) / determinant, *_GAINS)
        new_bias = jnp.clip(bias + (a * to_bias - b * to_gain) / determinant, *_BIASES)
        found = cost(new_gain, new_bias)
        better = found < best
        return (
            jnp.where(better, new_gain, gain),
            jnp.where(better, new_bias, bias),
            jnp.where(better, found, best),
            jnp.clip(
                jnp.where(better, damping / _DAMPING_LESS, damping * _DAMPING_MORE),
                *_DAMPING_RANGE,
            ),
        )

    gain, bias = jnp.ones(x.shape[1]), jnp.zeros(x.shape[1])
    start = (gain, bias, cost(gain, bias), jnp.full(x.shape[1], _DAMPING))
    gain, bias, *_ = jax.lax.fori_loop(0, _ITERATIONS, step, start)
    return gain, bias
