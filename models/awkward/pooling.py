"""Pooling: windows that overlap, leave pixels out or reach over the edge."""

from __future__ import annotations

from typing import Any

from bioconv.models.awkward.case import Body, Case, stack


def _around(pool: Any) -> Body:
    """Return a body of a convolution, the tested pooling and another convolution."""
    return stack(
        lambda la: [
            la.Conv2D(4, 3, activation="relu"),
            pool(la),
            la.Conv2D(4, 2, activation="relu"),
        ]
    )


CASES = {
    "max_overlap_same": Case(
        "overlapping max pooling with same padding: the padding must never be the maximum",
        (11, 10, 2),
        # Without a ReLU before it, a zero of the padding would exceed negative values.
        stack(
            lambda la: [
                la.Conv2D(4, 3),
                la.MaxPooling2D(3, strides=2, padding="same"),
                la.Conv2D(4, 2, activation="relu"),
            ]
        ),
    ),
    "max_overlap_relu": Case(
        "overlapping max pooling of spiking neurons, same padding",
        (11, 10, 2),
        _around(lambda la: la.MaxPooling2D(3, strides=2, padding="same")),
    ),
    "max_remainder": Case(
        "max pooling that leaves out the last row and column",
        (11, 9, 2),
        _around(lambda la: la.MaxPooling2D(2)),
    ),
    "average_overlap_same": Case(
        "overlapping average pooling with same padding: pixels outside do not count",
        (11, 10, 2),
        _around(lambda la: la.AveragePooling2D(3, strides=2, padding="same")),
    ),
    "average_remainder": Case(
        "average pooling with different sides that leaves out pixels",
        (11, 12, 2),
        _around(lambda la: la.AveragePooling2D((2, 3))),
    ),
    "average_gaps": Case(
        "average pooling with a stride that is larger than the window",
        (12, 12, 2),
        _around(lambda la: la.AveragePooling2D(2, strides=3)),
    ),
    "global_average": Case(
        "global average pooling",
        (7, 6, 2),
        stack(lambda la: [la.Conv2D(6, 3, activation="relu"), la.GlobalAveragePooling2D()]),
    ),
    "global_max": Case(
        "global max pooling that keeps its dimensions",
        (7, 6, 2),
        stack(
            lambda la: [
                la.Conv2D(6, 3, activation="relu"),
                la.GlobalMaxPooling2D(keepdims=True),
                la.Conv2D(6, 1, activation="relu"),
            ]
        ),
    ),
    "max_of_normalized": Case(
        "batch normalisation between ReLU and max pooling, with negative gamma: a minimum",
        (8, 8, 2),
        stack(
            lambda la: [
                la.Conv2D(6, 3, activation="relu"),
                la.BatchNormalization(),
                la.MaxPooling2D(2),
                la.Conv2D(4, 3, padding="same", activation="relu"),
            ]
        ),
    ),
}
