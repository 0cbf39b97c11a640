"""Validate the input data of a network, and split them into batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import DataError

Shape = tuple[int, ...]
Samples = dict[str, NDArray]
Data = ArrayLike | Sequence[ArrayLike] | Mapping[str, ArrayLike]


class BatchedSamples(Samples):
    """Samples for each input, with the number of them that are evaluated at once.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    batch_size : int, optional
        None: as many as `bioconv.analog.evaluate` chooses.
    """

    def __init__(self, arrays: Mapping[str, NDArray], batch_size: int | None = None) -> None:
        super().__init__(arrays)
        self.batch_size = batch_size


def check_samples(x: Data, shapes: Mapping[str, Shape | None]) -> Samples:
    """Return the data of every input of a network after validation.

    Parameters
    ----------
    x : array, or a sequence or mapping of arrays
        An array of shape (n_samples, *shape) for each input, as a plain array for a single input,
        or as a sequence in the order of ``shapes`` or a mapping by name for several.
    shapes : mapping of str to tuple of int
        Name and shape of one sample for each input; None for any shape.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    DataError
        If names are missing or unknown, if shapes are wrong, if values are not finite numbers, if
        inputs have different numbers of samples, or if there are no samples.  The message lists
        all problems.
    """
    arrays = _by_name(x, shapes)
    problems = [
        f"input {name!r}: {problem}"
        for name, array in arrays.items()
        for problem in _problems(array, shapes[name])
    ]
    lengths = {name: array.shape[0] for name, array in arrays.items() if array.ndim}
    if len(set(lengths.values())) > 1:
        problems.append(f"the inputs have unequal numbers of samples. Received: {lengths}")
    if problems:
        raise DataError("\n".join(problems))
    return arrays


def _by_name(x: Data, shapes: Mapping[str, Shape | None]) -> Samples:
    if isinstance(x, Mapping):
        if set(x) != set(shapes):
            raise DataError(f"expected arrays named {sorted(shapes)}. Received: {sorted(x)}")
        return {name: _array(x[name], name) for name in shapes}
    one_of_one = len(shapes) == 1 and not _is_list_of_arrays(x)
    parts: Sequence[Any] = [x] if one_of_one else list(x)  # type: ignore[arg-type]
    if len(parts) != len(shapes):
        raise DataError(
            f"the network has {len(shapes)} inputs ({', '.join(shapes)}): expected a list with as "
            f"many arrays, or a mapping by name. Received: {len(parts)}"
        )
    return {name: _array(part, name) for name, part in zip(shapes, parts, strict=True)}


def _is_list_of_arrays(x: Any) -> bool:
    """Whether ``x`` is ``[array]``, which Keras accepts, rather than nested numbers."""
    return isinstance(x, list | tuple) and len(x) == 1 and np.ndim(x[0]) > 1


def _array(x: ArrayLike, name: str) -> NDArray:
    try:
        array = np.asarray(x)
    except ValueError as error:  # ragged
        raise DataError(f"input {name!r}: not a rectangular array: {error}") from error
    if array.dtype.kind not in "fiub":
        raise DataError(f"input {name!r}: expected real numbers. Received: dtype {array.dtype}")
    return array


def _problems(array: NDArray, shape: Shape | None) -> Iterator[str]:
    if shape is not None and (array.shape[1:] != shape or not array.ndim):
        advice = _shape_advice(array, shape)
        right = f"(n_samples, {_listed(shape)})"
        yield f"expected an array of shape {right}. Received: {array.shape}{advice}"
    elif not array.size:
        yield f"no samples. Received: an array of shape {array.shape}"
    elif array.dtype.kind == "f" and not np.isfinite([array.min(), array.max()]).all():
        bad = np.count_nonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        yield f"NaN or infinite values in {bad} of {len(array)} samples"


def _listed(shape: Shape) -> str:
    return ", ".join(map(str, shape))


def _shape_advice(array: NDArray, shape: Shape) -> str:
    if array.shape == shape:
        return ". A single sample needs a batch axis: x[None]"
    if (*array.shape[1:], 1) == shape:
        return ". The channel axis is missing: x[..., None]"
    if array.ndim and array[:1].size == np.prod(shape):
        return f". The number of values per sample fits: x.reshape(len(x), {_listed(shape)})"
    return ""


def batches(samples: Mapping[str, NDArray], batch_size: int) -> Iterator[tuple[int, Samples]]:
    """Yield batches of equal length, so that all can use the same compiled program.

    Parameters
    ----------
    samples : mapping of str to ndarray
        Arrays with the same number of samples.
    batch_size : int

    Yields
    ------
    n : int
        Number of samples in the batch, without padding.
    batch : dict of str to ndarray
        Arrays of the batch.  The last batch is padded with copies of its last sample.
    """
    total = len(next(iter(samples.values())))
    size = min(batch_size, total)
    for start in range(0, total, size):
        n = min(size, total - start)
        index = np.minimum(np.arange(start, start + size), total - 1)
        yield n, {name: array[index] for name, array in samples.items()}
