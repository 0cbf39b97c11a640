"""Collecting the tests is quick: each worker collects them all."""

from __future__ import annotations


def test_collecting_imports_nothing_that_takes_long(imported_by_collecting: list[str]) -> None:
    """What a test file needs of these it imports when a test runs; see `later`."""
    assert imported_by_collecting == []
