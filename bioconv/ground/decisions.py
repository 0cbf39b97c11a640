"""What the outputs of a network decide: a class, labels, or values; and what labels must be.

Everything that counts accuracy or agreement asks a `Decision`, also the exported programs, which
this module accompanies.  `bioconv.analog.decisions` finds the decision of an analog network.

Accuracy is the share of decisions that are right.  A sample has one decision, or one for each label
or value, or for each position of a sequence or picture.  Agreement is the accuracy with the
decisions of another network in place of labels.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import isfinite, nan, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import DataError, DataWarning, ParameterError
from bioconv.ground.options import check, choice, number

Shape = tuple[int, ...]
#: kind of a decision -> its meaning
KINDS = {
    "largest": "the class of the largest output",
    "threshold": "for every output, whether it is above a threshold",
    "value": "the outputs themselves",
}


@dataclass(frozen=True)
class Decision:
    """What the outputs of a network stand for.

    Parameters
    ----------
    kind : {"largest", "threshold", "value"}
        "largest": the class is the index of the largest output.  "threshold": class 1 if an output
        is above the threshold, else class 0; a network with several outputs has as many labels.
        "value": the outputs are values (regression, autoencoders).
    threshold : float
        Threshold of the kind "threshold": 0.5 for probabilities, 0 for logits and the sign.
    axis : int or None
        Axis of the classes in one sample, for the kind "largest"; None for all outputs together.
    tolerance : float
        Largest difference at which two values of the kind "value" count as the same, as a share of
        the range of the values that are compared with.
    """

    kind: str = choice("largest", tuple(KINDS))
    threshold: float = number(0.5)
    axis: int | None = None
    tolerance: float = number(0.05, 0.0, above=True)

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        if self.kind == "largest":
            where = "" if self.axis is None else f" along axis {self.axis}"
            return f"largest output{where}"
        if self.kind == "threshold":
            return f"output above {self.threshold:g}"
        return f"values, the same within {100 * self.tolerance:g} % of their range"

    @property
    def of_classes(self) -> bool:
        """Whether classes or labels are decided, not values."""
        return self.kind != "value"

    def fits(self, shape: Shape) -> bool:
        """Whether outputs of this shape have the axis of the classes."""
        return self.axis is None or -len(shape) <= self.axis < len(shape)

    def n_classes(self, shape: Shape) -> int:
        """Return the number of classes of each decision, 0 for values."""
        if self.kind == "largest":
            return prod(shape) if self.axis is None else shape[self.axis]
        return 2 if self.of_classes else 0

    def positions(self, shape: Shape) -> Shape:
        """Return the shape of the decisions of one sample, () for a single one."""
        if self.kind == "largest":
            if self.axis is None:
                return ()
            axis = self.axis % len(shape)
            shape = (*shape[:axis], *shape[axis + 1 :])
        return tuple(size for size in shape if size != 1)

    def n_decisions(self, shape: Shape) -> int:
        """Return the number of decisions of one sample; see `positions`."""
        return prod(self.positions(shape))

    def decide(self, outputs: Any, shape: Shape) -> Any:
        """Return what outputs decide, for arrays of NumPy or JAX.

        Parameters
        ----------
        outputs : array, shape (..., n_outputs)
            Flat outputs without NaN.
        shape : tuple of int
            Shape of the outputs of one sample.

        Returns
        -------
        array, shape (..., *positions)
            Integers; floats for values.
        """
        lead = outputs.shape[:-1]
        found = outputs
        if self.kind == "largest":
            found = self._with_classes_last(outputs, shape).argmax(axis=-1)
        elif self.kind == "threshold":
            found = (outputs > self.threshold).astype(int)
        return found.reshape(*lead, *self.positions(shape))

    def decide_known(self, outputs: NDArray, shape: Shape) -> NDArray:
        """Return what outputs decide, -1 (or NaN for values) where they are NaN; see `decide`."""
        if not self.of_classes:
            return np.asarray(self.decide(outputs, shape))
        missing = np.isnan(outputs)
        found = self.decide(np.where(missing, -np.inf, outputs), shape)
        if self.kind == "largest":
            missing = self._with_classes_last(missing, shape).all(axis=-1)
        return np.where(missing.reshape(found.shape), -1, found)

    def of(self, outputs: ArrayLike) -> NDArray:
        """Return the decisions of a network, shape (n, *positions), for outputs (n, *shape)."""
        values = np.asarray(outputs)
        return self.decide_known(values.reshape(len(values), -1), values.shape[1:])

    def right(self, found: NDArray, wanted: NDArray) -> NDArray[np.bool_]:
        """Return which decisions are those that are wanted.

        Parameters
        ----------
        found : ndarray, shape (n, n_times, *positions)
        wanted : ndarray, shape (n, *positions)
        """
        target = np.asarray(wanted)[:, None]
        if self.of_classes:
            return np.asarray(found == target)
        return np.abs(found - target) <= self.tolerance * _extent(target)

    def share(self, found: NDArray, wanted: NDArray) -> float:
        """Return the share of decisions (n, *positions) that are those that are wanted."""
        return float(np.mean(self.right(np.asarray(found)[:, None], wanted)))

    def accuracy(self, outputs: ArrayLike, y: ArrayLike) -> float:
        """Return the share of decisions that are right.

        Parameters
        ----------
        outputs : array_like, shape (n, *shape)
            Outputs of a network.
        y : array_like
            Labels as in `labels`, which says what is refused.
        """
        values = np.asarray(outputs)
        return self.share(self.of(values), self.labels(y, values.shape[1:], len(values)))

    def labels(self, y: ArrayLike, shape: Shape, n_samples: int) -> NDArray:
        """Return labels in the form of the decisions, after validation.

        Parameters
        ----------
        y : array_like
            One class for each decision, from 0; or one-hot labels, with an axis of classes; or
            values.  For the threshold 0, which separates signs, classes may be -1 and 1.
        shape : tuple of int
            Shape of the outputs of one sample.
        n_samples : int

        Returns
        -------
        ndarray, shape (n_samples, *positions)
            Integers; float64 for values.

        Raises
        ------
        DataError
            If there is not one label for each decision, or if a label is not one of the classes.

        Warns
        -----
        DataWarning
            If a single output counts as a value, but all labels are 0 or 1.
        """
        values = finite_numbers(y, n_samples)
        positions = self.positions(shape)
        if not self.of_classes:
            if values[0].size != prod(shape):
                raise DataError(
                    f"the network has {prod(shape)} values for each sample. Received "
                    f"{values[0].size} in y, of shape {values.shape}. {_OTHER}"
                )
            if prod(shape) == 1 and set(np.unique(values)) == {0, 1}:
                warnings.warn(
                    "The labels are 0 and 1, but the output counts as a value. If it is a logit, "
                    "choose decision='threshold:0'; if a probability, 'threshold:0.5'.",
                    DataWarning,
                    stacklevel=3,
                )
            return values.astype(np.float64).reshape(n_samples, *positions)
        if self.kind == "largest":
            values = self._numbers_of_one_hot(values, shape)
        elif not positions and values[0].size == 2 and _one_hot(values.reshape(n_samples, 2)):
            values = values.reshape(n_samples, 2)[:, 1]
        if values[0].size != prod(positions):
            raise DataError(self._wrong_number(values, positions))
        return self._in_range(values, self.n_classes(shape)).reshape(n_samples, *positions)

    def _with_classes_last(self, outputs: Any, shape: Shape) -> Any:
        if self.axis is None:
            return outputs
        lead = outputs.ndim - 1
        shaped = outputs.reshape(*outputs.shape[:-1], *shape)
        moved = lead + self.axis % len(shape)
        others = [axis for axis in range(shaped.ndim) if axis != moved]
        return shaped.transpose(*others, moved)

    def _numbers_of_one_hot(self, values: NDArray, shape: Shape) -> NDArray:
        """Return class numbers if the labels have one column for each class."""
        n_classes, n = self.n_classes(shape), len(values)
        if n_classes < 2 or values[0].size != prod(shape):
            return values
        rows = self._with_classes_last(values.reshape(n, -1), shape)
        if not _one_hot(rows):
            raise DataError(
                "labels with one column for each class must be one-hot: a single 1, else 0."
            )
        return np.asarray(rows.argmax(axis=-1))

    def _wrong_number(self, values: NDArray, positions: Shape) -> str:
        n = prod(positions)
        wanted = "one class number" if n == 1 else f"{n} labels"
        text = f"expected {wanted} for each sample. Received an array of shape {values.shape}."
        if self.kind == "threshold" and values[0].size == 1:
            text += (
                f" Each of the {n} outputs is a label of its own. If exactly one class is right "
                "for each sample, use decision='largest'."
            )
        return text

    def _in_range(self, values: NDArray, n_classes: int) -> NDArray[np.int64]:
        wanted = f"labels must be integers from 0 to {n_classes - 1}, the classes of the network."
        if np.any(values != np.floor(values)):
            wrong = values[values != np.floor(values)].flat[0]
            raise DataError(f"{wanted} Received: {wrong:g}. {_OTHER}")
        low, high = values.min(), values.max()
        if self.kind == "threshold" and self.threshold == 0 and low == -1 and high <= 1:
            if np.any(values == 0):
                raise DataError("labels must be 0 and 1, or -1 and 1. Received: -1, 0 and others.")
            return (values > 0).astype(np.int64)
        if low < 0 or high >= n_classes:
            raise DataError(f"{wanted} Received values from {low:g} to {high:g}.")
        return values.astype(np.int64)


_OTHER = "If the labels are right, choose another decision (decision='largest' or 'value')."

#: the decision of networks that are trained with one output for each class
LARGEST = Decision()


def answers(outputs: NDArray) -> NDArray[np.int64]:
    """Return 0 where there is an output (..., n_outputs), and -1 where all of it is NaN."""
    return np.where(np.isnan(outputs).all(axis=-1), -1, 0)


def finite_numbers(y: ArrayLike, n_samples: int) -> NDArray:
    """Return labels as an array of finite numbers, one row for each sample.

    Raises
    ------
    DataError
        If they are not numbers, not finite, or more or fewer than the samples.
    """
    try:
        values = np.asarray(y)
    except ValueError as error:  # ragged
        raise DataError(f"labels must be a rectangular array: {error}.") from None
    if values.dtype.kind not in "biuf":
        raise DataError(f"labels must be numbers. Received: an array of {values.dtype}.")
    if values.shape[:1] != (n_samples,):
        number = len(values) if values.ndim else "a single number"
        raise DataError(
            f"expected {n_samples} labels, one class per sample or one row. Received: {number}."
        )
    if not values.size:
        raise DataError(f"there are no labels. Received: an array of shape {values.shape}.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        n = np.count_nonzero(~np.isfinite(values).reshape(n_samples, -1).all(axis=1))
        raise DataError(f"labels must be finite. Received: NaN or infinite for {n} samples.")
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def is_one_hot(y: NDArray) -> bool:
    """Whether the rows of a table with several columns contain a single 1, and otherwise 0."""
    return y.ndim == 2 and y.shape[1] > 1 and _one_hot(y)


def parse_decision(text: str) -> Decision:
    """Return the decision that a text names: ``KIND``, ``threshold:NUMBER``, ``value:TOLERANCE``.

    Raises
    ------
    ParameterError
        If the kind is unknown or if the number is none.

    Examples
    --------
    >>> print(parse_decision("threshold:0.3"))
    output above 0.3
    """
    kind, separator, digits = text.partition(":")
    if not separator:
        return Decision(kind)
    try:
        value = float(digits)
    except ValueError:
        value = nan
    if kind == "threshold" and isfinite(value):
        return Decision(kind, threshold=value)
    if kind == "value" and isfinite(value):
        return Decision(kind, tolerance=value)
    raise ParameterError(
        f"A decision is 'largest', 'threshold:NUMBER' or 'value:TOLERANCE'. Received: {text!r}."
    )


def _one_hot(rows: NDArray) -> bool:
    zeros_and_ones = np.all((rows == 0) | (rows == 1))
    return bool(zeros_and_ones and np.all(rows.sum(axis=-1) == 1))


def _extent(values: NDArray) -> float:
    """Return the range of values; their size if all are the same."""
    return float(np.ptp(values)) or float(np.max(np.abs(values))) or 1.0
