"""Training of networks with an observation period, in spike times.

All times are in units of the period T of the input spikes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.first_spikes import local_times
from bioconv.codes.code import Request
from bioconv.codes.observation.code import ObservationCode
from bioconv.codes.observation.stack import dense_graph
from bioconv.ground.decisions import LARGEST
from bioconv.ground.errors import DataError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.neurons import IntegrateAndFire
from bioconv.operators import Array, precision
from bioconv.training.loop import Fitted, fit
from bioconv.training.options import Training
from bioconv.training.stacks import classes_of, samples_of, size_problems

#: those of the thesis, except for the number of epochs, which it does not state
OPTIONS = Training(
    epochs=10, batch_size=64, learning_rate=2e-4, decay=0.96, decay_steps=500, clip=1000.0
)
#: samples that determine how long a run is
_CALIBRATION = 1000

Weights = tuple[Array, ...]
#: for each hidden layer, sums of observation periods and of their factors, shape (n,)
State = tuple[tuple[Array, Array], ...]


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained stack of dense layers of neurons that fire once.

    Parameters
    ----------
    graph : AnalogGraph
        Its layers are `bioconv.analog.functions.FirstSpikes`, with weights, bias and observation
        periods; `bioconv.convert` makes the spiking network of it.
    history : dict of str to ndarray, shape (epochs,)
        Mean of every epoch: ``loss``; ``accuracy`` on the training batches; ``spikes``, the share
        of hidden neurons that fire; ``ignored``, the share of samples with a silent output.
    """

    graph: AnalogGraph
    history: dict[str, NDArray[np.float64]]


