"""What no target takes, or a particular one does not: the reason, exit code 2, nothing written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from later import later
from sample_networks import spiking_network

import bioconv as bc
from bioconv.cli import main
from bioconv.ground.errors import ConversionError, ExportError, ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons import HodgkinHuxley, LeakyIntegrateAndFire

keras = later("keras")


def leaky(model=None, delay_steps: int = 1) -> SpikingNetwork:
    """Ten neurons of one model excite three leaky ones."""
    network = spiking_network("regular", changes=())
    hidden = Population("conv", (4, 4, 2), model or LeakyIntegrateAndFire(tau_m=10.0).model)
    out = Population("out", (3,), LeakyIntegrateAndFire(tau_m=10.0).model)
    into, onward = network.projections
    receptor = hidden.model.receptors[0].name
    return network.replace(
        populations=(hidden, out),
        projections=(replace(into, receptor=receptor), replace(onward, delay_steps=delay_steps)),
    )


REFUSED = {
    "Hodgkin-Huxley for SpiNNaker": ("spinnaker", leaky(HodgkinHuxley().model), "hodgkin_huxley"),
    "Hodgkin-Huxley for NIR": ("nir", leaky(HodgkinHuxley().model), "hodgkin_huxley"),
    "delays for BrainScaleS-2": ("brainscales2", leaky(delay_steps=4), "4 steps"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason_and_nothing_written(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, network, reason = REFUSED[case]
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    network.save(tmp_path / "in" / "net.h5")
    arguments = ["export", str(tmp_path / "in" / "net.h5"), "--to", target]
    assert main([*arguments, "-o", str(tmp_path / "out" / "net")]) == 2
    message = capsys.readouterr().err
    assert reason in message and bc.targets.exporter(target).target.title in message
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("code", bc.codes.library())
def test_attention_gets_to_no_target_of_neurons_only(code: str, tmp_path: Path) -> None:
    inputs = keras.Input((6, 4))
    seen = keras.layers.MultiHeadAttention(2, 4, name="look")(inputs, inputs)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(seen))
    x = np.random.default_rng(0).random((8, 6, 4))
    model = keras.Model(inputs, outputs)
    if code == "rate":  # which keeps it in an analog stage
        network = bc.convert(model, calibration=x)
        for target in set(bc.targets.TARGETS) - {"brian2", "pynn"}:  # which compute it
            with pytest.raises(ExportError, match=r"look \(analog stage\)"):
                bc.emit(network, tmp_path / target, target)
        return
    with pytest.raises(ConversionError, match=r"look \(MultiHeadAttention\)"):
        bc.convert(model, calibration=x, code=bc.codes.make(code, {}))


def test_a_reset_by_subtraction_is_told_by_its_statement_not_by_the_name() -> None:
    plain = spiking_network(changes=())
    renamed = plain.replace(
        populations=tuple(
            replace(p, model=replace(p.model, name="mine")) for p in plain.populations
        )
    )
    told = [
        {f.part for f in bc.examine(network, "nir").findings if f.aspect == "reset"}
        for network in (plain, renamed)
    ]
    assert told[0] == told[1] == {"conv", "out"}


@pytest.mark.parametrize("target", bc.targets.TARGETS)
def test_what_was_not_converted_is_refused(target: str) -> None:
    with pytest.raises(ParameterError, match="bioconv.convert"):
        bc.examine(spiking_network().analog, target)  # type: ignore[arg-type]


def test_a_model_file_is_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "model.keras")
    out = tmp_path / "net"
    assert main(["export", str(tmp_path / "model.keras"), "--to", "nir", "-o", str(out)]) == 2
    assert "bioconv convert" in capsys.readouterr().err
    assert not out.exists()


def test_unwritable_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not exist"):
        bc.emit(spiking_network(), tmp_path / "missing" / "net", "pynn")
