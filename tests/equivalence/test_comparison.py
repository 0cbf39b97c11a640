"""Every neuron on every simulator: the table of the documentation is what is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioconv.neurons import library
from bioconv.studies.comparison import COLUMNS, Case, cases, markdown, survey, verdicts
from bioconv.studies.comparison.page import row_of

PAGE = Path(__file__).parents[2] / "docs" / "neurons_and_simulators.md"
NEST_GENERATED = "NEST, generated model"
STANDARD = [name for name in COLUMNS if name.endswith("standard cell")]


@pytest.fixture(scope="module")
def page() -> dict[tuple[str, str, str], str]:
    """The verdicts that the documentation gives."""
    return verdicts(PAGE.read_text(encoding="utf-8"))


def assert_as_documented(
    chosen: list[Case], columns: list[str], page: dict[tuple[str, str, str], str]
) -> None:
    fields = survey(chosen, columns)
    found = verdicts(markdown(fields))
    assert len(found) == len(chosen) * len(columns)
    assert found == {field: page[field] for field in found}
    for field in fields:
        for difference in field.differences[:1]:
            assert difference.n_spikes > 10, "a comparison of silent neurons says nothing"


def test_the_page_has_every_neuron_and_no_empty_field(
    page: dict[tuple[str, str, str], str],
) -> None:
    neurons = {neuron for neuron, _, _ in page}
    assert neurons == set(library())
    assert {column for _, _, column in page} == set(COLUMNS)
    assert set(page.values()) <= {"identical", "within", "no"}
    rows = {(neuron, synapse) for neuron, synapse, _ in page}
    assert len(page) == len(rows) * len(COLUMNS)
    assert {(name, "exponential") for name in library()} <= rows


def test_equations_are_identical_wherever_they_are_generated(
    page: dict[tuple[str, str, str], str],
) -> None:
    """The bar: array, Brian2 and NEST alike for all; here even those with conductances."""
    generated = {word for field, word in page.items() if field[2] in ("Brian2", NEST_GENERATED)}
    assert generated == {"identical"}


def some(**wanted: str) -> list[Case]:
    return [case for case in cases(wanted) if case.synapse == wanted[case.name]]


@pytest.mark.slow
def test_a_neuron_without_a_reset_is_as_documented(page: dict[tuple[str, str, str], str]) -> None:
    pytest.importorskip("nest")
    chosen = some(hodgkin_huxley="exponential")
    assert_as_documented(chosen, ["Brian2", NEST_GENERATED], page)


@pytest.mark.slow
def test_identical_standard_cells_are_as_documented(page: dict[tuple[str, str, str], str]) -> None:
    pytest.importorskip("nest")
    chosen = some(leaky_integrate_and_fire="alpha", izhikevich="delta")
    assert_as_documented(chosen, ["NEST, standard cell"], page)
    assert {page[(*row_of(case), "NEST, standard cell")] for case in chosen} == {"identical"}


@pytest.mark.slow
def test_other_integrators_are_as_documented(page: dict[tuple[str, str, str], str]) -> None:
    pytest.importorskip("neuron")
    chosen = some(leaky_integrate_and_fire="conductance", traub_miles="conductance")
    assert_as_documented(chosen, ["NEST, standard cell", "NEURON, standard cell"], page)


@pytest.mark.slow
def test_all_is_as_documented(page: dict[tuple[str, str, str], str]) -> None:
    pytest.importorskip("nest")
    pytest.importorskip("neuron")
    assert_as_documented(cases(), list(COLUMNS), page)
