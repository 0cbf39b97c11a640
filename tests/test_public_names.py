"""The public names: all there, imported late, no side effects."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bioconv as bc


def test_every_public_name_is_there() -> None:
    for name in bc.__all__:
        assert getattr(bc, name) is not None
    assert set(bc.__all__) <= set(dir(bc))
    with pytest.raises(AttributeError, match="no attribute 'transmogrify'"):
        bc.transmogrify  # noqa: B018


@pytest.mark.slow
def test_functions_stay_functions_when_modules_are_imported_first() -> None:
    program = "import bioconv.conversion, bioconv.measures.estimation, bioconv as bc; "
    program += "assert callable(bc.convert) and callable(bc.estimate) and callable(bc.demo)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_import_is_light() -> None:
    program = "import sys, bioconv; heavy = {'jax', 'keras', 'brian2', 'pyNN', 'nest', 'neuron'}; "
    program += "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    subprocess.run([sys.executable, "-c", program], check=True)


def engine(program: str, folder: Path, **environment: str) -> str:
    """What a program prints without a choice of Keras's engine but that of its environment."""
    clean = {n: v for n, v in os.environ.items() if n not in ("KERAS_BACKEND", "KERAS_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, "KERAS_HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None, reason="Keras's default is installed"
)
def test_keras_can_be_imported_after_bioconv(tmp_path: Path) -> None:
    program = "import bioconv, keras; print(keras.backend.backend())"
    assert engine(program, tmp_path) == "jax"
    # Keras itself has written its default by now; it is no choice of the user.
    assert engine(program, tmp_path) == "jax"


def test_the_choice_of_an_engine_is_kept(tmp_path: Path) -> None:
    program = "import os, bioconv; print(os.environ.get('KERAS_BACKEND'))"
    assert engine(program, tmp_path, KERAS_BACKEND="torch") == "torch"
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert engine(program, tmp_path) == "None"
