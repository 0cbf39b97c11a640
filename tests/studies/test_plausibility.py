"""The plausibility study: its table, its sweeps, and that it goes on where it was."""

from __future__ import annotations

import csv
import importlib
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later
from sample_networks import spiking_network

import bioconv as bc
from bioconv import models
from bioconv.ground.errors import BioconvError, ConversionError, DataError, ParameterError
from bioconv.network import Projection
from bioconv.neurons import LeakyIntegrateAndFire
from bioconv.operators import Dense
from bioconv.studies import plausibility as study_module
from bioconv.studies import plausibility_runs
from bioconv.studies.plausibility import PHYSIOLOGICAL, parse_neuron, plausibility
from bioconv.studies.plausibility_runs import Setting, run_key, with_time_constant

plots = later("bioconv.plots.study")

keras = later("keras")
stats = later("scipy.stats")

MODEL = models.weights_path("digits_mlp")


def run(folder: Path, neurons: Any = ("if", "lif"), n_images: int = 20, **options: Any) -> Any:
    calibration, _ = bc.load_data("digits", split="train", n_images=200)
    x, y = bc.load_data("digits", n_images=n_images)
    settings = {"durations": (60.0,), "workers": 1, "progress": False, **options}
    return plausibility(
        MODEL, x, y, calibration=calibration, neurons=neurons, folder=folder, **settings
    )


def test_table_says_what_the_parts_measure(tmp_path: Path) -> None:
    study = run(tmp_path)
    record = study.records[1]
    calibration, _ = bc.load_data("digits", split="train", n_images=200)
    x, y = bc.load_data("digits", n_images=20)
    network = bc.convert(MODEL, calibration=calibration, neuron="lif")
    network = bc.convert(
        MODEL, calibration=calibration, neuron="lif", n_steps=round(60 / network.dt)
    )
    recording = bc.simulate(network, x, progress=False)
    summary = bc.summarize(network, recording, x, y)
    assert record["accuracy"] == summary["accuracy"]
    assert record["keras_accuracy"] == summary["analog_accuracy"]
    assert record["spikes"] == pytest.approx(summary["spikes_per_image"])
    assert record["operations"] == pytest.approx(summary["synaptic_operations_per_image"])
    assert record["duration"] == 60.0
    assert set(plausibility_runs.SCHEMA) - {"workers"} <= set(record)
    assert record["decisions"] == 1
    assert record["loss"] == pytest.approx(100 * (record["keras_accuracy"] - record["accuracy"]))
    row = study.rows()[1]
    assert row["<= 200 Hz"] == ("yes" if record["highest_hz"] <= PHYSIOLOGICAL else "no")
    with study.files[0].open(newline="") as file:
        assert [line["neuron"] for line in csv.DictReader(file)] == ["if", "lif"]
    assert "lif" in str(study)
    _check_report_and_frame(study, tmp_path)


def test_a_record_without_what_reports_need_is_run_again() -> None:
    needed = {"images", "neurons", "dt", "decisions", "operations", "duration", "highest_hz"}
    assert needed <= set(plausibility_runs.SCHEMA)


def test_several_decisions_have_no_interval() -> None:
    studies = importlib.import_module("bioconv.reports.html.studies")
    record = {
        **{"neuron": "if", "accuracy": 0.5, "images": 20, "reached_ms": 1.0},
        **{"mean_hz": 1.0, "highest_hz": 2.0, "mixed_signs": 0.0},
    }
    shown = [studies._neuron_row({**record, "decisions": n}, "accuracy") for n in (1, 7)]
    assert [row["accuracy"] for row in shown] == ["50.00 % [29.93, 70.07]", "50.00 %"]


def _check_report_and_frame(study: Any, folder: Path) -> None:
    text = bc.report(study, folder / "report.html").read_text(encoding="utf-8")
    share = study.records[1]["accuracy"]
    low, high = bc.measures.wilson_interval(share, 20)
    assert f"{100 * share:.2f} % [{100 * low:.2f}, {100 * high:.2f}]" in text
    assert "TrueNorth, digital, 28 nm" in text
    assert "Refused" not in text
    if find_spec("pandas"):
        frame = study.to_frame()
        assert list(frame.columns) == list(study.rows()[0])
        assert frame["neuron"].tolist() == ["if", "lif"]


