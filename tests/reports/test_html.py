"""Reports in HTML: whole, balanced, escaped, without anything from elsewhere."""

from __future__ import annotations

import base64
import importlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later
from sample_networks import SHAPE, images, recording_of, spiking_network

import bioconv as bc
from bioconv.ground.errors import DataError, ParameterError
from bioconv.measures import analog_classes
from bioconv.network import Input
from bioconv.network.recording import Recording
from bioconv.noise import SpikeJitter, disturb

html = later("bioconv.reports.html")
page = later("bioconv.reports.html.page")

NET = spiking_network()
X = images(30)
VOID = {"meta", "img", "br", "link"}
#: attributes with which a browser loads something
LOADING = {"src", "href", "data", "srcset", "action", "background", "poster"}


class Reader(HTMLParser):
    """Checks the nesting, and collects headings, texts and what would be loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.titles: list[str] = []
        self.anchors: list[str] = []
        self.alts: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.loaded += [value for name, value in attrs if name in LOADING]
        if tag == "img":
            self.alts.append(found["alt"])
        if tag == "section":
            self.anchors.append(found["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)
        if "style" not in self.open:
            self.text += data


@cache
def recorded() -> Recording:
    return recording_of(NET, X)


@cache
def labels() -> np.ndarray:
    return analog_classes(NET, X)


def read(path: Path) -> Reader:
    """The report, after the checks that hold for every report."""
    text = path.read_text(encoding="utf-8")
    found = Reader(text)
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert "url(" not in text
    assert "default-src 'none'" in text
    for address in found.loaded:
        if address.startswith("data:image/png;base64,"):
            assert base64.b64decode(address.partition(",")[2]).startswith(b"\x89PNG")
        else:
            assert address.startswith("#")
            assert address[1:] in found.anchors
    assert all(found.alts)
    assert not re.search(r"\b(nan|None|inf)\b", found.text)
    return found


def test_simulation(tmp_path: Path) -> None:
    path = bc.report(recorded(), tmp_path / "a.html", network=NET, x=X, y=labels(), image=3)
    found = read(path)
    assert found.titles == [
        "Result",
        "Where accuracy is lost",
        "Confusion of classes",
        "Rates and intervals",
        "Activations",
        "One sample",
        "Spikes and synaptic operations",
        "Energy",
        "Other machines",
        "Network",
        "Equations",
    ]
    low, high = bc.measures.wilson_interval(recorded().accuracy(labels()), len(X))
    assert f"[{100 * low:.2f}, {100 * high:.2f}]" in found.text
    assert "Horowitz 2014" in found.text
    assert "Davies et al. 2018" in found.text
    assert "not published" in found.text
    assert "Shadlen and Newsome 1998" in found.text
    assert "Sample 3 with the label" in found.text
    assert found.tags.count("img") >= 9
    again = bc.report(recorded(), tmp_path / "b.html", network=NET, x=X, y=labels(), image=3)
    assert again.read_bytes() == path.read_bytes()


def test_simulation_without_labels_and_details(tmp_path: Path) -> None:
    bare = replace(recorded(), counts={}, rasters={}, traces={})
    found = read(bc.report(bare, tmp_path / "a.html", network=NET, x=X))
    assert "Confusion of classes" not in found.titles
    assert "not recorded: counts of conv" in found.text
    assert "Agreement with the analog network" in found.text


def test_a_network_without_any_output(tmp_path: Path) -> None:
    silent = replace(
        recorded(),
        classes={"dense": np.full_like(recorded().classes["dense"], -1)},
        rasters={},
        traces={},
        spikes_per_neuron={n: 0 * v for n, v in recorded().spikes_per_neuron.items()},
    )
    found = read(bc.report(silent, tmp_path / "a.html", network=NET, x=X, y=labels()))
    assert "Samples with an output at the end0.00 %" in found.text.replace("\n", "")


def test_values_of_minus_one_are_an_output(tmp_path: Path) -> None:
    network = NET.with_decision("value:0.1")
    classes = recorded().classes["dense"]
    values = np.broadcast_to(recorded().outputs["dense"][:, None], (*classes.shape, 3)).copy()
    values[0, :, 1] = -1.0
    fields = {
        "classes": {"dense": np.zeros_like(values, int)},
        "values": {"dense": values},
        "decisions": {"dense": network.decisions()["dense"]},
    }
    recording = replace(recorded(), **fields)
    found = read(bc.report(recording, tmp_path / "a.html", network=network, x=X))
    assert "Sample 0, decided as [" in found.text
    silent = replace(recording, classes={"dense": np.full_like(fields["classes"]["dense"], -1)})
    found = read(bc.report(silent, tmp_path / "b.html", network=network, x=X))
    assert "Sample 0, without an output." in found.text


def test_populations_that_cannot_spike_have_no_rates(tmp_path: Path) -> None:
    (readout,) = NET.readouts
    network = NET.replace(readouts=(replace(readout, kind="potential"),))
    assert [entry.name for entry in network.firing] == ["conv"]
    assert [entry.name for entry in NET.firing] == ["conv", "out"]
    shown = []
    for net in (NET, network):
        found = read(bc.report(recorded(), tmp_path / "a.html", network=net, x=X))
        table = found.text.partition("median interval (ms)")[2].partition("firing rate in cortex")[
            0
        ]
        shown.append("out" in table)
    assert shown == [True, False]


def test_one_checkpoint_has_no_picture_over_time(tmp_path: Path) -> None:
    last = {"dense": recorded().classes["dense"][:, -1:]}
    once = replace(recorded(), checkpoints=np.array([40]), classes=last)
    found = read(bc.report(once, tmp_path / "a.html", network=NET, x=X, y=labels()))
    assert "over simulated time" not in found.text
    assert "Accuracy" in found.text


@pytest.mark.parametrize(
    ("given", "n_traced"), [({}, 2), ({"duration": 20.0}, 2), ({"steps": 21}, 1)]
)
def test_details_are_limited_by_the_steps_that_are_simulated(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], n_traced: int
) -> None:
    detail = importlib.import_module("bioconv.reports.html.detail")
    n_steps = given.get("steps", round(given.get("duration", NET.n_steps)))
    limit = 10 * 20 * 32 if given else 10 * 40 * 32
    monkeypatch.setattr(detail, "_VALUES", limit)
    found = html.detail_of(NET, X, progress=False, **given)
    assert (found.n_images, found.n_steps) == (10, n_steps)
    assert len(found.traces) == n_traced


def test_conversion(tmp_path: Path) -> None:
    found = read(bc.report(NET, tmp_path / "a.html", x=X))
    assert found.titles == [
        "What to expect",
        "Network",
        "Activations",
        "Other machines",
        "Equations",
    ]
    assert "dv/dt" in found.text
    assert "percentile" in found.text


def test_target(tmp_path: Path) -> None:
    examined = bc.examine(NET, "nir", X, labels(), progress=False)
    assert len(examined.measured) == 2
    found = read(bc.report(examined, tmp_path / "a.html"))
    assert f"Verdict: {examined.verdict}" in found.text
    assert "What it costs" in found.titles
    for finding in examined.findings:
        assert finding.text in found.text
    examined.save(tmp_path / "b.html")
    assert (tmp_path / "b.html").read_bytes() == (tmp_path / "a.html").read_bytes()


def test_texts_are_escaped(tmp_path: Path) -> None:
    evil = '<script>alert("1")</script><img src=http://x.example/y>'
    parts = [
        page.Text([evil]),
        page.Listing(evil, evil),
        page.Facts({evil: evil}),
        page.Table([{evil: evil}], evil),
    ]
    written = page.Page(evil, evil, [page.Section(evil, parts)], {evil: evil})
    found = read(written.save(tmp_path / "a.html"))
    assert found.text.count('alert("1")') == 15
    assert "img" not in found.tags


def test_what_cannot_be_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    with pytest.raises(ParameterError, match=r"is an \.html file. Received: .*a\.txt"):
        bc.report(NET, tmp_path / "a.txt")
    with pytest.raises(ParameterError, match="requires the network and the samples"):
        bc.report(recorded(), path)
    with pytest.raises(DataError, match="30 samples. Received: 29"):
        bc.report(recorded(), path, network=NET, x=X[:29])
    with pytest.raises(ParameterError, match="one array of numbers.*Received: dict"):
        bc.report(recorded(), path, network=NET, x={"image": X})  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="image must be an integer from 0 to 29"):
        bc.report(recorded(), path, network=NET, x=X, image=30)
    with pytest.raises(ParameterError, match="image must be an integer"):
        bc.report(recorded(), path, network=NET, x=X, image=1.5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="detail has 31 samples, expected at most the 30"):
        longer = recording_of(NET, images(31))
        bc.report(recorded(), path, network=NET, x=X, detail=longer)
    other = NET.replace(name="other", dt=0.5)
    with pytest.raises(DataError, match="not one of the network 'other': expected steps of 0.5"):
        bc.report(recorded(), path, network=other, x=X)
    other = disturb(NET, SpikeJitter(0.5)).replace(name="other")
    for given in ({"network": other}, {"network": NET, "detail": recording_of(NET, X[:2])}):
        wrong = replace(recorded(), outputs={"dense": np.zeros((30, 4))})
        subject = wrong if "detail" in given else recorded()
        with pytest.raises(DataError, match="not one of the network"):
            bc.report(subject, path, x=X, **given)
    with pytest.raises(ParameterError, match="one array of numbers.*Received: list"):
        bc.report(recorded(), path, network=NET, x=[[1.0], [1.0, 2.0]])
    two = NET.replace(inputs=(*NET.inputs, Input("other_image", SHAPE, "current", 0.5)))
    with pytest.raises(ParameterError, match="several inputs.*Received: list"):
        bc.report(two, path, x=[X, X])
    with pytest.raises(ParameterError, match="Received: int"):
        bc.report(3, path)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="does not exist"):
        bc.report(NET, tmp_path / "none" / "a.html")
    assert not list(tmp_path.iterdir())
