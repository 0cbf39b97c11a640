"""BrainScaleS-2: what becomes of a network, and that the program does the same on the stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later
from sample_networks import SHAPE, analog_graph, images, spiking_network

import bioconv as bc
from bioconv import models
from bioconv.analog.functions import Linear, Softmax
from bioconv.ground.errors import ExportError
from bioconv.network import Change, Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.neurons import IntegrateAndFire, LeakyIntegrateAndFire, NeuronModel, with_noise
from bioconv.operators import Dense, Reshape, Scale, compose
from bioconv.targets import Fit
from bioconv.targets.brainscales2 import chip, fit, write

keras = later("keras")

STAND_IN = Path(__file__).parent / "stand_in"
LEAKY = LeakyIntegrateAndFire()
#: parameters of the leaky neurons that are written by hand here
MEMBRANE = {"tau_m": 10.0, "tau_syn": 5.0, "c_m": 250.0}


def leaky(encoder: str = "regular", n_hidden: int = 0, **changes: Any) -> SpikingNetwork:
    """Leaky neurons from an image to three outputs; ``n_hidden`` adds a layer of that size."""
    graph = analog_graph()
    conv, dense = (layer.inputs[0].terms[0].operator for layer in graph.layers)
    sample = spiking_network(encoder)
    rng = np.random.default_rng(3)
    current = {"i_offset": 320.0 + 40.0 * rng.random((4, 4, 2))}
    hidden = Population("conv", (4, 4, 2), LEAKY.model, {**MEMBRANE, **current})
    out = Population(
        "out", (3,), LEAKY.model, {**MEMBRANE, "i_offset": 450.0}, start_step=40, max_rate=100.0
    )
    into = Projection(
        "image", "conv", sample.projections[0].operator.map_weights(lambda w: 60 * w), "syn"
    )
    onward = Projection("conv", "out", dense.map_weights(lambda w: 400 * w), "syn")
    fields: dict[str, Any] = {
        "dt": 0.25,
        "n_steps": 400,
        "populations": (hidden, out),
        "projections": (into, onward),
        "changes": (),
        "inputs": (Input("image", SHAPE, encoder, 0.25, signed=encoder != "current"),),
    }
    if encoder == "current":
        fields["drives"] = (Drive("image", "conv", conv.map_weights(lambda w: 300 * w)),)
        fields["projections"] = (onward,)
    if n_hidden:
        wide = Population("wide", (n_hidden,), LEAKY.model, {**MEMBRANE, "i_offset": 360.0})
        spread = compose(
            Reshape((4, 4, 2), (32,)), Dense((32,), rng.normal(0, 150, (32, n_hidden)))
        )
        fields["populations"] = (hidden, wide, out)
        gather = np.zeros((n_hidden, 3))
        chosen = rng.choice(n_hidden, 60, replace=False)
        gather[chosen] = rng.normal(0, 300, (60, 3))
        fields["projections"] = (
            into,
            Projection("conv", "wide", spread, "syn"),
            Projection("wide", "out", Dense((n_hidden,), gather), "syn"),
        )
    return sample.replace(**{**fields, **changes})


def run(
    folder: Path, program: str, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of a folder against the stand-in, beside which no bioconv can be imported."""
    return subprocess.run(
        [sys.executable, program, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(STAND_IN), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def emulated(fitted: Fit, folder: Path, x: np.ndarray, *arguments: str) -> dict[str, np.ndarray]:
    """Spike counts of each population, as the program gives them on the stand-in."""
    folder.mkdir()
    write(fitted, folder)
    np.savez(folder / "images.npz", x=x)
    names = [population.name for population in fitted.network.populations]
    record = [word for name in names for word in ("--record", f"{name}=counts")]
    data = ("--data", "images.npz", "-o", "result.npz", "--quiet")
    done = run(folder, "program.py", *data, *record, *arguments)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "result.npz") as result:
        return {name: result[f"{name}.counts"] for name in names}


def simulated(network: SpikingNetwork, x: np.ndarray) -> dict[str, np.ndarray]:
    """The same of the array simulator."""
    names = [population.name for population in network.populations]
    found = bc.simulate(
        network, x, record=dict.fromkeys(names, ["counts"]), dtype="float64", progress=False
    )
    return {name: np.asarray(found.counts[name]).reshape(len(x), -1) for name in names}


def assert_the_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Numbers are rounded in another order: a spike may come a step later, or not any more."""
    for name, counts in one.items():
        assert counts.sum() > 0
        assert np.abs(counts - other[name]).max() <= 1, name
        assert abs(int(counts.sum()) - int(other[name].sum())) <= 0.01 * counts.sum(), name


@pytest.fixture(scope="module")
def digits() -> SpikingNetwork:
    """The digits network that ends with ReLU, for 100 ms."""
    model = keras.models.load_model(models.weights_path("digits_mlp"))
    plain = keras.models.clone_model(model, clone_function=_rectified)
    plain.set_weights(model.get_weights())
    x, _ = bc.load_data("digits", split="train")
    code = bc.RateCode(input="regular", readout="count")
    return bc.convert(plain, calibration=x, code=code, neuron=LEAKY, duration=100.0, name="digits")


def _rectified(layer: Any) -> Any:
    config = layer.get_config()
    return layer.__class__.from_config(
        {**config, "activation": "relu"} if config.get("activation") == "softmax" else config
    )


@pytest.mark.slow
def test_the_digits_network_loses_nothing_by_the_limits_and_little_by_the_chip(
    digits: SpikingNetwork,
) -> None:
    x, y = bc.load_data("digits")
    report = bc.examine(digits, "brainscales2", x[:200], y[:200], chips=1, progress=False)
    free, limited, chips = report.measured
    assert free.accuracy is not None and limited.accuracy is not None
    assert limited.accuracy > free.accuracy - 0.03
    assert chips.accuracy is not None and chips.accuracy > 0.85
    assert "constraint-checked, not run on hardware" in str(report)


@pytest.mark.slow
def test_the_program_of_the_digits_network_does_what_the_array_simulator_does(
    digits: SpikingNetwork, tmp_path: Path
) -> None:
    x, _ = bc.load_data("digits")
    fitted = fit(digits, None)
    alone = emulated(fitted, tmp_path / "one", x[:3], "--batch", "1")
    assert_the_same(alone, simulated(fitted.network, x[:3]))
    together = emulated(fitted, tmp_path / "batch", x[:3])
    for name, counts in alone.items():  # the pause leaves a trace of the image before at most
        assert np.abs(counts - together[name]).max() <= 2


def test_what_is_set_lies_in_the_ranges_of_the_chip(digits: SpikingNetwork) -> None:
    network = fit(digits, None).network
    for population in network.populations:
        rest, reset, threshold = (
            np.asarray(population.parameters[name]) for name in ("v_rest", "v_reset", "v_th")
        )
        for values in (rest, reset, threshold):
            np.testing.assert_array_equal(values, np.round(values))
        assert min(rest.min(), reset.min()) >= 50 and max(rest.max(), reset.max()) <= 160
        assert threshold.max() <= 220 and np.all(reset < threshold)
        assert np.min(population.parameters["t_ref"]) >= 0.04
    weights = [entry.operator.edges().weight for entry in network.projections]
    assert all(np.array_equal(w, np.round(w)) for w in weights)
    assert max(np.abs(w).max() for w in weights) <= 4 * 63
    assert len({float(p.parameters["c_m"]) for p in network.populations}) == 1


@pytest.mark.parametrize("n_hidden", [600, pytest.param(1100, marks=pytest.mark.slow)])
def test_a_network_that_is_larger_than_the_chip_runs_in_parts(
    n_hidden: int, tmp_path: Path
) -> None:
    fitted = fit(leaky(n_hidden=n_hidden), None)
    runs = fitted.details["runs"]
    assert len(runs) > 1
    assert all(sum(s.stop - s.start for s in run) <= 512 for run in runs)
    x = images(2)
    found = emulated(fitted, tmp_path / "net", x, "--batch", "1")
    assert_the_same(found, simulated(fitted.network, x))


@pytest.mark.parametrize("encoder", ["current", "poisson"])
def test_every_input_gives_the_same_spikes_in_the_program(encoder: str, tmp_path: Path) -> None:
    x = images(2) - 0.3
    fitted = fit(leaky(encoder, n_steps=200), {"image": x})
    found = emulated(fitted, tmp_path / "net", x, "--batch", "1")
    assert_the_same(found, simulated(fitted.network, x))


def test_softmax_outputs_are_silent_below_zero(digits: SpikingNetwork) -> None:
    """Taking away the current of an offset takes away the rate that stands for it."""
    name = digits.readouts[0].population
    gain = float(digits.code["drive_gain"])
    offset = np.full(10, -0.25 * float(np.max(digits.population(name).scale)))
    lifted = tuple(
        replace(c, value=c.value + 0.25 * gain)
        if (c.population, c.variable) == (name, "i_offset")
        else c
        for c in digits.changes
    )
    populations = tuple(
        replace(p, offset=offset) if p.name == name else p for p in digits.populations
    )
    readout = replace(digits.readouts[0], function=Softmax())
    network = digits.replace(populations=populations, changes=lifted, readouts=(readout,))
    one, other = fit(network, None), fit(digits, None)
    for parameter, value in other.network.population(name).parameters.items():
        np.testing.assert_allclose(one.network.population(name).parameters[parameter], value)
    assert not np.any(one.network.population(name).offset)
    assert "outputs" in {finding.aspect for finding in one.findings}
    assert "outputs" not in {finding.aspect for finding in other.findings}


def test_input_currents_become_sources_with_the_same_mean() -> None:
    network = leaky("current", dt=0.05, n_steps=2000)
    x = np.concatenate([images(4), -images(4, seed=2)])
    sourced = fit(network, {"image": x}).network
    (source,) = sourced.inputs
    assert source.spikes and source.signed and not sourced.drives
    assert source.scale * np.abs(x).max() / (sourced.dt * 1e-3) <= 1000.0 + 1e-6
    before, after = simulated(network, x), simulated(sourced, x)
    for name, counts in before.items():
        assert counts.sum() > 0
        assert abs(after[name].mean() / counts.mean() - 1.0) < 0.05
        assert np.corrcoef(counts.ravel(), after[name].ravel())[0, 1] > 0.95


def test_resting_potentials_carry_the_current_as_a_closed_form_says(tmp_path: Path) -> None:
    """Neurons above threshold fire every t_ref + tau log((rest - reset) / (rest - threshold))."""
    current = np.linspace(450.0, 900.0, 3)
    out = Population(
        "out", (3,), LEAKY.model, {**MEMBRANE, "i_offset": current, "t_ref": 2.0}, max_rate=100.0
    )
    network = leaky(populations=(leaky().populations[0], out), n_steps=2000)
    faint = compose(Reshape((4, 4, 2), (32,)), Dense((32,), np.full((32, 3), 1e-3)))
    silent = replace(network.projections[1], operator=faint)
    network = network.replace(projections=(network.projections[0], silent))
    found = emulated(fit(network, None), tmp_path / "net", np.zeros((1, *SHAPE)))["out"][0]
    rest = -65.0 + current * MEMBRANE["tau_m"] / MEMBRANE["c_m"]
    interval = 2.0 + MEMBRANE["tau_m"] * np.log((rest + 65.0) / (rest + 50.0))
    # the first spike comes at once; potentials are whole LSB
    np.testing.assert_allclose(found - 1, 500.0 / interval, rtol=0.01, atol=1.0)


def test_strength_is_measured_by_spikes(digits: SpikingNetwork, tmp_path: Path) -> None:
    report = bc.examine(digits, "brainscales2")
    files = report.emit(tmp_path / "net")
    programs = [file.read_text() for file in files if file.suffix == ".py"]
    assert not any("import bioconv" in text or "from bioconv" in text for text in programs)
    setting = int(report.network.code["i_synin_gm"])
    for chip_strength in (1.0, 0.6):
        told = {"STAND_IN_STRENGTH": str(chip_strength)}
        done = run(tmp_path / "net", "strength.py", "--gm", str(setting), environment=told)
        assert done.returncode == 0, done.stderr
        advised = int(done.stdout.rsplit(maxsplit=1)[-1])
        assert advised == pytest.approx(setting / chip_strength, rel=0.06)


def test_chips_differ_and_each_stays_as_it_is() -> None:
    network = fit(leaky(n_hidden=500), None).network
    one, again, other = (chip(network, seed) for seed in (0, 0, 1))

    def thresholds(of: SpikingNetwork) -> np.ndarray:
        return np.asarray(of.population("wide").parameters["v_th"])

    np.testing.assert_array_equal(thresholds(one), thresholds(again))
    assert np.any(thresholds(one) != thresholds(other))
    assert np.std(thresholds(one)) == pytest.approx(4.0, rel=0.15)


def _hidden(**parameters: Any) -> SpikingNetwork:
    """The network whose hidden neurons have other parameters."""
    hidden, out = leaky().populations
    return leaky(populations=(replace(hidden, parameters={**hidden.parameters, **parameters}), out))


def _other(model: NeuronModel) -> SpikingNetwork:
    """The network whose hidden neurons are of another model."""
    hidden, out = leaky().populations
    return leaky(populations=(replace(hidden, model=model, parameters={}), out))


def _wired(n_hidden: int, *more: Projection, weight: np.ndarray | None = None) -> SpikingNetwork:
    """The network with a wide layer and other synapses behind it."""
    network = leaky(n_hidden=n_hidden)
    into, onward, last = network.projections
    if weight is not None:
        last = replace(last, operator=Dense((n_hidden,), weight))
    return network.replace(projections=(into, onward, last, *more))


_RANDOM = np.random.default_rng(0)
_HALVES = np.zeros((400, 3))  # 200 excitatory synapses of one neuron, 200 inhibitory of another
_HALVES[:200, 0], _HALVES[200:, 1] = 30.0, -30.0
_CIRCLE = Projection("wide", "wide", Scale((600,), np.full(600, 10.0)), "syn")

IMPOSSIBLE = {
    "fan-in": (
        lambda: _wired(500, weight=_RANDOM.normal(0, 30, (500, 3))),
        "a neuron has 500 synapses",
    ),
    "rows": (lambda: _wired(400, weight=_HALVES), "a neuron needs 400 synapses"),
    "readout": (
        lambda: leaky(readouts=(Readout("dense", "out", "potential", Linear()),)),
        "two analog",
    ),
    "changes": (lambda: leaky(changes=(Change(100, "out", "v_th", -45.0),)), "cannot change"),
    "circle": (lambda: _wired(600, _CIRCLE), "is recurrent and has 635 neurons"),
    "noise": (lambda: _other(with_noise(LEAKY, 1.0).model), "noise cannot be set"),
    "no leak": (lambda: _other(IntegrateAndFire().model), "no cell with the equations"),
    "long time constant": (lambda: _hidden(tau_m=100.0), "tau_m is 100 ms"),
    "far potentials": (
        lambda: _hidden(i_offset=np.linspace(-9000, 400, 32).reshape(4, 4, 2)),
        "LSB are left between reset and threshold",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_is_impossible_is_told(case: str, tmp_path: Path) -> None:
    build, reason = IMPOSSIBLE[case]
    network = build()
    report = bc.examine(network, "brainscales2")
    assert report.verdict == "impossible"
    assert reason in " ".join(str(report).split())
    with pytest.raises(ExportError, match="cannot represent"):
        report.emit(tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_the_report_tells_the_step_and_the_rates_of_the_network_that_was_given() -> None:
    network = leaky()
    fast = network.replace(dt=0.25, inputs=(replace(network.inputs[0], scale=1.0),))
    found = fit(fast, {"image": images(3)}).findings
    delays = {(f.error, f.unit) for f in found if f.aspect == "delay"}
    assert delays == {(0.25, "ms")}
    assert [f.part for f in found if f.aspect == "sources"] == ["image"]
    assert not [f for f in fit(network, {"image": images(3)}).findings if f.aspect == "sources"]
