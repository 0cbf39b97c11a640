"""What is written comes back, the same bytes every time, readable without bioconv."""

from __future__ import annotations

import dataclasses
import inspect
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from sample_networks import analog_graph, images, recording_of, spiking_network

import bioconv
from bioconv import codes, neurons
from bioconv.analog.functions import FUNCTIONS, MaxPool, ReLU, Softmax
from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.network import Disturbance, Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.storage import (
    is_network_file,
    load,
    load_network,
    load_recording,
    save_network,
    save_recording,
    seal,
)
from bioconv.network.storage.schema import KNOWN_CLASSES, decode, encode, field_hints
from bioconv.operators import OPERATORS

ROOT = Path(__file__).resolve().parents[2]
SAVE = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from sample_networks import images, recording_of, spiking_network
network = spiking_network({encoder!r})
network.save(sys.argv[1])
recording_of(spiking_network(), images()).save(sys.argv[2])
"""


def same(a: object, b: object) -> bool:
    """Equality of trees with arrays in them: values, types and order."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("encoder", ["current", "regular", "poisson"])
def test_network_comes_back(tmp_path: Path, encoder: str) -> None:
    network = spiking_network(encoder)
    network.save(tmp_path / "net.h5")
    again = SpikingNetwork.load(tmp_path / "net.h5")
    assert same(encode(network, SpikingNetwork), encode(again, SpikingNetwork))
    x = images()
    assert np.array_equal(
        np.asarray(network.analog.predict(x)), np.asarray(again.analog.predict(x))
    )
    assert again.populations[0].model == network.populations[0].model


def test_recording_comes_back(tmp_path: Path) -> None:
    recording = recording_of(spiking_network(), images())
    first = recording.classes["dense"]
    # "zebra" first: the first readout is the one that measures take, whatever its name.
    recording = dataclasses.replace(recording, classes={"zebra": first, "dense": first})
    recording.save(tmp_path / "rec.h5")
    again = Recording.load(tmp_path / "rec.h5")
    assert same(encode(recording, Recording), encode(again, Recording))
    assert again.readout == "zebra"
    assert list(again.traces) == [("conv", "v")]


def test_load_tells_networks_from_recordings(tmp_path: Path) -> None:
    network = spiking_network()
    save_network(network, tmp_path / "net.h5")
    save_recording(recording_of(network, images()), tmp_path / "rec.h5")
    assert isinstance(load(tmp_path / "net.h5"), SpikingNetwork)
    assert isinstance(bioconv.load(tmp_path / "rec.h5"), Recording)
    assert is_network_file(tmp_path / "net.h5")
    with pytest.raises(NetworkFileError, match="contains a recording, not a network"):
        load_network(tmp_path / "rec.h5")
    with pytest.raises(NetworkFileError, match="contains a network, not a recording"):
        load_recording(tmp_path / "net.h5")


