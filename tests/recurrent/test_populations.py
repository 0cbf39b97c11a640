"""Recurrent layers with populations in place of gates and states."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from later import later
from some_variants import some

import bioconv as bc
from bioconv import models, recurrent
from bioconv.analog import AnalogGraph
from bioconv.cli import main
from bioconv.ground.errors import ConversionError, DataError, ExportError, ParameterError
from bioconv.recurrent import Placement

keras = later("keras")

L = later("keras.layers")
X = np.random.default_rng(0).normal(0, 1, (3, 6, 4)).astype(np.float32)
X[1, 4:] = 0.0  # what a mask leaves out

#: layers that read sequences of X; the last axis of what they give is flattened
CELLS = {
    "lstm": lambda: [L.LSTM(5, name="cell", return_sequences=True)],
    "lstm_backwards": lambda: [L.LSTM(3, name="cell", go_backwards=True)],
    "lstm_masked": lambda: [L.Masking(name="mask"), L.LSTM(4, name="cell")],
    "lstm_without_bias": lambda: [L.LSTM(3, name="cell", use_bias=False)],
    "gru": lambda: [L.GRU(5, name="cell", return_sequences=True)],
    "gru_before": lambda: [L.GRU(4, name="cell", reset_after=False)],
    "simple": lambda: [L.SimpleRNN(6, name="cell", activation="sigmoid")],
    "hard": lambda: [L.LSTM(4, name="cell", recurrent_activation="hard_sigmoid")],
    "bidirectional": lambda: [
        L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="mul", name="cell")
    ],
}


def _model(name: str) -> keras.Model:
    """A small network with weights large enough to use the whole range of its functions."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 4)), *CELLS[name](), L.Flatten(), L.Dense(3)])
    rng = np.random.default_rng(2)
    model.set_weights([w + rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def digits() -> AnalogGraph:
    return bc.read(models.weights_path("digits_lstm"))


#: cells that go another way through the code than the others; the rest takes longer
_DIFFERENT = ("bidirectional", "gru_before", "lstm_masked")
_NAMES = [
    pytest.param(name, marks=[] if name in _DIFFERENT else pytest.mark.slow)
    for name in sorted(CELLS)
]


@pytest.mark.parametrize("name", _NAMES)
def test_large_populations_give_what_keras_gives(name: str) -> None:
    """4,000 neurons at the quantiles miss a function by 1/8000: the outputs by little more."""
    model = _model(name)
    graph = recurrent.populate(model, Placement(4000))
    exact = model.predict(X, verbose=0)
    np.testing.assert_allclose(graph.predict(X), exact, atol=0.01 * np.abs(exact).max())


@pytest.mark.parametrize("name", some(sorted(CELLS), every=3))
def test_every_neuron_in_brian2_fires_as_it_is_counted(name: str) -> None:
    """Random thresholds, every kind of cell: the same counts, the same outputs."""
    options = Placement(8, placement="random", inhibition="independent")
    graph = recurrent.populate(_model(name), options, seed=3)
    counts = recurrent.counts(graph, X, dtype="float64")
    layer = "cell/backward" if name == "bidirectional" else "cell"
    run = recurrent.simulate(graph, X, layer)
    real = np.any(X != 0, axis=-1) if "masked" in name else np.ones(X.shape[:2], bool)
    assert set(run.counts) == {place for place in counts if place.startswith(layer)}
    for place, found in run.counts.items():
        assert 0 < found[real].mean() < 8, place
        np.testing.assert_array_equal(found[real], counts[place][real], err_msg=place)
    fired = recurrent.spikes(graph, X, dtype="float64")
    sums = {place: spikes.sum(axis=-1) for place, spikes in fired.items()}
    for place, found in run.counts.items():
        np.testing.assert_array_equal(sums[place][real], found[real], err_msg=place)


def test_single_gates_are_converted_and_the_rest_stays(digits: AnalogGraph) -> None:
    """Table 5.1: one part at a time, and thresholds that no other part changes."""
    x, _ = bc.load_data("digits")
    gate = {"lstm/forget": Placement(30, placement="random")}
    alone = recurrent.populate(digits, gate, seed=2)
    both = recurrent.populate(digits, {**gate, "lstm/hid*": Placement(50)}, seed=2)
    later = recurrent.populate(alone, {"lstm/hidden": Placement(50)}, seed=2)
    assert recurrent.n_neurons(alone) == {"lstm/forget": 30 * 25}
    assert recurrent.n_neurons(both) == {"lstm/forget": 30 * 25, "lstm/hidden": 2 * 50 * 25}
    np.testing.assert_array_equal(both.predict(x[:20]), later.predict(x[:20]))
    first, second = (recurrent.inputs(g, x[:20])["lstm/forget"][:, 0] for g in (alone, both))
    np.testing.assert_array_equal(first, second)  # before any population has had an effect
    assert not np.array_equal(alone.predict(x[:20]), both.predict(x[:20]))


@pytest.mark.slow
def test_complete_conversion_loses_less_than_the_thesis(digits: AnalogGraph) -> None:
    """Table 5.2 loses 13.2 % relative; with quantiles and the own curve less than one point.

    The loss is on 360 images; the mean of five chips has a standard error below 0.5 points.
    """
    x, y = bc.load_data("digits")
    sizes = {"input": 200, "output": 200, "forget": 1000, "hidden": 2000, "carry": 10_000}
    exact = _accuracy(digits, x, y)
    assert exact > 0.95
    thesis = [
        _accuracy(
            recurrent.populate(
                digits,
                {
                    f"lstm/{part}": Placement(n, "random", "normal", "thesis")
                    for part, n in sizes.items()
                },
                seed=seed,
            ),
            x,
            y,
        )
        for seed in range(5)
    ]
    assert np.mean(thesis) > exact * (1 - 0.132)
    own = {f"lstm/{part}": Placement(n) for part, n in sizes.items()}
    assert _accuracy(recurrent.populate(digits, own), x, y) > exact - 0.01


def _accuracy(graph: AnalogGraph, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(graph.predict(x).argmax(axis=-1) == y))


def test_places_say_where_a_population_can_stand() -> None:
    model = keras.Sequential(
        [
            keras.Input((6, 4)),
            L.Bidirectional(L.LSTM(2, return_sequences=True), name="both"),
            L.GRU(3, name="gru", return_sequences=True),
            L.SimpleRNN(2, name="relu", activation="relu"),
            L.Dense(3, "sigmoid", name="dense"),
            L.Dense(3, "relu", name="rest"),
            L.Dense(2, "tanh", name="out"),
        ]
    )
    graph = bc.read(model)
    found = recurrent.places(graph)
    parts = ("input", "forget", "output", "carry", "hidden")
    assert list(found) == [
        *(f"both/{side}/{part}" for side in ("forward", "backward") for part in parts),
        *("gru/update", "gru/reset", "gru/candidate"),
        *("dense", "out"),
    ]
    everything = {**dict.fromkeys(("both/*", "gru/*", "dense"), Placement(5))}
    assert set(recurrent.n_neurons(recurrent.populate(graph, everything))) == set(found) - {"out"}
    with pytest.raises(ConversionError, match=r"relu/state \(ReLU\)"):
        recurrent.populate(graph, Placement(5))


@pytest.mark.parametrize(
    ("placement", "seed", "message"),
    [
        ({"lstm/gate": Placement(5)}, 0, "Places of digits_lstm: lstm/input"),
        ({"lstm/input": 5}, 0, "Received: 'lstm/input'"),
        ({}, 0, "Received: nothing"),
        (Placement(5), -1, "seed must be"),
    ],
)
def test_wrong_names_and_seeds_are_refused(
    digits: AnalogGraph, placement: Placement, seed: int, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        recurrent.populate(digits, placement, seed=seed)


def test_program_is_refused_where_brian2_has_no_words(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((6, 4)), L.LSTM(3, name="cell", activation="mish")])
    graph = recurrent.populate(model, {"cell/input": Placement(5)})
    with pytest.raises(ExportError, match=r"cell/carry \(Mish\)"):
        recurrent.emit(graph, "cell", tmp_path / "program")
    with pytest.raises(ParameterError, match="Such layers of sequential.*: cell"):
        recurrent.emit(graph, "lstm", tmp_path / "program")
    assert not (tmp_path / "program").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the size of files")
def test_a_program_writes_its_result_whole_or_not_at_all(tmp_path: Path) -> None:
    pytest.importorskip("brian2", reason="Brian2 is not installed")
    graph = recurrent.populate(_model("simple"), {"cell/state": Placement(5)})
    program, *_ = recurrent.emit(graph, "cell", tmp_path / "program")
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(3).normal(0, 1, (300, 6, 4)))
    arguments = ["--data", "data.npz", "-o", "result.npz"]
    result = subprocess.run(
        # files of at most 40 kB, as on a disk that is full
        ["bash", "-c", 'ulimit -f 40; exec "$@"', "-", sys.executable, program, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode and "File too large" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.npz", "program"]


def test_command_line_compares(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Table 5.2 in small: what the verb says, as text and as JSON."""
    record = tmp_path / "populations.json"
    model = models.weights_path("digits_lstm")
    arguments = ["populations", str(model), "--data", "digits", "--images", "60", "--runs", "2"]
    arguments += ["--option", "n=20", "--option", "placement=random", "--place", "lstm/forget"]
    assert main([*arguments, "--json", str(record)]) == 0
    printed = capsys.readouterr().out
    assert "lstm/forget" in printed
    assert "analog accuracy" in printed
    x, y = bc.load_data("digits", n_images=60)
    placement = {"lstm/forget": Placement(20, "random")}
    found = recurrent.compare(model, x, y, placement=placement, runs=2)
    assert json.loads(record.read_text()) == {**found.record(), "warnings": []}
    again = recurrent.populate(model, placement, seed=1)
    assert found.accuracy[1] == np.mean(again.predict(x).argmax(axis=-1) == y)
    assert main([*arguments, "--option", "k=5"]) == 2
    assert "no option 'k'. Valid: n, placement" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "error"),
    [({"runs": 0}, ParameterError), ({"y": np.zeros(3, int)}, DataError)],
)
def test_comparison_refuses(digits: AnalogGraph, options: dict, error: type[Exception]) -> None:
    x, y = bc.load_data("digits", n_images=5)
    with pytest.raises(error):
        recurrent.compare(digits, x, **{"y": y, "placement": Placement(5), **options})


def test_density_rate_over_runs_is_the_function() -> None:
    """One neuron with another threshold in every run: Eq 3.2 over runs is Eq 5.1."""
    x = np.linspace(-4, 4, 9)[None]
    n_runs, dt = 2000, 2.0
    model = keras.Sequential(
        [keras.Input((9,)), L.Activation("sigmoid", name="a"), L.Activation("linear")]
    )
    one = Placement(n_runs, placement="random")
    spikes = recurrent.spikes(recurrent.populate(model, {"a": one}, seed=1), x)["a"]
    raster = np.moveaxis(spikes, -1, 0)  # every neuron as a run of its own, in one step
    rate = recurrent.density_rate(raster, dt)[0] * dt / 1000
    # Kolmogorov: 1.95 / sqrt(n) holds in 99.9 % of draws, of which this is one.
    np.testing.assert_allclose(rate, 1 / (1 + np.exp(-x[0])), atol=1.95 / np.sqrt(n_runs))
    for wrong in ({"window_steps": 2}, {"dt": 0.0}):
        with pytest.raises(ParameterError):
            recurrent.density_rate(raster, **{"dt": dt, **wrong})


@pytest.mark.slow
def test_cumulative_normal_is_trained_read_and_matched(tmp_path: Path) -> None:
    """A network with the curve of normal thresholds loses nothing to the curve."""
    model = keras.Sequential(
        [
            keras.Input((6, 4)),
            L.LSTM(
                5,
                name="cell",
                recurrent_activation=bc.keras.cumulative_normal,
                activation=bc.keras.cumulative_normal_tanh,
            ),
            L.Dense(2),
        ]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    exact = loaded.predict(X, verbose=0)
    graph = bc.read(tmp_path / "model.keras")
    np.testing.assert_allclose(graph.predict(X), exact, atol=1e-5)
    normal = recurrent.populate(graph, Placement(5000, curve="normal"))
    np.testing.assert_allclose(normal.predict(X), exact, atol=2e-3)
