"""Profiles of chips: every number has a source or says that there is none; networks run."""

from __future__ import annotations

import digits
import numpy as np
import pytest

import bioconv as bc
from bioconv import noise
from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork


@pytest.fixture(scope="module")
def network() -> SpikingNetwork:
    return bc.convert(digits.mlp(), calibration=digits.train()[:100], n_steps=60)


@pytest.mark.parametrize("name", sorted(noise.PROFILES))
def test_a_profile_is_sourced_and_applies(name: str, network: SpikingNetwork) -> None:
    profile = noise.profile(name)
    for number in profile.numbers:
        missing = number.value == noise.NOT_PUBLISHED or number.value.startswith("none")
        assert missing or number.source, number.what
        assert number.what in profile.table()
    assert list(profile) == list(profile.imperfections)
    found = profile.applicable(network)
    assert found
    left = {type(entry).__name__ for entry in set(profile) - set(found)}
    assert left <= {"Mismatch"}
    disturbed = noise.disturb(network, *found, seed=1)
    assert [applied.text for applied in disturbed.imperfections] == list(map(str, found))
    recording = bc.simulate(disturbed, digits.test(20), progress=False)
    assert np.isfinite(next(iter(recording.outputs.values()))).all()


@pytest.mark.parametrize("name", sorted(noise.PROFILES))
def test_what_is_stored_comes_before_what_analog_circuits_make_of_it(name: str) -> None:
    digital = [isinstance(e, noise.WeightQuantization | noise.FanIn) for e in noise.profile(name)]
    assert digital == sorted(digital, reverse=True)


def test_unknown_chips_are_refused() -> None:
    with pytest.raises(ParameterError, match="dynap_se"):
        noise.profile("brain")
