"""Training of networks of spike patterns, by backpropagation through time.

Stanojevic 2023, thesis, appendix A.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import PatternDistances
from bioconv.analog.spike_patterns import heaviside, unit_spikes
from bioconv.codes.code import Request
from bioconv.codes.correlative.code import CorrelativeCode
from bioconv.codes.correlative.stack import check_encoder, dense_graph
from bioconv.encoders import Encoder
from bioconv.encoders.level_patterns import LevelEncoder
from bioconv.ground.decisions import LARGEST
from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.neurons import IntegrateAndFire
from bioconv.operators import Array
from bioconv.training.loop import Fitted, fit
from bioconv.training.options import Training
from bioconv.training.stacks import classes_of, samples_of, size_problems

#: batches and optimiser of the thesis; its learning rates stand in figures only
OPTIONS = Training(epochs=50, batch_size=64, learning_rate=3e-3, decay=0.96, decay_steps=500)
#: smallest threshold
_LEAST = 1e-3
#: updates between two reports of progress, and between two checkpoints
_UPDATES = 20

Parameters = dict[str, tuple[Array, ...]]


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained stack of dense layers of spiking units.

    Parameters
    ----------
    graph : AnalogGraph
        `bioconv.convert` makes the spiking network of it.
    encoder : CorrelativeTime or ExtendedCorrelativeTime
        Fitted to the training data; it encodes samples for the network.
    history : dict of str to ndarray, shape (epochs,)
        Mean of every epoch: ``loss``; ``accuracy`` on the training batches; ``spikes`` of a hidden
        neuron in a step.
    """

    graph: AnalogGraph
    encoder: Encoder
    history: dict[str, NDArray[np.float64]]


def train(
    code: CorrelativeCode,
    encoder: Encoder,
    sizes: Sequence[int],
    x: ArrayLike,
    y: ArrayLike,
    options: Training = OPTIONS,
    **settings: Any,
) -> SpikingNetwork:
    """Train a spiking network; see `train_graph` for the parameters and errors.

    Returns
    -------
    SpikingNetwork
        Its input takes rasters, such as those of ``encoder.fitted(x).encode_each(samples)``.  Its
        field ``analog`` is the trained graph, which takes the samples themselves.
    """
    trained = train_graph(code, encoder, sizes, x, y, options, **settings)
    return converted(code, trained, np.asarray(x)[:1])


def converted(code: CorrelativeCode, trained: Trained, x: NDArray) -> SpikingNetwork:
    """Return the spiking network of a trained graph, with some samples for the record."""
    encoder = check_encoder(trained.encoder)
    return code.convert(
        Request(
            graph=trained.graph,
            calibration={trained.graph.inputs[0].name: x},
            neuron=IntegrateAndFire(),
            dt=encoder.interval / encoder.n_steps,
        )
    )


