"""Profiles of chips: every number has a source or says that there is none; networks run."""

from __future__ import annotations

import numpy as np
import pytest

import bioconv as bc
from bioconv import models, noise
from bioconv.ground.errors import ParameterError

X, _ = bc.load_data("digits", split="train")
TEST, LABELS = bc.load_data("digits")
NETWORK = bc.convert(bc.read(models.weights_path("digits_mlp")), calibration=X[:100], n_steps=60)


@pytest.mark.parametrize("name", sorted(noise.PROFILES))
def test_a_profile_is_sourced_and_applies(name: str) -> None:
    profile = noise.profile(name)
    for number in profile.numbers:
        missing = number.value == noise.NOT_PUBLISHED or number.value.startswith("none")
        assert missing or number.source, number.what
        assert number.what in profile.table()
    assert list(profile) == list(profile.imperfections)
    found = profile.applicable(NETWORK)
    assert found
    left = {type(entry).__name__ for entry in set(profile) - set(found)}
    assert left <= {"Mismatch"}
    disturbed = noise.disturb(NETWORK, *found, seed=1)
    assert [applied.text for applied in disturbed.imperfections] == list(map(str, found))
    recording = bc.simulate(disturbed, TEST[:20], progress=False)
    assert np.isfinite(next(iter(recording.outputs.values()))).all()


@pytest.mark.parametrize("name", sorted(noise.PROFILES))
def test_what_is_stored_comes_before_what_analog_circuits_make_of_it(name: str) -> None:
    digital = [isinstance(e, noise.WeightQuantization | noise.FanIn) for e in noise.profile(name)]
    assert digital == sorted(digital, reverse=True)


def test_unknown_chips_are_refused() -> None:
    with pytest.raises(ParameterError, match="dynap_se"):
        noise.profile("brain")
