"""Modules that take seconds to import, imported when a test first needs them.

Each worker of a run collects every test, also those of files that it never runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module until one of its names is asked for."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):  # What pytest asks of everything in a test file
            raise AttributeError(name)
        return getattr(import_module(self._module), name)


def later(module: str) -> Any:
    """The module of that name, which is not imported yet."""
    return Later(module)
