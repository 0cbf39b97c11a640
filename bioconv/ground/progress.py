"""Progress of what takes long: a bar, or a line every 30 seconds where no bar can be drawn.

>>> with Progress("simulating", total=3, units="images", shown=False) as progress:
...     progress.update(3)
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import warnings
from types import TracebackType
from typing import Any, TextIO

from tqdm import tqdm

#: seconds between two lines where stderr is no terminal
INTERVAL = 30.0
#: seconds between two updates of the time of a bar that counts nothing
_TICK = 1.0
#: a bar that counts nothing has no more to say
_ELAPSED = "{desc}: {elapsed}"

LOG = logging.getLogger("bioconv")


class Progress:
    """A context in which something takes long.

    On a terminal and in a notebook, a bar is drawn.  Elsewhere, one line is written to standard
    error every 30 seconds, and nothing about what is finished before.  Beginning and end are also
    messages of the logger ``bioconv``, of level ``INFO``.

    Parameters
    ----------
    what : str
        What is done, such as ``"simulating lenet"``.
    total : int, optional
        Number of units; None if there is nothing to count.
    units : str
        What is counted, in the plural.
    initial : int
        Number of units that are finished already.
    shown : bool
        False shows nothing; messages are logged nevertheless.
    """

    def __init__(
        self,
        what: str,
        *,
        total: int | None = None,
        units: str = "",
        initial: int = 0,
        shown: bool = True,
    ):
        self.what, self.total, self.units, self.n = what, total, units, initial
        self.shown = shown
        self.note = ""
        self._bar: Any = None
        self._ended = threading.Event()
        self._lines: threading.Thread | None = None

    def __enter__(self) -> Progress:
        LOG.info("%s", self.what)
        self._began = time.monotonic()
        if self.shown:
            self._show(sys.stderr)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._lines is not None:
            self._lines.join()
        if self._bar is not None:
            self._bar.close()
        if kind is None:
            LOG.info("%s: done in %.1f s", self.what, time.monotonic() - self._began)

    def update(self, n: int = 1) -> None:
        """Count ``n`` more units as finished."""
        self.n += n
        if self._bar is not None:
            self._bar.update(n)

    def describe(self, what: str) -> None:
        """Say what is done from now on."""
        if what != self.what:
            LOG.info("%s", what)
        self.what = what
        if self._bar is not None:
            self._bar.set_description(what)

    def say(self, note: str) -> None:
        """Show a note beside the numbers, such as the loss of a training."""
        self.note = note
        if self._bar is not None:
            self._bar.set_postfix_str(note)

    def _show(self, stream: TextIO | None) -> None:
        draw = _bars(stream)
        if draw is not None:
            counted = {} if self.total is not None else {"bar_format": _ELAPSED}
            self._bar = draw(
                desc=self.what,
                total=self.total,
                initial=self.n,
                unit=f" {self.units}",
                leave=self.total is not None,
                **counted,
            )
        if stream is not None and (draw is None or self.total is None):
            self._lines = threading.Thread(target=self._repeat, args=(stream,), daemon=True)
            self._lines.start()

    def _repeat(self, stream: TextIO) -> None:
        """Draw a bar that counts nothing again, or write a line, until the end."""
        while not self._ended.wait(INTERVAL if self._bar is None else _TICK):
            if self._bar is not None:
                self._bar.refresh()
                continue
            try:
                print(f"bioconv: {self._line()}", file=stream, flush=True)
            except (OSError, ValueError):  # whoever read it has ended, or it is closed
                return

    def _line(self) -> str:
        seconds = time.monotonic() - self._began
        counted = "" if self.total is None else f"{self.n} of {self.total} {self.units}, "
        note = f", {self.note}" if self.note else ""
        return f"{self.what}: {counted}{seconds:.0f} s{note}"


def _bars(stream: TextIO | None) -> type[tqdm[Any]] | None:
    """Return what draws bars on a terminal or in a notebook; None where neither is."""
    if stream is not None and stream.isatty():
        return tqdm
    with warnings.catch_warnings():
        # That this is experimental, and how to install widgets; there are lines without them.
        warnings.simplefilter("ignore")
        from tqdm.autonotebook import tqdm as chosen

    return None if chosen is tqdm else chosen
