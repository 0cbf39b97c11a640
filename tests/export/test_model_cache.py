"""The cache of compiled models: what it depends on, and that nobody else can fill it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_networks import spiking_network

import bioconv as bc
from bioconv.export.support import nest_models
from bioconv.export.support.nest_models import NestInstallation, build
from bioconv.ground.errors import BioconvError, UnsafeCacheError
from bioconv.ground.places import UnsafeFolderError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files without owners")


class Builder:
    """Stands in for NESTML and the compiler, and counts what is compiled."""

    def __init__(self, folder: Path) -> None:
        self.compiled = 0
        self.folder = folder

    def generate(self, source: Path, scratch: Path, module: str, version: str) -> Path:
        return scratch

    def compile(self, folder: Path, module: str, installation: NestInstallation) -> None:
        self.compiled += 1
        (folder / f"{module}.so").write_text("compiled")


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    found = Builder(tmp_path)
    (tmp_path / "neuron.nestml").write_text("model neuron:")
    monkeypatch.setattr(nest_models, "_generate", found.generate)
    monkeypatch.setattr(nest_models, "_compile", found.compile)
    monkeypatch.setattr(nest_models, "_nest_folder", lambda: tmp_path)
    use(monkeypatch)
    return found


def use(
    monkeypatch: pytest.MonkeyPatch,
    nest: str = "3.10.0",
    nestml: str = "9.0",
    compiler: str = "g++",
    answer: str = "g++ 13.2",
    flags: tuple[str, ...] = ("-O2",),
) -> None:
    installation = NestInstallation(nest, flags, (compiler,))
    monkeypatch.setattr(nest_models, "find_nest", lambda: installation)
    monkeypatch.setattr(nest_models, "_nestml_version", lambda: nestml)
    monkeypatch.setattr(nest_models, "_compiler_version", lambda _: answer)


def built(folder: Path) -> Path:
    return build(folder / "neuron.nestml", "neuronmodule", folder / "cache")


@pytest.mark.parametrize(
    "change",
    [
        {"nest": "3.11.0"},
        {"nestml": "9.1"},
        {"compiler": "clang++"},
        {"answer": "g++ 14.1"},
        {"flags": ("-O3",)},
    ],
    ids=str,
)
def test_another_tool_compiles_again(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    first = built(tmp_path)
    assert built(tmp_path) == first
    assert builder.compiled == 1
    use(monkeypatch, **change)
    assert built(tmp_path) != first
    assert builder.compiled == 2


def test_a_library_that_others_can_write_is_not_loaded(builder: Builder, tmp_path: Path) -> None:
    built(tmp_path).chmod(0o777)
    with pytest.raises(UnsafeFolderError, match=r"neuronmodule\.so can be written by other users"):
        built(tmp_path)


def test_a_cache_that_others_can_write_is_not_used(builder: Builder, tmp_path: Path) -> None:
    built(tmp_path)
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(UnsafeFolderError, match="cache can be written by other users"):
        built(tmp_path)
    assert builder.compiled == 1


def test_brian2_compiles_nothing_into_such_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    monkeypatch.setenv("BIOCONV_CACHE", str(cache))
    monkeypatch.setattr("bioconv.simulators.brian2._compiler", lambda: "g++ 13.2")
    network = spiking_network()
    x = np.zeros((1, *network.inputs[0].shape))
    with pytest.raises(UnsafeCacheError, match="can be written by other users") as error:
        bc.simulate(network, x, simulator="brian2", codegen="cpp_standalone")
    assert isinstance(error.value, BioconvError | PermissionError)
