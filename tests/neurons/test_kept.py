"""Discretised models are kept, so that Brian2 need not be imported again."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bioconv import neurons
from bioconv.neurons.language import discrete
from bioconv.neurons.language.discrete import discretise


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOCONV_CACHE", str(tmp_path))
    discretise.cache_clear()


@pytest.mark.parametrize("name", ["lif", "izhikevich", "traub_miles", "max_gate"])
def test_what_is_read_is_what_was_derived(name: str, tmp_path: Path) -> None:
    models = {
        "lif": neurons.with_noise(neurons.LeakyIntegrateAndFire(), 1.0),
        "izhikevich": neurons.Izhikevich(),
        "traub_miles": neurons.TraubMiles(),
        "max_gate": neurons.MaxGate(4, "count"),
    }
    model = models[name].model
    derived = discretise(model)
    assert len(list((tmp_path / "discrete").glob("*.json"))) == 1
    discretise.cache_clear()
    assert discretise(model) == derived == discrete._derived(model)


def test_another_process_does_without_brian2() -> None:
    code = (
        "import sys; from bioconv import neurons\n"
        "neurons.discretise(neurons.LeakyIntegrateAndFire().model)\n"
        "print('brian2' in sys.modules)"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert found == ["True", "False"]


@pytest.mark.parametrize(
    "damaged",
    [
        lambda text: text[:-20],
        lambda text: "{}",
        lambda text: "[3]",
        lambda text: text.replace('"update"', '"updates"'),
        lambda text: text.replace("v", "w", 1),
    ],
    ids=["cut", "empty", "list", "key", "letter"],
)
def test_a_damaged_record_is_derived_again(damaged: Callable[[str], str], tmp_path: Path) -> None:
    model = neurons.IntegrateAndFire().model
    derived = discretise(model)
    (file,) = (tmp_path / "discrete").glob("*.json")
    whole = file.read_text()
    assert damaged(whole) != whole
    file.write_text(damaged(whole))
    discretise.cache_clear()
    assert discretise(model) == derived
    assert file.read_text() == whole


def test_a_record_depends_on_every_module_that_derives_it() -> None:
    folder = Path(discrete.__file__).parent
    needed = {"discrete"}
    while True:
        texts = [(folder / f"{name}.py").read_text(encoding="utf-8") for name in needed]
        found = set(re.findall(r"bioconv\.neurons\.language\.(\w+) import", "\n".join(texts)))
        if found <= needed:
            break
        needed |= found
    assert needed == set(discrete._MODULES)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files without owners")
def test_a_record_that_others_can_write_is_not_read(tmp_path: Path) -> None:
    model = neurons.IntegrateAndFire().model
    derived = discretise(model)
    (file,) = (tmp_path / "discrete").glob("*.json")
    file.write_text(file.read_text().replace('"threshold": "', '"threshold": "not '))
    file.chmod(0o666)
    discretise.cache_clear()
    assert discretise(model) == derived
    assert stat.S_IMODE(file.stat().st_mode) == 0o666  # left alone
