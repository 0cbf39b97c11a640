"""Every picture shows what it should, and the same data give the same bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from later import later
from sample_networks import images, recording_of, spiking_network

from bioconv import measures
from bioconv.ground.errors import ParameterError
from bioconv.network.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

mpl = later("matplotlib")
plots = later("bioconv.plots")

NET = spiking_network()
X = images()


@cache
def recorded() -> Recording:
    return recording_of(NET, X)


@cache
def classes() -> np.ndarray:
    """What the analog network finds."""
    return measures.analog_classes(NET, X)


def labels(figure: Figure) -> set[str]:
    return {text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())}


def test_accuracy_over_time() -> None:
    figure = plots.accuracy_over_time(recorded(), classes(), analog_accuracy=0.9)
    (axes,) = figure.axes
    spiking, analog = axes.lines
    answered = recorded().answered() > 0
    shown = np.asarray(spiking.get_ydata())
    assert np.array_equal(np.isnan(shown), ~answered), "no line without an output"
    shares = 100 * recorded().accuracy_over_time(classes())
    assert np.allclose(shown[answered], shares[answered])
    assert np.allclose(spiking.get_xdata(), recorded().checkpoints * recorded().dt)
    assert set(analog.get_ydata()) == {90.0}
    assert labels(figure) == {"time (ms)", "accuracy (%)"}
    assert "agreement (%)" in labels(
        plots.accuracy_over_time(recorded(), classes(), label="agreement")
    )


def test_raster_shows_every_spike_of_the_image() -> None:
    figure = plots.raster(NET, recorded(), image=2)
    assert [axes.get_title(loc="left").split(":")[0] for axes in figure.axes] == ["conv", "out"]
    for axes, name in zip(figure.axes, ("conv", "out"), strict=True):
        points = axes.collections[0].get_offsets()
        raster = recorded().rasters[name]
        assert len(points) == np.sum(raster.image == 2)
        assert np.allclose(points[:, 0], raster.step[raster.image == 2] + 1)
    with pytest.raises(ParameterError, match="spikes"):
        plots.raster(NET, replace(recorded(), rasters={}))


def test_rates_against_activations() -> None:
    figure = plots.rate_against_activation(NET, recorded(), NET.analog.activations(X))
    assert labels(figure) == {"activation / scale", "rate (Hz)"}
    assert [axes.get_title() for axes in figure.axes] == ["conv", "out"]
    assert figure.axes[0].collections[0].get_array().sum() > 0
    with pytest.raises(ParameterError, match="counts"):
        plots.rate_against_activation(
            NET, replace(recorded(), counts={}), NET.analog.activations(X)
        )


def test_distributions_mark_the_scale() -> None:
    figure = plots.activation_distributions(NET, NET.analog.activations(X))
    assert [line.get_xdata()[0] for line in figure.axes[0].lines] == [0.8]
    n_drawn = sum(patch.get_height() for patch in figure.axes[0].patches)
    assert n_drawn == len(X) * 32


def test_traces() -> None:
    figure = plots.membrane_traces(NET, recorded(), "conv", image=1, neurons=[3, 5])
    assert len(figure.axes) == 2
    trace, threshold, *_ = figure.axes[0].lines
    assert np.array_equal(trace.get_ydata(), recorded().traces["conv", "v"][1, :, 3])
    assert set(threshold.get_ydata()) == {1.0}
    assert "v (mV)" in labels(figure)
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    with pytest.raises(ParameterError, match="v of 'out' was not recorded"):
        plots.membrane_traces(NET, recorded(), "out")


def test_spikes_and_operations() -> None:
    left, right = plots.spikes_and_operations(NET, recorded()).axes
    assert [bar.get_width() for bar in left.patches] == pytest.approx(
        [recorded().spikes_per_image[name].mean() for name in ("conv", "out")]
    )
    operations = measures.synaptic_operations(NET, recorded(), by="post")
    assert [bar.get_width() for bar in right.patches] == pytest.approx(list(operations.values()))
    assert right.lines[0].get_xdata().tolist() == [288, 96]


def test_everything_on_disk_the_same_twice(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    files = [
        plots.plot_recording(
            NET, recorded(), tmp_path / folder, x=X, y=classes(), analog_accuracy=1.0
        )
        for folder in ("a", "b")
    ]
    names = {file.stem for file in files[0]}
    assert names == {
        "accuracy",
        "activations",
        "raster",
        "rates",
        "spikes_and_operations",
        "trace_conv_v",
    }
    for first, second in zip(*files, strict=True):
        assert first.read_bytes().startswith(b"\x89PNG")
        assert first.read_bytes() == second.read_bytes()
    assert dict(mpl.rcParams) == before


def test_what_was_not_recorded_is_left_out(tmp_path: Path) -> None:
    bare = replace(recorded(), counts={}, rasters={}, traces={})
    assert [file.stem for file in plots.plot_recording(NET, bare, tmp_path)] == [
        "spikes_and_operations"
    ]
    files = plots.plot_recording(NET, bare, tmp_path, x=X)
    assert {"agreement", "activations"} < {file.stem for file in files}
