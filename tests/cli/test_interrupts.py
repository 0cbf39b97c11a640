"""Ctrl-C: one line, exit code 130, whenever it comes."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import ExtensionFileLoader
from typing import Any

import pytest

from bioconv.cli import main
from bioconv.cli.commands import catalogues
from bioconv.models import weights_path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> Iterator[None]:
    """Python's own handler, whatever other tests have imported."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def wait(*_: Any) -> None:
    for _ in range(100):
        time.sleep(0.05)
    pytest.fail("the interrupt got lost")


def run(command: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(catalogues, "codes", command)
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    code = main(["codes"])
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before
    return code


def test_an_interrupted_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda _: interrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == "bioconv: interrupted\n"


def test_an_interrupt_in_a_callback_whose_exceptions_are_ignored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def once(*_: Any) -> None:
        gc.callbacks.remove(once)
        interrupt()

    def command(_: Any) -> None:
        gc.callbacks.append(once)
        gc.collect()
        wait()

    assert run(command, monkeypatch) == 130
    assert capsys.readouterr().err == "bioconv: interrupted\n"


def test_an_interrupt_waits_until_an_extension_is_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    class Loader(ExtensionFileLoader):
        def exec_module(self, _: Any) -> None:
            interrupt()
            time.sleep(0.05)
            done.append("imported")

    def command(_: Any) -> None:
        Loader("name", "path").exec_module(None)  # type: ignore[arg-type]
        wait()

    assert run(command, monkeypatch) == 130
    assert done == ["imported"]
    assert capsys.readouterr().err == "bioconv: interrupted\n"


@pytest.mark.parametrize("seconds", [0.1, 0.5])
def test_an_interrupt_during_the_first_imports(seconds: float) -> None:
    code = (
        "import os, signal, sys, threading, bioconv.cli\n"
        f"sys.argv = ['bioconv', 'inspect', {str(weights_path('digits_mlp'))!r}]\n"
        f"threading.Timer({seconds}, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "sys.exit(bioconv.cli.main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (130, "bioconv: interrupted\n")


def test_the_package_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bioconv", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("bioconv ")
