"""Files are written whole or not at all, also when the disk is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from some_variants import some

import bioconv as bc
from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import ReLU
from bioconv.export.support.arrays import write
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.files import new_file, new_folder, write_json, write_text
from bioconv.ground.whole import whole
from bioconv.operators import Dense

resource = pytest.importorskip("resource")

#: a program whose files may have at most so many bytes, as on a disk that is full after them
FULL = """
import resource, sys
sys.dont_write_bytecode = True  # Python would keep files that are cut off
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from bioconv.cli import main
sys.exit(main(sys.argv[2:]))
"""


def limited(size: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FULL, str(size), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The file of a network of 40 kB."""
    random = np.random.default_rng(0)
    graph = small_graph(random.normal(size=(64, 64)))
    path = tmp_path / "net.h5"
    bc.convert(graph, calibration=random.random((8, 64)), code=bc.codes.RateCode()).save(path)
    return path


def small_graph(weights: np.ndarray) -> AnalogGraph:
    affine = Affine((Term("x", Dense((64,), weights)),), np.zeros(64), (64,))
    layer = Layer("dense", ReLU(), (affine,), (64,))
    return AnalogGraph("net", (GraphInput("x", (64,)),), (layer,), ("dense",))


@pytest.mark.parametrize("size", some([700, 0, 20_000], every=3))
def test_a_full_disk_is_one_line_and_leaves_nothing(
    size: int, network: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    output = tmp_path / "out.h5"
    done = limited(size, "disturb", network, "--noise", "threshold=0.1", "-o", output)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"bioconv: {output} cannot be written: File too large.")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_a_program_that_does_not_fit_leaves_nothing(network: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    for target, output in (("brian2", "program"), ("nir", "net.nir")):
        done = limited(9_000, "export", network, "--to", target, "-o", tmp_path / output)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "cannot be written" in done.stderr
        assert sorted(tmp_path.iterdir()) == before


def test_an_error_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": np.arange(2)})
    old = path.read_bytes()
    with pytest.raises(RuntimeError), new_file(path, DataError) as part:
        part.write_text("half", encoding="utf-8")
        raise RuntimeError
    with pytest.raises(ValueError, match="Object arrays"):
        write(path, {"a": np.array([{}], object)})
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (old, [path])
    write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "new"


def test_folders_are_whole_as_well(tmp_path: Path) -> None:
    target = tmp_path / "program"
    with (
        pytest.raises(ParameterError, match="cannot be written: No space"),
        new_folder(target, ParameterError) as folder,
    ):
        (folder / "a").write_text("a", encoding="utf-8")
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
    with whole(target, folder=True) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a").write_text("a", encoding="utf-8")
    assert (target / "inner" / "a").is_file()