def test_same_network_gives_the_same_bytes_in_two_processes(tmp_path: Path) -> None:
    program = SAVE.format(root=str(ROOT), tests=str(ROOT / "tests"), encoder="poisson")
    files = []
    for number, seed in enumerate(("1", "2")):
        names = [tmp_path / f"{kind}{number}.h5" for kind in ("net", "rec")]
        subprocess.run(
            [sys.executable, "-c", program, *map(str, names)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        files.append([name.read_bytes() for name in names])
    assert files[0] == files[1]


def test_order_of_a_mapping_does_not_matter_to_its_content(tmp_path: Path) -> None:
    code = {"percentile": 99.9, "code": "rate", "clamp": 2}
    save_network(spiking_network(code=code), tmp_path / "a.h5")
    assert dict(load_network(tmp_path / "a.h5").code) == code
    assert list(load_network(tmp_path / "a.h5").code) == list(code)


def test_readable_without_bioconv(tmp_path: Path) -> None:
    network = spiking_network()
    network.save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert file.attrs["format"].decode() == "bioconv-network"
        assert file.attrs["format_version"] == 7
        assert file.attrs["bioconv_version"].decode() == bioconv.__version__
        group = file["content/populations/conv"]
        assert "dv/dt" in group["model"].attrs["equations"].decode()
        assert tuple(group.attrs["shape"]) == (4, 4, 2)
        dense = file["content/projections/00000/operator/operators/00001"]
        assert dense.attrs["class"].decode() == "Dense"
        kernel = network.projections[0].operator.operators[1].kernel
        assert np.array_equal(dense["kernel"][()], kernel)
        kinds = set()
        file.visititems(lambda _, item: kinds.add(getattr(item, "dtype", None)))
    assert kinds <= {None, np.dtype("f8"), np.dtype("i8"), np.dtype("i4"), np.dtype(bool)}


@pytest.mark.parametrize("name", sorted(KNOWN_CLASSES))
def test_every_known_class_has_fields_that_a_file_can_hold(name: str) -> None:
    cls = KNOWN_CLASSES[name]
    assert dataclasses.is_dataclass(cls)
    assert not inspect.isabstract(cls)
    assert not {"class", "position"} & set(field_hints(cls))
    assert {**OPERATORS, **FUNCTIONS}.get(name, cls) is cls  # no name stands for two classes


@pytest.mark.parametrize(
    "function", [ReLU(0.1, 6.0, 0.5), Softmax((1, 2)), Softmax(), MaxPool((2, 2), (1, 1))]
)
def test_functions_come_back(function: object) -> None:
    again = decode(encode(function), type(function))
    assert type(again) is type(function)
    assert dataclasses.astuple(again) == dataclasses.astuple(function)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    path.write_bytes(b"old")
    with pytest.raises(ParameterError, match="complex"):
        save_network(spiking_network(code={"a": 1j}), path)
    with pytest.raises(ParameterError, match="60,000 is the limit"):
        recording = recording_of(spiking_network(), images(), versions={"long": "x" * 70_000})
        save_recording(recording, path)
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["net.h5"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="does not exist"):
        save_network(spiking_network(), tmp_path / "missing" / "net.h5")
    with pytest.raises(ParameterError, match="is a folder"):
        save_network(spiking_network(), tmp_path)


def test_numbers_that_do_not_fit() -> None:
    for value in (np.ones(2, complex), np.array(["a"]), np.ones(1, np.uint64)):
        with pytest.raises(ParameterError, match="cannot be stored"):
            encode(value)
    with pytest.raises(ParameterError, match="64 bits"):
        encode(2**70)
    assert encode(np.ones(2, np.float32)).dtype == np.float64


def test_a_file_of_the_first_version_has_neurons_without_crossing(tmp_path: Path) -> None:
    def older(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if group.attrs.get("class") == b"NeuronModel":
            del group.attrs["crossing"], group.attrs["dt_default"]

    path, network = tmp_path / "net.h5", spiking_network()
    network.save(path)
    with h5py.File(path, "r+") as file:
        file.visititems(older)
    seal(path)
    with pytest.raises(NetworkFileError, match="missing 'crossing'"):
        load_network(path)
    with h5py.File(path, "r+") as file:
        file.attrs.modify("format_version", 1)
    seal(path)
    assert [p.model for p in load_network(path).populations] == [
        p.model for p in network.populations
    ]


def test_a_file_of_the_second_version_has_populations_without_spike_values(tmp_path: Path) -> None:
    def older(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if group.attrs.get("class") == b"Population":
            del group["spike_values"]

    path, network = tmp_path / "net.h5", spiking_network()
    network.save(path)
    with h5py.File(path, "r+") as file:
        file.visititems(older)
        file.attrs.modify("format_version", 2)
    seal(path)
    assert all(not len(p.spike_values) for p in load_network(path).populations)


def test_a_file_of_the_fourth_version_has_neurons_without_references(tmp_path: Path) -> None:
    def older(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if group.attrs.get("class") == b"NeuronModel":
            del group.attrs["references"]

    path, network = tmp_path / "net.h5", spiking_network()
    network.save(path)
    assert [p.model.references for p in load_network(path).populations] == [
        p.model.references for p in network.populations
    ]
    with h5py.File(path, "r+") as file:
        file.visititems(older)
        file.attrs.modify("format_version", 4)
    seal(path)
    loaded = load_network(path).populations
    assert all(p.model.references == () and p.model.citation() == "" for p in loaded)
    assert [p.model for p in loaded] == [p.model for p in network.populations]


def test_a_file_of_the_fifth_version_decides_as_its_outputs_suggest(tmp_path: Path) -> None:
    network = bioconv.convert(analog_graph(), calibration=images(), decision="value")
    path = tmp_path / "net.h5"
    network.save(path)
    assert load_network(path).decisions() == network.decisions()
    with h5py.File(path, "r+") as file:
        for entry in file["content/readouts"].values():
            del entry["decision"]
        for entry in file["content/inputs"].values():
            del entry.attrs["calibrated"]
        file.attrs.modify("format_version", 5)
    seal(path)
    loaded = load_network(path)
    assert loaded.decisions() == network.with_decision().decisions() != network.decisions()
    assert [entry.calibrated for entry in loaded.inputs] == [None]


def test_exact_times_of_spikes_come_back(tmp_path: Path) -> None:
    before = recording_of(spiking_network(), images())
    name, raster = next(iter(before.rasters.items()))
    exact = (raster.step + 0.1234567890123456) * before.dt
    timed = dataclasses.replace(
        before, rasters={**before.rasters, name: dataclasses.replace(raster, time=exact)}
    )
    path = tmp_path / "recording.h5"
    timed.save(path)
    after = load_recording(path).rasters
    np.testing.assert_array_equal(after[name].time, exact)
    assert all(after[other].time is None for other in after if other != name)


def test_a_recording_of_the_first_version_has_no_exact_times(tmp_path: Path) -> None:
    def older(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if group.attrs.get("class") == b"Raster":
            del group.attrs["time"]

    path = tmp_path / "recording.h5"
    recording_of(spiking_network(), images()).save(path)
    with h5py.File(path, "r+") as file:
        file.visititems(older)
        file.attrs.modify("format_version", 1)
    seal(path)
    assert all(raster.time is None for raster in load_recording(path).rasters.values())


#: class -> what its fields were not written for in version 4
_NEW_IN_5 = {
    b"NeuronModel": ("kind",),
    b"Parameter": ("role",),
    b"State": ("kind",),
    b"Receptor": ("sign", "reversal"),
    b"Population": ("activation_current",),
    b"SpikingNetwork": ("imperfections",),
}


def _written_in_version_4(network: SpikingNetwork, path: Path) -> None:
    def older(name: str, group: h5py.Group | h5py.Dataset) -> None:
        for field in _NEW_IN_5.get(group.attrs.get("class"), ()):
            if field in group.attrs:
                del group.attrs[field]
            else:
                del group[field]

    network.save(path)
    with h5py.File(path, "r+") as file:
        file.visititems(older)
        file.attrs.modify("format_version", 4)
    seal(path)


def _restored_from_version_4(network: SpikingNetwork, path: Path) -> SpikingNetwork:
    _written_in_version_4(network, path)
    with h5py.File(path) as file:
        kinds: list[str] = []
        file.visititems(lambda name, group: kinds.extend(group.attrs.keys()))
    assert not {"role", "sign", "activation_current"} & set(kinds)
    return load_network(path)


@pytest.mark.parametrize("name", codes.converting())
def test_a_file_of_the_fourth_version_gets_its_roles_back(name: str, tmp_path: Path) -> None:
    code = codes.make(name)
    network = bioconv.convert(analog_graph(), calibration=images(), code=code)
    restored = _restored_from_version_4(network, tmp_path / "net.h5")
    assert any(p.role for q in network.populations for p in q.model.parameters)
    for before, after in zip(network.populations, restored.populations, strict=True):
        assert after.model == before.model
        assert after.activation_current == before.activation_current
    assert restored.imperfections == network.imperfections


def test_neurons_in_a_file_of_the_fourth_version_get_their_roles_back(tmp_path: Path) -> None:
    made = [
        neurons.make(name, {"synapse": synapse})
        for name, constructor in neurons.library().items()
        if "synapse" in inspect.signature(constructor).parameters
        for synapse in ("delta", "exponential", "alpha", "conductance", "conductance_alpha")
        if (name, synapse) not in _no_conductances()
    ]
    models = [one.model for one in (*made, neurons.MaxGate(4))]
    pauses = [{m.refractory: 0.0} if m.refractory else {} for m in models]
    network = spiking_network(
        inputs=(),
        populations=tuple(
            Population(f"p{n}", (2,), model, pause)
            for n, (model, pause) in enumerate(zip(models, pauses, strict=True))
        ),
        projections=(),
        drives=(),
        changes=(),
        readouts=(),
    )
    restored = _restored_from_version_4(network, tmp_path / "net.h5")
    for before, after in zip(network.populations, restored.populations, strict=True):
        assert after.model == before.model


def _no_conductances() -> set[tuple[str, str]]:
    """Models without units have no conductances."""
    plain = [n for n, make in neurons.library().items() if make().model.states[0].unit == "1"]
    return {(name, kind) for name in plain for kind in ("conductance", "conductance_alpha")}


def test_currents_and_imperfections_come_out_of_the_record_of_the_fourth_version(
    tmp_path: Path,
) -> None:
    code = bioconv.RateCode(readout="count")
    network = bioconv.convert(analog_graph(), calibration=images(), code=code)
    applied = ["Mismatch(target='weight', sigma=0.1, populations=('a', 'b'))", "SpikeLoss(0.5)"]
    text = "; ".join(f"{entry}, seed {seed}" for seed, entry in enumerate(applied))
    network = network.replace(code={**network.code, "imperfections": text})
    restored = _restored_from_version_4(network, tmp_path / "net.h5")
    currents = {p.activation_current for p in restored.populations}
    assert (
        currents
        == {network.code["drive_gain"]}
        == {p.activation_current for p in network.populations}
    )
    assert restored.imperfections == (
        Disturbance("Mismatch", "weight", 0, applied[0]),
        Disturbance("SpikeLoss", "", 1, applied[1]),
    )
