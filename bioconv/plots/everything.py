"""All plots of one recording."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.detection import MeanAveragePrecision
from bioconv.measures import (
    analog_classes,
    analog_metric,
    energy_of,
    first_decision,
    metric_over_time,
    work_of,
)
from bioconv.measures.metrics import Metric, name_of, resolved
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.accuracy import accuracy_over_time, confusion_matrix
from bioconv.plots.costs import energy_per_sample, rates_and_intervals
from bioconv.plots.detection import detections
from bioconv.plots.detection import metric_over_time as plot_metric
from bioconv.plots.layers import (
    activation_distributions,
    carried_populations,
    rate_against_activation,
    spikes_and_operations,
)
from bioconv.plots.neurons import membrane_traces, raster
from bioconv.plots.samples import feature_maps
from bioconv.plots.style import check_format, save


def plot_recording(
    network: SpikingNetwork,
    recording: Recording,
    folder: str | Path,
    *,
    x: NDArray | None = None,
    y: NDArray | None = None,
    analog_accuracy: float | None = None,
    format: str = "png",
    metric: Metric | None = None,
) -> list[Path]:
    """Make all plots for which the recording contains the data.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
    folder : str or Path
        Created if it does not exist.
    x : ndarray, shape (n_images, *shape), optional
        The samples that were simulated.  They are required for comparisons with analog
        activations.
    y : ndarray of int, shape (n_images,), optional
        Labels.  Without them, the agreement with the analog network is drawn if ``x`` is given.
    analog_accuracy : float, optional
    format : {"png", "pdf", "svg"}
    metric : function, `keras.metrics.Metric` or str, optional
        Drawn over time in place of the accuracy; with mean average precision also the boxes of a
        few pictures.  It requires ``y``.

    Returns
    -------
    list of Path

    Raises
    ------
    ParameterError
        If the format is none of these.
    """
    check_format(format)
    figures = {"spikes_and_operations": spikes_and_operations(network, recording)}
    figures["energy"] = energy_per_sample(network, energy_of(work_of(network, recording)))
    if metric is not None and y is not None:
        figures |= _of_metric(network, recording, x, y, metric)
    elif y is not None:
        figures["accuracy"] = accuracy_over_time(
            recording, y, analog_accuracy=analog_accuracy, network=network
        )
        if first_decision(network).of_classes:
            figures["confusion"] = confusion_matrix(network, recording, y)
    elif x is not None:
        classes = analog_classes(network, x)
        figures["agreement"] = accuracy_over_time(
            recording, classes, label="agreement", network=network
        )
    if any(spikes.any() for spikes in recording.spikes_per_neuron.values()):
        figures["physiology"] = rates_and_intervals(network, recording)
    if recording.rasters:
        figures["raster"] = raster(network, recording)
    for population, variable in recording.traces:
        figures[f"trace_{population}_{variable}"] = membrane_traces(
            network, recording, population, variable=variable
        )
    if x is not None:
        activations = network.analog.activations(x)
        if any(p.layer in activations for p in network.populations):
            figures["activations"] = activation_distributions(network, activations)
        carried = carried_populations(network, recording, activations)
        if carried:
            figures["rates"] = rate_against_activation(network, recording, activations)
        for item in carried:
            if len(item.shape) == 3:
                figures[f"maps_{item.name}"] = feature_maps(network, recording, item.name)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [save(figure, folder / f"{name}.{format}") for name, figure in figures.items()]


def _of_metric(
    network: SpikingNetwork, recording: Recording, x: NDArray | None, y: NDArray, metric: Metric
) -> dict[str, Figure]:
    """Return the plots of a metric, and of boxes if it is one of boxes."""
    values = metric_over_time(network, recording, y, metric)
    analog = None if x is None else analog_metric(network, x, y, metric)
    label = name_of(metric)
    figures = {
        "metric": plot_metric(recording, values, analog=analog, label=label, network=network)
    }
    meaning = resolved(metric)
    if x is not None and isinstance(meaning, MeanAveragePrecision):
        figures["detections"] = detections(network, recording, x, y=y, metric=meaning)
    return figures