def train_graph(
    code: CorrelativeCode,
    encoder: Encoder,
    sizes: Sequence[int],
    x: ArrayLike,
    y: ArrayLike,
    options: Training = OPTIONS,
    *,
    n_classes: int | None = None,
    name: str = "correlative",
    dtype: str = "float32",
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Trained:
    """Train the weights and thresholds of a dense network.

    Parameters
    ----------
    code : CorrelativeCode
    encoder : CorrelativeTime or ExtendedCorrelativeTime
        It is fitted to the samples, unless it is already.
    sizes : sequence of int
        Numbers of neurons of the hidden layers.
    x : array, shape (n_samples, ...)
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
        If sizes are not whole numbers of at least 1, the encoder has no spike patterns, or its
        patterns are not longer than ``code.first_step``.
    TrainingError
        If the loss is no longer finite.
    """
    check_encoder(encoder)
    problems = size_problems(sizes, fewest=1)
    if problems:
        raise ParameterError(f"train: {problems[0]}.")
    samples = samples_of(x)
    classes, number = classes_of(y, len(samples), n_classes)
    fitted_encoder = check_encoder(encoder.fitted(samples))
    targets = code.targets(number, fitted_encoder.n_steps)
    loss = PatternLoss(code, targets, _of_levels(fitted_encoder))
    widths = (fitted_encoder.n_neurons * samples[0].size, *sizes, targets.shape[2])
    fitted = fit(
        loss,
        start(code, widths, options.seed),
        (),
        fitted_encoder.levels(samples).astype(np.int32),
        classes,
        options,
        dtype=dtype,
        project=_positive,
        checkpoint=checkpoint,
        record={"code": code, "encoder": fitted_encoder, "sizes": tuple(sizes)},
        progress=progress,
        updates=_UPDATES,
    )
    graph = _graph(code, fitted_encoder, fitted, samples.shape[1:], name)
    return Trained(graph, fitted_encoder, fitted.history)


def start(
    code: CorrelativeCode, widths: Sequence[int], seed: int
) -> dict[str, tuple[NDArray[np.float64], ...]]:
    """Return the parameters before the training.

    Weights are uniform within sqrt(6 / (n_pre + n)) (Glorot and Bengio 2010), and all thresholds
    equal (stanojevic A.2.4).
    """
    generator = np.random.default_rng([seed, 1])
    pairs = list(zip(widths, widths[1:], strict=False))
    weights = tuple(generator.uniform(-1.0, 1.0, one) * np.sqrt(6.0 / sum(one)) for one in pairs)
    return {"weights": weights, "v_th": tuple(np.full(n, code.v_th) for n in widths[1:])}


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def pseudo_spike(distance: Array, width: float) -> Array:
    """Return spikes with the derivative ``1 - tanh(distance / width)**2``.

    Wozniak et al. 2020 use the width 1, which is large compared with the thresholds; the height of
    the derivative is 1 for every width.
    """
    return heaviside(distance)


@pseudo_spike.defjvp
def _derivative(width: float, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (distance,), (change,) = primals, tangents
    slope = 1.0 - jnp.tanh(distance / width) ** 2
    return heaviside(distance), slope * change


@dataclass(frozen=True, eq=False)
class PatternLoss:
    """The weighted binary cross-entropy of stanojevic Eq A.13, for `bioconv.training.fit`.

    Parameters
    ----------
    code : CorrelativeCode
    targets : ndarray of bool, shape (n_classes, n_steps, n_outputs)
    patterns : ndarray of bool, shape (n_features, n_levels, n_neurons, n_steps)
        Of the encoder.
    """

    code: CorrelativeCode
    targets: NDArray[np.bool_]
    patterns: NDArray[np.bool_]

    def __call__(
        self, parameters: Parameters, state: Any, x: Array, y: Array, key: Array
    ) -> tuple[Array, tuple[Any, Mapping[str, Array]]]:
        """Return the loss of a batch of levels, shape (batch, n_features), and measures."""
        logits, activity = self.forward(parameters, x, key)
        targets = jnp.asarray(self.targets)[y].swapaxes(0, 1).astype(logits.dtype)
        log_one, log_zero = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
        loss = -jnp.mean(self.code.omega * targets * log_one + (1.0 - targets) * log_zero)
        spikes = heaviside(logits).swapaxes(0, 1)
        decision = LARGEST.decide(self._distances().apply([spikes]), (len(self.targets),))
        measures = {"accuracy": jnp.mean(decision == y), "spikes": activity}
        return loss, (state, measures)

    def forward(self, parameters: Parameters, levels: Array, key: Array) -> tuple[Array, Array]:
        """Return the distance of the outputs from their thresholds, and the mean activity.

        Parameters
        ----------
        parameters : dict with weights and v_th of all layers
        levels : array of int, shape (batch, n_features)
        key : array
            Random numbers of the dropout.

        Returns
        -------
        logits : array, shape (n_steps, batch, n_outputs)
        activity : array, shape ()
        """
        *hidden, last = zip(parameters["weights"], parameters["v_th"], strict=True)
        fires = partial(pseudo_spike, width=self.code.width)
        active, arriving = [], None
        for weights, v_th in hidden:
            current = self._first(weights, levels) if arriving is None else arriving @ weights
            spikes = unit_spikes(current, v_th, self.code.unit_decay, fires)
            active.append(jnp.mean(jax.lax.stop_gradient(spikes)))
            key, own = jax.random.split(key)
            arriving = self._dropped(spikes, own)
        return arriving @ last[0] - last[1], jnp.mean(jnp.stack(active))

    def _first(self, weights: Array, levels: Array) -> Array:
        """Return the input of the first layer, shape (n_steps, batch, n).

        Equals the spikes of the levels times the weights, for fewer operations; see `Parts`.
        """
        parts = self._parts
        chosen = jnp.tile(levels, parts.held.shape[0] // levels.shape[1])  # one for each unit
        found = jnp.asarray(parts.held)[jnp.arange(chosen.shape[1]), chosen]
        spikes = jnp.moveaxis(found, 2, 0).astype(weights.dtype)
        current = jnp.repeat(spikes @ weights, parts.length, axis=0)
        missing = parts.unit.shape[0] - len(current)
        current = jnp.pad(current, ((0, missing), (0, 0), (0, 0)))
        if not parts.unit.shape[1]:
            return current
        units, rows = jnp.asarray(parts.unit), jnp.asarray(parts.level)
        # (n_steps, batch, longest) and (n_steps, longest, n)
        spikes = jnp.moveaxis(chosen.T[units] == rows[..., None], 2, 1).astype(weights.dtype)
        return current + spikes @ weights[units]

    @cached_property
    def _parts(self) -> Parts:
        return Parts.of(self.patterns)

    def _dropped(self, spikes: Array, key: Array) -> Array:
        """Return spikes without those of some neurons, and the others larger accordingly."""
        if not self.code.dropout:
            return spikes
        kept = jax.random.bernoulli(key, 1.0 - self.code.dropout, spikes.shape[1:])
        return spikes * kept / (1.0 - self.code.dropout)

    def _distances(self) -> PatternDistances:
        code = self.code
        return PatternDistances(self.targets, code.readout_decay, code.multiplication_free)


@dataclass(frozen=True, eq=False)
class Parts:
    """Spike patterns as blocks of equal steps, and the spikes that these leave out.

    In a segment of an ECTE pattern with eta equal to its length, every step has a spike: one
    product with the weights is enough for all of them.  The remaining spikes are so few that only
    the weights of the units that may have them are added.

    Parameters
    ----------
    length : int
        Steps of a block.
    held : ndarray of bool, shape (n_units, n_levels + 1, n_blocks)
        Whether there is a spike in every step of a block.  The last level is the silent one, -1.
    unit, level : ndarray of int, shape (n_steps, longest)
        Which units have another spike in a step, at which level; a level of no value fills up.
    """

    length: int
    held: NDArray[np.bool_]
    unit: NDArray[np.int64]
    level: NDArray[np.int64]

    @staticmethod
    def of(patterns: NDArray[np.bool_]) -> Parts:
        """Return the parts of patterns, with blocks of the length that needs fewest operations.

        Parameters
        ----------
        patterns : ndarray of bool, shape (n_features, n_levels, n_neurons, n_steps)
        """
        n_levels, n_steps = patterns.shape[1], patterns.shape[3]
        rows = np.moveaxis(patterns, 2, 0).reshape(-1, n_levels, n_steps)

        def operations(length: int) -> int:
            held, rest = _blocks(rows, length)
            return len(rows) * held.shape[2] + n_steps * _longest(rest)

        length = min(range(1, n_steps + 1), key=operations)
        held, rest = _blocks(rows, length)
        flat = rest.reshape(-1, n_steps)
        # Rows with a spike come first; others fill up the list.
        order = np.argsort(~flat, axis=0, kind="stable")[: _longest(rest)].T
        unit, level = np.divmod(order, n_levels)
        spiking = np.take_along_axis(flat.T, order, axis=1)
        silent = np.zeros((len(rows), 1, held.shape[2]), bool)
        table = np.concatenate([held, silent], axis=1)
        return Parts(length, table, unit, np.where(spiking, level, n_levels))


def _blocks(rows: NDArray[np.bool_], length: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which blocks of steps are full of spikes, and the spikes outside of these."""
    *shape, n_steps = rows.shape
    n_blocks = n_steps // length
    blocks = rows[..., : n_blocks * length].reshape(*shape, n_blocks, length)
    held: NDArray[np.bool_] = np.all(blocks, axis=-1)
    rest = rows.copy()
    rest[..., : n_blocks * length] &= ~np.repeat(held, length, axis=-1)
    used = held.reshape(-1, n_blocks).any(axis=0)
    last = int(np.flatnonzero(used).max(initial=-1)) + 1
    return held[..., :last], rest


def _longest(rows: NDArray[np.bool_]) -> int:
    """Return the largest number of rows with a spike in a step."""
    return int(rows.reshape(-1, rows.shape[-1]).sum(axis=0).max())


def _of_levels(encoder: LevelEncoder) -> NDArray[np.bool_]:
    """Return the patterns without those of levels that were merged, which no value has."""
    some = np.arange(encoder.n_levels) < encoder.level_counts[:, None]
    return encoder.patterns & some[..., None, None]


def _positive(parameters: Parameters) -> Parameters:
    return {**parameters, "v_th": tuple(jnp.maximum(v, _LEAST) for v in parameters["v_th"])}


def _graph(
    code: CorrelativeCode,
    encoder: LevelEncoder,
    fitted: Fitted,
    shape: tuple[int, ...],
    name: str,
) -> AnalogGraph:
    """Return the analog network of trained parameters."""
    weights = [np.asarray(one, np.float64) for one in fitted.parameters["weights"]]
    thresholds = [np.asarray(one, np.float64) for one in fitted.parameters["v_th"]]
    return dense_graph(code, encoder, weights, thresholds, shape, name=name)
