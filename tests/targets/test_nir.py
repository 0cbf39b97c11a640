"""Networks as NIR files: the same spikes after reading them back, and what NIR cannot say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray
from sample_networks import spiking_network
from scipy.integrate import solve_ivp
from some_variants import some

import bioconv as bc
from bioconv.ground.errors import ExportError, SimulatorMissingError
from bioconv.network import (
    Change,
    Drive,
    Input,
    Population,
    Projection,
    SpikingNetwork,
)
from bioconv.neurons import IntegrateAndFire, LeakyIntegrateAndFire, Neuron
from bioconv.operators import (
    AveragePool,
    Conv,
    Dense,
    Operator,
    Permute,
    Polarity,
    Reshape,
    Scale,
    Upsample,
    compose,
    conv,
    conv_transpose,
    depthwise,
)
from bioconv.targets.findings import worst

#: potentials are multiples of it, and reach thresholds exactly
GRID = 1 / 64
VALUE = IntegrateAndFire(reset="value")
SHAPE = (7, 6, 2)


def grid(*shape: int, seed: int = 0, spread: float = 0.3) -> NDArray[np.float64]:
    """Random weights on the grid, mostly positive."""
    random = np.random.default_rng(seed).normal(0.4 * spread, spread, shape)
    return np.round(random / GRID) * GRID


def images(shape: tuple[int, ...], n: int = 3) -> NDArray[np.float64]:
    """Random images on the grid."""
    return np.round(np.random.default_rng(1).random((n, *shape)) / GRID) * GRID


def network(
    operator: Operator,
    neuron: Neuron = VALUE,
    encoder: str = "current",
    delay: int = 1,
    **parameters: Any,
) -> SpikingNetwork:
    """An input, a layer that the operator leads to, and three output neurons."""
    base = spiking_network()
    shape = operator.out_shape
    n = int(np.prod(shape))
    signed = isinstance(operator, Polarity)
    entry = Input("image", operator.in_shape[signed:], encoder, 0.6, signed=signed)
    hidden = Population("hidden", shape, neuron.model, {**neuron.parameters, **parameters})
    out = Population("out", (3,), VALUE.model, {"i_offset": np.array([0.125, 0.25, -0.125])})
    flat = compose(Reshape(shape, (n,)), Dense((n,), grid(n, 3, seed=5)))
    receptor = neuron.model.receptors[0].name
    onto = Projection("image", "hidden", operator, receptor)
    return base.replace(
        inputs=(entry,),
        populations=(hidden, out),
        projections=(
            *((onto,) if entry.spikes else ()),
            Projection("hidden", "out", flat, "syn", delay),
        ),
        drives=() if entry.spikes else (Drive("image", "hidden", operator),),
        changes=(),
        readouts=(replace(base.readouts[0], population="out"),),
    )


def spikes(net: SpikingNetwork, x: NDArray) -> dict[str, list[list[int]]]:
    """Every spike, by population: image, step, neuron."""
    record = {population.name: ("spikes",) for population in net.populations}
    recording = bc.simulate(net, x, record=record, dtype="float64", progress=False)
    rasters = recording.rasters.items()
    return {name: [r.image.tolist(), r.step.tolist(), r.neuron.tolist()] for name, r in rasters}


OPERATORS: dict[str, Operator] = {
    "dense": Dense((6,), grid(6, 5)),
    "convolution": conv(SHAPE, grid(3, 3, 2, 4), padding="same"),
    "even kernel, same": conv(SHAPE, grid(2, 2, 2, 4), padding="same"),
    "stride 2, same": conv(SHAPE, grid(3, 3, 2, 4), 2, "same"),
    "oblong kernel": conv(SHAPE, grid(3, 1, 2, 3), padding="same"),
    "dilated": conv(SHAPE, grid(3, 3, 2, 3), padding="same", dilation=2),
    "groups": conv(SHAPE, grid(3, 3, 1, 4), groups=2),
    "depthwise": depthwise(SHAPE, grid(3, 3, 2, 2), padding="same"),
    "one dimension": conv((9, 3), grid(4, 3, 5), 2, "causal"),
    "pooled": compose(AveragePool(SHAPE, (2, 2)), conv((3, 3, 2), grid(2, 2, 2, 4))),
    "overlapping pools": compose(
        AveragePool(SHAPE, (2, 4), (2, 1)), conv((3, 3, 2), grid(2, 2, 2, 4))
    ),
    "pooled only": AveragePool((8, 8, 2), (2, 2)),
    "flattened": compose(Reshape(SHAPE, (84,)), Dense((84,), grid(84, 5))),
    "pooled and flattened": compose(
        AveragePool(SHAPE, (2, 2)), Reshape((3, 3, 2), (18,)), Dense((18,), grid(18, 5))
    ),
    "channels in every place": Dense(SHAPE, grid(2, 3)),
    "factors": Scale(SHAPE, grid(2) + 1.0),
    "nothing": Reshape(SHAPE, SHAPE),
}
#: NIR has no nodes for them, nir 1.0.8 wrong shapes for the first
MATRICES: dict[str, Operator] = {
    "oblong kernel, odd and even": conv(SHAPE, grid(2, 3, 2, 3), 1, "valid"),
    "transposed convolution": conv_transpose((4, 3, 2), grid(3, 3, 4, 2), 2, "same"),
    "padded pools": AveragePool(SHAPE, (3, 3), (2, 2), ((1, 1), (1, 1))),
    "other axes first": Permute(SHAPE, (1, 0, 2)),
    "larger": Upsample((4, 3, 2), (2, 2, 1)),
    "three dimensions": conv((3, 4, 3, 2), grid(2, 2, 2, 2, 3)),
}


def every(operators: dict[str, Operator]) -> tuple[SpikingNetwork, dict[str, NDArray]]:
    """A network with an input and a layer for each of the operators, and samples."""
    parts = [network(operator) for operator in operators.values()]
    inputs, hidden, projections, drives = [], [], [], []
    for number, part in enumerate(parts):
        inputs.append(replace(part.inputs[0], name=f"x{number}"))
        hidden.append(replace(part.populations[0], name=f"hidden{number}"))
        drives.append(replace(part.drives[0], input=f"x{number}", post=f"hidden{number}"))
        projections.append(replace(part.projections[-1], pre=f"hidden{number}"))
    net = parts[0].replace(
        inputs=tuple(inputs),
        populations=(*hidden, parts[0].populations[1]),
        projections=tuple(projections),
        drives=tuple(drives),
    )
    return net, {entry.name: images(entry.shape) for entry in inputs}


@pytest.mark.parametrize("matrices", some([True, False], every=2))
def test_the_file_has_the_same_synapses_and_currents(matrices: bool, tmp_path: Path) -> None:
    operators = MATRICES if matrices else OPERATORS
    net, _ = every(operators)
    report = bc.examine(net, "nir")
    parts = report.by_part()
    for number, case in enumerate(operators):
        told = parts.get(f"x{number} -> hidden{number}", [])
        assert any("as a matrix" in finding.text for finding in told) == matrices, case
        assert (worst(told) == "exact") == (case != "padded pools"), case  # ninths, in float32
    (path,) = report.emit(tmp_path / "net.nir")
    graph = nir.read(path)  # checks the types of all nodes
    assert isinstance(graph.nodes["output"], nir.Output)
    found = bc.read_nir(path)
    assert (found.dt, found.n_steps) == (net.dt, net.n_steps)
    onto = {drive.post: drive.operator for drive in found.drives}
    onward = {projection.pre: projection.operator for projection in found.projections}
    for number, case in enumerate(operators):
        name = f"hidden{number}"
        pairs = [(net.drives[number].operator, onto[name])]
        pairs.append((net.projections[number].operator, onward[name]))
        for original, back in pairs:
            difference = abs(original.matrix() - back.matrix()).max()
            assert difference <= (1e-8 if case == "padded pools" else 0.0), case
    current = found.population("out").parameters["i_offset"]
    np.testing.assert_array_equal(current, net.population("out").parameters["i_offset"])


@pytest.mark.parametrize("case", ["stride 2, same", "larger"])
def test_the_file_has_the_same_spikes(case: str, tmp_path: Path) -> None:
    net = network({**OPERATORS, **MATRICES}[case])
    x = images(net.inputs[0].shape)
    bc.emit(net, tmp_path / "net.nir", "nir")
    found = bc.read_nir(tmp_path / "net.nir")
    original, back = spikes(net, x), spikes(found, x)
    assert min(len(steps) for _, steps, _ in original.values()) > 20
    assert original == back


@pytest.mark.parametrize("encoder", ["regular", "poisson"])
def test_spikes_as_input(encoder: str, tmp_path: Path) -> None:
    net, x = network(OPERATORS["convolution"], encoder=encoder), images(SHAPE)
    bc.emit(net, tmp_path / "net.nir", "nir")
    found = bc.read_nir(tmp_path / "net.nir", encoder=encoder)
    (entry,) = found.inputs
    assert spikes(found.replace(inputs=(replace(entry, scale=0.6),)), x) == spikes(net, x)


def test_signed_input_and_several_delays(tmp_path: Path) -> None:
    net = network(Polarity((2, *SHAPE)), encoder="regular", delay=4)
    extra = replace(net.projections[-1], delay_steps=1)
    net = net.replace(projections=(*net.projections, extra))
    report = bc.examine(net, "nir")
    report.emit(tmp_path / "net.nir")
    found = bc.read_nir(tmp_path / "net.nir")
    between = [p.delay_steps for p in found.projections if p.pre == "hidden"]
    assert sorted(between) == [1, 4] and found.inputs[0].shape == (2 * 84,)
    delays = [n.delay for n in nir.read(tmp_path / "net.nir").nodes.values() if hasattr(n, "delay")]
    np.testing.assert_allclose(np.concatenate([d.ravel() for d in delays]), 3e-3)
    x = images(SHAPE) - 0.5
    assert spikes(report.network, x) == spikes(net, x)


def test_neurons_that_differ_from_one_another(tmp_path: Path) -> None:
    operator = OPERATORS["convolution"]
    random = np.random.default_rng(3)
    neuron = LeakyIntegrateAndFire(synapse="delta", c_m=256.0)
    parameters = {
        "v_rest": -65.0,
        "v_th": np.round(random.uniform(-62, -58, operator.out_shape) * 8) / 8,
        "tau_m": random.uniform(10, 30, operator.out_shape),
        "i_offset": np.array([256.0, 128.0, 0.0, 64.0]),
    }
    net = network(compose(operator, Scale(operator.out_shape, np.asarray(512.0))), neuron)
    hidden = replace(net.populations[0], parameters={**neuron.parameters, **parameters})
    net = net.replace(populations=(hidden, net.populations[1]))
    report = bc.examine(net, "nir")
    assert report.verdict == "exact"
    report.emit(tmp_path / "net.nir")
    x = images(SHAPE)
    expected = spikes(net, x)
    assert len(expected["hidden"][1]) > 200
    assert spikes(bc.read_nir(tmp_path / "net.nir"), x) == expected


EQUATIONS = {
    "IF": lambda node, v, s: node.r * s,
    "LIF": lambda node, v, s: (node.v_leak - v + node.r * s) / node.tau,
    "I": lambda node, v, s: node.r * s,
    "LI": lambda node, v, s: (node.v_leak - v + node.r * s) / node.tau,
}


@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF", "I", "LI", "CubaLI"])
def test_potentials_are_the_solution_of_nirs_equations(kind: str, tmp_path: Path) -> None:
    leaky = {"LI": LeakyIntegrateAndFire(synapse="delta"), "CubaLI": LeakyIntegrateAndFire()}
    neuron = leaky.get(kind.removesuffix("F"), VALUE)
    high = 1e4 if kind.endswith("F") else 1e9
    operator = Dense((6,), np.abs(grid(6, 5)) * 1e2)
    net = network(operator, neuron, v_th=high, i_offset=np.linspace(5, 100, 5))
    net = net.replace(
        populations=net.populations[:1],
        projections=(),
        readouts=(replace(net.readouts[0], population="hidden", kind="potential"),),
    )
    bc.emit(net, tmp_path / "net.nir", "nir")
    graph = nir.read(tmp_path / "net.nir")
    node, weight = graph.nodes["hidden"], graph.nodes["image_hidden_weight"]
    assert type(node).__name__ == kind
    x = images((6,), 1) * 0.1
    current = weight.weight @ x[0] + weight.bias

    def slope(t: float, state: NDArray) -> NDArray:
        if not kind.startswith("Cuba"):
            return EQUATIONS[kind](node, state, current)
        v, i = np.split(state, 2)
        leak = (node.v_leak - v + node.r * i) / node.tau_mem
        return np.concatenate([leak, (node.w_in * current - i) / node.tau_syn])

    times = np.arange(1, 41) * 1e-3
    start = np.zeros(10 if kind.startswith("Cuba") else 5)
    solved = solve_ivp(slope, (0, 0.041), start, t_eval=times, rtol=1e-9, atol=1e-9).y[:5].T
    found = bc.read_nir(tmp_path / "net.nir")
    recording = bc.simulate(found, x, record={"hidden": ("v",)}, dtype="float64", progress=False)
    assert np.ptp(solved) > 0.5
    trace = recording.traces["hidden", "v"][0]
    np.testing.assert_allclose(trace, solved, rtol=1e-5, atol=1e-6)


def test_what_nir_cannot_say_is_told_and_comes_back_on_demand(tmp_path: Path) -> None:
    neuron = IntegrateAndFire(t_ref=2.0)
    net = network(OPERATORS["convolution"], neuron)
    hidden = replace(net.populations[0], initial={"v": np.linspace(0, 0.5, 168).reshape(7, 6, 4)})
    net = net.replace(populations=(hidden, net.populations[1]))
    report = bc.examine(net, "nir")
    text = " ".join(str(report).split())
    assert report.verdict == "approximated"
    for loss in ("reset is to a value", "no start values", "no refractory period"):
        assert loss in text
    with pytest.warns(UserWarning, match="subtraction, refractory periods, start values"):
        report.emit(tmp_path / "net.nir")
    x = images(SHAPE)
    original, plain = spikes(net, x), spikes(bc.read_nir(tmp_path / "net.nir"), x)
    assert plain == spikes(report.network, x) != original
    assert spikes(bc.read_nir(tmp_path / "net.nir", extras=True), x) == original


@pytest.mark.slow
def test_current_based_neurons_are_the_same_in_brian2(tmp_path: Path) -> None:
    operator = Dense((6,), np.abs(grid(6, 5)) * 2e3)
    bc.emit(network(operator, LeakyIntegrateAndFire(t_ref=0.0)), tmp_path / "net.nir", "nir")
    found, x = bc.read_nir(tmp_path / "net.nir", n_steps=80), images((6,), 2)
    assert found.population("hidden").model.name == "nir_cuba_lif_value"
    options = {"record": {"hidden": ("spikes",)}, "progress": False}
    brian2 = bc.simulate(found, x, simulator="brian2", **options)  # type: ignore[arg-type]
    ours = spikes(found, x)["hidden"]
    raster = brian2.rasters["hidden"]
    assert [raster.image.tolist(), raster.step.tolist(), raster.neuron.tolist()] == ours
    assert len(ours[0]) > 10


def test_every_rounded_number_is_told() -> None:
    net = network(OPERATORS["convolution"], v_th=1.1, v_reset=0.3)
    (drive,) = net.drives
    thirds = drive.operator.map_weights(lambda kernel: kernel / 3)
    out = replace(net.populations[1], parameters={"i_offset": np.array([0.1, 0.2, 0.3])})
    populations = (net.populations[0], out)
    net = net.replace(populations=populations, drives=(replace(drive, operator=thirds),))
    told = {(f.part, f.aspect): f for f in bc.examine(net, "nir").findings}
    errors = {key: f.error for key, f in told.items() if "float32" in f.text}
    expected = {
        ("image -> hidden", "weights"): thirds.kernel,
        ("hidden", "threshold"): np.array([1.1]),
        ("hidden", "reset potential"): np.array([0.3]),
        ("out", "constant current"): np.array([0.1, 0.2, 0.3]),
    }
    assert errors.keys() == expected.keys()
    for key, exact in expected.items():
        worst_error = np.abs(exact - exact.astype(np.float32)).max()
        assert errors[key] == pytest.approx(worst_error, rel=1e-6) and worst_error > 0


def test_layers_that_wait_start_at_once() -> None:
    net = network(OPERATORS["dense"])
    waiting = replace(net.populations[1], parameters={"v_th": 1e9, "i_offset": 0.0}, start_step=7)
    values = {"v_th": 1.0, "i_offset": net.populations[1].parameters["i_offset"], "v": 0.0}
    changes = tuple(Change(7, "out", name, value) for name, value in values.items())
    later = net.replace(populations=(net.populations[0], waiting), changes=changes)
    report = bc.examine(later, "nir")
    assert report.verdict == "approximated" and "starts at once" in " ".join(str(report).split())
    x = images((6,))
    assert spikes(report.network, x) == spikes(net, x)
    assert report.network.population("out").start_step == 0


def test_what_has_no_reading_is_refused(tmp_path: Path) -> None:
    net = network(OPERATORS["dense"])
    twice = tuple(Change(step, "out", "v_th", 1.0 + step) for step in (3, 9))
    alone = net.replace(projections=(), populations=net.populations)
    cases = {
        "change at 2 steps": net.replace(changes=twice),
        "nothing projects to it": alone,
        "has no cell": network(OPERATORS["dense"], bc.neurons.Izhikevich()),
    }
    for reason, case in cases.items():
        with pytest.raises(ExportError, match=reason):
            bc.emit(case, tmp_path / "net.nir", "nir")
        assert list(tmp_path.iterdir()) == []


def test_matrices_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import bioconv.targets.nir.building as building

    monkeypatch.setattr(building, "MOST_WEIGHTS", 1000)
    with pytest.raises(ExportError, match="as a matrix it has 2,304 weights"):
        bc.emit(network(MATRICES["larger"]), tmp_path / "net.nir", "nir")


def test_the_convolution_of_a_network_stays_one(tmp_path: Path) -> None:
    bc.emit(network(OPERATORS["stride 2, same"]), tmp_path / "net.nir", "nir")
    node = nir.read(tmp_path / "net.nir").nodes["image_hidden_conv"]
    original = OPERATORS["stride 2, same"]
    assert isinstance(original, Conv) and node.weight.shape[:2] == (4, 2)
    assert tuple(node.stride) == (2, 2) and node.weight.size < 2 * original.kernel.size


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(SimulatorMissingError, match=r"bioconv\[nir\]"):
        bc.emit(network(OPERATORS["dense"]), tmp_path / "net.nir", "nir")
    assert list(tmp_path.iterdir()) == []
