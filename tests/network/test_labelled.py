"""Recordings as datasets with named axes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network

from bioconv.ground.errors import SimulatorMissingError

NET = spiking_network()
RECORDING = recording_of(NET, images(5))


def test_axes_times_and_units() -> None:
    pytest.importorskip("xarray")
    found = RECORDING.to_xarray(NET)
    assert found["dense decision"].dims == ("sample", "time")
    last = found["dense decision"].sel(time=RECORDING.n_steps * RECORDING.dt)
    assert last.values.tolist() == RECORDING.predictions().tolist()
    assert found["time"].attrs == {"units": "ms"}
    for name, spikes in RECORDING.spikes_per_image.items():
        assert found[f"{name} spikes"].values.tolist() == spikes.tolist()
    for (name, variable), trace in RECORDING.traces.items():
        here = found[f"{name} {variable}"]
        assert here.dims == ("sample", "step_time", f"{name} neuron")
        state = NET.population(name).model.state(variable)
        assert here.attrs == {"units": state.unit}
        assert np.array_equal(here.sel(step_time=3 * RECORDING.dt), trace[:, 2])
    assert RECORDING.traces


def test_without_xarray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(SimulatorMissingError, match=r"pip install 'bioconv\[xarray\]'"):
        RECORDING.to_xarray()
