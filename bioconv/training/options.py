"""Options of a training run: batches, learning rate, and seed."""

from __future__ import annotations

from dataclasses import dataclass

import optax

from bioconv.ground.options import check, choice, number, whole


@dataclass(frozen=True)
class Training:
    """How parameters are optimised.

    The learning rate of update k is ``learning_rate * decay ** (k / decay_steps)`` (stanojevic
    2023, thesis, section 3.6.3, whose batches of 8, factor of 0.9 and 5,000 updates are the
    defaults).

    Parameters
    ----------
    epochs : int
        Number of passes through the training data.
    batch_size : int
        Samples per update.  The order of the samples is drawn anew for every epoch; samples that
        do not fill a batch are left out of this epoch.
    learning_rate : float
    decay : float
        Factor of the learning rate after ``decay_steps`` updates.
    decay_steps : int
    optimizer : {"adam", "sgd"}
        Adam (Kingma and Ba 2015) or plain stochastic gradient descent.
    clip : float
        Largest norm of a gradient, to which larger gradients are scaled down; 0 for no limit.
    seed : int
        Seed of the order of the samples and of all noise during training.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.
    """

    epochs: int = whole(10, 1)
    batch_size: int = whole(8, 1)
    learning_rate: float = number(5e-4, 0.0, above=True)
    decay: float = number(0.9, 0.0, 1.0, above=True)
    decay_steps: int = whole(5000, 1)
    optimizer: str = choice("adam", ("adam", "sgd"))
    clip: float = number(0.0, 0.0)
    seed: int = whole(0, 0)

    def __post_init__(self) -> None:
        check(self)

    def transformation(self) -> optax.GradientTransformation:
        """Return the optimiser."""
        rate = optax.exponential_decay(self.learning_rate, self.decay_steps, self.decay)
        steps = optax.adam(rate) if self.optimizer == "adam" else optax.sgd(rate)
        return optax.chain(optax.clip_by_global_norm(self.clip), steps) if self.clip else steps
