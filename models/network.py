"""What the registry knows about a network: where it is from, how it is built and trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from keras import Model


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    dataset : str
        Name of the dataset, as `bioconv.data.datasets.load` knows it.
    epochs : int
        Passes through the training data.
    batch_size : int
        Samples in a batch; an incomplete last batch of an epoch is left out.
    optimizer : {"adam", "sgd"}
        Adam, or stochastic gradient descent with a momentum of 0.9.
    learning_rate : float
        Learning rate at the start.
    schedule : {"cosine", "step"}
        Decay of the learning rate: a cosine to zero, or divided by ten after half and after
        three quarters of the epochs.
    weight_decay : float
        Decoupled weight decay.
    shift : int
        Every training image is moved by up to this many pixels, filled up with zeros.
    flip : bool
        Half of the training images, drawn anew every time, are mirrored left to right.
    metric : {"accuracy", "binary_accuracy", "mean_absolute_error"}
        What the card reports: accuracy goes with the cross-entropy (binary: of one output), the
        error with the squares.
    """

    dataset: str
    epochs: int
    batch_size: int = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3
    schedule: Literal["cosine", "step"] = "cosine"
    weight_decay: float = 0.0
    shift: int = 0
    flip: bool = False
    metric: Literal["accuracy", "binary_accuracy", "mean_absolute_error"] = "accuracy"


@dataclass(frozen=True)
class Network:
    """One network of the zoo.

    Attributes
    ----------
    name : str
        Name in the registry, which is also the name of its module.
    description : str
        The network in one line.
    source : str
        The publication that it is from, and the place in it.
    build : callable
        Returns the untrained `keras.Model`.
    recipe : Recipe
        How it is trained.
    no_weights : str
        Why the package ships no weights; empty where it ships them.
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
        """Return what its card says with or without trained weights.

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
            "recipe": asdict(self.recipe),
        }
