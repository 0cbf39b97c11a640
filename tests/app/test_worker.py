"""The process of the page: messages, warnings, errors, and cancelling."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator

import pytest

from bioconv.app.worker import CancelledError, Note, Worker
from bioconv.ground.errors import BioconvError, ConversionError, DataWarning, Problem


def numbers(last: int) -> Iterator[int]:
    warnings.warn("few", DataWarning, stacklevel=1)
    yield from range(last)


def refusing() -> Iterator[int]:
    yield 1
    raise ConversionError("No:", [Problem("conv", "Conv2D", "it is too large.", "Prune it.")])


def wrong() -> Iterator[int]:
    yield 1 // 0


def endless() -> Iterator[int]:
    yield 1
    time.sleep(1000)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


def test_messages_and_warnings_arrive(worker: Worker) -> None:
    before = list(warnings.filters)
    found = []
    for message in worker.ask(numbers, 3):
        assert list(warnings.filters) == before  # nothing is caught in this process
        found.append(message)
    assert found == [0, 1, 2, Note("few")]


def test_errors_arrive_with_their_problems(worker: Worker) -> None:
    with pytest.raises(ConversionError, match="Prune it") as caught:
        list(worker.ask(refusing))
    assert caught.value.problems[0].where == "conv"
    with pytest.raises(BioconvError, match="Unexpected error: ZeroDivisionError"):
        list(worker.ask(wrong))


def test_cancelling_ends_at_once_and_the_next_task_runs(worker: Worker) -> None:
    messages = worker.ask(endless)
    assert next(messages) == 1
    with pytest.raises(BioconvError, match="Something else is being computed"):
        next(worker.ask(numbers, 1))
    threading.Timer(0.1, worker.cancel).start()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        next(messages)
    assert time.monotonic() - began < 60
    assert list(worker.ask(numbers, 1)) == [0, Note("few")]
