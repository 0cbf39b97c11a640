"""Processes that run the jobs of a study, and end with it whatever happens.

A process that ends before its run is finished is replaced, once for each run.  Processes are
spawned, because forking can hang after JAX has started threads.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from multiprocessing import connection
from typing import Any, TypeVar

from bioconv.ground.errors import BioconvError, BioconvWarning
from bioconv.ground.processes import end_with_parent

Key = TypeVar("Key", bound=Hashable)

#: how many times a run is started
_ATTEMPTS = 2
#: seconds in which a process may end by itself
_GRACE = 2.0


class DeadWorkerError(BioconvError):
    """A process ended before its run was finished, and so did that which repeated the run."""


def in_processes(
    work: Callable[..., Any], jobs: Mapping[Key, tuple[Any, ...]], n_workers: int
) -> Iterator[tuple[Key, Any]]:
    """Yield results as they finish; all processes have ended when the iterator has.

    Parameters
    ----------
    work : callable
        A function at module level, or a ``partial`` of one.
    jobs : mapping of hashable to tuple
        Arguments by the name of the run.
    n_workers : int

    Yields
    ------
    key, result

    Raises
    ------
    DeadWorkerError
    """
    waiting = deque(jobs)
    attempts = dict.fromkeys(jobs, 0)
    idle: list[_Worker] = []
    busy: dict[Any, tuple[_Worker, Key]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < n_workers:
                worker = idle.pop() if idle else _Worker(work)
                key = waiting.popleft()
                busy[worker.pipe] = worker, key
                attempts[key] += 1
                worker.send(jobs[key])
            for pipe in connection.wait(list(busy)):
                worker, key = busy.pop(pipe)
                try:
                    result = worker.pipe.recv()
                except (EOFError, OSError):
                    _report(worker.end(time.monotonic() + _GRACE), attempts[key])
                    waiting.appendleft(key)
                    continue
                idle.append(worker)
                yield key, result
    finally:
        workers = [*idle, *(worker for worker, _ in busy.values())]
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + _GRACE
        for worker in workers:
            worker.end(deadline)


class _Worker:
    """A process that calls a function with the arguments that it is sent.

    Parameters
    ----------
    work : callable
    """

    def __init__(self, work: Callable[..., Any]):
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, end), daemon=True)
        with _no_interrupts(), end:
            self.process.start()

    def send(self, arguments: tuple[Any, ...]) -> None:
        # That the process has ended is noticed where its result is received.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(arguments)

    def end(self, deadline: float) -> int | None:
        """Wait until a time for the end of the process, kill it then, and return its exit code."""
        self.pipe.close()
        self.process.join(max(deadline - time.monotonic(), 0.0))
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


def _serve(work: Callable[..., Any], pipe: Any) -> None:
    """Answer with results until the other end of the pipe is closed."""
    end_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(work(*pipe.recv()))


def _leave(*_: Any) -> None:
    """End by an exception, so that temporary folders are removed, but without any message."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(1)


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start processes that do not receive Ctrl-C, which this process handles for all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _report(code: int | None, attempts: int) -> None:
    """Warn that a run is repeated; raise an error if it was already repeated."""
    how = f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
    if attempts < _ATTEMPTS:
        warnings.warn(
            f"a process {how} before its run was finished. The run is repeated.",
            BioconvWarning,
            stacklevel=4,
        )
        return
    raise DeadWorkerError(f"a process {how} before its run was finished, and so did another one")
