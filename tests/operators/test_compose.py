"""What compose simplifies, judged by the operators that are left."""

from __future__ import annotations

import numpy as np
import pytest

from bioconv.ground.errors import ParameterError
from bioconv.operators import (
    AveragePool,
    Chain,
    Conv,
    Crop,
    Dense,
    Operator,
    Pad,
    Permute,
    Place,
    Reshape,
    Scale,
    compose,
    conv,
    precision,
    scaled,
)

RNG = np.random.default_rng(0)


def same_map(first: Operator, second: Operator) -> bool:
    x = RNG.normal(size=(3, *first.in_shape))
    with precision("float64"):
        return np.allclose(first.apply(x), second.apply(x), rtol=1e-10)


def kinds(operator: Operator) -> list[type]:
    return [type(o) for o in (operator.operators if isinstance(operator, Chain) else (operator,))]


def test_padding_goes_into_the_convolution() -> None:
    pad = Pad((4, 5, 2), ((1, 2), (0, 3), (0, 0)))
    parts = pad, conv(pad.out_shape, RNG.normal(size=(3, 3, 2, 4)), strides=2)
    merged = compose(*parts)
    assert isinstance(merged, Conv)
    assert merged.padding == ((1, 2), (0, 3))
    assert same_map(merged, Chain(parts))


def test_cropping_goes_into_a_convolution_without_padding_only() -> None:
    crop = Crop((7, 7, 2), ((1, 1), (2, 0), (0, 0)))
    kernel = RNG.normal(size=(3, 3, 2, 4))
    merged = compose(crop, conv(crop.out_shape, kernel))
    assert kinds(merged) == [Conv]
    assert same_map(merged, Chain((crop, conv(crop.out_shape, kernel))))
    assert kinds(compose(crop, conv(crop.out_shape, kernel, padding="same"))) == [Crop, Conv]


def test_a_convolution_computes_only_what_a_cropping_leaves() -> None:
    whole = conv((6, 6, 2), RNG.normal(size=(3, 3, 2, 4)), strides=2, padding="same")
    crop = Crop(whole.out_shape, ((1, 0), (0, 1), (1, 2)))
    merged = compose(whole, crop)
    assert kinds(merged) == [Conv]
    assert same_map(merged, Chain((whole, crop)))


def test_a_branch_of_a_concatenation_takes_its_slice_of_the_kernel() -> None:
    place = Place((4, 4, 3), axis=-1, offset=2, total=8)
    after = conv(place.out_shape, RNG.normal(size=(3, 3, 8, 5)))
    merged = compose(place, after)
    assert kinds(merged) == [Conv]
    assert merged.kernel.shape == (3, 3, 3, 5)
    assert same_map(merged, Chain((place, after)))


def test_a_branch_that_is_flattened_takes_its_rows_of_the_matrix() -> None:
    place = Place((4, 4, 3), axis=-1, offset=2, total=8)
    flat = Reshape(place.out_shape, (4 * 4 * 8,))
    after = Dense(flat.out_shape, RNG.normal(size=(4 * 4 * 8, 5)))
    merged = compose(place, flat, after)
    assert kinds(merged) == [Reshape, Dense]
    assert merged.operators[1].kernel.shape == (4 * 4 * 3, 5)
    assert same_map(merged, Chain((place, flat, after)))


def test_channels_first_flattening_is_an_order_of_rows() -> None:
    permute = Permute((4, 5, 3), (2, 0, 1))
    flat = Reshape(permute.out_shape, (60,))
    after = Dense((60,), RNG.normal(size=(60, 2)))
    merged = compose(permute, flat, after)
    assert kinds(merged) == [Reshape, Dense]
    assert same_map(merged, Chain((permute, flat, after)))


def test_opposite_permutations_cancel() -> None:
    merged = compose(Permute((2, 3, 4), (2, 0, 1)), Permute((4, 2, 3), (1, 2, 0)))
    assert merged.in_shape == merged.out_shape == (2, 3, 4)
    assert not isinstance(merged, Chain | Permute)