@pytest.mark.slow
def test_time_constant_is_that_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(30, activation="relu", bias_initializer="random_normal"),
            keras.layers.Dense(20, activation="relu"),
            keras.layers.Dense(5),
        ]
    )
    x = np.random.default_rng(1).random((64, 20))
    networks: list[bc.SpikingNetwork] = []
    original = plausibility_runs.convert

    def kept(*args: Any, **kwargs: Any) -> Any:
        networks.append(original(*args, **kwargs))
        return networks[-1]

    monkeypatch.setattr(plausibility_runs, "convert", kept)
    study = plausibility(
        model, x[:4], calibration=x, neurons="lif", folder=tmp_path, workers=1, progress=False
    )
    used = networks[0].populations[0].parameters["tau_syn"]
    assert used > LeakyIntegrateAndFire().value("tau_syn")  # the code has made it longer
    assert study.records[0]["tau_syn"] == used


def test_cost_says_how_many_runs_shared_the_cores(tmp_path: Path) -> None:
    study = run(tmp_path, ("if",))
    assert study.records[0]["workers"] == 1
    assert "cost (s/image): measured with workers = 1" in str(study).splitlines()
    assert "workers" not in str(study).splitlines()[0]
    with study.files[0].open(newline="") as file:
        assert [line["workers"] for line in csv.DictReader(file)] == ["1"]
    assert json.loads(study.files[1].read_text())["records"][0]["workers"] == 1


@pytest.mark.slow
def test_finished_runs_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    broken = next(path for path in stamps if '"neuron": "lif"' in path.read_text())
    broken.write_text("{ half a rec")  # what a crash of another program could leave
    done: list[str] = []
    original = plausibility_runs.convert

    def counted(*args: Any, **kwargs: Any) -> Any:
        done.append("converted")
        return original(*args, **kwargs)

    monkeypatch.setattr(plausibility_runs, "convert", counted)
    second = run(tmp_path, ("if", "lif"))
    # of lif only: for the step, for the duration, and for the latency
    assert len(done) == 3
    assert [r["accuracy"] for r in second.records] == [r["accuracy"] for r in first.records]
    broken.write_text("{}")  # JSON, but no record
    assert [r["neuron"] for r in run(tmp_path).records] == ["if", "lif"]
    other = [path for path in stamps if path != broken]
    assert all(path.stat().st_mtime_ns == stamps[path] for path in other)
    assert run(tmp_path, n_images=10).records[0]["images"] == 10  # other data, another record


@pytest.mark.slow
def test_sweeps_vary_one_thing_at_a_time(tmp_path: Path) -> None:
    study = run(tmp_path, ("lif",), rates=(200.0, 50.0), tau_syn=(5.0, 10.0), weight_bits=(0, 3, 8))
    asked = [
        tuple(r["asked"][n] for n in ("max_rate", "tau_syn", "weight_bits")) for r in study.records
    ]
    assert asked == [(200, 5, 0), (50, 5, 0), (200, 10, 0), (200, 5, 3), (200, 5, 8)]
    base, sweeps = plots.base_and_sweeps(study.records)
    assert len(base) == 1
    assert {name: curves["lif"][0].tolist() for name, curves in sweeps.items()} == {
        "max_rate": [50, 200],
        "tau_syn": [5, 10],
        "weight_bits": [3, 8, 32],
    }
    labels = {axes.get_xlabel() for axes in plots.study_figure(study.records).axes}
    assert {"biological time (ms)", "firing rate (Hz)", "bits of a weight"} <= labels


@pytest.mark.slow
def test_what_cannot_be_converted_is_named_and_the_rest_runs(tmp_path: Path) -> None:
    study = run(tmp_path, ("lif", "lif:synapse=delta"), tau_syn=(0.0, 10.0))
    assert list(study.refused) == ["lif:synapse=delta (tau_syn 10 ms, duration 60 ms)"]
    assert len(study.records) == 3
    assert "synapse='exponential'" in str(study)
    with pytest.raises(ConversionError, match="no run of the study"):
        run(tmp_path, ("lif",), rates=(1e6,))


