"""Crafted files with a right checksum: nothing is run, nothing large is allocated."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network

from bioconv.ground.errors import NetworkFileError
from bioconv.network.storage import load, save_network, save_recording, seal
from bioconv.network.storage.hdf5 import MAX_DEPTH

CONV = "content/populations/conv"
MODEL = f"{CONV}/model"
KERNEL = "content/drives/00000/operator/kernel"
Edit = Callable[[h5py.File], None]


def crafted(path: Path, edit: Edit) -> str:
    """The error for a sound file after ``edit``, with its checksum renewed."""
    save_network(spiking_network(), path)
    with h5py.File(path, "r+") as file:
        edit(file)
    seal(path)
    with pytest.raises(NetworkFileError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def attribute(where: str, name: str, value: object) -> Edit:
    """An edit that sets an attribute, texts with fixed length."""

    def edit(file: h5py.File) -> None:
        dtype = None
        if isinstance(value, str):
            dtype = h5py.string_dtype("utf-8", max(1, len(value.encode())))
        del file[where].attrs[name]
        data = np.array(value.encode()) if isinstance(value, str) else value
        file[where].attrs.create(name, data, dtype=dtype)

    return edit


def dataset(where: str, data: object, **options: object) -> Edit:
    """An edit that puts another dataset in the place of one."""

    def edit(file: h5py.File) -> None:
        del file[where]
        file.create_dataset(where, data=data, **options)

    return edit


def test_editing_and_sealing_alone_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    save_network(spiking_network(), path)
    with h5py.File(path, "r+") as file:
        attribute(CONV, "max_rate", 500.0)(file)
    with pytest.raises(NetworkFileError, match="changed after bioconv wrote it"):
        load(path)
    seal(path)
    assert load(path).population("conv").max_rate == 500.0


NAMES = [
    "__import__('os').system('touch HACKED')",
    "a'b",
    'a"b',
    "a\nimport os",
    "__class__",
    "lambda",
    "a b",
    "",
    "é",
    "x" * 5000,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["content", CONV, MODEL, f"{MODEL}/parameters/v_th"])
def test_names_outside_of_the_grammar(tmp_path: Path, where: str, name: str) -> None:
    crafted(tmp_path / "net.h5", attribute(where, "name", name))


EXPRESSIONS = [
    "dv/dt = __import__('os').system('touch HACKED') / ms : volt",
    "dv/dt = v.__class__ / ms : volt",
    "dv/dt = open('HACKED', 'w') / ms : volt",
    "dv/dt = (lambda: 1)() / ms : volt",
    "dv/dt = [v for v in (1,)][0] / ms : volt",
    "dv/dt = 9**9**9**9 * i_offset / c_m : volt",
    "dv/dt = i_offset / c_m : volt\nimport os",
    "dv/dt = i_offset / c_m : volt # \x00",
    "dv/dt = i_offset / c_m * randn() : volt",
    "a = randn() : 1\ndv/dt = a * i_offset / c_m : volt",
    "a = xi : 1 (constant over dt)\ndv/dt = a * i_offset / c_m : volt",
    "a = randn(os) : 1 (constant over dt)\ndv/dt = a * i_offset / c_m : volt",
    "a = randn().real : 1 (constant over dt)\ndv/dt = a * i_offset / c_m : volt",
    "a = randn() : 1 (constant over dt)(x)\ndv/dt = a * i_offset / c_m : volt",
    "dv/dt = i_offset / c_m * xi_import__os : volt",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_equations_outside_of_the_grammar(tmp_path: Path, text: str) -> None:
    crafted(tmp_path / "net.h5", attribute(MODEL, "equations", text))


@pytest.mark.parametrize("field", ["threshold", "reset"])
@pytest.mark.parametrize(
    "text",
    [
        *("__import__('os')", "v.real > 0", "exec('1')", "v > v_th; import os", "v = eval('1')"),
        *("v > randn()", "v > xi * mV", "v = randn()", "v = xi"),
    ],
)
def test_statements_outside_of_the_grammar(tmp_path: Path, field: str, text: str) -> None:
    crafted(tmp_path / "net.h5", attribute(MODEL, field, text))


@pytest.mark.parametrize(
    ("where", "name"),
    [(MODEL, "source"), (f"{MODEL}/parameters/v_th", "meaning"), ("content/code", "code")],
)
@pytest.mark.parametrize("text", ['"""\nimport os\n"""', "a\nimport os", "a\\", "a\rimport os"])
def test_texts_that_would_leave_a_comment(tmp_path: Path, where: str, name: str, text: str) -> None:
    crafted(tmp_path / "net.h5", attribute(where, name, text))


def test_a_dataset_that_declares_what_is_not_there(tmp_path: Path) -> None:
    def huge(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, shape=(10**12,), dtype="f8")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "declares 8,000,000,000,000 bytes" in crafted(tmp_path / "net.h5", huge)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (10**6, 10**5), "dtype": "f8", "chunks": (1000, 10), "fillvalue": 1.0},
        {"data": np.zeros(10**6), "compression": "gzip"},
        {"data": np.zeros((3, 3, 1, 2)), "chunks": (3, 3, 1, 2)},
        {"shape": (2, 2), "dtype": "f8", "external": [("/etc/hostname", 0, 32)]},
    ],
)
def test_storage_that_is_not_one_block(tmp_path: Path, options: dict) -> None:
    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, **options)

    assert "not stored as one contiguous block" in crafted(tmp_path / "net.h5", edit)


def test_virtual_dataset(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
        layout[:] = h5py.VirtualSource("/etc/hostname", "x", shape=(4,))
        file.create_virtual_dataset(KERNEL, layout)

    crafted(tmp_path / "net.h5", edit)


@pytest.mark.parametrize(
    "data",
    [
        np.zeros((3, 3, 1, 2), np.float32),
        np.zeros((3, 3, 1, 2), np.complex128),
        np.zeros((3, 3, 1, 2), ">f8"),
        np.zeros(3, [("a", "f8"), ("b", "i4")]),
        np.array([b"abc"]),
        np.full((3, 3, 1, 2), np.nan),
        np.full((3, 3, 1, 2), np.inf),
        np.zeros((3, 3, 2, 2)),
        np.zeros(0),
    ],
    ids=str,
)
def test_wrong_types_shapes_and_values_of_weights(tmp_path: Path, data: np.ndarray) -> None:
    crafted(tmp_path / "net.h5", dataset(KERNEL, data))


def test_objects_and_references(tmp_path: Path) -> None:
    def reference(file: h5py.File) -> None:
        file[CONV].attrs["layer"] = file.ref

    def variable(file: h5py.File) -> None:
        file[CONV].attrs["layer"] = "conv2d/relu"  # h5py's own choice: variable length

    def ragged(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, shape=(2,), dtype=h5py.vlen_dtype(np.float64))
        file[KERNEL][0] = np.ones(3)

    def committed(file: h5py.File) -> None:
        file[f"{CONV}/extra"] = np.dtype("f8")

    assert "accepted" in crafted(tmp_path / "net.h5", reference)
    assert "variable length" in crafted(tmp_path / "net.h5", variable)
    assert "accepted" in crafted(tmp_path / "net.h5", ragged)
    assert "neither a group nor a dataset" in crafted(tmp_path / "net.h5", committed)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (lambda file: h5py.SoftLink("/content/populations/out"), "link to another location"),
        (lambda file: h5py.SoftLink("/nowhere"), "link to another location"),
        (lambda file: h5py.ExternalLink("/etc/passwd", "/x"), "link to another location"),
        (lambda file: file["content/populations"], "linked twice"),
        (lambda file: file["content/populations/out"], "linked twice"),
        (lambda file: file["/"], "linked twice"),
    ],
)
def test_links(tmp_path: Path, link: Callable[[h5py.File], object], message: str) -> None:
    def edit(file: h5py.File) -> None:
        file[f"{CONV}/model/more"] = link(file)

    assert message in crafted(tmp_path / "net.h5", edit)


def test_deep_nesting(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file.create_group("content/code/" + "/".join("a" * (MAX_DEPTH + 5)))

    assert "nested deeper" in crafted(tmp_path / "net.h5", edit)


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bioconv.network.storage.hdf5._Reader.objects_left", 500)

    def edit(file: h5py.File) -> None:
        for number in range(501):
            file.create_group(f"content/populations/p{number}")

    assert "entries" in crafted(tmp_path / "net.h5", edit)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (attribute(CONV, "shape", np.array([10**6, 10**6, 2])), "more than 100,000,000"),
        (attribute(CONV, "shape", np.array([2**62, 2**62, 2**62])), "more than 100,000,000"),
        (attribute(CONV, "shape", np.array([-4, 4, 2])), "is invalid"),
        (attribute(CONV, "shape", np.array([4.0, 4.0, 2.0])), "expected"),
        (attribute("content/projections/00000", "delay_steps", 10**9), "limit for a file"),
        (attribute("content/projections/00000", "delay_steps", 0), "at least 1"),
        (attribute("content/projections/00000", "pre", "nobody"), "'nobody'"),
        (attribute("content/projections/00000", "receptor", "nmda"), "no receptor 'nmda'"),
        (attribute("content/projections/00000", "position", 7), "positions"),
        (attribute("content", "dt", float("nan")), "dt"),
        (attribute("content", "dt", "1.0"), "expected float"),
        (attribute("content", "n_steps", True), "expected int"),
        (attribute("content", "class", "Recording"), "Recording"),
        (attribute(CONV, "class", "Popen"), "unknown class 'Popen'"),
        (attribute(CONV, "class", "Drive"), "expected Population"),
        (attribute(CONV, "class", "builtins.eval"), "unknown class"),
        (attribute(MODEL, "method", "os.system"), "method"),
        (attribute("content/analog", "outputs", np.array([b"none"])), "none"),
        (dataset(f"{CONV}/scale", np.array(np.nan)), "scale"),
        (dataset(f"{CONV}/scale", np.ones(5)), "broadcast"),
    ],
)
def test_values_that_do_not_fit(tmp_path: Path, edit: Edit, message: str) -> None:
    assert message in crafted(tmp_path / "net.h5", edit)


def test_unknown_and_missing_fields(tmp_path: Path) -> None:
    def more(file: h5py.File) -> None:
        file[CONV].attrs["surprise"] = 1

    def fewer(file: h5py.File) -> None:
        del file[CONV].attrs["max_rate"]

    def both_kinds(file: h5py.File) -> None:
        file[CONV].attrs["scale"] = 1.0

    assert "unknown 'surprise'" in crafted(tmp_path / "net.h5", more)
    assert "missing 'max_rate'" in crafted(tmp_path / "net.h5", fewer)
    assert "an attribute and an object" in crafted(tmp_path / "net.h5", both_kinds)


def test_newer_and_unknown_formats(tmp_path: Path) -> None:
    def newer(file: h5py.File) -> None:
        attribute("/", "format_version", 8)(file)
        attribute("/", "bioconv_version", "9.1.0")(file)
        del file["content"]  # a newer layout may look like anything

    message = crafted(tmp_path / "net.h5", newer)
    assert "Install bioconv '9.1.0' or newer" in message
    assert "version 8 of bioconv-network" in message
    assert "expected one of" in crafted(tmp_path / "net.h5", attribute("/", "format", "other"))
    assert "no version 0" in crafted(tmp_path / "net.h5", attribute("/", "format_version", 0))
    assert "format" in crafted(tmp_path / "net.h5", attribute("/", "format_version", 1.0))


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        attribute("content/projections/00000", "receptor", "nmda")(file)
        attribute("content/projections/00000", "delay_steps", 0)(file)
        attribute("content/readouts/dense", "kind", "guess")(file)

    message = crafted(tmp_path / "net.h5", edit)
    assert all(word in message for word in ("nmda", "delay_steps", "guess"))


def test_recordings_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "rec.h5"
    save_recording(recording_of(spiking_network(), images()), path)
    with h5py.File(path, "r+") as file:
        file["content/rasters/conv/image"][0] = 10**6
    seal(path)
    with pytest.raises(NetworkFileError, match="image numbers outside"):
        load(path)
