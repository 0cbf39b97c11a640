"""Damaged files: every one gives a `NetworkFileError`, and none reaches the HDF5 library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from sample_networks import spiking_network

from bioconv.ground.errors import NetworkFileError
from bioconv.network.storage import is_network_file, load, load_network, save_network

ROOT = Path(__file__).resolve().parents[2]
# Random bytes behind a fresh checksum reach the HDF5 library, which may crash: own process.
FUZZ = """
import sys
from pathlib import Path
import numpy as np
from bioconv.ground.errors import NetworkFileError
from bioconv.network.storage import load, seal
path, seed, n = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
good, rng, refused = path.read_bytes(), np.random.default_rng(seed), 0
for _ in range(n):
    data = bytearray(good)
    for _ in range(rng.integers(1, 5)):
        data[rng.integers(512, len(data))] = rng.integers(256)
    path.write_bytes(data[: rng.integers(512, len(data))] if rng.random() < 0.2 else data)
    seal(path)
    try:
        load(path)
    except NetworkFileError as error:
        assert str(path) in str(error)
        refused += 1
print(refused)
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "net.h5"
    save_network(spiking_network("poisson"), path)
    return path.read_bytes()


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(NetworkFileError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_truncated_anywhere(tmp_path: Path, good: bytes) -> None:
    rng = np.random.default_rng(0)
    for size in [*range(0, 1024, 16), *rng.integers(1024, len(good), 150), len(good) - 1]:
        refused(tmp_path / "net.h5", good[:size])


def test_any_flipped_byte_behind_the_header(tmp_path: Path, good: bytes) -> None:
    rng = np.random.default_rng(1)
    for place in rng.integers(512, len(good), 300):
        data = bytearray(good)
        data[place] ^= 1 << int(rng.integers(8))
        assert "damaged" in refused(tmp_path / "net.h5", bytes(data))


def test_flipped_bytes_in_the_header(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "net.h5"
    for place in range(0, 512, 7):
        data = bytearray(good)
        data[place] ^= 0x41
        path.write_bytes(data)
        try:
            load_network(path)  # what is behind the header is intact
        except NetworkFileError as error:
            assert str(path) in str(error)


def test_appended_bytes(tmp_path: Path, good: bytes) -> None:
    assert "damaged" in refused(tmp_path / "net.h5", good + b"x")


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_random_bytes_behind_a_fresh_checksum(tmp_path: Path, good: bytes, seed: int) -> None:
    path = tmp_path / "net.h5"
    path.write_bytes(good)
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(path), str(seed), "250"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 25


def test_things_that_are_no_file_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    with pytest.raises(NetworkFileError, match="no such file"):
        load(path)
    with pytest.raises(NetworkFileError, match="not a regular file"):
        load(tmp_path)
    assert "is empty" in refused(path, b"")
    assert "not a bioconv file" in refused(path, b"hello\nworld\n")
    assert "not a bioconv file" in refused(path, bytes(range(256)) * 8)
    path.unlink()
    with h5py.File(path, "w") as file:
        file["model_weights"] = np.ones(3)
    assert "HDF5 file, but not a bioconv file" in refused(path, path.read_bytes())
    assert not is_network_file(path)
    assert not is_network_file(tmp_path)
