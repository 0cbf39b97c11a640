"""Every picture shows what it should, and the same data give the same bytes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from later import later
from sample_networks import images, recording_of, spiking_network

from bioconv import measures
from bioconv.ground.errors import ParameterError
from bioconv.network import Change
from bioconv.network.recording import Recording
from bioconv.neurons.language import roles

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
    assert answered.all()
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


def test_time_before_the_first_output_is_shaded_and_has_no_line() -> None:
    late = recorded().classes["dense"].copy()
    late[:, :8] = -1
    late[3:, :20] = -1
    recording = replace(recorded(), classes={"dense": late})
    (axes,) = plots.accuracy_over_time(recording, classes(), network=NET).axes
    spiking, answered = axes.lines
    shown = np.asarray(spiking.get_ydata())
    assert np.isnan(shown[:8]).all()
    assert np.isfinite(shown[8:]).all()
    assert np.allclose(answered.get_ydata(), 100 * recording.answered())
    (shade,) = axes.patches
    assert shade.get_label() == "no output before 8 ms"
    assert (shade.get_x(), shade.get_width()) == (0, 8)
    # The band is the interval of Wilson.
    band = axes.collections[0].get_paths()[0].vertices
    low, high = measures.wilson_interval(recording.accuracy(classes()), len(X))
    last = band[band[:, 0] == 40][:, 1]
    assert np.isclose(last.min(), 100 * low)
    assert np.isclose(last.max(), 100 * high)


def test_a_single_checkpoint_does_not_hide_what_came_before() -> None:
    last = {"dense": recorded().classes["dense"][:, -1:]}
    once = replace(recorded(), checkpoints=np.array([40]), classes=last)
    assert not plots.accuracy_over_time(once, classes()).axes[0].patches
    (shade,) = plots.accuracy_over_time(once, classes(), network=NET).axes[0].patches
    assert (shade.get_x(), shade.get_width()) == (0, 1), "outputs are read from step 1 on"
    silent = replace(once, classes={"dense": np.full_like(last["dense"], -1)})
    (shade,) = plots.accuracy_over_time(silent, classes(), network=NET).axes[0].patches
    assert (shade.get_x(), shade.get_width()) == (0, 40)


def test_titles_say_network_and_code_and_panels_have_letters() -> None:
    figure = plots.raster(NET, recorded())
    assert figure.get_suptitle() == "sample, rate code, sample 0"
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["a", "b"]
    (axes,) = plots.accuracy_over_time(recorded(), classes(), network=NET).axes
    assert not axes.texts
    assert axes.figure.get_suptitle() == "sample, rate code"


def test_legends_are_not_over_data() -> None:
    activations = NET.analog.activations(X)
    for figure in (
        plots.accuracy_over_time(recorded(), classes(), analog_accuracy=0.9),
        plots.rate_against_activation(NET, recorded(), activations),
        plots.activation_distributions(NET, activations),
        plots.spikes_and_operations(NET, recorded()),
        plots.membrane_traces(NET, recorded(), "conv"),
        plots.rates_and_intervals(NET, recorded()),
        plots.energy_per_sample(NET, measures.energy_of(measures.work_of(NET, recorded()))),
    ):
        assert all(axes.get_legend() is None for axes in figure.axes)
        (legend,) = figure.legends
        figure.canvas.draw()
        box = legend.get_window_extent()
        assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)
        outside = figure.bbox.padded(1)
        assert outside.contains(box.x0, box.y0)
        assert outside.contains(box.x1, box.y1)


def test_confusion_matrix() -> None:
    y = np.arange(len(X)) % 3
    figure = plots.confusion_matrix(NET, recorded(), y, names=["one", "two", "three"])
    axes = figure.axes[0]
    counts = measures.confusion(NET, recorded(), y)
    assert counts is not None
    written = {
        tuple(map(int, text.get_position()[::-1])): int(text.get_text()) for text in axes.texts
    }
    assert written == {
        (row, column): counts[row, column] for row, column in np.argwhere(counts > 0).tolist()
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two", "three"]
    with pytest.raises(ParameterError, match="expected 3 names"):
        plots.confusion_matrix(NET, recorded(), y, names=["one"])
    with pytest.raises(ParameterError, match="stands for values"):
        plots.confusion_matrix(NET.with_decision("value:0.1"), recorded(), y)


def test_accuracy_by_layer() -> None:
    rows = measures.diagnose(NET, recorded(), X, classes())
    (axes,) = plots.accuracy_by_layer(rows).axes
    agreement, accuracy = axes.lines
    assert list(agreement.get_xdata()) == [100 * row.agreement for row in rows]
    assert list(accuracy.get_xdata()) == [100 * float(row.accuracy or 0) for row in rows]
    assert [label.get_text() for label in axes.get_yticklabels()] == [r.layer for r in rows]


def test_energy_bars() -> None:
    found = measures.energy_of(measures.work_of(NET, recorded()))
    (axes,) = plots.energy_per_sample(NET, found).axes
    spiking, analog = axes.containers
    known = [entry for entry in found if entry.spiking or entry.analog]
    for bars, values in (
        (spiking, [entry.spiking for entry in known]),
        (analog, [entry.analog for entry in known]),
    ):
        widths = [bar.get_width() for bar in bars]
        assert np.allclose(widths, [np.nan if v is None else v for v in values], equal_nan=True)


def test_feature_maps_are_the_decoded_channels() -> None:
    figure = plots.feature_maps(NET, recorded(), "conv", image=2)
    share = measures.decode(NET, recorded(), "conv2d/relu")[2] / 0.8
    for channel in range(2):
        assert np.allclose(figure.axes[channel].images[0].get_array(), share[..., channel])
    with pytest.raises(ParameterError, match=r"out has no channels: its shape is \(3,\)"):
        plots.feature_maps(NET, recorded(), "out")


def test_animation(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    path = plots.animate(NET, recorded(), tmp_path / "a.gif", x=X, image=1, seconds=2)
    with image.open(path) as found:
        assert found.format == "GIF"
        assert 20 <= found.n_frames <= 40
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]
    with pytest.raises(ParameterError, match=r"is a \.gif file"):
        plots.animate(NET, recorded(), tmp_path / "a.png", x=X)
    with pytest.raises(ParameterError, match="spikes"):
        plots.animate(NET, replace(recorded(), rasters={}), tmp_path / "b.gif", x=X)
    for seconds in (0, -1.0, float("nan")):
        with pytest.raises(ParameterError, match="seconds, .* must be above 0"):
            plots.animate(NET, recorded(), tmp_path / "b.gif", x=X, seconds=seconds)
    with pytest.raises(ParameterError, match="the folder '.*none' does not exist"):
        plots.animate(NET, recorded(), tmp_path / "none" / "b.gif", x=X, seconds=1)
    with pytest.raises(ParameterError, match="the folder '.*none' does not exist"):
        plots.save(plots.raster(NET, recorded()), tmp_path / "none" / "b.png")
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("wrong", [12, 60, -1, 1.5])
def test_samples_that_are_not_in_the_recording_are_refused(wrong: Any, tmp_path: Path) -> None:
    draw: list[Callable[[], Any]] = [
        lambda: plots.raster(NET, recorded(), image=wrong),
        lambda: plots.membrane_traces(NET, recorded(), "conv", image=wrong),
        lambda: plots.feature_maps(NET, recorded(), "conv", image=wrong),
        lambda: plots.animate(NET, recorded(), tmp_path / "a.gif", x=X, image=wrong),
    ]
    for drawn in draw:
        with pytest.raises(ParameterError, match="image must be an integer from 0 to 11"):
            drawn()


def test_maps_that_are_left_out_are_stated() -> None:
    samples = importlib.import_module("bioconv.plots.samples")
    conv = NET.population("conv")
    assert samples.channels_text(conv) == "channels of conv"
    wide = replace(conv, shape=(4, 4, 32))
    assert samples.channels_text(wide) == "the first 16 of 32 channels of conv"


def test_a_threshold_that_changes_is_drawn_as_it_changes() -> None:
    name = NET.population("conv").model.role(roles.THRESHOLD)
    assert name
    changes = (Change(5, "conv", name, 2.0), Change(0, "conv", name, 1e9))
    network = NET.replace(changes=(*NET.changes, *changes))
    axes = plots.membrane_traces(network, recorded(), "conv", neurons=[3]).axes[0]
    drawn = np.asarray(axes.lines[1].get_ydata())
    assert np.isnan(drawn[:5]).all(), "held back"
    assert (drawn[5:] == 2.0).all()


def test_potentials_that_jump_are_drawn_for_a_time_in_which_they_can_be_seen() -> None:
    steps = np.arange(400)
    jumping = np.broadcast_to((0.37 * steps % 1)[None, :, None], (12, 400, 32))
    smooth = np.broadcast_to(np.sin(steps / 40)[None, :, None], (12, 400, 32))
    for trace, n_drawn in ((jumping, 150), (smooth, 400)):
        recording = replace(recorded(), n_steps=400, traces={("conv", "v"): trace}, rasters={})
        figure = plots.membrane_traces(NET, recording, "conv", neurons=[0])
        assert len(figure.axes[0].lines[0].get_xdata()) == n_drawn
        assert ("first 150 steps" in figure.get_suptitle()) == (n_drawn == 150)


@pytest.mark.parametrize(
    ("kind", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
)
def test_formats(kind: str, start: bytes, tmp_path: Path) -> None:
    files = [
        plots.save(plots.raster(NET, recorded()), tmp_path / f"{number}.{kind}")
        for number in range(2)
    ]
    assert files[0].read_bytes().startswith(start)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_unknown_formats_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="png, pdf, svg. Received: 'jpg'"):
        plots.save(plots.raster(NET, recorded()), tmp_path / "a.jpg")
    with pytest.raises(ParameterError, match="Received: 'eps'"):
        plots.plot_recording(NET, recorded(), tmp_path / "figures", format="eps")
    assert not list(tmp_path.iterdir())


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
        "confusion",
        "energy",
        "maps_conv",
        "physiology",
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
    found = {file.stem for file in plots.plot_recording(NET, bare, tmp_path)}
    assert found == {"spikes_and_operations", "energy", "physiology"}
    files = plots.plot_recording(NET, bare, tmp_path, x=X)
    assert {"agreement", "activations"} < {file.stem for file in files}


def test_notebooks_show_figures() -> None:
    """Notebooks ask an object for its picture; a figure without pyplot has none by itself."""
    shown = plots.raster(NET, recorded())._repr_png_()
    assert shown.startswith(b"\x89PNG")
    assert shown == plots.raster(NET, recorded())._repr_png_()
