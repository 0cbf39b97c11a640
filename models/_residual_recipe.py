"""The training of the residual networks of Mueller's thesis."""

from __future__ import annotations

from bioconv.models.network import Recipe


def mueller_recipe(n: int) -> Recipe:
    """Return the recipe of mueller 4.2.1: 50 + 100 n epochs, and less after 50 n and 25 + 75 n.

    Parameters
    ----------
    n : int
        1 for ResNet18, 2 for ResNet34, 3 for ResNet50, 4 for ResNet101.
    """
    epochs = 50 + 100 * n
    return Recipe(
        dataset="cifar10",
        epochs=epochs,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        schedule="step",
        milestones=(50 * n / epochs, (25 + 75 * n) / epochs),
        # 5e-4 in the thesis, but in the gradient, where the momentum makes ten times as much of it.
        weight_decay=5e-3,
        shift=4,
        flip=True,
        held_out=0.1,  # 5,000 of 50,000
    )