def failing_for(label: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of one neuron raise an error that nobody foresaw."""
    original = study_module.run

    def one(task: Any, setting: Setting, neuron: Any) -> Any:
        if setting.neuron == label:
            raise error
        return original(task, setting, neuron)

    monkeypatch.setattr(study_module, "run", one)


def test_a_run_that_fails_does_not_end_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for("lif", MemoryError("no room"), monkeypatch)
    study = run(tmp_path, ("lif", "if"))
    assert [r["neuron"] for r in study.records] == ["if"]
    assert study.refused == {"lif (duration 60 ms)": "failed: MemoryError: no room"}


def test_an_interrupted_study_leaves_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for("lif", KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, ("if", "lif"))
    with (tmp_path / "plausibility.csv").open(newline="") as file:
        assert [line["neuron"] for line in csv.DictReader(file)] == ["if"]
    assert len(json.loads((tmp_path / "plausibility.json").read_text())["records"]) == 1


class Deadly:
    """A distribution that ends the process that unpickles it."""

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        return random_state.normal(-50.0, 1.0, size)

    def mean(self) -> float:
        return -50.0

    def __reduce__(self) -> Any:
        return os._exit, (1,)


@pytest.mark.slow
def test_a_process_that_dies_is_explained(tmp_path: Path) -> None:
    neurons = {name: LeakyIntegrateAndFire(v_th=Deadly()) for name in ("a", "b")}
    with pytest.raises(BioconvError, match="if __name__ == '__main__'"):
        run(tmp_path, neurons, workers=2)


@pytest.mark.slow
def test_processes_give_the_same_records(tmp_path: Path) -> None:
    alone, together = (run(tmp_path / str(n), workers=n) for n in (1, 2))
    for one, other in zip(alone.records, together.records, strict=True):
        assert (one["workers"], other["workers"]) == (1, 2)
        same = {"seconds": 0, "workers": 0}
        assert one | same == other | same


def test_weights_are_rounded_to_so_many_steps() -> None:
    network = spiking_network()
    rounded = bc.noise.disturb(network, bc.noise.WeightQuantization(4))
    for before, after in zip(network.projections, rounded.projections, strict=True):
        weights, exact = (p.operator.edges().weight for p in (after, before))
        step = np.abs(exact).max() / 7
        assert np.allclose(weights / step, np.round(weights / step))
        assert np.abs(weights).max() == pytest.approx(np.abs(exact).max())


def test_mixed_signs_counts_neurons_with_both() -> None:
    weights = np.zeros((32, 3))
    weights[:8], weights[8:16, 0], weights[8:16, 1] = 0.5, 0.5, -0.5
    network = spiking_network()
    kept = [p for p in network.projections if p.post != "out"]
    dense = Dense((32,), weights)
    reshaped = network.projections[0].operator.operators[0]
    operator = type(network.projections[0].operator)((reshaped, dense))
    network = network.replace(projections=(*kept, Projection("conv", "out", operator, "syn")))
    assert bc.measures.mixed_signs(network) == pytest.approx(8 / 16)


def test_time_constants_of_conductances_change_together() -> None:
    neuron = with_time_constant(parse_neuron("lif:synapse=conductance"), 7.0)
    assert (neuron.value("tau_syn_exc"), neuron.value("tau_syn_inh")) == (7.0, 7.0)


def test_a_time_constant_takes_the_place_of_its_distribution() -> None:
    neuron = LeakyIntegrateAndFire(tau_syn=stats.norm(5.0, 0.1), v_th=stats.norm(-50.0, 1.0))
    neuron = with_time_constant(neuron, 12.0)
    assert neuron.value("tau_syn") == 12.0
    assert list(neuron.distributions) == ["v_th"]


class Slotted:
    """A distribution that tells nothing about itself."""

    __slots__ = ("width",)

    def __init__(self, width: float) -> None:
        self.width = width

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        return random_state.uniform(-50.0 - self.width, -50.0 + self.width, size)

    def mean(self) -> float:
        return -50.0


def test_runs_with_other_distributions_have_other_records() -> None:
    edges = np.array([-51.5, -50.5, -49.5, -48.5])
    spreads = [
        stats.rv_histogram((np.array([1.0, 0.0, 1.0]), edges)),
        stats.rv_histogram((np.array([1.0, 1.0, 1.0]), edges)),
        Slotted(1.0),
        Slotted(2.0),
    ]
    keys = [run_key("task", Setting("lif"), LeakyIntegrateAndFire(v_th=s)) for s in spreads]
    assert len(set(keys)) == len(keys)
    again = LeakyIntegrateAndFire(v_th=Slotted(2.0))
    assert run_key("task", Setting("other label"), again) == keys[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rates": ()}, "at least one value of max_rate"),
        ({"weight_bits": (1,)}, "weight bits must be an integer from 2"),
        ({"neurons": ("lif:tau_m",)}, "OPTION=VALUE"),
        ({"neurons": ()}, "at least one neuron"),
    ],
)
def test_bad_arguments(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        run(tmp_path, **change)


def test_labels_must_fit(tmp_path: Path) -> None:
    x, _ = bc.load_data("digits", n_images=5)
    with pytest.raises(DataError, match="expected .* labels"):
        plausibility(MODEL, x, [1], calibration=x, neurons=("if",), folder=tmp_path)


def test_records_are_plain_json(tmp_path: Path) -> None:
    run(tmp_path, ("if",))
    (path,) = (tmp_path / "runs").iterdir()
    assert Setting(**json.loads(path.read_text())["record"]["asked"]).neuron == "if"
