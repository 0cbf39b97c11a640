"""Names of populations are valid, distinct and close to the layers' names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bioconv.codes.common.names import identifiers
from bioconv.neurons.language.grammar import check_name


@given(st.lists(st.text(max_size=80), max_size=12))
def test_valid_and_distinct_for_any_text(names: list[str]) -> None:
    found = identifiers(names)
    assert len({name.lower() for name in found}) == len(names)
    assert all(check_name(name) == name for name in found)


def test_stays_close_to_the_layer() -> None:
    names = ["conv2d_1", "model/conv2d:0", "for", "rate_pre", "Dense", "dense", ""]
    assert identifiers(names) == [
        "conv2d_1",
        "model_conv2d_0",
        "x_for",
        "x_rate_pre_x",
        "Dense",
        "dense_2",
        "x",
    ]


def test_a_number_after_a_name_makes_no_reserved_one() -> None:
    """M_2 could be a constant of math.h."""
    assert identifiers(["M", "M", "M"]) == ["M", "x_M_2", "x_M_3"]
