"""Options of the rate code: what is valid, what is refused, what can be represented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioconv import codes
from bioconv.codes import RateCode
from bioconv.ground.errors import ParameterError


def test_all_bad_options_are_reported_at_once() -> None:
    with pytest.raises(ParameterError) as error:
        RateCode(
            percentile=0,
            normalization="batch",
            initial="full",
            clamp=-1,
            input="analog",
            readout="spikes",
            readout_rate=0.0,
            max_rate=float("nan"),
            max_pool_estimate="online",
            balance_delays="yes",  # type: ignore[arg-type]
        )
    names = (
        "percentile normalization initial clamp input readout readout_rate max_rate "
        "max_pool_estimate balance_delays"
    )
    for name in names.split():
        assert f"- {name} must" in str(error.value)
    assert "Received: 'batch'" in str(error.value)


@pytest.mark.parametrize("clamp", [1.5, True, "2", float("inf")])
def test_clamp_is_a_whole_number(clamp: object) -> None:
    with pytest.raises(ParameterError, match="clamp must be an integer"):
        RateCode(clamp=clamp)  # type: ignore[arg-type]


def test_made_by_name_as_the_command_line_does() -> None:
    assert codes.make("rate", {"percentile": 99, "clamp": 2}) == RateCode(percentile=99, clamp=2)
    assert isinstance(codes.make("rate"), RateCode)
    with pytest.raises(ParameterError, match="no code 'rates'. Valid: .*, rate,"):
        codes.make("rates")
    with pytest.raises(ParameterError, match="no option 'percent'. Valid: percentile"):
        codes.make("rate", {"percent": 99})


@given(a=st.floats(0, 1), n=st.integers(1, 1000))
def test_half_rounds_and_zero_floors(a: float, n: int) -> None:
    """Error at most half a step, or one step from below: mueller Eqs 4.7 and 4.8."""
    value = np.array([a])
    half = RateCode(initial="half").encode(value, n)[0]
    zero = RateCode(initial="zero").encode(value, n)[0]
    assert abs(half - a) <= 0.5 / n + 1e-9
    assert -1e-9 <= a - zero < 1 / n + 1e-9
    assert abs(half * n - round(half * n)) < 1e-6


def test_clipped_to_the_range_of_rates() -> None:
    encoded = RateCode().encode(np.array([-0.4, 0.0, 1.0, 3.0]), 10)
    np.testing.assert_array_equal(encoded, [0.0, 0.0, 1.0, 1.0])


def test_unbiased_quantisation_has_no_mean_error() -> None:
    """Mueller 4.1.3, Fig 4.3: 1/(2 n) of bias for zero, none for half."""
    a, n = np.linspace(0, 1, 100_001)[1:-1], 20
    assert abs(np.mean(RateCode(initial="half").encode(a, n) - a)) < 1e-5
    assert np.mean(RateCode(initial="zero").encode(a, n) - a) == pytest.approx(-0.5 / n, rel=1e-2)
