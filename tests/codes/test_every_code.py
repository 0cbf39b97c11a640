"""What holds for every code: it converts, runs, is decoded, drawn, saved, and refuses alike."""

from __future__ import annotations

from pathlib import Path

import digits
import numpy as np
import pytest
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv import codes
from bioconv.analog.functions import FICurve, Linear
from bioconv.ground.errors import ConversionError, DataError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import identity


@pytest.fixture(scope="module", params=codes.converting())
def network(request: pytest.FixtureRequest) -> SpikingNetwork:
    return bc.convert(
        digits.mlp(), calibration=digits.train()[:200], code=codes.make(request.param)
    )


def _recorded(network: SpikingNetwork) -> Recording:
    record = {p.name: (p.decoded_from,) for p in network.populations}
    return bc.simulate(network, digits.test(20), record=record, progress=False)


def test_runs_and_is_decoded(network: SpikingNetwork) -> None:
    recording = _recorded(network)
    assert recording.agreement(digits.mlp().predict(digits.test(20)).argmax(axis=-1)) >= 0.9
    rows = bc.diagnose(network, recording, digits.test(20), digits.labels(20))
    assert {row.layer for row in rows} == {layer.name for layer in digits.mlp().layers}
    assert all(row.correlation is not None and row.correlation > 0.8 for row in rows)


@pytest.mark.slow
def test_its_recording_is_drawn(network: SpikingNetwork, tmp_path: Path) -> None:
    files = bc.plots.plot_recording(
        network, _recorded(network), tmp_path, x=digits.test(20), y=digits.labels(20)
    )
    assert {"activations.png", "rates.png"} <= {file.name for file in files}


def test_files_give_back_the_same_network_byte_by_byte(
    network: SpikingNetwork, tmp_path: Path
) -> None:
    again = bc.convert(
        digits.mlp(), calibration=digits.train()[:200], code=codes.make(_name(network))
    )
    paths = [tmp_path / name for name in ("one.h5", "two.h5", "three.h5")]
    for entry, path in zip(
        (network, again, bc.load(_saved(network, paths[2]))), paths, strict=True
    ):
        entry.save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes() == paths[2].read_bytes()


def test_every_neuron_of_its_network_says_what_to_cite(network: SpikingNetwork) -> None:
    assert all("@" in population.model.citation() for population in network.populations)


def test_bad_calibration_data_are_refused(network: SpikingNetwork) -> None:
    code = codes.make(_name(network))
    for bad in (
        digits.train()[:0],
        digits.train()[:5, :3],
        np.full_like(digits.train()[:5], np.nan),
    ):
        with pytest.raises(DataError, match="calibration data"):
            bc.convert(digits.mlp(), calibration=bad, code=code)


@pytest.mark.parametrize("name", sorted({*codes.converting()} - {"rate"}))
def test_neurons_that_do_not_suit_are_refused(name: str) -> None:
    neuron = bc.neurons.make("izhikevich")
    with pytest.raises(ConversionError, match="has its own neuron"):
        bc.convert(
            digits.mlp(), calibration=digits.train()[:200], code=codes.make(name), neuron=neuron
        )


@pytest.mark.parametrize("name", sorted({*codes.converting()} - {"rate"}))
def test_only_rates_are_curves_of_neurons(name: str) -> None:
    curve = FICurve(np.ones(2), np.ones(2), np.ones(()), 0, 1, 0, 1, 1000, 1, 0, 0, "x")
    hidden = layer("a", curve, affine(("x", identity((4,)))))
    measured = graph(hidden, layer("out", Linear(), affine(("a", identity((4,))))), shape=(4,))
    with pytest.raises(ConversionError, match="FICurve"):
        bc.convert(measured, calibration=np.eye(4), code=codes.make(name))


def _name(network: SpikingNetwork) -> str:
    """Name of the code, variants included."""
    dynamic = network.code.get("threshold") == "dynamic"
    return f"{network.code['code']}{'_dynamic' if dynamic else ''}"


def _saved(network: SpikingNetwork, path: Path) -> Path:
    network.save(path)
    return path
