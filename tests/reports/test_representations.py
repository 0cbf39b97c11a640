"""What notebooks and consoles show of an object: a line, and a table."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network

import bioconv as bc
from bioconv.ground.tables import html_table
from bioconv.studies.plausibility import Study
from bioconv.studies.robustness import Robustness

NET = spiking_network()


@cache
def shown() -> dict[str, Any]:
    records: list[dict[str, Any]] = []
    return {
        "network": NET,
        "recording": recording_of(NET, images(3)),
        "graph": NET.analog,
        "neuron": bc.neurons.make("lif", {"v_th": -45.0}),
        "code": bc.RateCode(percentile=99.0),
        "study": Study(records, {"lif": "no"}, [Path("x")]),
        "robustness": Robustness(records, {}, []),
        "report": bc.examine(NET, "brian2"),
    }


KINDS = ("network", "recording", "graph", "neuron", "code", "study", "robustness", "report")


class Balanced(HTMLParser):
    """Checks that elements are closed in the order in which they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", KINDS)
def test_one_line(kind: str) -> None:
    text = repr(shown()[kind])
    assert "\n" not in text
    assert len(text) <= 120


@pytest.mark.parametrize("kind", KINDS)
def test_a_table(kind: str) -> None:
    html = shown()[kind]._repr_html_()
    assert html.startswith("<table><caption>")
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []


def test_tables_say_what_is_inside() -> None:
    tables = {kind: thing._repr_html_() for kind, thing in shown().items()}
    assert all(p.name in tables["network"] for p in NET.populations)
    assert "<th>spikes/image</th>" in tables["recording"]
    assert all(layer.name in tables["graph"] for layer in NET.analog.layers)
    assert "<td>v_th</td><td>-45</td><td>mV</td>" in tables["neuron"]
    assert "<td>percentile</td><td>99.0</td><td>99.99</td>" in tables["code"]


def test_only_what_was_chosen_is_shown_of_a_code() -> None:
    assert repr(bc.RateCode()) == "RateCode()"
    code = bc.RateCode(percentile=99.0, readout="count")
    assert repr(code) == "RateCode(percentile=99.0, readout='count')"


def test_arrays_are_shown_by_their_shape() -> None:
    neuron = bc.neurons.LeakyIntegrateAndFire(v_th=np.full(500, -50.0))
    assert "v_th=array of shape (500,)" in repr(neuron)


def test_equations_as_latex() -> None:
    text = bc.neurons.make("lif").latex()
    assert text.startswith(r"\begin{align*}")
    assert r"\frac{\mathrm{d}v}{\mathrm{d}t}" in text
    assert "unit of" not in bc.neurons.make("hodgkin_huxley").latex()


def test_names_are_no_html() -> None:
    assert "<script>" not in html_table("<script>", [{"<script>": "<script>"}])


def test_targets_have_a_summary() -> None:
    assert all(set(row) == {"target", "summary"} for row in bc.list_targets())
