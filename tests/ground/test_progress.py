"""Progress: bars on terminals, lines elsewhere, nothing when quiet; and messages for a logger."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator
from contextlib import redirect_stderr

import numpy as np
import pytest

import bioconv as bc
from bioconv.ground import progress
from bioconv.ground.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lines every few milliseconds instead of every 30 seconds."""
    monkeypatch.setattr(progress, "INTERVAL", 0.02)
    yield


def lines(stream: io.StringIO, n: int) -> list[str]:
    """Wait for ``n`` lines."""
    end = time.monotonic() + 10
    while len(stream.getvalue().splitlines()) < n and time.monotonic() < end:
        time.sleep(0.01)
    return stream.getvalue().splitlines()


def test_lines_say_what_is_done_how_much_and_since_when(soon: None) -> None:
    stderr = io.StringIO()
    with redirect_stderr(stderr), Progress("simulating lenet", total=400, units="images") as shown:
        shown.update(7)
        found = lines(stderr, 2)
        shown.describe("compiling")
        later = lines(stderr, len(found) + 2)
    assert re.fullmatch(r"bioconv: simulating lenet: 7 of 400 images, \d+ s", found[-1])
    assert re.fullmatch(r"bioconv: compiling: 7 of 400 images, \d+ s", later[-1])
    assert "\r" not in stderr.getvalue()


def test_what_has_no_number_still_gives_lines(soon: None) -> None:
    stderr = io.StringIO()
    with redirect_stderr(stderr), Progress("converting lenet"):
        assert re.fullmatch(r"bioconv: converting lenet: \d+ s", lines(stderr, 1)[0])


def test_nothing_is_written_about_what_is_soon_finished() -> None:
    assert progress.INTERVAL == 30
    stderr = io.StringIO()
    with redirect_stderr(stderr), Progress("simulating", total=1, units="images") as shown:
        shown.update()
    assert stderr.getvalue() == ""


def test_quiet_is_silent(soon: None) -> None:
    stderr = io.StringIO()
    with redirect_stderr(stderr), Progress("simulating", total=1, units="images", shown=False):
        time.sleep(0.1)
    assert stderr.getvalue() == ""


def test_a_terminal_shows_a_bar(soon: None) -> None:
    stderr = Terminal()
    with (
        redirect_stderr(stderr),
        Progress("training", total=4, units="batches", initial=1) as shown,
    ):
        shown.update(3)
        shown.say("loss=0.5")
    last = stderr.getvalue().split("\r")[-1]
    assert last.startswith("training: 100%")
    assert "4/4" in last and "batches/s" in last and "loss=0.5" in last


def test_a_terminal_shows_the_time_of_what_cannot_be_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "_TICK", 0.02)
    stderr = Terminal()
    with redirect_stderr(stderr), Progress("converting"):
        end = time.monotonic() + 10
        while stderr.getvalue().count("converting: 0") < 3 and time.monotonic() < end:
            time.sleep(0.01)
    assert stderr.getvalue().count("converting: 0") >= 3


def test_the_end_does_not_wait_for_the_next_line() -> None:
    began = time.monotonic()
    stderr = io.StringIO()
    with redirect_stderr(stderr), pytest.raises(KeyError), Progress("simulating"):
        raise KeyError
    assert time.monotonic() - began < 5


def test_a_logger_hears_what_is_done(caplog: pytest.LogCaptureFixture) -> None:
    images = np.random.default_rng(0).random((20, 8, 8, 1))
    with caplog.at_level(logging.INFO, logger="bioconv"):
        network = bc.convert(bc.models.weights_path("digits_cnn"), calibration=images)
        bc.simulate(network, images, steps=40, progress=False)
    said = [record.getMessage() for record in caplog.records if record.name == "bioconv"]
    assert said[0] == "converting digits_cnn"
    assert "simulating digits_cnn (array)" in said
    assert said[-1].startswith("simulating digits_cnn (array): done in ")
