"""Registries of codes, neurons, imperfections, simulators and targets that users choose by name.

Each kind has one `Registry`.  A new entry is one line in it; its module is imported on first use.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from bioconv.ground.errors import ParameterError
from bioconv.ground.suggestions import did_you_mean

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Read-only mapping from names to objects, which are imported on first use.

    Parameters
    ----------
    kind : str
        Kind of the named objects, for messages.
    entries : mapping of str to str
        Name -> ``"module:attribute"``; a module that begins with a dot is relative to ``package``,
        and no module stands for the package itself.
    package : str, optional
    aliases : mapping of str to str, optional
        Additional short names -> full names; they are not listed.
    install : mapping of str to str, optional
        Name -> command that installs what its module requires, where that may be missing.

    Examples
    --------
    >>> numbers = Registry("number", {"pi": "math:pi"}, aliases={"p": "pi"})
    >>> numbers["p"], list(numbers)
    (3.141592653589793, ['pi'])
    >>> numbers["tau"]
    Traceback (most recent call last):
        ...
    bioconv.ground.errors.ParameterError: there is no number 'tau'. Valid: pi. Short: p (pi).
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, str],
        *,
        package: str | None = None,
        aliases: Mapping[str, str] | None = None,
        install: Mapping[str, str] | None = None,
    ):
        self._kind, self._package = kind, package
        self.install = dict(install or {})
        self._entries, self._aliases = dict(entries), dict(aliases or {})

    def full_name(self, name: str) -> str:
        """Return the full name of a name or alias; raises `ParameterError` if it is unknown."""
        full = self._aliases.get(name, name)
        if full in self._entries:
            return full
        short = ", ".join(f"{alias} ({meant})" for alias, meant in self._aliases.items())
        raise ParameterError(
            f"there is no {self._kind} {name!r}. Valid: {', '.join(self._entries)}."
            + (f" Short: {short}." if short else "")
            + did_you_mean(name, (*self._entries, *self._aliases))
        )

    def __getitem__(self, name: str) -> T:
        module, _, attribute = self._entries[self.full_name(name)].partition(":")
        place = importlib.import_module(module or str(self._package), self._package)
        found: T = getattr(place, attribute)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._aliases

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
