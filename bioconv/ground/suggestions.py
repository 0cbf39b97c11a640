"""Suggestions for names that are not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: object, known: Iterable[object], n: int = 1) -> list[str]:
    """Return up to ``n`` of the known names that are similar to a name, the most similar first.

    Case does not count, nor whether words are joined by ``-``, ``_`` or a space.
    """
    plain = {_plain(entry): str(entry) for entry in known}
    return [plain[match] for match in get_close_matches(_plain(name), plain, n)]


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return a sentence to append to a message, with a blank before it; empty if none is similar.

    Examples
    --------
    >>> did_you_mean("Izhikevitch", ["izhikevich", "quartic"])
    " Did you mean 'izhikevich'?"
    >>> did_you_mean("x", ["izhikevich"])
    ''
    """
    similar = closest(name, known)
    return f" Did you mean {similar[0]!r}?" if similar else ""


def _plain(name: object) -> str:
    return str(name).casefold().replace("-", "_").replace(" ", "_")
