"""Networks with an observation period, trained for the figures of stanojevic A.1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.decisions import decision_of
from bioconv.analog.evaluate import evaluate
from bioconv.codes import ObservationCode
from bioconv.data import load_data
from bioconv.ground.decisions import LARGEST
from bioconv.paper_figures.frame import Context
from bioconv.training import Training, fit
from bioconv.training.observation import OPTIONS, Trained, train_graph

#: of the thesis, which does not state kappa, lambda and the dropout rate
CODE = ObservationCode()
#: learning rates, and updates until they have decayed to 0.96 of them: with few epochs they are
#: larger than those of the thesis (2e-4, 500); digits are 40 times fewer
_MANY, _FEW = (1e-3, 150), (2e-3, 500)


@dataclass(frozen=True)
class Split:
    """A dataset: training and test images, classes, and a description for the caption."""

    x: NDArray
    y: NDArray[np.int64]
    x_test: NDArray
    y_test: NDArray[np.int64]
    used: str


def split(context: Context, name: str) -> Split:
    """Return MNIST or Fashion-MNIST, or digits if data are missing or on a quick run."""
    real = context.data is not None and not context.quick
    chosen = name if real else "digits"
    (x, classes), (x_test, others) = (load_data(chosen, split=p) for p in ("train", "test"))
    y, y_test = (np.asarray(given, np.int64) for given in (classes, others))
    used = f"{name} ({len(x):,} training, {len(x_test):,} test images)" if real else "digits"
    return Split(x, y, x_test, y_test, used)


def options(context: Context, data: Split, epochs: int) -> Training:
    """Return those of the thesis with a faster schedule; more epochs for digits."""
    few = data.used == "digits"
    rate, steps = _FEW if few else _MANY
    return replace(
        OPTIONS,
        epochs=context.pick(20, 3) if few else epochs,
        learning_rate=rate,
        decay_steps=steps,
        seed=context.seed,
    )


def single_spike(context: Context, data: Split, hidden: int, epochs: int) -> Trained:
    """Train a network with one hidden layer."""
    given = options(context, data, epochs)
    return train_graph(CODE, (hidden,), data.x, data.y, given, progress=context.progress)


def accuracy(found: Trained, data: Split) -> float:
    """Return the share of test images whose output of the right class fires first, in per cent."""
    (output,) = evaluate(found.graph, data.x_test).values()
    return 100 * decision_of(found.graph).accuracy(output, data.y_test)


def relu_accuracy(context: Context, data: Split, hidden: int, epochs: int) -> float:
    """Return the test accuracy of a ReLU network that is trained in the same way, in per cent."""
    flat, test = (x.reshape(len(x), -1) for x in (data.x, data.x_test))
    rng = np.random.default_rng([context.seed, 2])
    sizes = (flat.shape[1], hidden, int(data.y.max()) + 1)
    start = [
        (rng.normal(0.0, np.sqrt(2 / n), (n, m)), np.zeros(m))
        for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    fitted = fit(
        _cross_entropy,
        start,
        (),
        flat,
        data.y,
        options(context, data, epochs),
        progress=context.progress,
    )
    return 100 * LARGEST.accuracy(_relu(fitted.parameters, test), data.y_test)


def _relu(parameters: Any, x: Any) -> Any:
    (first, bias), (second, offset) = parameters
    return jnp.maximum(x @ first + bias, 0.0) @ second + offset


def _cross_entropy(
    parameters: Any, state: Any, x: Any, y: Any, key: Any
) -> tuple[Any, tuple[Any, Mapping[str, Any]]]:
    logits = jax.nn.log_softmax(_relu(parameters, x))
    return -jnp.mean(jnp.take_along_axis(logits, y[:, None], axis=1)), (state, {})
