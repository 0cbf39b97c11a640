"""A process that computes for the page, so that it can be cancelled at any moment.

Conversion is one long call, which nothing but the end of its process interrupts.  Warnings are
caught there as well: Python has one list of filters for all threads of a process, so that catching
them in a thread of the server would take them from other pages, and theirs from this one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bioconv.ground.errors import BioconvError, BioconvWarning
from bioconv.ground.processes import end_with_parent
from bioconv.ground.progress import LOG

#: seconds that a process has to end by itself
_GRACE = 5.0

Task = Callable[..., Iterable[Any]]


class CancelledError(BioconvError, RuntimeError):
    """What was asked for was cancelled."""


@dataclass(frozen=True)
class Note:
    """A warning of bioconv."""

    text: str


@dataclass(frozen=True)
class _Failed:
    """An error that ended a task."""

    error: BioconvError


@dataclass(frozen=True)
class _Ended:
    """The end of a task."""


class Worker:
    """A process that does one task at a time.

    It is started with the first task, and again after one that was cancelled.
    """

    def __init__(self) -> None:
        self._process: Any = None
        self._pipe: Any = None
        self._busy, self._cancelled = threading.Lock(), threading.Event()

    def ask(self, task: Task, *arguments: Any) -> Iterator[Any]:
        """Yield what a task yields, and a `Note` for each warning after it.

        Parameters
        ----------
        task : callable
            A function of a module, which returns an iterable.
        *arguments

        Raises
        ------
        CancelledError
            If `cancel` was called.
        BioconvError
            What the task raises; also if the process is busy, or ends unexpectedly.
        """
        if not self._busy.acquire(blocking=False):
            raise BioconvError("Something else is being computed. Wait for it, or cancel it.")
        try:
            self._cancelled.clear()
            self._start()
            self._pipe.send((task, arguments))
            while not isinstance(message := self._pipe.recv(), _Ended):
                if isinstance(message, _Failed):
                    raise message.error
                yield message
        except (EOFError, OSError) as error:
            self._end()
            if self._cancelled.is_set():
                raise CancelledError("Cancelled.") from None
            raise BioconvError(
                "The process that computes has ended unexpectedly, perhaps because memory ran out. "
                "Run fewer samples, or a smaller network."
            ) from error
        except GeneratorExit:  # nobody waits for the rest
            self._end()
            raise
        finally:
            self._busy.release()

    def cancel(self) -> None:
        """End what is being computed, at once; do nothing if nothing is."""
        if self._busy.locked():
            self._cancelled.set()
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process."""
        self.cancel()
        if not self._busy.locked():
            self._end()

    def _start(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_serve, args=(end,), daemon=True)
        with end:
            self._process.start()
        if self._cancelled.is_set():  # while it was started
            self._process.kill()

    def _end(self) -> None:
        if self._process is None:
            return
        self._pipe.close()
        self._process.kill()
        self._process.join(_GRACE)
        self._process = None


def _serve(pipe: Any) -> None:
    """Do tasks until the other end of the pipe is closed."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    with contextlib.suppress(EOFError, OSError):
        while True:
            task, arguments = pipe.recv()
            for message in _messages(task, arguments):
                pipe.send(message)


def _messages(task: Task, arguments: tuple[Any, ...]) -> Iterator[Any]:
    """Yield what a task yields, its warnings, and how it ended as the last message."""
    end: _Ended | _Failed = _Ended()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BioconvWarning)
        try:
            yield from task(*arguments)
        except BioconvError as error:
            end = _Failed(error)
        except Exception as error:  # the page shows it, and goes on
            LOG.exception("a task of the page failed")
            end = _Failed(BioconvError(f"Unexpected error: {type(error).__name__}: {error}"))
    yield from (Note(str(w.message)) for w in caught if issubclass(w.category, BioconvWarning))
    yield end
