"""Activations other than a plain ReLU, and batch normalisation on either side of one."""

from __future__ import annotations

from typing import Any

from bioconv.models.awkward.case import Body, Case, stack


def _with(activation: Any) -> Body:
    """Return a body of two convolutions, each followed by the activation as a layer."""
    return stack(
        lambda la: [
            la.Conv2D(4, 3, padding="same"),
            activation(la),
            la.Conv2D(4, 2, strides=2),
            activation(la),
        ]
    )


CASES = {
    "relu6": Case("ReLU clipped at 6", (6, 7, 2), _with(lambda la: la.Activation("relu6"))),
    "relu_layer": Case(
        "ReLU layer with maximum and threshold",
        (6, 7, 2),
        _with(lambda la: la.ReLU(max_value=1.5, threshold=0.1)),
    ),
    "leaky_relu": Case(
        "leaky ReLU: negative values", (6, 7, 2), _with(lambda la: la.LeakyReLU(0.2))
    ),
    "prelu": Case(
        "parametric ReLU with a slope for every channel",
        (6, 7, 2),
        _with(lambda la: la.PReLU(shared_axes=(1, 2))),
    ),
    "sigmoid": Case("sigmoid", (6, 7, 2), _with(lambda la: la.Activation("sigmoid"))),
    "tanh": Case("tanh: negative values", (6, 7, 2), _with(lambda la: la.Activation("tanh"))),
    "linear": Case("no activation between two layers", (6, 7, 2), _with(lambda la: la.Identity())),
    "normalized_before": Case(
        "batch normalisation before the ReLU, no bias, one gamma negative",
        (7, 6, 2),
        stack(
            lambda la: [
                la.Conv2D(6, 3, use_bias=False),
                la.BatchNormalization(),
                la.ReLU(),
                la.Dropout(0.5),
                la.Conv2D(4, 3, padding="same"),
                la.BatchNormalization(scale=False),
                la.ReLU(),
            ]
        ),
    ),
    "normalized_after": Case(
        "batch normalisation after the ReLU and before zero padding: the border is not shifted",
        (7, 6, 2),
        stack(
            lambda la: [
                la.Conv2D(6, 3, padding="same", activation="relu"),
                la.BatchNormalization(),
                la.Conv2D(4, 3, padding="same", activation="relu"),
                la.BatchNormalization(center=False, epsilon=0.1),
            ]
        ),
    ),
    "normalized_input": Case(
        "batch normalisation of the input and of a dense layer",
        (12,),
        stack(
            lambda la: [
                la.BatchNormalization(),
                la.Dense(8),
                la.BatchNormalization(),
                la.ReLU(),
                la.Dense(6, activation="relu"),
            ]
        ),
    ),
}
