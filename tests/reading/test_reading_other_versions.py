"""Files of other versions of Keras, which write all layers with their options, are read right.

Each version has an environment of its own in the folder that BIOCONV_OTHER_KERAS names; one that is
missing is made by pip, which takes minutes.  Without the variable, the tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bioconv.ground.errors import NetworkFileError, ReadError
from bioconv.reading import read

#: version -> what pip installs for it
VERSIONS = {
    "tensorflow_2_12": ("tensorflow-cpu==2.12.*", "h5py"),
    "tensorflow_2_15": ("tensorflow-cpu==2.15.*", "h5py"),
    "keras_3_0": ("keras==3.0.5", "jax[cpu]==0.4.30", "numpy<2", "h5py"),
    "keras_3_5": ("keras==3.5.0", "jax[cpu]==0.4.30", "h5py"),
    "today": (),
}
#: largest error as a share of the range of an output
CLOSE = 2e-5
SCRIPT = Path(__file__).with_name("write_files.py")


def python_of(version: str) -> Path:
    """The Python of the environment of a version, which is made if it is missing."""
    if version == "today":
        return Path(sys.executable)
    folder = os.environ.get("BIOCONV_OTHER_KERAS")
    if not folder:
        pytest.skip("other versions of Keras: BIOCONV_OTHER_KERAS names no folder for them")
    place = Path(folder) / version
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *VERSIONS[version]], check=True)
    return python


def outcome(path: Path, x: list[np.ndarray], y: list[np.ndarray]) -> str:
    """What comes of reading a file: "equal", why it is refused, or how far it is off."""
    try:
        graph = read(path)
    except (ReadError, NetworkFileError) as error:
        return f"refused: {error}"
    samples = dict(zip((entry.name for entry in graph.inputs), x, strict=True))
    found = graph.activations(samples, graph.outputs)
    if len(graph.outputs) != len(y):
        return f"different: {len(graph.outputs)} outputs instead of {len(y)}"
    error = 0.0
    for name, theirs in zip(graph.outputs, y, strict=True):
        scale = max(float(np.ptp(theirs)), float(np.abs(theirs).max()), 1e-30)
        error = max(error, float(np.abs(found[name] - theirs).max()) / scale)
    return "equal" if error <= CLOSE else f"different: {error:.2g} of the range"


def _count(file: np.lib.npyio.NpzFile, kind: str) -> int:
    return sum(name[0] == kind for name in file)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_files_of_other_versions(version: str, tmp_path: Path) -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    environment["KERAS_BACKEND"] = "tensorflow" if "tensorflow" in version else "jax"
    subprocess.run([python_of(version), SCRIPT, tmp_path], check=True, env=environment)
    counts: Counter[str] = Counter()
    wrong = []
    for arrays in sorted(tmp_path.glob("*.npz")):
        with np.load(arrays) as file:
            x, y = ([file[f"{kind}{k}"] for k in range(_count(file, kind))] for kind in "xy")
        for suffix in (".h5", ".keras"):
            found = outcome(arrays.with_suffix(suffix), x, y)
            counts[found.partition(":")[0]] += 1
            if found != "equal":
                wrong.append(f"{arrays.stem}{suffix}: {found}")
    print(version, dict(counts), *wrong, sep="\n")
    assert not counts["different"], "\n".join(wrong)
    assert counts["equal"] >= 0.9 * counts.total() > 100