@pytest.mark.parametrize(("n", "merges"), [(3, True), (40, False)])
def test_matrices_merge_only_where_that_is_no_more_work(n: int, merges: bool) -> None:
    parts = Dense((20,), RNG.normal(size=(20, 4))), Dense((4,), RNG.normal(size=(4, n)))
    assert kinds(compose(*parts)) == ([Dense] if merges else [Dense, Dense])


def test_channel_factors_go_through_pooling_and_flattening() -> None:
    pool = AveragePool((4, 4, 3), (2, 2))
    flat = Reshape(pool.out_shape, (12,))
    dense = Dense((12,), RNG.normal(size=(12, 5)))
    chain, pre, post = Chain((pool, flat, dense)), np.array([1.0, 2.0, 3.0]), np.arange(1.0, 6.0)
    merged = scaled(chain, pre, post)
    assert kinds(merged) == [AveragePool, Reshape, Dense]
    assert same_map(merged, Chain((Scale((4, 4, 3), pre), *chain.operators, Scale((5,), post))))


def test_factors_behind_a_pooling_go_into_the_convolution_before() -> None:
    first = conv((6, 6, 1), RNG.normal(size=(3, 3, 1, 2)))
    pool = AveragePool(first.out_shape, (2, 2))
    merged = scaled(Chain((first, pool)), post=np.array([2.0, 3.0]))
    assert kinds(merged) == [Conv, AveragePool]


def test_factors_that_vary_in_space_stay_in_front_of_a_convolution() -> None:
    factor = RNG.uniform(1, 2, (6, 6, 1))
    after = conv((6, 6, 1), RNG.normal(size=(3, 3, 1, 2)))
    merged = scaled(after, pre=factor)
    assert kinds(merged) == [Scale, Conv]
    assert same_map(merged, Chain((Scale((6, 6, 1), factor), after)))


def test_weights_given_by_the_user_are_not_changed() -> None:
    dense = Dense((3,), np.ones((3, 2)))
    scaled(dense, pre=2.0, post=3.0)
    np.testing.assert_array_equal(dense.kernel, np.ones((3, 2)))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: compose(), "at least one operator"),
        (lambda: Chain(()), "at least one operator"),
        (
            lambda: compose(Reshape((4,), (2, 2)), Dense((4,), np.ones((4, 1)))),
            r"has shape \(2, 2\)",
        ),
        (lambda: Dense((3,), np.ones((4, 2))), r"Received: \(4, 2\)"),
        (lambda: Conv((4, 4, 3), np.ones((2, 2, 2, 4))), r"Received: \(2, 2, 2, 4\), groups=1"),
        (lambda: Conv((4, 3), np.ones((2, 3, 4)), strides=(0,)), "1 positive values"),
        (lambda: Conv((4, 3), np.ones((2, 3, 4)), padding=((1, 1), (0, 0))), "1 pairs"),
        (lambda: conv((4, 3), np.ones((2, 3, 4)), padding="full"), "'full'"),
        (lambda: AveragePool((4, 4, 1), (2,)), "2 positive values"),
        (lambda: Scale((4, 3), np.ones((2,))), r"broadcastable to \(4, 3\)"),
        (lambda: Reshape((4,), (3,)), "as many elements"),
        (lambda: Permute((4, 3), (0, 0)), "permutation of 0 ... 1"),
        (lambda: Crop((3,), ((2, 1),)), "at least one cell"),
        (lambda: Pad((3,), ((-1, 0),)), "non-negative"),
        (lambda: Place((3,), 0, 2, 4), "fit for inputs"),
    ],
)
def test_wrong_settings_are_refused_with_what_was_expected(make, expected: str) -> None:
    with pytest.raises(ParameterError, match=expected):
        make()
