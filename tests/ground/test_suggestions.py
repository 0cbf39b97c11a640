"""Suggestions for names that are not known, wherever names are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sample_networks import spiking_network

import bioconv as bc
from bioconv import models
from bioconv.cli import main
from bioconv.ground.errors import BioconvError
from bioconv.ground.suggestions import did_you_mean


@pytest.mark.parametrize("name", ["izhikevitch", "IZHIKEVICH", "izhikevich "])
def test_similar_names(name: str) -> None:
    assert did_you_mean(name, ["quartic", "izhikevich"]) == " Did you mean 'izhikevich'?"


@pytest.mark.parametrize("name", ["x", "", None])
def test_names_like_none(name: Any) -> None:
    assert did_you_mean(name, ["quartic", "izhikevich"]) == ""


@pytest.mark.parametrize(
    ("ask", "meant"),
    [
        (lambda: bc.codes.make("few-spikes"), "few_spikes"),
        (lambda: bc.codes.make("rate", {"percentil": 1.0}), "percentile"),
        (lambda: bc.neurons.make("izhikevitch"), "izhikevich"),
        (lambda: bc.neurons.make("lif", {"taum": 1.0}), "tau_m"),
        (lambda: bc.describe_target("spinaker"), "spinnaker"),
        (lambda: bc.noise.profile("dynapse"), "dynap_se"),
        (lambda: models.weights_path("digits_mpl"), "digits_mlp"),
        (lambda: spiking_network().population("cnov"), "conv"),
        (lambda: spiking_network().analog.layer("dens"), "dense"),
    ],
)
def test_every_kind_of_name(ask: Callable[[], Any], meant: str) -> None:
    with pytest.raises(BioconvError, match=rf"Did you mean '{meant}'\?$"):
        ask()


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "frist_spike"]) == 2
    assert capsys.readouterr().err.endswith("Did you mean 'first_spike'?\n")
