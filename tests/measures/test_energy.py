"""Energy against operations counted by hand, and the sources of the numbers."""

from __future__ import annotations

from functools import cache

import pytest
from sample_networks import images, recording_of, spiking_network

from bioconv import measures, noise
from bioconv.ground.errors import ParameterError
from bioconv.network.recording import Recording

NET = spiking_network()


@cache
def recorded() -> Recording:
    return recording_of(NET, images(10))


def test_operations_of_one_sample() -> None:
    work = measures.work_of(NET, recorded())
    assert work.synaptic == pytest.approx(recorded().synaptic_operations.mean())
    assert work.updates == 35 * 40  # 32 + 3 neurons, 40 steps
    assert work.inputs == 288  # 3x3 kernel at 4x4 places for 2 filters, once
    assert work.multiplies == 288 + 96


def test_axons_are_not_updated() -> None:
    jittered = noise.disturb(NET, noise.SpikeJitter(0.5))
    assert jittered.n_neurons > NET.n_neurons
    assert measures.work_of(jittered, recorded()).updates == 35 * 40


def test_energy_is_numbers_times_published_energies() -> None:
    work = measures.Work(synaptic=1e6, updates=1e4, inputs=1e3, multiplies=2e5)
    found = {entry.profile.name: entry for entry in measures.energy_of(work)}
    assert set(found) == set(measures.PROFILES)
    # 45 nm: 0.9 pJ an addition, 3.7 pJ a multiplication
    cmos = found["cmos_45nm_float32"]
    assert cmos.spiking == pytest.approx(1e6 * 0.9e-12 + 1e3 * 4.6e-12)
    assert cmos.analog == pytest.approx(2e5 * 4.6e-12)
    loihi = found["loihi"]
    assert loihi.spiking == pytest.approx(1e6 * 23.6e-12 + 1e4 * 81e-12)
    assert (loihi.inputs, loihi.analog) == (None, None)
    assert found["truenorth"].spiking == pytest.approx(26e-6)
    assert found["spinnaker"].spiking == pytest.approx(1e6 * 13.3e-9 + 1e4 * 26e-9)
    assert (found["brainscales_2"].spiking, found["brainscales_2"].analog) == (None, None)
    assert found["gpu"].spiking is None
    assert found["gpu"].analog == pytest.approx(2e5 * 0.3e-9)


@pytest.mark.parametrize("name", measures.PROFILES)
def test_every_number_has_a_source(name: str) -> None:
    profile = measures.PROFILES[name]
    numbers = [profile.synaptic, profile.update, profile.multiply]
    assert bool(profile.source) == any(number is not None for number in numbers)
    assert profile.note
    assert all(1e-14 < number < 1e-6 for number in numbers if number is not None)


def test_unknown_hardware() -> None:
    with pytest.raises(ParameterError, match="no energy profile 'lohi'.*Did you mean"):
        measures.energy_of(measures.Work(1, 1), ["lohi"])
