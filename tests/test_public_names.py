"""The public names: all there, imported late, no side effects."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bioconv as bc


def test_every_public_name_is_there() -> None:
    for name in bc.__all__:
        assert getattr(bc, name) is not None
    assert set(bc.__all__) <= set(dir(bc))
    with pytest.raises(AttributeError, match="no attribute 'transmogrify'"):
        bc.transmogrify  # noqa: B018


def test_functions_stay_functions_when_modules_are_imported_first() -> None:
    program = "import bioconv.conversion, bioconv.measures.estimation, bioconv as bc; "
    program += "assert callable(bc.convert) and callable(bc.estimate) and callable(bc.demo)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_import_is_light() -> None:
    program = "import sys, bioconv; heavy = {'jax', 'keras', 'brian2', 'pyNN', 'nest', 'neuron'}; "
    program += "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    subprocess.run([sys.executable, "-c", program], check=True)
