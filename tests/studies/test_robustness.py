"""The robustness study: its table, its runs, and that it goes on where it was."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import models
from bioconv.cli import main
from bioconv.ground.errors import ConversionError, DataError, ParameterError, Problem
from bioconv.network import SpikingNetwork
from bioconv.noise import Imperfection, Places, Streams, disturb
from bioconv.studies import robustness_plan
from bioconv.studies.robustness import tolerated
from bioconv.studies.robustness_plan import parse_code, parse_sweep, points_of
from bioconv.studies.robustness_runs import fastest_simulator, is_random

plots = later("bioconv.plots.robustness")

MODEL = models.weights_path("digits_mlp")


@dataclass(frozen=True)
class Shifted(Imperfection):
    """Outputs shifted by chance, or all by the same."""

    by: float = 0.0
    same: bool = False

    site = "outputs"
    unit = "of the largest"
    source = "this test"

    @property
    def amplitude(self) -> float:
        return self.by

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        if network.code["code"] == "few_spikes":
            raise ConversionError("not this one:", [Problem("all", "x", "is of few spikes.")])
        name = network.readouts[0].population
        drawn = streams.of(Places(network).of(network.population(name))).standard_normal(10)
        shift = self.by * (np.arange(10.0) if self.same else drawn)
        populations = [
            replace(p, offset=p.offset + shift) if p.name == name else p
            for p in network.populations
        ]
        return network.replace(populations=tuple(populations))


CODES = ("rate:n_steps=20", "first_spike_exact")


def run(folder: Path, n_images: int = 30, **options: Any) -> Any:
    calibration, _ = bc.load_data("digits", split="train", n_images=100)
    x, y = bc.load_data("digits", n_images=n_images)
    settings = {
        "noise": {"shift": (Shifted(3.0), Shifted(30.0))},
        "codes": CODES,
        "seeds": 2,
        "workers": 1,
        "progress": False,
        **options,
    }
    return bc.robustness(MODEL, x, y, calibration=calibration, folder=folder, **settings)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("robustness")
    return run(folder), folder


@pytest.mark.slow
def test_table_says_what_the_parts_measure(studied: Any) -> None:
    study, _ = studied
    calibration, _ = bc.load_data("digits", split="train", n_images=100)
    x, y = bc.load_data("digits", n_images=30)
    network = bc.convert(MODEL, calibration=calibration, code=bc.codes.make("rate"), n_steps=20)
    record = study.records[2]
    assert (record["code"], record["noise"], record["amplitude"]) == (CODES[0], "shift", 30.0)
    expected = [
        bc.simulate(disturb(network, Shifted(30.0), seed=s), x, progress=False).accuracy(y)
        for s in (0, 1)
    ]
    assert record["accuracies"] == expected
    ideal = bc.simulate(network, x, progress=False).accuracy(y)
    assert study.records[0]["accuracies"] == [ideal]
    row = study.rows()[2]
    assert row["accuracy (%)"] == pytest.approx(100 * np.mean(expected))
    assert row["sd (points)"] == pytest.approx(100 * np.std(expected))
    assert row["loss (points)"] == pytest.approx(100 * (ideal - np.mean(expected)))
    assert ideal - np.mean(expected) > 0.05


def test_report_and_frame(studied: Any, tmp_path: Path) -> None:
    study, _ = studied
    text = bc.report(study, tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{len(CODES)} codes, 1 imperfections" in text
    pytest.importorskip("pandas")
    frame = study.to_frame()
    assert len(frame) == sum(len(record["accuracies"]) for record in study.records)
    means = frame.groupby(["code", "amplitude"])["accuracy"].mean()
    for record in study.records:
        expected = pytest.approx(np.mean(record["accuracies"]))
        assert means[record["code"], record["amplitude"]] == expected


def test_every_code_and_amplitude_has_a_record(studied: Any) -> None:
    study, _ = studied
    asked = [(r["code"], r["amplitude"]) for r in study.records]
    assert asked == [(code, a) for code in CODES for a in (0.0, 3.0, 30.0)]
    assert [len(r["accuracies"]) for r in study.records] == [1, 2, 2] * 2
    assert {r["code"]: r["simulator"] for r in study.records} == {
        CODES[0]: "array",
        CODES[1]: "event",
    }
    with study.files[0].open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    assert json.loads(study.files[1].read_text())["records"][0]["ideal"] > 0.8
    assert study.files[2].stat().st_size > 10_000
    assert "amplitude that costs 1 point" in str(study)


def test_finished_runs_are_not_repeated(studied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, folder = studied
    done: list[int] = []
    original = robustness_plan.run_chip

    def counted(bench: Any, point: Any, seed: int) -> Any:
        done.append(seed)
        return original(bench, point, seed)

    monkeypatch.setattr(robustness_plan, "run_chip", counted)
    again = run(folder)
    assert done == []
    assert again.records == first.records
    more = run(folder, seeds=3, codes=CODES[1:])
    assert done == [2, 2]  # the new seed, for both amplitudes
    assert [r["accuracies"][:2] for r in more.records] == [
        r["accuracies"] for r in first.records[3:]
    ]


def test_an_interrupted_study_leaves_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = robustness_plan.run_chip

    def interrupted(bench: Any, point: Any, seed: int) -> Any:
        if point.amplitude == 30.0:
            raise KeyboardInterrupt
        return original(bench, point, seed)

    monkeypatch.setattr(robustness_plan, "run_chip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, codes=CODES[1:])
    found = json.loads((tmp_path / "robustness.json").read_text())["records"]
    assert [r["amplitude"] for r in found] == [0.0, 3.0]


def test_what_does_not_go_together_is_named_and_the_rest_runs(tmp_path: Path) -> None:
    study = run(tmp_path, codes=("first_spike_exact", "few_spikes"), seeds=1)
    assert list(study.refused) == ["few_spikes, shift"]
    assert "is of few spikes." in str(study)
    assert {r["code"] for r in study.records} == {"first_spike_exact"}
    with pytest.raises(ConversionError, match="no run of the study"):
        run(tmp_path, codes=("few_spikes",))


def test_what_is_not_drawn_is_run_once(tmp_path: Path) -> None:
    noise = {"same": (Shifted(3.0, same=True),)}
    study = run(tmp_path, codes=CODES[1:], noise=noise, seeds=3)
    assert [r["seeds"] for r in study.records] == [[0], [0]]


def test_a_sweep_is_drawn_if_any_of_its_points_is(tmp_path: Path) -> None:
    """All neurons dead is the same on all chips, half of them is not."""
    noise = {"dead_neurons": (0.5, 1.0)}
    study = run(tmp_path, codes=CODES[1:], noise=noise, seeds=2, n_images=5)
    assert [r["seeds"] for r in study.records] == [[0], [0, 1], [0, 1]]


def network_of(code: str) -> SpikingNetwork:
    calibration, _ = bc.load_data("digits", split="train", n_images=50)
    return bc.convert(MODEL, calibration=calibration, code=bc.codes.make(code), n_steps=None)


def test_networks_and_combinations(tmp_path: Path) -> None:
    network = network_of("first_spike_exact")
    both = (Shifted(3.0), Shifted(30.0, same=True))
    study = bc.robustness(
        network.analog,
        *bc.load_data("digits", n_images=20),
        noise={"both": {0.5: both, 0.0: ()}},
        codes={"mine": network},
        folder=tmp_path,
        seeds=1,
        workers=1,
        progress=False,
    )
    assert [(r["code"], r["amplitude"]) for r in study.records] == [("mine", 0.0), ("mine", 0.5)]
    assert study.records[1]["imperfections"] == [str(part) for part in both]


def test_random_networks_run_with_every_seed() -> None:
    network = network_of("first_spike_exact")
    assert not is_random(network)
    assert fastest_simulator([network]) == "event"
    failing = [replace(p, release=0.9) for p in network.projections]
    assert is_random(network.replace(projections=tuple(failing)))
    rate = network_of("rate")
    assert fastest_simulator([network, rate]) == "array"
    assert not is_random(rate)
    assert is_random(
        bc.convert(
            MODEL,
            calibration=np.random.default_rng(0).random((20, 8, 8, 1)),
            code=bc.codes.make("rate", {"input": "poisson"}),
        )
    )


RECORDS = [
    {
        "code": code,
        "noise": noise,
        "amplitude": amplitude,
        "accuracies": [mean - 0.01, mean + 0.01],
        "unit": "1",
        "fewer_is_worse": noise == "bits",
        "measure": "accuracy",
    }
    for code, noise, points in (
        ("a", "threshold", [(0.0, 0.9), (0.1, 0.9), (0.2, 0.86)]),
        ("a", "bits", [(0, 0.9), (4, 0.9), (3, 0.8)]),
        ("b", "threshold", [(0.0, 0.8), (0.2, 0.795)]),
    )
    for amplitude, mean in points
]


def test_tolerated_amplitudes_are_interpolated() -> None:
    found = tolerated(RECORDS, points=1.0)
    assert found["a"]["threshold"] == pytest.approx(0.125)
    assert found["a"]["bits"] == 3.0
    assert found["b"] == {"threshold": float("inf")}


SIGNED = [
    {**RECORDS[0], "noise": "temperature", "amplitude": a, "accuracies": [mean], "code": "a"}
    for a, mean in ((0, 0.9), (10, 0.9), (-10, 0.88), (-20, 0.8), (20, 0.86))
]


def test_amplitudes_with_a_sign_are_two_curves() -> None:
    points = points_of("temperature", (-20.0, -10.0, 10.0, 20.0))
    assert [point.amplitude for point in points] == [-10.0, 10.0, -20.0, 20.0]
    assert tolerated(SIGNED) == {"a": {"temperature": pytest.approx(-5.0)}}
    warm = [record for record in SIGNED if record["amplitude"] >= 0]
    assert tolerated(warm) == {"a": {"temperature": pytest.approx(12.5)}}
    (panel,) = plots.robustness_figure(SIGNED).axes
    np.testing.assert_array_equal(panel.lines[0].get_xdata(), [-20, -10, 0, 10, 20])


def test_picture_has_a_panel_an_imperfection_and_a_line_a_code() -> None:
    threshold, bits = plots.robustness_figure(RECORDS).axes
    assert [line.get_label() for line in threshold.lines] == ["a", "b"]
    np.testing.assert_allclose(threshold.lines[0].get_ydata(), [90.0, 90.0, 86.0])
    assert [tick.get_text() for tick in bits.get_xticklabels()] == ["none", "4", "3"]
    assert threshold.get_xlabel() == "threshold\n(1)"


def test_texts_of_the_command_line() -> None:
    assert parse_sweep("jitter=0,0.5") == ("jitter", (0.0, 0.5))
    assert parse_sweep("x=0:1") == ("x", (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    code, arguments = parse_code("rate:percentile=99:n_steps=7:neuron=lif")
    assert code == bc.RateCode(percentile=99)
    assert arguments == {"n_steps": 7, "neuron": "lif"}


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = f"robustness {MODEL} --data digits --images 20 --calibration-images 100 -o {tmp_path} "
    given += "--noise threshold=0,0.05 --codes first_spike_exact --seeds 2 --workers 1 --json "
    assert main([*given.split(), str(tmp_path / "result.json")]) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert [r["amplitude"] for r in result["records"]] == [0.0, 0.05]
    assert result["records"][1]["imperfections"] == ["Mismatch(target='threshold', sigma=0.05)"]
    assert "robustness.png" in capsys.readouterr().out


def test_a_name_given_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = f"robustness {MODEL} --data digits --noise threshold=0.1 --noise threshold=0.2 -o"
    assert main([*given.split(), str(tmp_path / "study")]) == 2
    message = "--noise gives threshold more than once: join its amplitudes with commas."
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"seeds": 0}, ParameterError, "seeds must be an integer of at least 1"),
        ({"simulator": "spinnaker"}, ParameterError, "simulator must be one of auto, array"),
        ({"noise": {"nonsense": (0.1,)}}, ParameterError, "no imperfection 'nonsense'.*threshold"),
        ({"noise": {"shift": (Shifted(0.0),)}}, ParameterError, "at least one amplitude"),
        ({"noise": {"shift": {0.1: "much"}}}, ParameterError, "expected imperfections"),
        ({"codes": ()}, ParameterError, "at least one code"),
        ({"codes": ("rate:speed=1",)}, ParameterError, "no option 'speed'"),
        ({"calibration": None}, DataError, "calibration"),
        ({"y": [1, 2]}, DataError, "expected .* labels"),
    ],
)
def test_bad_arguments(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    x, y = bc.load_data("digits", n_images=5)
    given: dict[str, Any] = {
        "y": y,
        "calibration": x,
        "noise": {"shift": (Shifted(1.0),)},
        "codes": ("first_spike_exact",),
        "folder": tmp_path,
        **change,
    }
    with pytest.raises(error, match=message):
        bc.robustness(MODEL, x, given.pop("y"), **given)


@pytest.mark.parametrize("text", ["threshold", "threshold=", "x=0:1:2:3", "x=a", "=0:1"])
def test_sweeps_that_are_none(text: str) -> None:
    with pytest.raises(ParameterError, match="LOW:HIGH"):
        parse_sweep(text)


@pytest.mark.slow
def test_processes_give_the_same_records(tmp_path: Path) -> None:
    noise = {"threshold": (0.05, 0.1)}
    alone, together = (run(tmp_path / str(n), workers=n, noise=noise) for n in (1, 2))
    for one, other in zip(alone.records, together.records, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
