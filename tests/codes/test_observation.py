"""The observation code: training in spike times, and networks that compute the closed form."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import digits
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.first_crossings import first_crossings
from bioconv.analog.functions import FirstSpikes
from bioconv.codes.observation.code import ObservationCode
from bioconv.codes.observation.stack import dense_graph
from bioconv.ground.errors import ConversionError, DataError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.training import Training
from bioconv.training.observation import (
    OPTIONS,
    ObservationLoss,
    Trained,
    observed,
    train,
    train_graph,
)

Floats = NDArray[np.float64]
CODE = ObservationCode(time_unit=16.0)
#: ms; digits have 16 grey levels, so that all input spikes lie on the grid
DT = 0.1


@cache
def random_graph() -> AnalogGraph:
    """Two hidden layers with random weights, whose neurons are observed for about the median."""
    rng = np.random.default_rng(0)
    sizes = (64, 12, 9, 10)
    weights = [
        rng.normal(0.02, 1 / np.sqrt(6 * n), (n, m)) for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    periods = [rng.uniform(0.6, 1.3, n) for n in sizes[1:-1]]
    return dense_graph(CODE, weights, [*periods, np.full(10, 2.5)], (8, 8, 1))


@cache
def network_of() -> SpikingNetwork:
    return bc.convert(random_graph(), calibration=digits.train()[:50], code=CODE, dt=DT)


@cache
def recording_of(simulator: str, n: int = 30) -> Recording:
    record = {p.name: ("spikes",) for p in network_of().populations}
    return bc.simulate(
        network_of(),
        digits.test(n),
        simulator=simulator,
        record=record,
        dtype="float64",
        progress=False,
    )


@cache
def trained() -> Trained:
    options = replace(OPTIONS, epochs=4, learning_rate=2e-3)
    return train_graph(CODE, (40,), digits.train(), digits.train_labels(), options, progress=False)


def times_of(recording: Recording, name: str) -> Floats:
    """Spike times in ms, shape (n_images, n_neurons); inf without a spike."""
    raster, population = recording.rasters[name], network_of().population(name)
    found = np.full((recording.n_images, population.n_neurons), np.inf)
    exact = raster.time if raster.time is not None else (raster.step + 1) * recording.dt
    np.minimum.at(found, (raster.image, raster.neuron), exact)
    return found


def test_inputs_fire_as_equation_a_1_says() -> None:
    found = times_of(recording_of("array"), "encoder")
    right = (1.0 - digits.test(30).reshape(30, -1)) * CODE.time_unit + DT
    np.testing.assert_allclose(found, right, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_every_layer_fires_at_the_step_nearest_to_the_closed_form(depth: int) -> None:
    """Of the input spikes that the same simulation gave it: Eqs A.2-A.6 in ms."""
    names = ["encoder", "hidden_1", "hidden_2", "out"]
    recording = recording_of("array")
    before, after = (times_of(recording, name) for name in names[depth - 1 : depth + 1])
    function = random_graph().layers[depth].function
    assert isinstance(function, FirstSpikes)
    unit = CODE.time_unit
    arrivals = before + 2 * DT
    clock = arrivals.min(axis=1, keepdims=True) - function.epsilon * unit
    seen = np.concatenate([clock + function.epsilon * unit, arrivals], axis=1)
    with jax.enable_x64(True):
        found = np.asarray(
            first_crossings(
                seen / unit,
                np.concatenate([function.alpha[None], function.weights]),
                1.0 - function.alpha * function.epsilon,
            )
        )
    exact = found * unit
    period = clock + function.t_obs * unit
    both = np.isfinite(after) & np.isfinite(exact)
    assert np.abs(after[both] - exact[both]).max() <= DT / 2 + 1e-6
    assert both.sum() > 60
    # Only neurons that cross within half a step of the end of their period may differ.
    end = np.minimum(period, network_of().n_steps * DT)
    clear = np.abs(exact - end) > DT / 2 + 1e-6
    np.testing.assert_array_equal(np.isfinite(after)[clear], (exact <= end)[clear])


def test_the_event_simulator_is_the_analog_network() -> None:
    recording = recording_of("event")
    analog = random_graph().activations(digits.test(30), dtype="float64")
    for delay, name in ((2, "hidden_1"), (4, "hidden_2"), (6, "out")):
        found = times_of(recording, name)
        value = random_graph().layers[1].function.horizon - (found - (delay + 1) * DT) / 16.0
        np.testing.assert_allclose(
            np.where(np.isfinite(found), value, 0.0), analog[name], atol=2e-6
        )
    np.testing.assert_allclose(recording.outputs["out"], analog["out"], atol=2e-6)
    np.testing.assert_array_equal(recording.predictions(), analog["out"].argmax(axis=1))


def test_steps_delay_spikes_by_half_a_step_and_what_follows_from_it() -> None:
    """Inputs lie on the grid: the first layer is within half a step.  Later layers divide sums of
    such deviations by the slope with which they cross, so that no bound in steps holds."""
    a, b = (times_of(recording_of(name), "hidden_1") for name in ("array", "event"))
    both = np.isfinite(a) & np.isfinite(b)
    assert np.abs(a[both] - b[both]).max() <= DT / 2 + 1e-6
    assert both.sum() > 0.95 * np.isfinite(b).sum()


def test_a_larger_capacitance_slows_neurons_down_in_steps_and_in_events() -> None:
    network = network_of()
    slower = network.replace(
        populations=tuple(
            replace(p, parameters={**p.parameters, "c_m": 1.1}) if p.name == "hidden_1" else p
            for p in network.populations
        )
    )
    found = []
    for simulator in ("array", "event"):
        run = bc.simulate(
            slower,
            digits.test(30),
            simulator=simulator,
            record={"hidden_1": ("spikes",)},
            dtype="float64",
            progress=False,
        )
        found.append(times_of(run, "hidden_1"))
    steps, exact = found
    both = np.isfinite(steps) & np.isfinite(exact)
    assert np.abs(steps[both] - exact[both]).max() <= DT / 2 + 1e-6
    before = times_of(recording_of("event"), "hidden_1")
    assert np.all(exact[both] > before[both])
    assert both.sum() < np.isfinite(before).sum()


def test_no_neuron_fires_twice_or_after_its_period() -> None:
    recording = recording_of("array")
    for name, raster in recording.rasters.items():
        pairs = raster.image * network_of().population(name).n_neurons + raster.neuron
        assert len(np.unique(pairs)) == len(pairs)
    relay = times_of(recording, "hidden_1_relay")
    hidden = times_of(recording, "hidden_1")
    period = np.asarray(random_graph().layers[1].function.t_obs) * CODE.time_unit
    local = hidden - relay - DT
    assert (
        local[np.isfinite(local)] <= np.broadcast_to(period, local.shape)[np.isfinite(local)]
    ).all()


def test_dimmer_images_only_start_later() -> None:
    """What the first layer does depends on differences of times alone."""
    bright = np.random.default_rng(2).integers(4, 17, (6, 8, 8, 1)) / 16

    def steps(x: Floats) -> tuple[NDArray, NDArray]:
        record = {"hidden_1": ("spikes",)}
        run = bc.simulate(network_of(), x, record=record, dtype="float64", progress=False)
        return run.rasters["hidden_1"].step, run.rasters["hidden_1"].neuron

    (early, who), (late, same) = steps(bright), steps(bright - 3 / 16)
    assert len(who) > 10
    np.testing.assert_array_equal(who, same)
    np.testing.assert_array_equal(late, early + 30)


def test_files_give_back_the_same_network(tmp_path: Path) -> None:
    network = network_of()
    network.save(tmp_path / "one.h5")
    again = bc.load(tmp_path / "one.h5")
    again.save(tmp_path / "two.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    x = digits.test(20)
    np.testing.assert_array_equal(again.analog.predict(x), network.analog.predict(x))
    converted = bc.convert(again.analog, calibration=digits.train()[:50], code=CODE, dt=DT)
    converted.save(tmp_path / "three.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "three.h5").read_bytes()


@pytest.mark.slow
def test_activations_are_decoded() -> None:
    rows = bc.diagnose(network_of(), recording_of("array"), digits.test(30), digits.labels(30))
    assert {row.layer for row in rows} == {layer.name for layer in random_graph().layers}
    assert all(row.correlation is not None and row.correlation > 0.9 for row in rows)


@pytest.mark.parametrize(
    ("local", "right"),
    [
        ([1.0, 4.0, 2.0, 3.0], 2.5),
        ([1.0, np.inf, 2.0, 3.0], 2.5),
        ([1.0, np.inf, 2.0, np.inf], 2.0),
        ([1.0, np.inf, np.inf, np.inf], np.inf),
    ],
)
def test_half_of_the_samples_are_observed(local: list[float], right: float) -> None:
    period = observed(jnp.array(local)[:, None])
    assert period[0] == right
    fires = np.isfinite(local) & (np.array(local) <= float(period[0]))
    assert fires.sum() == min(2, np.isfinite(local).sum())


@pytest.mark.slow
def test_the_loss_is_that_of_equations_a_7_to_a_9() -> None:
    rng = np.random.default_rng(1)
    code = ObservationCode(beta=20.0, kappa=3.0, decay=0.5)
    x, y = rng.random((6, 4)), np.array([0, 1, 2, 0, 1, 2])
    weights = tuple(rng.normal(0.1, 0.3, shape) for shape in ((4, 5), (5, 3)))
    state = ((np.zeros(5), np.zeros(5)),)
    with jax.enable_x64(True):
        loss, (new, measures) = ObservationLoss(code)(weights, state, x, y, jax.random.key(0))
        periods = np.asarray(new[0][0] / new[0][1])
        graph = dense_graph(code, weights, [periods, np.full(3, 1e3)], (4,))
        out = graph.predict(x, dtype="float64")
    spikes = out > 0
    whole = spikes.all(axis=1)
    assert measures["ignored"] == pytest.approx(1 - whole.mean())
    share = np.exp(20.0 * (out - out.max(axis=1, keepdims=True)))
    share /= share.sum(axis=1, keepdims=True)
    entropy = -np.log(share[np.arange(6), y])[whole].mean()
    silent = sum(np.maximum(0.0, -w.sum(axis=0)).sum() for w in weights)
    large = sum((w**2).sum() for w in weights)
    assert float(loss) == pytest.approx(entropy + 3.0 * silent + 0.5 * large, rel=1e-6)
    assert measures["spikes"] == pytest.approx(0.5)


@pytest.mark.slow
def test_training_learns_the_digits_with_half_of_the_spikes() -> None:
    history, graph = trained().history, trained().graph
    assert history["loss"][-1] < history["loss"][0] / 3
    np.testing.assert_allclose(history["spikes"], 0.5, atol=0.02)
    assert np.mean(graph.predict(digits.test()).argmax(axis=1) == digits.labels()) > 0.8
    hidden = graph.activations(digits.train(), ["hidden_1"])["hidden_1"]
    assert np.mean(hidden > 0) == pytest.approx(0.5, abs=0.1)  # averages of the last batches
    network = bc.convert(graph, calibration=digits.train()[:100], code=CODE)
    run = bc.simulate(network, digits.test(), simulator="event", progress=False)
    assert run.accuracy(digits.labels()) > 0.8


@pytest.mark.slow
def test_train_returns_the_network_and_resumes(tmp_path: Path) -> None:
    options = Training(epochs=1, batch_size=100)
    data = digits.train()[:300], digits.train_labels()[:300]
    given: dict[str, Any] = {"progress": False, "dt": 0.2}
    network = train(CODE, (8,), *data, options, **given, checkpoint=tmp_path / "c.npz", name="net")
    assert (network.name, network.dt, network.code["code"]) == ("net", 0.2, "observation")
    again = train(CODE, (8,), *data, options, **given, checkpoint=tmp_path / "c.npz", name="net")
    np.testing.assert_array_equal(
        again.analog.layers[1].function.weights, network.analog.layers[1].function.weights
    )
    with pytest.raises(DataError, match="other settings"):
        train(replace(CODE, beta=1.0), (8,), *data, options, checkpoint=tmp_path / "c.npz")


@pytest.mark.slow
def test_dropout_leaves_out_hidden_spikes() -> None:
    code = ObservationCode(dropout=0.5)
    rng = np.random.default_rng(0)
    weights = (rng.random((3, 400)) / 10, rng.normal(0, 1e-3, (400, 2)))
    state = ((np.zeros(400), np.zeros(400)),)
    x, y = rng.random((8, 3)), np.zeros(8, int)

    def loss(code: ObservationCode, key: int) -> float:
        with jax.enable_x64(True):
            return float(ObservationLoss(code)(weights, state, x, y, jax.random.key(key))[0])

    assert loss(code, 0) != loss(code, 1)
    assert loss(replace(code, dropout=0.0), 0) == loss(replace(code, dropout=0.0), 1)


def test_other_networks_are_refused_with_what_to_do() -> None:
    with pytest.raises(ConversionError, match="trained in spike times") as error:
        bc.convert(digits.mlp(), calibration=digits.train()[:50], code=ObservationCode())
    assert "training.train_observation" in str(error.value)
    with pytest.raises(ConversionError, match="has its own neuron"):
        bc.convert(random_graph(), calibration=digits.train()[:50], code=CODE, neuron="lif")
    with pytest.raises(ParameterError, match="n_steps = 20 is too short"):
        bc.convert(random_graph(), calibration=digits.train()[:50], code=CODE, n_steps=20)
    with pytest.raises(ParameterError, match="longer than the period"):
        bc.convert(random_graph(), calibration=digits.train()[:50], code=CODE, dt=40.0)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sizes": (0,)}, ParameterError, "sizes must be whole numbers of at least 1"),
        ({"options": Training(batch_size=1)}, ParameterError, "one sample has no median"),
        ({"x": -np.ones((4, 3))}, DataError, "non-negative with a positive maximum"),
        ({"x": np.zeros((4, 3))}, DataError, "values from 0 to 0"),
        ({"x": np.full((4, 3), np.nan)}, DataError, "NaN"),
        ({"y": np.zeros(3, int)}, DataError, "expected 4 labels, one class per sample"),
        ({"y": np.full(4, 0.5)}, DataError, "integers from 0 to 1"),
        ({"y": np.array([0, 1, -1, 0])}, DataError, "integers from 0 to 1"),
        ({"options": Training(batch_size=5)}, DataError, "fewer than one batch of 5"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    given: dict[str, Any] = {
        "sizes": (2,),
        "x": np.ones((4, 3)),
        "y": np.array([0, 1, 0, 1]),
        "options": Training(batch_size=2),
    }
    with pytest.raises(error, match=message):
        train(ObservationCode(), **{**given, **changes}, progress=False)


def test_shapes_and_options_are_checked() -> None:
    with pytest.raises(ParameterError, match=r"weights must have the shapes \[\(3, 2\)\]"):
        dense_graph(CODE, [np.ones((4, 2))], [np.ones(2)], (3,))
    with pytest.raises(
        ParameterError, match="time_unit must be a number above 0[^~]*dropout must be"
    ):
        ObservationCode(time_unit=0.0, dropout=1.0)


def test_the_event_simulator_refuses_what_it_takes_for_granted() -> None:
    network = network_of()

    def changed(**changes: Any) -> SpikingNetwork:
        return network.replace(
            populations=tuple(
                replace(p, **{k: {**getattr(p, k), **v} for k, v in changes.items()})
                if p.name == "hidden_1"
                else p
                for p in network.populations
            )
        )

    weak = tuple(
        replace(p, operator=p.operator.map_weights(lambda w: 0.4 * w))
        if p.receptor == "start"
        else p
        for p in network.projections
    )
    for wrong, message in (
        (changed(initial={"v": 2.0}), "start below the threshold"),
        (changed(initial={"started": 1.0}), "does not start at zero"),
        (changed(parameters={"t_ref": 5.0}), "t_ref = 5 ms"),
        (network.replace(projections=weak), "with one spike"),
    ):
        with pytest.raises(ParameterError, match=message):
            bc.simulate(wrong, digits.test(2), simulator="event", progress=False)
