"""The training loop: batches, optimiser, progress, and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from bioconv.ground.errors import DataError, TrainingError
from bioconv.ground.progress import Progress
from bioconv.operators import Array, precision
from bioconv.training.checkpoints import Checkpoint, fingerprint
from bioconv.training.options import Training

#: nested tuples, lists, mappings and dataclasses of arrays
Tree = Any
#: updates that are computed between two reports of progress
_CHUNK = 100
#: seconds between two checkpoints
_INTERVAL = 30.0


class LossFunction(Protocol):
    """The function that a training run minimises.

    It returns the loss of a batch, together with the new state and measures, which are numbers
    whose means over an epoch are recorded.  The state is what a network adapts by a rule of its
    own, such as windows; no gradient passes through it.
    """

    def __call__(
        self, parameters: Tree, state: Tree, x: Tree, y: Array, key: Array
    ) -> tuple[Array, tuple[Tree, Mapping[str, Array]]]:
        """Return the loss, the new state, and the measures."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The result of a training run.

    Parameters
    ----------
    parameters, state : tree of ndarray
    history : dict of str to ndarray, shape (epochs,)
        Mean loss and measures of every epoch.
    """

    parameters: Tree
    state: Tree
    history: dict[str, NDArray[np.float64]]


@dataclass
class _Progress:
    """Everything that changes during a run, which is what a checkpoint stores."""

    parameters: Tree
    state: Tree
    optimizer: Tree
    epoch: int = 0
    batch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)


def fit(
    loss: LossFunction,
    parameters: Tree,
    state: Tree,
    x: Tree,
    y: NDArray,
    options: Training,
    *,
    dtype: str = "float32",
    project: Callable[[Tree], Tree] | None = None,
    checkpoint: str | Path | None = None,
    record: Mapping[str, Any] | None = None,
    progress: bool = True,
    updates: int | None = None,
) -> Fitted:
    """Minimise a loss over batches of the training data.

    Parameters
    ----------
    loss : LossFunction
        A pure function; it is compiled once.
    parameters, state : tree of ndarray
        Start values.
    x : ndarray of shape (n_samples, ...), or a tree of them
    y : ndarray, shape (n_samples, ...)
    options : Training
    dtype : {"float32", "float64"}
    project : function, optional
        Applied to the parameters after every update, to keep them within their bounds.
    checkpoint : str or Path, optional
        File in which the run is stored about every half minute and at the end of every epoch.  If
        it exists, the run continues from there and ends with the same bytes as an uninterrupted
        one.
    record : mapping, optional
        Everything else that the result depends on, as plain values, so that a checkpoint of a
        different run is refused.
    progress : bool
        Whether to show progress; see `bioconv.ground.progress`.
    updates : int, optional
        Number of updates between two reports of progress, at which a checkpoint can be stored;
        by default 100.

    Returns
    -------
    Fitted

    Raises
    ------
    DataError
        If there are fewer samples than one batch, or if the checkpoint belongs to another run.
    NetworkFileError
        If the checkpoint is damaged.
    TrainingError
        If the loss is no longer finite.
    """
    n_samples = len(y)
    n_batches = n_samples // options.batch_size
    if not n_batches:
        raise DataError(
            f"there are {n_samples} training samples, fewer than one batch of "
            f"{options.batch_size}. Use more samples, or a smaller batch_size."
        )
    with precision(dtype):
        cast = partial(jax.tree.map, partial(_cast, dtype=dtype))
        optimizer = options.transformation()
        start = cast(parameters)
        run = _Progress(start, cast(state), optimizer.init(start))
        data = cast(x), jnp.asarray(y)
        file = None
        if checkpoint is not None:
            print_of_run = fingerprint(options, record or {}, dtype, (parameters, state), x, y)
            file = Checkpoint(Path(checkpoint), print_of_run)
            _resume(file, run)
        step = _compiled(loss, optimizer, project)
        bar = Progress(
            "training",
            total=options.epochs * n_batches,
            initial=run.epoch * n_batches + run.batch,
            units="batches",
            shown=progress,
        )
        with bar:
            _run(step, run, data, options, n_batches, file, bar, updates or _CHUNK)
    plain = partial(jax.tree.map, np.asarray)
    history = {name: np.asarray(values) for name, values in run.history.items()}
    return Fitted(plain(run.parameters), plain(run.state), history)


def _cast(array: Any, dtype: str) -> Array:
    """Return a JAX array; floats get the type of the run, everything else keeps its own."""
    array = np.asarray(array)
    return jnp.asarray(array, dtype if np.issubdtype(array.dtype, np.floating) else array.dtype)


def _compiled(
    loss: LossFunction,
    optimizer: optax.GradientTransformation,
    project: Callable[[Tree], Tree] | None,
) -> Any:
    """Return a compiled function that performs the updates of a chunk of batches."""
    gradient = jax.value_and_grad(loss, has_aux=True)

    def update(carry: Tree, batch: tuple[Array, Array], data: Tree) -> tuple[Tree, Tree]:
        parameters, state, memory = carry
        chosen, key = batch
        x, y = jax.tree.map(lambda array: array[chosen], data)
        (value, (state, measures)), slope = gradient(parameters, state, x, y, key)
        changes, memory = optimizer.update(slope, memory, parameters)
        parameters = optax.apply_updates(parameters, changes)
        if project is not None:
            parameters = project(parameters)
        return (parameters, jax.lax.stop_gradient(state), memory), {"loss": value, **measures}

    @jax.jit
    def chunk(carry: Tree, order: Array, keys: Array, data: Tree) -> tuple[Tree, Tree]:
        carry, values = jax.lax.scan(lambda c, b: update(c, b, data), carry, (order, keys))
        return carry, jax.tree.map(jnp.sum, values)

    return chunk


def _run(
    step: Any,
    run: _Progress,
    data: Tree,
    options: Training,
    n_batches: int,
    file: Checkpoint | None,
    bar: Progress,
    updates: int,
) -> None:
    """Perform all updates that are left."""
    stored = time.monotonic()
    while run.epoch < options.epochs:
        order = _order(options, run.epoch, len(data[1]), n_batches)
        while run.batch < n_batches:
            last = min(run.batch + updates, n_batches)
            keys = _keys(options, run.epoch * n_batches + run.batch, last - run.batch)
            carry = (run.parameters, run.state, run.optimizer)
            carry, sums = step(carry, jnp.asarray(order[run.batch : last]), keys, data)
            run.parameters, run.state, run.optimizer = carry
            for name, value in sums.items():
                run.sums[name] = run.sums.get(name, 0.0) + float(value)
            _check_finite(run, options)
            bar.update(last - run.batch)
            run.batch = last
            if file is not None and time.monotonic() - stored > _INTERVAL:
                _store(file, run)
                stored = time.monotonic()
        for name, value in run.sums.items():
            run.history.setdefault(name, []).append(value / n_batches)
        bar.say(", ".join(f"{name}={values[-1]:.4g}" for name, values in run.history.items()))
        run.epoch, run.batch, run.sums = run.epoch + 1, 0, {}
        if file is not None:
            _store(file, run)


def _order(options: Training, epoch: int, n_samples: int, n_batches: int) -> NDArray[np.int32]:
    """Return the samples of every batch of an epoch, which depend on the seed and epoch only."""
    order = np.random.default_rng([options.seed, epoch]).permutation(n_samples)
    used = order[: n_batches * options.batch_size]
    return used.astype(np.int32).reshape(n_batches, options.batch_size)


def _keys(options: Training, first: int, n: int) -> Array:
    """Return one random key for each update, which depends on the seed and its number only."""
    key = jax.random.key(options.seed)
    return jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(first, first + n))


def _check_finite(run: _Progress, options: Training) -> None:
    if not np.isfinite(run.sums["loss"]):
        raise TrainingError(
            f"the loss is no longer finite in epoch {run.epoch + 1}, with a learning rate of "
            f"{options.learning_rate:g}. Use a smaller learning_rate, or limit gradients with clip."
        )


def _resume(file: Checkpoint, run: _Progress) -> None:
    found = file.read((run.parameters, run.state, run.optimizer))
    if found is not None:
        (run.parameters, run.state, run.optimizer), counters = found
        run.epoch, run.batch = counters["epoch"], counters["batch"]
        run.sums, run.history = counters["sums"], counters["history"]


def _store(file: Checkpoint, run: _Progress) -> None:
    counters = {
        "epoch": run.epoch,
        "batch": run.batch,
        "sums": run.sums,
        "history": run.history,
    }
    file.write((run.parameters, run.state, run.optimizer), counters)
