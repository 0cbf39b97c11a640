"""All plots of one recording."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from bioconv.measures import analog_classes
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.layers import (
    accuracy_over_time,
    activation_distributions,
    carried_populations,
    rate_against_activation,
    spikes_and_operations,
)
from bioconv.plots.neurons import membrane_traces, raster
from bioconv.plots.style import save


def plot_recording(
    network: SpikingNetwork,
    recording: Recording,
    folder: str | Path,
    *,
    x: NDArray | None = None,
    y: NDArray | None = None,
    analog_accuracy: float | None = None,
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

    Returns
    -------
    list of Path
        The PNG files.
    """
    figures = {"spikes_and_operations": spikes_and_operations(network, recording)}
    if y is not None:
        figures["accuracy"] = accuracy_over_time(recording, y, analog_accuracy=analog_accuracy)
    elif x is not None:
        classes = analog_classes(network, x)
        figures["agreement"] = accuracy_over_time(recording, classes, label="agreement")
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
        if carried_populations(network, recording, activations):
            figures["rates"] = rate_against_activation(network, recording, activations)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [save(figure, folder / f"{name}.png") for name, figure in figures.items()]