def train(
    code: ObservationCode,
    sizes: Sequence[int],
    x: ArrayLike,
    y: ArrayLike,
    options: Training = OPTIONS,
    *,
    n_classes: int | None = None,
    name: str = "observation",
    dt: float | None = None,
    dtype: str = "float32",
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> SpikingNetwork:
    """Train a spiking network; see `train_graph` for the parameters and errors.

    Parameters
    ----------
    dt : float, optional
        Step in ms; by default 1/255 of the time unit of the code.

    Returns
    -------
    SpikingNetwork
        Its field ``analog`` is the trained graph.
    """
    trained = train_graph(
        code,
        sizes,
        x,
        y,
        options,
        n_classes=n_classes,
        name=name,
        dtype=dtype,
        checkpoint=checkpoint,
        progress=progress,
    )
    return code.convert(
        Request(
            graph=trained.graph,
            calibration={trained.graph.inputs[0].name: np.asarray(x)[:_CALIBRATION]},
            neuron=IntegrateAndFire(),
            dt=dt,
            seed=options.seed,
        )
    )


def train_graph(
    code: ObservationCode,
    sizes: Sequence[int],
    x: ArrayLike,
    y: ArrayLike,
    options: Training = OPTIONS,
    *,
    n_classes: int | None = None,
    name: str = "observation",
    dtype: str = "float32",
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Trained:
    """Train the weights and observation periods of a dense network.

    Parameters
    ----------
    code : ObservationCode
    sizes : sequence of int
        Numbers of neurons of the hidden layers.
    x : array, shape (n_samples, ...)
        Non-negative inputs; the largest fires first.
    y : array of int, shape (n_samples,)
        Classes from 0.
    options : Training
    n_classes : int, optional
        Number of classes, if samples of the last ones are missing.
    name : str
    dtype : {"float32", "float64"}
    checkpoint : str or Path, optional
        See `bioconv.training.fit`.
    progress : bool

    Returns
    -------
    Trained

    Raises
    ------
    DataError
        If the data do not fit, or if there are fewer samples than one batch.
    ParameterError
        If sizes are not whole numbers of at least 1, or if a batch has fewer than two samples,
        which have no median.
    TrainingError
        If the loss is no longer finite.
    """
    _check_sizes(sizes, options)
    images = _images(x)
    classes, number = classes_of(y, len(images), n_classes)
    highest = float(images.max())
    flat = images.reshape(len(images), -1) / highest
    start, state = _start(code, (flat.shape[1], *sizes, number), options.seed)
    fitted = fit(
        ObservationLoss(code),
        start,
        state,
        np.clip(flat, 0.0, 1.0),
        classes,
        options,
        dtype=dtype,
        checkpoint=checkpoint,
        record={"code": code, "sizes": tuple(sizes)},
        progress=progress,
    )
    return Trained(_graph(code, fitted, images, highest, name), fitted.history)


def observed(local: Array) -> Array:
    """Return the observation periods for which half of the samples of a batch fire.

    Samples in which a neuron is silent anyway count as the latest; if they are more than half,
    nothing is removed, and the period is infinite.

    Parameters
    ----------
    local : array, shape (batch, n)
        Spike times on the clocks of the neurons; inf where there is no spike.

    Returns
    -------
    array, shape (n,)
        Midpoints between the last spike that is kept and the first that is not, if there is one.
    """
    ordered = jnp.sort(local, axis=0)
    kept, lost = ordered[len(local) // 2 - 1], ordered[len(local) // 2]
    return jnp.where(jnp.isfinite(lost), (kept + lost) / 2, kept)


@dataclass(frozen=True)
class ObservationLoss:
    """The loss of stanojevic Eqs A.7-A.9, for `bioconv.training.fit`.

    Parameters are the weights of the layers.  The state contains moving averages of the observation
    periods of hidden layers, as sums and sums of factors, because they start without a value.

    Parameters
    ----------
    code : ObservationCode
    """

    code: ObservationCode

    def __call__(
        self, parameters: Weights, state: State, x: Array, y: Array, key: Array
    ) -> tuple[Array, tuple[State, Mapping[str, Array]]]:
        """Return the loss of a batch of inputs in [0, 1], the new state, and measures."""
        code, times, averages, active = self.code, 1.0 - x, [], []
        keep = 1.0
        keys = jax.random.split(key, len(parameters))
        for weights, (total, factor), one in zip(parameters[:-1], state, keys, strict=False):
            local, first = self.respond(times, weights / keep)
            period = jax.lax.stop_gradient(observed(local))
            averages.append(_averaged(total, factor, period, code.momentum))
            fires = local <= period
            active.append(jnp.mean(fires & jnp.isfinite(local)))
            keep = 1.0 - code.dropout
            if code.dropout:
                fires &= jax.random.bernoulli(one, keep, fires.shape)
            times = jnp.where(fires, first - code.epsilon + local, jnp.inf)
        local, _ = self.respond(times, parameters[-1] / keep)
        spikes = jnp.isfinite(local)
        whole = jnp.all(spikes, axis=1)  # samples with a silent output are ignored
        logits = jnp.where(spikes, -code.beta * local, 0.0)
        right = jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0]
        entropy = jax.scipy.special.logsumexp(logits, axis=1) - right
        loss = jnp.sum(jnp.where(whole, entropy, 0.0)) / jnp.maximum(jnp.sum(whole), 1)
        measures = {
            "accuracy": jnp.mean(LARGEST.decide(-local, local.shape[1:]) == y),
            "spikes": jnp.mean(jnp.stack(active)) if active else jnp.ones(()),
            "ignored": 1.0 - jnp.mean(whole),
        }
        return loss + self.penalty(parameters), (tuple(averages), measures)

    def respond(self, times: Array, weights: Array) -> tuple[Array, Array]:
        """Return spike times of a layer; see `bioconv.analog.first_spikes.local_times`."""
        alpha = jnp.full(weights.shape[1], self.code.alpha, weights.dtype)
        return local_times(times, weights, alpha, self.code.v_th, self.code.epsilon)

    def penalty(self, parameters: Weights) -> Array:
        """Return the penalties of Eqs A.8 and A.9."""
        silent = sum(jnp.sum(jnp.maximum(0.0, -jnp.sum(w, axis=0))) for w in parameters)
        large = sum(jnp.sum(w**2) for w in parameters)
        return self.code.kappa * silent + self.code.decay * large


def _averaged(total: Array, factor: Array, period: Array, momentum: float) -> tuple[Array, Array]:
    """Return the moving average of observation periods; infinite ones leave it as it is."""
    some = jnp.isfinite(period)
    return (
        jnp.where(some, momentum * total + (1 - momentum) * jnp.where(some, period, 0.0), total),
        jnp.where(some, momentum * factor + (1 - momentum), factor),
    )


def _start(
    code: ObservationCode, sizes: Sequence[int], seed: int
) -> tuple[tuple[NDArray, ...], tuple[tuple[NDArray, NDArray], ...]]:
    """Return uniform weights within 1 / sqrt(8 n_pre), and averages without any value."""
    generator = np.random.default_rng([seed, 1])
    weights = tuple(
        generator.uniform(-1.0, 1.0, (n, m)) / np.sqrt(8 * n)
        for n, m in zip(sizes, sizes[1:], strict=False)
    )
    return weights, tuple((np.zeros(n), np.zeros(n)) for n in sizes[1:-1])


def _check_sizes(sizes: Sequence[int], options: Training) -> None:
    problems = size_problems(sizes)
    if options.batch_size < 2:
        problems.append("batch_size must be at least 2, because one sample has no median")
    if problems:
        raise ParameterError("train: " + "; ".join(problems) + ".")


def _images(x: ArrayLike) -> NDArray[np.float64]:
    """Return the inputs, or raise `DataError`."""
    images = samples_of(x)
    if images.min() < 0 or images.max() <= 0:
        raise DataError(
            "inputs must be non-negative with a positive maximum, which fires first. "
            f"Received: values from {images.min():g} to {images.max():g}."
        )
    return images


def _graph(
    code: ObservationCode, fitted: Fitted, images: NDArray, highest: float, name: str
) -> AnalogGraph:
    """Return the analog network of trained weights."""
    weights = [np.asarray(w, np.float64) for w in fitted.parameters]
    periods = [_period(code, *average) for average in fitted.state]
    with precision("float64"):
        few = jnp.clip(images[:_CALIBRATION].reshape(-1, len(weights[0])) / highest, 0.0, 1.0)
        periods.append(_decisions(code, weights, periods, 1.0 - few))
    return dense_graph(code, weights, periods, images.shape[1:], highest=highest, name=name)


def _period(code: ObservationCode, total: NDArray, factor: NDArray) -> NDArray[np.float64]:
    """Return the average observation periods.

    A neuron that was silent in more than half of the samples of every batch has none: it is
    observed as long as any other, and at least until its bias alone reaches the threshold.
    """
    some = factor > 0
    found = np.divide(total, factor, out=np.zeros(len(total)), where=some, dtype=np.float64)
    return np.where(some, found, max(float(found.max(initial=0.0)), code.v_th / code.alpha))


def _decisions(
    code: ObservationCode, weights: Sequence[NDArray], periods: Sequence[NDArray], times: Array
) -> NDArray[np.float64]:
    """Return the period of the outputs, twice the time of the latest decision on some samples."""
    respond = ObservationLoss(code).respond
    for kernel, period in zip(weights, periods, strict=False):
        local, first = respond(times, kernel)
        times = jnp.where(local <= period, first - code.epsilon + local, jnp.inf)
    decided = np.asarray(respond(times, weights[-1])[0]).min(axis=1)
    finite = decided[np.isfinite(decided)]
    latest = finite.max(initial=code.v_th / code.alpha)
    return np.full(weights[-1].shape[1], 2.0 * latest)
