"""The page that derives the rate code on any neuron has the constants that the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.constants import MODULES, NOT_TUNED, Constant, constants, replaced
from bioconv.codes.common import driving
from bioconv.codes.rate import network

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rate_code_on_any_neuron.md"
ROW = re.compile(r"\| `(\w+)` \| `(\w+/\w+\.py)` \|(.*)\|")


def table() -> list[tuple[tuple[str, str], list[str]]]:
    """Module and name, and the other cells, of each row."""
    rows = [ROW.fullmatch(line) for line in PAGE.read_text(encoding="utf-8").splitlines()]
    return [
        ((row[2], row[1]), [cell.strip() for cell in row[3].split("|")])
        for row in rows
        if row is not None
    ]


def key(constant: Constant) -> tuple[str, str]:
    return "/".join(constant.module.split(".")[-2:]) + ".py", constant.name


def agrees(text: str, value: Any) -> bool:
    """Whether the text of a cell states the value."""
    array = np.asarray(value, np.float64)
    summary = re.fullmatch(r"(\d+)(?: × (\d+))? values, (\S+) to (\S+)", text)
    if summary is not None:
        shape = tuple(int(n) for n in summary.groups()[:2] if n)
        ends = [float(end) for end in summary.groups()[2:]]
        return shape == array.shape and np.allclose([array.min(), array.max()], ends, rtol=1e-3)
    stated = np.array([float(number) for number in text.split(",")])
    return stated.size == array.size and np.allclose(stated, array.ravel(), rtol=1e-8, atol=0)


def test_every_constant_is_in_the_table_once() -> None:
    named = [row for row, _ in table()]
    assert sorted(named) == sorted(map(key, constants()))


def test_values_are_those_of_the_code() -> None:
    cells = dict(table())
    wrong = {c.name: cells[key(c)][0] for c in constants() if not agrees(cells[key(c)][0], c.value)}
    assert wrong == {}


def test_every_row_says_what_a_constant_decides_where_it_is_from_and_what_it_is_worth() -> None:
    for name, cells in table():
        assert len(cells) == 4, name
        assert all(cells), name


def test_all_modules_of_the_rate_code_are_looked_at() -> None:
    rooms = ("bioconv.codes.rate", "bioconv.neurons.response")
    for room in rooms:
        folder = ROOT.joinpath(*room.split("."))
        found = {f"{room}.{path.stem}" for path in folder.glob("*.py")}
        assert found - {f"{room}.__init__"} <= set(MODULES)


def test_numbers_are_found_however_they_are_assigned() -> None:
    found = {(entry.module.rsplit(".", 1)[-1], entry.name): entry for entry in constants()}
    assert found["driving", "SPIKES"].value == 39.0
    assert found["correction", "_VALUES"].value == 30_000_000  # two names in one line
    assert found["transfer", "_GUESSES"].value.shape == (1000, 2)
    assert found["code", "percentile"].option
    assert ("network", "SPIKES") not in found  # imported
    assert {name for name in NOT_TUNED} <= {name for _, name in found}


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("0.1", 0.1, True),
        ("99.9", 99.99, False),
        ("1, 2", (1.0, 2.0), True),
        ("1, 2", (1.0, 2.0, 3.0), False),
        ("3 values, 0 to 2", np.arange(3.0), True),
        ("3 values, 0 to 3", np.arange(3.0), False),
        ("4 values, 0 to 2", np.arange(3.0), False),
    ],
)
def test_a_wrong_value_would_be_seen(text: str, value: Any, expected: bool) -> None:
    assert agrees(text, value) is expected


def test_a_constant_is_halved_wherever_it_is_used_and_put_back() -> None:
    (spikes,) = (entry for entry in constants() if entry.name == "SPIKES")
    with replaced(spikes, spikes.scaled(0.5)):
        assert driving.SPIKES == network.SPIKES == 19.5
    assert driving.SPIKES == network.SPIKES == 39.0


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_halves_and_doubles(factor: float) -> None:
    for constant in constants():
        scaled = constant.scaled(factor)
        if isinstance(constant.value, np.ndarray):
            assert len(scaled) == pytest.approx(factor * len(constant.value), abs=2)
            assert np.ptp(scaled) == pytest.approx(np.ptp(constant.value), rel=0.25)
        elif constant.name not in NOT_TUNED:
            assert np.all(np.isfinite(scaled))
            assert not np.allclose(scaled, constant.value, rtol=1e-9), constant.name
