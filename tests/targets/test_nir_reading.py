"""NIR files of other programs, and files that are damaged or hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from later import later
from numpy.typing import NDArray

import bioconv as bc
from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.network import SpikingNetwork

signal = later("scipy.signal")

RANDOM = np.random.default_rng(0)
SHAPE = (2, 6, 5)  # channels first
IMAGE = RANDOM.random(SHAPE)


def affine(n_in: int, n_out: int, seed: int = 0) -> nir.Affine:
    random = np.random.default_rng(seed)
    return nir.Affine(random.normal(size=(n_out, n_in)), random.normal(size=n_out))


def fires(n: int, kind: str = "IF") -> nir.NIRNode:
    ones = np.ones(n)
    if kind == "IF":
        return nir.IF(r=1000 * ones, v_threshold=ones, v_reset=0 * ones)
    return nir.LIF(tau=0.02 * ones, r=20 * ones, v_leak=0 * ones, v_threshold=ones)


def integrated(path: Path, *nodes: nir.NIRNode, shape: tuple[int, ...] = SHAPE) -> NDArray:
    """What some linear nodes make of the image: mean growth of perfect integrators behind them."""
    graph = nir.NIRGraph.from_list(nir.Input(np.array(shape)), *nodes, type_check=False)
    graph.infer_types()
    last = graph.nodes[graph.edges[-1][0]].output_type["output"]
    graph.nodes["neurons"] = nir.I(r=np.full(tuple(int(n) for n in last), 1000.0))
    graph.edges = [*graph.edges[:-1], (graph.edges[-1][0], "neurons"), ("neurons", "output")]
    nir.write(str(path), graph)
    network = bc.read_nir(path, n_steps=5)
    x = np.moveaxis(IMAGE.reshape(shape), 0, -1)[None]
    recording = bc.simulate(network, x, dtype="float64", progress=False)
    return np.moveaxis(recording.outputs["neurons"][0], -1, 0)


def convolved(weight: NDArray, padding: int, stride: int, dilation: int) -> NDArray:
    """A convolution by SciPy."""
    image = np.pad(IMAGE, ((0, 0), (padding, padding), (padding, padding)))
    wide = np.zeros((*weight.shape[:2], *((k - 1) * dilation + 1 for k in weight.shape[2:])))
    wide[..., ::dilation, ::dilation] = weight
    found = [
        sum(signal.correlate(image[c], kernel[c], "valid") for c in range(len(kernel)))
        for kernel in wide
    ]
    return np.stack(found)[:, ::stride, ::stride]


@pytest.mark.parametrize(
    ("padding", "stride", "dilation"), [(0, 1, 1), (1, 2, 1), ("same", 1, 2), ("valid", 1, 1)]
)
def test_convolutions(padding: Any, stride: int, dilation: int, tmp_path: Path) -> None:
    weight, bias = RANDOM.normal(size=(3, 2, 3, 3)), RANDOM.normal(size=3)
    node = nir.Conv2d((6, 5), weight, stride, padding, dilation, 1, bias)
    zeros = {"same": dilation, "valid": 0}.get(padding, padding)
    expected = convolved(weight, zeros, stride, dilation) + bias[:, None, None]
    np.testing.assert_allclose(integrated(tmp_path / "a.nir", node), expected, rtol=1e-9)


@pytest.mark.parametrize("kind", [nir.SumPool2d, nir.AvgPool2d])
def test_pooling_counts_its_padding_as_pytorch_does(kind: Any, tmp_path: Path) -> None:
    node = kind(np.array([2, 2]), np.array([2, 2]), np.array([1, 1]))
    image = np.pad(IMAGE, ((0, 0), (1, 1), (1, 1)))[:, :8, :6]
    tiles = image.reshape(2, 4, 2, 3, 2)
    expected = tiles.sum((2, 4)) if kind is nir.SumPool2d else tiles.mean((2, 4))
    np.testing.assert_allclose(integrated(tmp_path / "a.nir", node), expected, rtol=1e-9)


@pytest.mark.parametrize(("start", "end", "shape"), [(0, -1, (60,)), (1, -1, (2, 30))])
def test_flattening_keeps_nirs_order(
    start: int, end: int, shape: tuple[int, ...], tmp_path: Path
) -> None:
    node = nir.Flatten(np.array(SHAPE), start, end)
    found = integrated(tmp_path / "a.nir", node)
    np.testing.assert_allclose(found, IMAGE.reshape(shape), rtol=1e-9)


def test_matrices_factors_and_several_edges(tmp_path: Path) -> None:
    one, two, scale = affine(60, 4), nir.Linear(RANDOM.normal(size=(4, 60))), RANDOM.normal(size=4)
    nodes = {
        "in": nir.Input(np.array([60])),
        "0.weight": one,
        "two": two,
        "scale": nir.Scale(scale),
        "neurons": nir.I(r=np.full(4, 1000.0)),
        "out": nir.Output(np.array([4])),
    }
    edges = [("in", "0.weight"), ("in", "two"), ("two", "scale"), ("0.weight", "scale")]
    edges += [("two", "neurons"), ("scale", "neurons"), ("neurons", "out")]
    nir.write(str(tmp_path / "a.nir"), nir.NIRGraph(nodes, edges))
    network = bc.read_nir(tmp_path / "a.nir")
    x = RANDOM.random((3, 60))
    first, second = x @ one.weight.T + one.bias, x @ two.weight.T
    expected = (first + second) * scale + second
    found = bc.simulate(network, x, dtype="float64", progress=False).outputs["neurons"]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(network.analog.predict(x, dtype="float64"), expected, rtol=1e-9)


def recurrent(path: Path) -> None:
    """Leaky neurons with a subgraph that feeds back, as recurrent layers of snnTorch."""
    inner = nir.NIRGraph(
        {
            "input": nir.Input(np.array([4])),
            "lif": fires(4, "LIF"),
            "w_rec": nir.Linear(-np.ones((4, 4))),
            "output": nir.Output(np.array([4])),
        },
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    nodes = {
        "input": nir.Input(np.array([3])),
        "fc1": affine(3, 4),
        "rnn": inner,
        "fc2": affine(4, 2),
        "last": fires(2),
        "output": nir.Output(np.array([2])),
    }
    names = ["input", "fc1", "rnn", "fc2", "last", "output"]
    nir.write(str(path), nir.NIRGraph(nodes, list(zip(names[:-1], names[1:], strict=True))))


@pytest.mark.slow
def test_a_recurrent_subgraph_runs_in_brian2(tmp_path: Path) -> None:
    recurrent(tmp_path / "rnn.nir")
    network = bc.read_nir(tmp_path / "rnn.nir", n_steps=50)
    assert {(p.pre, p.post) for p in network.projections} == {
        ("rnn_lif", "rnn_lif"),
        ("rnn_lif", "last"),
    }
    x = np.array([[1.0, 0.5, 0.25]])
    counts = {"rnn_lif": ("counts",), "last": ("counts",)}
    recording = bc.simulate(network, x, simulator="brian2", record=counts, progress=False)
    free = network.replace(projections=network.projections[1:])
    assert recording.counts["rnn_lif"].sum() > 0
    uninhibited = bc.simulate(free, x, record=counts, progress=False)
    assert uninhibited.counts["rnn_lif"].sum() > recording.counts["rnn_lif"].sum()


def test_a_subgraph_may_come_last(tmp_path: Path) -> None:
    inner = nir.NIRGraph.from_list(nir.Input(np.array([4])), affine(4, 2), fires(2))
    nodes = {"in": nir.Input(np.array([4])), "net": inner, "out": nir.Output(np.array([2]))}
    graph = nir.NIRGraph(nodes, [("in", "net"), ("net", "out")], type_check=False)
    nir.write(str(tmp_path / "net.nir"), graph)
    (readout,) = bc.read_nir(tmp_path / "net.nir").readouts
    assert (readout.population, readout.kind) == ("net_if", "count")


def chain(path: Path, *nodes: nir.NIRNode, **changes: Any) -> Path:
    """A file with nodes one after the other, some of its datasets replaced."""
    nir.write(str(path), nir.NIRGraph.from_list(*nodes, type_check=False))
    with h5py.File(path, "r+") as file:
        for place, value in changes.items():
            where = place.replace("__", "/")
            del file[where]
            if value is not None:
                file[where] = value
    return path


def test_options_and_older_files(tmp_path: Path) -> None:
    path = chain(
        tmp_path / "old.nir", affine(3, 2), fires(2, "LIF"), node__nodes__lif__v_reset=None
    )
    network = bc.read_nir(path, dt=0.5, n_steps=7, encoder="poisson", unit="ms", name="mine")
    population = network.population("lif")
    assert (network.name, network.dt, network.n_steps) == ("mine", 0.5, 7)
    assert population.parameters["tau_m"] == 0.02 and population.parameters["v_reset"] == 0.0
    assert network.inputs[0].encoder == "poisson" and len(network.projections) == 1
    for wrong in ({"encoder": "loud"}, {"unit": "h"}, {"dt": 0.0}, {"n_steps": 0}):
        with pytest.raises((ParameterError, NetworkFileError)):
            bc.read_nir(path, **wrong)  # type: ignore[arg-type]


def bad(case: str, path: Path) -> Path:
    """A file that must be refused."""
    if case == "no neurons":
        return chain(path, affine(3, 2))
    if case == "potential sent":
        ones = np.ones(2)
        return chain(path, nir.LI(tau=ones, r=ones, v_leak=ones), affine(2, 2), fires(2))
    if case == "output of a matrix":
        return chain(path, affine(3, 2), fires(2), affine(2, 2))
    if case == "uneven delays":
        return chain(path, fires(2), nir.Delay(np.array([0.001, 0.002])), fires(2))
    if case == "text for a delay":
        nodes = (fires(2), nir.Delay(np.full(2, 0.001)), fires(2))
        return chain(path, *nodes, node__nodes__delay__delay="long")
    if case == "currents too late":
        return chain(path, nir.Delay(np.full(2, 0.005)), fires(2))
    if case in ("huge pool", "padding wider than the window"):
        zeros = 2**30 if case == "huge pool" else 3
        pool = nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
        flat = nir.Flatten(np.array([1, 2, 2]), 0, -1)
        nodes = (nir.Input(np.array([1, 4, 4])), pool, flat, affine(4, 2), fires(2))
        return chain(path, *nodes, node__nodes__sumpool2d__padding=np.array([zeros, zeros]))
    if case == "circle without neurons":
        one, two = nir.Linear(np.eye(2)), nir.Linear(np.eye(2))
        nodes = {"input": nir.Input(np.array([2])), "a": one, "b": two, "n": fires(2)}
        nodes["output"] = nir.Output(np.array([2]))
        edges = [("input", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "output")]
        nir.write(str(path), nir.NIRGraph(nodes, edges, type_check=False))
        return path
    if case == "many ways":
        nodes, edges = {"input": nir.Input(np.array([2])), "n": fires(2)}, []
        before = ["input"]
        for level in range(20):
            names = [f"l{level}{side}" for side in "ab"]
            nodes |= {name: nir.Linear(np.eye(2)) for name in names}
            edges += [(pre, post) for pre in before for post in names]
            before = names
        nodes["output"] = nir.Output(np.array([2]))
        edges += [*((pre, "n") for pre in before), ("n", "output")]
        nir.write(str(path), nir.NIRGraph(nodes, edges, type_check=False))
        return path
    changes: dict[str, dict[str, Any]] = {
        "unknown type": {"node__nodes__if__type": "Izhikevich"},
        "no type": {"node__nodes__if__type": 3},
        "missing value": {"node__nodes__if__r": None},
        "not finite": {"node__nodes__affine__weight": np.array([[np.nan, 1, 1], [1, 1, 1]])},
        "wrong shape": {"node__nodes__affine__weight": np.ones((5, 3))},
        "wrong bias": {"node__nodes__affine__bias": np.ones(3)},
        "text for numbers": {"node__nodes__affine__weight": "heavy"},
        "text for an input's shape": {"node__nodes__input__shape": "wide"},
        "text for an output's shape": {"node__nodes__output__shape": "wide"},
        "text for a bias": {"node__nodes__affine__bias": "tall"},
        "texts for a bias": {"node__nodes__affine__bias": [b"tall", b"small"]},
        "shape on two axes": {"node__nodes__input__shape": np.array([[3]])},
        "half an input": {"node__nodes__input__shape": np.array([2.5])},
        "huge input": {"node__nodes__input__shape": np.array([2**40])},
        "negative input": {"node__nodes__input__shape": np.array([-3])},
        "edge to nowhere": {"node__edges": np.array([[b"input", b"nowhere"]])},
        "odd edges": {"node__edges": np.array([b"input"])},
        "no edges": {"node__edges": None},
        "link": {"node__nodes__if__r": h5py.ExternalLink("/etc/passwd", "/r")},
        "not a graph": {"node__type": "IF"},
    }
    return chain(path, affine(3, 2), fires(2), **changes[case])


BAD = {
    "no neurons": "must contain an Input and a node with neurons",
    "potential sent": "sends its potential",
    "output of a matrix": "expected exactly one node with neurons before it",
    "uneven delays": "must all be equal",
    "circle without neurons": "too many or too long",
    "many ways": "too many or too long",
    "unknown type": "'Izhikevich', expected one of",
    "no type": "expected one of",
    "missing value": "lacks r",
    "not finite": "NaN or infinite",
    "wrong shape": r"has shape \(2,\), but receives values of shape \(5,\)",
    "wrong bias": "biases",
    "text for numbers": "weight is text",
    "text for an input's shape": "shape is text",
    "text for an output's shape": "shape is text",
    "text for a bias": "bias is text",
    "texts for a bias": "bias is text",
    "currents too late": "currents of .* are delayed",
    "huge pool": "its padded input .* has more than",
    "padding wider than the window": "must be smaller than its window",
    "text for a delay": "delay is text",
    "shape on two axes": "an integer of at least 1 for each axis",
    "half an input": "an integer of at least 1 for each axis",
    "huge input": "kernel must have shape",
    "negative input": "an integer of at least 1 for each axis",
    "edge to nowhere": "'nowhere'",
    "odd edges": "no list of edges",
    "no edges": "no list of edges",
    "link": "not followed",
    "not a graph": "no NIR graph",
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_sound_is_refused(case: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkFileError, match=BAD[case]) as caught:
        bc.read_nir(bad(case, tmp_path / "bad.nir"))
    assert str(caught.value).startswith("bad")


def test_metadata_of_others_are_passed_over(tmp_path: Path) -> None:
    path = chain(tmp_path / "net.nir", affine(3, 2), fires(2))
    for author in (np.zeros(3), [b"bioconv", b"others"], 7):
        with h5py.File(path, "r+") as file:
            metadata = file.require_group("node/metadata")
            if "written_by" in metadata:
                del metadata["written_by"]
            metadata["written_by"] = author
        assert bc.read_nir(path).n_steps == 100


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for name, data in (("empty.nir", b""), ("text.nir", b"weights: none")):
        (tmp_path / name).write_bytes(data)
    for name in ("empty.nir", "text.nir", "missing.nir", "."):
        with pytest.raises(NetworkFileError):
            bc.read_nir(tmp_path / name)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.floats(0, 0.999), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_bytes_give_an_error_or_a_network(
    place: float, value: int, cut: bool, tmp_path: Path
) -> None:
    path = chain(tmp_path / "net.nir", affine(3, 2), fires(2))
    data = bytearray(path.read_bytes())
    first = int(place * len(data))
    data[first] = value
    path.write_bytes(bytes(data[:first]) if cut else bytes(data))
    try:
        assert isinstance(bc.read_nir(path), SpikingNetwork)
    except NetworkFileError as error:
        assert str(error).startswith("net")
