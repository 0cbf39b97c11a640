"""Processes that end with the process that started them, also if that one is killed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, AnyStr

_CHILD = Path(__file__).with_name("child.py")


def ending_with_us(command: Sequence[str | Path]) -> list[str]:
    """Return a command that runs ``command`` and ends when this process ends.

    Parameters
    ----------
    command : sequence of str or Path
        The program and its arguments, for `subprocess`.

    Returns
    -------
    list of str
    """
    if os.name != "posix":
        return [str(part) for part in command]
    # -I and -S: the user's settings and packages play no part in becoming another program.
    start = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid())]
    return [*start, *(str(part) for part in command)]


def output_of(process: subprocess.Popen[AnyStr]) -> IO[AnyStr]:
    """Return what a process writes.

    Raises
    ------
    ValueError
        If it was started without a pipe for its standard output.
    """
    if process.stdout is None:
        raise ValueError(f"{process.args!r} was started without a pipe for its output.")
    return process.stdout


def end_with_parent() -> None:
    """End this process of `multiprocessing` as soon as its parent has ended.

    This is the ``initializer`` of a pool of processes.  The workers of a pool wait for work forever
    if their parent is killed, because they hold both ends of the pipe from which they read.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
