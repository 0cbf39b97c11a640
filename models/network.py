"""Registry entry of a network, with its source, its builder and its training recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from keras import Model


@dataclass(frozen=True)
class Recipe:
    """Training recipe of a network.

    Attributes
    ----------
    dataset : str
        Name of the dataset in `bioconv.data.datasets.load`.
    epochs : int
        Number of passes through the training data.
    batch_size : int
        Number of samples per batch; an incomplete last batch of an epoch is skipped.
    optimizer : {"adam", "sgd"}
        Adam, or stochastic gradient descent with a momentum of 0.9.
    learning_rate : float
        Initial learning rate.
    schedule : {"cosine", "step"}
        Decay of the learning rate: "cosine" decreases it to zero, and "step" divides it by ten
        at each of the milestones.
    milestones : tuple of float
        For "step": shares of the epochs, increasing.
    weight_decay : float
        Decoupled weight decay.
    shift : int
        Largest random shift of a training image in pixels, which is padded with zeros.
    flip : bool
        Whether to mirror half of the training images, and the objects in them, left to right,
        chosen anew every time.
    held_out : float
        Share of the training samples, the last ones, that are left out for validation.
    metric : {"accuracy", "binary_accuracy", "mean_absolute_error", "mean_average_precision"}
        Metric on the card. The loss is the cross-entropy for "accuracy", the binary cross-entropy
        of a single output for "binary_accuracy", the squared error for "mean_absolute_error", and
        that of a detector, focal loss and smooth error of boxes, for "mean_average_precision".
    """

    dataset: str
    epochs: int
    batch_size: int = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3
    schedule: Literal["cosine", "step"] = "cosine"
    milestones: tuple[float, ...] = (0.5, 0.75)
    weight_decay: float = 0.0
    shift: int = 0
    flip: bool = False
    held_out: float = 0.0
    metric: Literal[
        "accuracy", "binary_accuracy", "mean_absolute_error", "mean_average_precision"
    ] = "accuracy"


@dataclass(frozen=True)
class Network:
    """A network of the model zoo.

    Attributes
    ----------
    name : str
        Name in the registry, which is also the name of its module.
    description : str
        Description of the network in one line.
    source : str
        Publication of the network, and the section or figure in it.
    build : callable
        Returns the untrained `keras.Model`.
    recipe : Recipe
        Training recipe.
    no_weights : str
        Reason why no weights are part of the package; empty if they are.
    """

    name: str
    description: str
    source: str
    build: Callable[[], Model]
    recipe: Recipe
    no_weights: str = ""

    @property
    def command(self) -> str:
        """The command that trains the network by its recipe."""
        return f"python -m models train {self.name}"

    def describe(self) -> dict[str, Any]:
        """Return the entries of its card that do not depend on trained weights.

        Returns
        -------
        dict
            Name, description, source, command and recipe.
        """
        return {
            "name": self.name,
            "description": self.description,
            "source": self.source,
            "command": self.command,
            # a list, as it comes back from a card
            "recipe": {**asdict(self.recipe), "milestones": list(self.recipe.milestones)},
        }
