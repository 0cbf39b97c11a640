"""Training in spike times, against simulations, ReLU networks and the thesis's equations."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp, residual
from some_variants import some
from spike_times import OWN, converted, deep, digits, samples

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, ReLU, Softmax
from bioconv.codes import FirstSpikeExactCode, RateCode
from bioconv.codes.first_spike_exact.leads import Leads
from bioconv.codes.first_spike_exact.reading import leads_of
from bioconv.codes.first_spike_exact.writing import network_with
from bioconv.ground.errors import ConversionError, DataError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.noise import Mismatch, SpikeJitter, disturb
from bioconv.operators import Dense, Reshape, Scale, compose, conv, identity, kernels
from bioconv.training import Training, evaluate, train_analog

RNG = np.random.default_rng(5)
FAMILY: tuple[dict[str, Any], ...] = (
    {},
    OWN,
    {"slope": "identical", "threshold": "falling"},
    {"inactive": "silent", "threshold": "constant"},
    {"normalization": "none", "ramp": "own"},
)


def _pooled(sign: float = 1.0) -> AnalogGraph:
    """A convolution, a max pooling and a dense output; ``sign`` of the values that are pooled."""
    shape = (6, 6, 3)
    first = conv((6, 6, 2), RNG.normal(0, 0.5, (3, 3, 2, 3)), 1, "same")
    factor = np.array([1.0, sign, 1.0]).reshape(1, 1, 3)
    return graph(
        layer("conv", ReLU(), affine(("x", first), bias=RNG.normal(0, 0.1, 3))),
        layer("pool", MaxPool((2, 2)), affine(("conv", Scale(shape, factor))), shape=(3, 3, 3)),
        layer("hidden", ReLU(), affine(("pool", Dense((3, 3, 3), RNG.normal(0, 0.5, (3, 4)))))),
        layer("out", Softmax(), affine(("hidden", Dense((3, 3, 4), RNG.normal(0, 1, (4, 2)))))),
        shape=(6, 6, 2),
    )


def _limited() -> AnalogGraph:
    """ReLU with an upper limit."""
    return graph(
        layer("a", ReLU(max_value=0.5), affine(("x", Dense((4,), RNG.normal(0, 1, (4, 6)))))),
        layer("out", Linear(), affine(("a", Dense((6,), RNG.normal(0, 1, (6, 3)))), bias=0.1)),
        shape=(4,),
    )


GRAPHS = {
    "mlp": mlp(RNG),
    "residual": residual(RNG),
    "maxima": _pooled(),
    "minima": _pooled(-1.0),
    "limited": _limited(),
}
#: branches and pools take long to compile
LARGE_ARE_SLOW = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("residual", "maxima") else name
    for name in GRAPHS
]


def rewritten(leads: Leads) -> SpikingNetwork:
    return network_with(leads, leads.parameters(), leads.lengths())


# Otherwise a neuron may fire before all its input has arrived, which training does not model.
HELD = [options for options in FAMILY if "threshold" not in options]


@pytest.mark.parametrize("options", some(HELD, every=2), ids=str)
@pytest.mark.parametrize("name", LARGE_ARE_SLOW)
def test_leads_are_those_of_the_simulated_spikes(name: str, options: dict[str, Any]) -> None:
    model = GRAPHS[name]
    network, x = converted(model, **options), samples(model, 6)
    leads = leads_of(network, options.get("slope", "constant"))
    outputs, found = leads.forward(leads.parameters(), leads.lengths(), {network.inputs[0].name: x})
    record = {entry.name: ("spikes",) for entry in network.populations}
    recording = bc.simulate(
        network, x, simulator="event", dtype="float64", record=record, progress=False
    )
    for window, (population, lead) in (
        (leads.schedule.windows[name], (name, lead)) for name, lead in found.items()
    ):
        raster = recording.rasters[population]
        simulated = np.zeros((len(x), int(np.prod(lead.shape[1:]))))
        times = np.asarray(raster.time)
        simulated[raster.image, raster.neuron] = (
            window.close * network.dt - times
        ) / leads.schedule.unit
        np.testing.assert_allclose(np.asarray(lead).reshape(len(x), -1), simulated, atol=2e-5)
    (value,) = outputs.values()
    (given,) = recording.outputs.values()
    shown = network.readouts[0].function.apply([np.asarray(value)])
    np.testing.assert_allclose(np.asarray(shown), given, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param(name, options, marks=() if name == "mlp" else pytest.mark.slow)
        for name in GRAPHS
        for options in FAMILY
    ],
    ids=str,
)
def test_a_network_that_is_read_and_written_has_the_same_spikes(
    name: str, options: dict[str, Any]
) -> None:
    model = GRAPHS[name]
    network, x = converted(model, **options), samples(model, 6)
    again = rewritten(leads_of(network, options.get("slope", "constant")))
    assert again.n_steps == network.n_steps
    assert "expected_agreement" not in again.code  # it was that of the converted network
    record = {entry.name: ("spikes",) for entry in network.populations[:-1]}
    runs = [
        bc.simulate(entry, x, dtype="float64", record=record, progress=False)
        for entry in (network, again)
    ]
    for population in network.populations:
        if population.name in record:
            first, second = (run.rasters[population.name] for run in runs)
            assert len(first.step)
            assert np.array_equal(first.step, second.step)
            assert np.array_equal(first.neuron, second.neuron)


@pytest.mark.parametrize("name", LARGE_ARE_SLOW)
def test_the_reverse_map_is_the_analog_network(name: str) -> None:
    # Eq 3.4: w = J / B and b = -D / B, in the units of the layers.
    model = GRAPHS[name]
    for options in (OWN, {"slope": "constant"}):
        network, x = converted(model, **options), samples(model)
        again = rewritten(leads_of(network, options["slope"]))
        np.testing.assert_allclose(
            again.analog.predict(x, dtype="float64"), model.predict(x, dtype="float64"), atol=1e-7
        )
        stem = next(iter(model.layers)).name
        if name != "minima":
            np.testing.assert_allclose(
                again.analog.activations(x, [stem])[stem],
                model.activations(x, [stem])[stem],
                atol=1e-6,
            )


def test_training_in_spike_times_is_training_of_the_relu_network() -> None:
    # Thesis Fig 3.3: the same weights throughout, with the linearly mappable condition.
    x, y = digits()
    model = deep(np.random.default_rng(0))
    options = Training(epochs=2, learning_rate=2e-3, seed=1)
    code = FirstSpikeExactCode(**OWN, normalization="none")
    done = bc.train(model, x, y, code=code, options=options, progress=False)
    reference, history = train_analog(model, x, y, options=options, progress=False)
    np.testing.assert_allclose(done.history["loss"], history["loss"], rtol=1e-5)
    assert done.history["loss"][-1] < 0.7 * done.history["loss"][0]
    for mine, other in zip(done.network.analog.layers, reference.layers, strict=True):
        (w,), (v,) = (kernels(entry.inputs[0].terms[0].operator) for entry in (mine, other))
        cosine = np.sum(w * v) / np.linalg.norm(w) / np.linalg.norm(v)
        assert cosine > 1 - 1e-8
    # what was trained is what runs
    simulated = bc.simulate(done.network, x[:40], simulator="event", progress=False)
    (given,) = simulated.outputs.values()
    np.testing.assert_allclose(given, done.network.analog.predict(x[:40]), atol=1e-4)


def test_training_is_repeatable_and_depends_on_the_seed() -> None:
    x, y = digits(160)
    model = deep(np.random.default_rng(0))
    files = []
    for seed in (1, 1, 2):
        options = Training(epochs=1, seed=seed)
        done = bc.train(model, x, y, options=options, progress=False)
        files.append(
            b"".join(np.asarray(k).tobytes() for k in jax.tree.leaves(done.network.analog))
        )
    assert files[0] == files[1] != files[2]


@pytest.mark.slow
def test_slopes_stay_positive_with_constant_alpha() -> None:
    # Strong inhibition would make B = 1 + sum(J) negative, and the potential would never rise.
    x, y = digits(160)
    model = deep(np.random.default_rng(0))
    code = FirstSpikeExactCode(slope="constant", ramp="own")
    options = Training(epochs=2, learning_rate=0.05)
    done = bc.train(model, x, y, code=code, options=options, progress=False)
    for population in done.network.populations:
        if any(p.name == "slope" for p in population.model.parameters):
            assert np.all(population.values("slope") > 1 / (1 + code.b_low) - 1e-6)
    assert np.all(np.isfinite(done.history["loss"]))
    x = x[:20]
    np.testing.assert_allclose(
        evaluate(done.network, x, slope="constant"), done.network.analog.predict(x), atol=1e-4
    )


def test_windows_grow_with_the_activity_and_end_tight() -> None:
    x, y = digits(160)
    model = deep(np.random.default_rng(0))
    code = FirstSpikeExactCode(**OWN, zeta=0.0)
    options = Training(epochs=2, learning_rate=5e-3)
    done = bc.train(model, x, y, code=code, options=options, progress=False)
    leads = leads_of(done.network)
    _, found = leads.forward(leads.parameters(), leads.lengths(), {done.network.inputs[0].name: x})
    for stage in leads.rectifiers:
        largest, length = float(found[stage.name].max()), float(leads.lengths()[stage.name])
        assert largest <= length + 1e-5  # nothing is clipped on the training data
        assert length - largest <= 1.01 * leads.schedule.dt / leads.schedule.unit  # one step
    start = converted_on(model, x, code)
    before = bc.simulate(start, x[:9], simulator="event", progress=False)
    after = bc.simulate(done.network, x[:9], simulator="event", progress=False)
    assert not np.array_equal(before.predictions(), after.predictions())


def converted_on(model: AnalogGraph, x: np.ndarray, code: FirstSpikeExactCode) -> SpikingNetwork:
    return bc.convert(model, calibration=x, code=code)


def test_activity_is_sparser_with_a_price() -> None:
    x, y = digits()
    model = deep(np.random.default_rng(0))
    options = Training(epochs=2, learning_rate=2e-3)
    active = []
    for price in (0.0, 0.1):
        done = bc.train(model, x, y, activity=price, options=options, progress=False)
        values = done.network.analog.activations(x, [e.name for e in done.network.analog.layers])
        hidden = [values[e.name] for e in done.network.analog.layers[:-1]]
        active.append(np.mean([np.mean(value > 0) for value in hidden]))
    assert active[1] < 0.7 * active[0]


def test_the_time_grid_of_training_is_that_of_the_simulator() -> None:
    x, _ = digits(60)
    model = deep(np.random.default_rng(0))
    code = FirstSpikeExactCode(**OWN, zeta=0.0, percentile=99.0, time_unit=16.0)
    network = bc.convert(model, calibration=x, code=code, dt=1.0)
    simulated = bc.simulate(network, x, dtype="float64", progress=False)
    (given,) = simulated.outputs.values()
    on_grid, exact = (evaluate(network, x, time_grid=grid) for grid in (True, False))
    # Times on the middle between two steps are rounded either way in single precision.
    differ = np.mean(np.abs(on_grid - given).max(axis=1) > 1e-4)
    assert differ <= 0.1
    assert np.abs(exact - given).max() > 0.01


def test_what_cannot_be_trained_is_refused() -> None:
    model = GRAPHS["mlp"]
    x, y = samples(model), np.zeros(24, int)
    rate = bc.convert(model, calibration=x, code=RateCode())
    with pytest.raises(ConversionError, match="not a neuron of the exact first-spike code"):
        bc.finetune(rate, x, y)
    network = converted(model)
    with pytest.raises(ParameterError, match="slope='identical' does not describe"):
        bc.finetune(network, x, y)
    with pytest.raises(ParameterError, match="does not support these imperfections:\n  - Mismatch"):
        bc.finetune(network, x, y, slope="constant", imperfections=[Mismatch("threshold", 0.1)])
    with pytest.raises(ParameterError, match='slope="positive" scales layers'):
        bc.train(model, x, y, code=FirstSpikeExactCode(slope="positive"))
    noisy = disturb(converted(model, **OWN), SpikeJitter(1.0))
    with pytest.raises(ConversionError, match="before adding imperfections"):
        bc.finetune(noisy, x, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(23), "expected 24 labels, one class per sample"),
        (np.full(24, 4), "integers from 0 to 3"),
        (np.full(24, 0.5), "integers from 0 to 3"),
        (np.full(24, np.nan), "must be finite"),
        (np.array(["a"] * 24), "must be numbers"),
        (np.ones((24, 4)), "one-hot"),
        (np.ones((24, 3)), "one class number for each sample"),
    ],
)
def test_wrong_targets_are_refused(y: np.ndarray, message: str) -> None:
    network = converted(GRAPHS["mlp"], **OWN)
    with pytest.raises(DataError, match=message):
        bc.finetune(network, samples(GRAPHS["mlp"]), y)


@pytest.mark.slow
def test_convolutions_and_pools_train_like_the_relu_network() -> None:
    x, y = bc.load_data("digits", split="train", n_images=120)
    rng = np.random.default_rng(0)
    shape = (8, 8, 4)
    stem = conv((8, 8, 1), rng.normal(0, 0.5, (3, 3, 1, 4)), 1, "same")
    dense = compose(Reshape((4, 4, 4), (64,)), Dense((64,), rng.normal(0, 0.2, (64, 10))))
    model = graph(
        layer("stem", ReLU(), affine(("x", stem), bias=0.0)),
        layer("pool", MaxPool((2, 2)), affine(("stem", identity(shape))), shape=(4, 4, 4)),
        layer("out", Softmax(), affine(("pool", dense))),
        shape=(8, 8, 1),
    )
    options = Training(epochs=2, learning_rate=2e-3)
    done = bc.train(model, x, y, options=options, progress=False)
    _, history = train_analog(model, x, y, options=options, progress=False)
    np.testing.assert_allclose(done.history["loss"], history["loss"], rtol=1e-5)
