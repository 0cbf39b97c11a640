"""A network file with numbers that have no meaning is refused when it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_graphs import mlp

import bioconv as bc
from bioconv.ground.errors import NetworkFileError
from bioconv.network import SpikingNetwork

Change = Callable[[SpikingNetwork], SpikingNetwork]


@pytest.fixture(scope="module")
def network() -> SpikingNetwork:
    rng = np.random.default_rng(1)
    return bc.convert(mlp(rng), calibration=rng.random((20, 6)), code=bc.codes.RateCode())


def first_population(**values: object) -> Change:
    def changed(network: SpikingNetwork) -> SpikingNetwork:
        first, *others = network.populations
        return network.replace(populations=(replace(first, **values), *others))

    return changed


def parameter(name: str, value: float) -> Change:
    def changed(network: SpikingNetwork) -> SpikingNetwork:
        parameters = {**network.populations[0].parameters, name: value}
        return first_population(parameters=parameters)(network)

    return changed


def heavy(network: SpikingNetwork) -> SpikingNetwork:
    first, *others = network.projections
    operator = first.operator.map_weights(lambda weight: np.full_like(weight, 1e308))
    return network.replace(projections=(replace(first, operator=operator), *others))


def negative_input(network: SpikingNetwork) -> SpikingNetwork:
    return network.replace(inputs=tuple(replace(entry, scale=-1.0) for entry in network.inputs))


WRONG = {
    "threshold of 0": (parameter("v_th", 0.0), "v_th must be above .*, .* Received: 0."),
    "threshold of -1": (parameter("v_th", -1.0), "Received: -1. Otherwise the neurons fire"),
    "scale of -1": (first_population(scale=np.asarray(-1.0)), "scale must be above 0"),
    "scale of 0": (first_population(scale=np.asarray(0.0)), "scale must be above 0"),
    "input's scale of -1": (negative_input, "scale must be above 0, as rates cannot"),
    "weights of 1e308": (heavy, "a weight is 1e.308, and no simulator computes"),
    "current of 1e308": (parameter("i_offset", 1e308), "a weight is 1e.308"),
}


@pytest.mark.parametrize("case", WRONG)
def test_numbers_without_meaning_are_refused(
    case: str, network: SpikingNetwork, tmp_path: Path
) -> None:
    change, message = WRONG[case]
    change(network).save(tmp_path / "net.h5")
    with pytest.raises(NetworkFileError, match=message):
        bc.load(tmp_path / "net.h5")


def test_stuck_neurons_are_meant(network: SpikingNetwork, tmp_path: Path) -> None:
    disturbed = bc.noise.disturb(network, bc.noise.Mismatch("threshold", 3.0), seed=1)
    disturbed.save(tmp_path / "net.h5")
    assert bc.load(tmp_path / "net.h5") is not None
