"""Claims of the figures of Yousefzadeh et al.: they hold for what is printed, and can fail."""

from __future__ import annotations

import numpy as np
import pytest

from bioconv.paper_figures import frame

#: the paper's Table I: accuracy, spikes a neuron, accuracy of the quantised network
PRINTED = [
    (0.9919, 0.25, 0.9881),
    (0.9726, 0.08, 0.9644),
    (0.9919, 0.25, 0.9881),
    (0.9726, 0.08, 0.9644),
    (0.9919, 0.25, 0.9881),
    (0.9726, 0.08, 0.9644),
    (0.9918, 0.48, np.nan),
    (0.9880, 0.26, np.nan),
    (0.9921 - 0.0039, 0.13, np.nan),
]


def table(rows: list[tuple[float, float, float]]) -> dict[str, np.ndarray]:
    return {"rows": np.array(rows), "analog": np.array(0.9921)}


def curves(accuracy: np.ndarray, spikes: float, operations: float) -> dict[str, np.ndarray]:
    rising = np.linspace(0, 1, len(accuracy))
    one = {
        "time": rising,
        "accuracy": accuracy,
        "answered": np.asarray(rising > 0.1, float),
        "spikes": spikes * rising,
        "operations": operations * rising,
    }
    found = {f"{name} {key}": value for name in ("paper", "default") for key, value in one.items()}
    return {
        **found,
        "analog": np.array(0.9921),
        "analog_operations": np.array(911e3),
        "presentation": np.array(0.8),
    }


def hysteresis(value: np.ndarray) -> dict[str, np.ndarray]:
    up = np.linspace(-1, 4, len(value) // 2)
    return {"path": np.concatenate([up, up[::-1]]), "value": value}


def outputs(potential: np.ndarray, pixels: list[int]) -> dict[str, np.ndarray]:
    return {
        "potential": potential,
        "step": np.array([0, 13]),
        "pixel": np.array(pixels),
        "label": np.array(7),
    }


RISING = np.clip(np.linspace(0, 2.5, 100), 0.1, 0.9919)
RIGHT = np.arange(30)[:, None] * np.eye(10)[7]
UP, DOWN = np.linspace(-1, 4, 200), np.linspace(4, -1, 200)
BRANCHES = np.concatenate([np.floor(np.maximum(UP, 0)), np.ceil(np.maximum(DOWN, 0))])

CASES = {
    "yousefzadeh_fig_1": (hysteresis(BRANCHES), hysteresis(np.full(400, 3.0))),
    "yousefzadeh_fig_2": (
        outputs(RIGHT, [3, 4]),
        outputs(np.zeros((30, 10)), [3, 3]),
    ),
    "yousefzadeh_fig_3": (
        curves(RISING, 0.25, 600e3),
        curves(np.full(100, 0.1), 0.0, 0.0),
    ),
    "yousefzadeh_table_1": (table(PRINTED), table([(0.1, 0.0, 0.1)] * len(PRINTED))),
}


@pytest.mark.parametrize("name", CASES)
def test_claims_hold_for_the_paper_and_fail_for_a_network_that_says_nothing(name: str) -> None:
    module, (printed, constant) = frame.figure(name), CASES[name]
    good, bad = module.measure(printed), module.measure(constant)
    for claim in module.MANIFEST.claims:
        assert claim.holds(good[claim.name]), claim.name
        assert np.isfinite(bad[claim.name])
        assert not claim.holds(bad[claim.name]), claim.name


def test_every_figure_of_the_paper_is_tried() -> None:
    assert set(CASES) == {name for name in frame.names() if name.startswith("yousefzadeh_")}


def test_a_late_answer_is_not_early() -> None:
    """The accuracy of chance from the start on, or one that comes at the very end, fails."""
    module = frame.figure("yousefzadeh_fig_3")
    (early,) = (claim for claim in module.MANIFEST.claims if claim.name == "early")
    for accuracy in (np.full(100, 0.1), np.r_[np.full(90, 0.2), np.full(10, 0.9919)]):
        assert not early.holds(module.measure(curves(accuracy, 0.25, 600e3))["early"])


def test_no_line_is_drawn_before_the_first_answer() -> None:
    result = curves(np.where(np.linspace(0, 1, 100) > 0.1, RISING, 0.0), 0.25, 600e3)
    picture = frame.figure("yousefzadeh_fig_3").plot(result, frame.Context(quick=True))
    for axes in picture.axes:
        for line in axes.lines[:2]:
            drawn = np.asarray(line.get_ydata(), float)
            assert np.isnan(drawn[:10]).all()
            assert np.nanmin(drawn) >= 10.0
