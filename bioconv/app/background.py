"""Waiting in a thread, so that the page stays usable, and drawing in the thread of the page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import panel as pn

Later = Callable[[Callable[[], None]], None]


def in_background(wait: Callable[..., None], *arguments: Any) -> None:
    """Call ``wait(later, *arguments)`` in a thread; ``later(draw)`` draws in that of the page."""
    document = pn.state.curdoc

    def later(draw: Callable[[], None]) -> None:
        if document:
            document.add_next_tick_callback(draw)
        else:
            draw()

    threading.Thread(target=wait, args=(later, *arguments), daemon=True).start()
