"""Networks with layers that only move values: padding, cropping, permuting, reshaping."""

from __future__ import annotations

from bioconv.models.awkward.case import Case, stack

CASES = {
    "upsampling": Case(
        "upsampling that differs by axis",
        (4, 5, 2),
        stack(
            lambda la: [
                la.Conv2D(4, 3, padding="same", activation="relu"),
                la.UpSampling2D((3, 2)),
                la.Conv2D(3, 3, strides=2, activation="relu"),
            ]
        ),
    ),
    "upsampling_bilinear": Case(
        "upsampling by interpolation",
        (4, 5, 2),
        stack(
            lambda la: [
                la.Conv2D(4, 3, padding="same", activation="relu"),
                la.UpSampling2D(2, interpolation="bilinear"),
                la.Conv2D(3, 3, strides=2, activation="relu"),
            ]
        ),
    ),
    "cropping": Case(
        "cropping that differs on all four sides",
        (9, 9, 2),
        stack(
            lambda la: [
                la.Conv2D(4, 3, padding="same", activation="relu"),
                la.Cropping2D(((1, 2), (3, 0))),
                la.Conv2D(3, 3, activation="relu"),
            ]
        ),
    ),
    "zero_padding": Case(
        "padding that differs on all four sides, before a strided convolution and a pooling",
        (6, 7, 2),
        stack(
            lambda la: [
                la.ZeroPadding2D(((0, 1), (2, 1))),
                la.Conv2D(4, 3, strides=2, activation="relu"),
                la.ZeroPadding2D(((1, 0), (0, 1))),
                la.AveragePooling2D(2),
            ]
        ),
    ),
    "permute": Case(
        "axes permuted between convolution and dense layer",
        (5, 6, 2),
        stack(
            lambda la: [
                la.Conv2D(4, 3, activation="relu"),
                la.Permute((3, 1, 2)),
                la.Flatten(),
                la.Dense(6, activation="relu"),
            ]
        ),
    ),
    "reshape": Case(
        "values reshaped into other rows, columns and channels",
        (48,),
        stack(
            lambda la: [
                la.Dense(48, activation="relu"),
                la.Reshape((4, 6, 2)),
                la.Conv2D(4, 3, activation="relu"),
                la.Reshape((-1, 2)),
                la.Conv1D(3, 2, activation="relu"),
            ]
        ),
    ),
    "dense_on_rows": Case(
        "a dense layer that acts on the last axis of three",
        (5, 4, 3),
        stack(lambda la: [la.Dense(8, activation="relu"), la.Dense(6, activation="relu")]),
    ),
}
