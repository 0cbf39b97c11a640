"""What holds for every imperfection of the library: identity at zero, streams, files, running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import digits
import numpy as np
import pytest

import bioconv as bc
from bioconv import codes, noise
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import SpikingNetwork

#: amplitudes that are no shares; all others are 0.2
AMPLITUDES: Mapping[str, float] = {
    "delay": 1.0,
    "fan_in": 8,
    "temperature": 10.0,
    "time_step": 2.0,
    "transistor": 5.0,
    "weight_bits": 3,
}
#: what is no chance: another seed is the same network
FIXED = {"fan_in", "temperature", "time_step", "weight_bits"}
#: what is drawn while the network runs, spike by spike, step by step
FIXED |= {"drift", "fixed_point", "flicker", "jitter", "saturation", "shot", "spike_loss"}
FIXED |= {"spurious_spikes", "synaptic_failure", "thermal"}
names = pytest.mark.parametrize("name", sorted(noise.LIBRARY))
#: one of each kind is simulated always; the others with --runslow
QUICK = {"threshold", "weight"}
runs = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in sorted(noise.LIBRARY)
    ],
)


@dataclass(frozen=True)
class Bystander(noise.Imperfection):
    """Draws from every stream, and changes nothing."""

    amplitude = 1.0  # type: ignore[assignment]
    site = unit = source = "none"

    def rewrite(self, network: SpikingNetwork, streams: noise.Streams) -> SpikingNetwork:
        places = noise.Places(network)
        for population in network.populations:
            streams.of(places.of(population)).random(100)
        return network


@pytest.fixture(scope="module")
def networks() -> dict[str, SpikingNetwork]:
    """One network of every code, and one of leaky neurons, which have what others lack."""
    small = {"population": bc.codes.PopulationCode(n=5)}
    made = {
        name: bc.convert(
            digits.mlp(), calibration=digits.train()[:100], code=small.get(name) or codes.make(name)
        )
        for name in codes.converting()
    }
    leaky = bc.convert(
        digits.mlp(),
        calibration=digits.train()[:100],
        neuron=bc.neurons.make("leaky_integrate_and_fire"),
        n_steps=100,
    )
    return {"leaky": leaky, **made}


def imperfection(name: str) -> noise.Imperfection:
    return noise.LIBRARY[name](AMPLITUDES.get(name, 0.2))


def suited(networks: Mapping[str, SpikingNetwork], name: str) -> SpikingNetwork:
    """The first network that can have it."""
    for network in networks.values():
        try:
            imperfection(name).rewrite(network, noise.Streams(0))
        except ConversionError:
            continue
        return network
    raise AssertionError(f"no code can have {name}")


def stored(network: SpikingNetwork, path: Path) -> bytes:
    """Bytes of the network, what it says of its imperfections left out."""
    replace(network, imperfections=()).save(path)
    return path.read_bytes()


@names
def test_declares_what_it_is(name: str) -> None:
    entry = imperfection(name)
    assert entry.amplitude == AMPLITUDES.get(name, 0.2)
    assert all(isinstance(text, str) and text for text in (entry.site, entry.unit, entry.source))
    assert repr(type(entry)(**vars(entry))) == repr(entry)


@names
def test_zero_changes_nothing(name: str, networks: dict[str, SpikingNetwork]) -> None:
    for network in networks.values():
        assert noise.disturb(network, noise.LIBRARY[name](0), seed=5) is network


@names
def test_streams_and_files(name: str, networks: dict[str, SpikingNetwork], tmp_path: Path) -> None:
    network, entry, path = suited(networks, name), imperfection(name), tmp_path / "network.h5"
    before = stored(network, path)
    disturbed = noise.disturb(network, entry, seed=1)
    bytes_ = stored(disturbed, path)
    assert bytes_ != before
    (applied,) = disturbed.imperfections
    assert (applied.kind, applied.target) == (type(entry).__name__, entry.target)
    assert (applied.seed, applied.text) == (1, str(entry))
    assert network.code == disturbed.code  # what the code was stays on record
    assert stored(SpikingNetwork.load(_saved(disturbed, path)), path) == bytes_
    assert stored(noise.disturb(network, entry, seed=1), path) == bytes_
    for several in ((Bystander(), entry), (entry, Bystander())):
        assert stored(noise.disturb(network, *several, seed=1), path) == bytes_
    other = stored(noise.disturb(network, entry, seed=2), path)
    assert (other == bytes_) == (name in FIXED)


@runs
def test_runs(name: str, networks: dict[str, SpikingNetwork]) -> None:
    network = noise.disturb(suited(networks, name), imperfection(name), seed=3)
    recording = bc.simulate(network, digits.test(4), progress=False)
    assert np.isfinite(next(iter(recording.outputs.values()))).all()


@names
def test_every_code_takes_it_or_says_why_not(
    name: str, networks: dict[str, SpikingNetwork]
) -> None:
    for network in networks.values():
        try:
            disturbed = noise.disturb(network, imperfection(name), seed=3)
        except ConversionError as error:
            assert error.problems
            continue
        assert disturbed.analog is network.analog


def test_an_imperfection_beside_another_keeps_its_draws(
    networks: dict[str, SpikingNetwork],
) -> None:
    threshold, weight = noise.LIBRARY["threshold"](0.1), noise.LIBRARY["weight"](0.1)
    alone = noise.disturb(networks["rate"], threshold, seed=4)
    for several in ((weight, threshold), (threshold, weight)):
        both = noise.disturb(networks["rate"], *several, seed=4)
        for one, other in zip(alone.populations, both.populations, strict=True):
            np.testing.assert_array_equal(one.parameters["v_th"], other.parameters["v_th"])
    twice = noise.disturb(networks["rate"], threshold, threshold, seed=4)
    first = alone.population("dense_3").parameters["v_th"]
    second = twice.population("dense_3").parameters["v_th"] / first
    assert not np.allclose(first, second)


def test_disturbing_again_draws_anew(networks: dict[str, SpikingNetwork]) -> None:
    threshold = noise.LIBRARY["threshold"](0.1)
    once = noise.disturb(networks["rate"], threshold, seed=4)
    again = noise.disturb(once, threshold, seed=4)
    together = noise.disturb(networks["rate"], threshold, threshold, seed=4)
    nothing = noise.disturb(networks["rate"], noise.LIBRARY["threshold"](0), threshold, seed=4)
    first, second, both, later = (
        np.asarray(n.population("dense_3").parameters["v_th"])
        for n in (once, again, together, nothing)
    )
    assert not np.allclose(second / first, first)
    np.testing.assert_array_equal(second, both)
    np.testing.assert_allclose(later, both / first)  # the second of its kind is the second


def test_what_is_no_imperfection_is_refused(networks: dict[str, SpikingNetwork]) -> None:
    with pytest.raises(ParameterError, match="Expected imperfections"):
        noise.disturb(networks["rate"], 0.1)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="seed"):
        noise.disturb(networks["rate"], imperfection("threshold"), seed=-1)


def _saved(network: SpikingNetwork, path: Path) -> Path:
    network.save(path)
    return path
