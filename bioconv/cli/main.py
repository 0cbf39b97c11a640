"""Entry point: parse, run the command, and turn errors into a message and an exit code."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import gc
import importlib
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.machinery import ExtensionFileLoader
from types import FrameType
from typing import Any

#: exit code after Ctrl-C: 128 and the number of the signal
INTERRUPTED = 130
#: seconds after which Ctrl-C is raised again
_AGAIN = 0.01
#: seconds that the end of an interrupted process may take
_PATIENCE = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``bioconv`` with the given arguments (those of the process by default).

    Returns
    -------
    int
        0, 2 if the input was not valid (the message is on standard error), or 130 if the user
        interrupted it.
    """
    interrupted = threading.Event()
    if arguments is None:
        # Registered before `multiprocessing` is imported, whose own cleaning up is done first.
        atexit.register(_end, interrupted)
    try:
        with _orderly_interrupts():
            return _run(arguments)
    except KeyboardInterrupt:
        print("bioconv: interrupted", file=sys.stderr, flush=True)
        interrupted.set()
        if arguments is None:
            # Threads that still compile or wait would delay the end of the process.
            watch = threading.Timer(_PATIENCE, os._exit, (INTERRUPTED,))
            watch.daemon = True
            watch.start()
        return INTERRUPTED


def _end(interrupted: threading.Event) -> None:
    """End with the exit code also where Python would end by the signal, after code in `exec`."""
    if interrupted.is_set():
        with contextlib.suppress(OSError):  # whoever read the output may have ended
            sys.stdout.flush()
        os._exit(INTERRUPTED)


def _run(arguments: Sequence[str] | None) -> int:
    # Ctrl-C may come while these are imported.
    from bioconv.cli.parsers import build_parser
    from bioconv.ground.errors import BioconvError

    options = build_parser().parse_args(arguments)
    options.warnings = []
    try:
        with _no_garbage():
            commands = importlib.import_module(f"bioconv.cli.commands.{options.room}")
        with warnings.catch_warnings():
            warnings.showwarning = partial(_show_warning, options.warnings)
            with _messages(options.verbose):
                getattr(commands, options.command)(options)
    except BioconvError as error:
        print(f"bioconv: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        # A folder that cannot be written or a full disk: print the system's message, no traceback.
        print(f"bioconv: {error}", file=sys.stderr)
        return 2
    return 0


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """Look for no garbage while modules are imported: all of them stay, and they are many."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _messages(wanted: bool) -> Iterator[None]:
    """Print what the library logs to standard error meanwhile."""
    log, handler = logging.getLogger("bioconv"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("bioconv: %(message)s"))
    level = log.level
    if wanted:
        log.setLevel(logging.INFO)
        log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@contextlib.contextmanager
def _orderly_interrupts() -> Iterator[None]:
    """Raise Ctrl-C where it neither gets lost nor ends the process with pages of traceback.

    An interrupt while an extension module is imported waits until it is, because such modules may
    abort the process if an exception is raised in them.  One in a callback whose exceptions Python
    only prints, as JAX has in many of its calls, is raised again.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:
        yield
        return
    hook = sys.unraisablehook
    waiting: list[threading.Timer] = []

    def later() -> None:
        waiting.append(threading.Timer(_AGAIN, _thread.interrupt_main))
        waiting[-1].daemon = True
        waiting[-1].start()

    def ignored(failure: Any) -> None:
        if issubclass(failure.exc_type, KeyboardInterrupt):
            later()
        else:
            hook(failure)

    def interrupt(_: int, frame: FrameType | None) -> None:
        if _in_extension(frame):
            later()
            return
        waiting.clear()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    sys.unraisablehook = ignored
    try:
        yield
        if waiting:
            raise KeyboardInterrupt
    finally:
        for timer in waiting:
            timer.cancel()
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _in_extension(frame: FrameType | None) -> bool:
    """Whether an extension module is being imported."""
    while frame is not None and frame.f_code is not main.__code__:
        if isinstance(frame.f_locals.get("self"), ExtensionFileLoader):
            return True
        frame = frame.f_back
    return False


def _show_warning(shown: list[str], message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one line, without its location in the code, and keep it for the JSON."""
    shown.append(str(message))
    print(f"bioconv: warning: {message}", file=sys.stderr)
