"""Demonstration of the complete workflow with digits, a small network and two simulators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bioconv.codes import RateCode
from bioconv.conversion import convert
from bioconv.data import load_data
from bioconv.network.storage import save_network
from bioconv.plots import plot_recording
from bioconv.reports.networks import summarize
from bioconv.simulators import simulate


def demo(
    folder: str | Path = "bioconv-demo",
    *,
    model: str = "digits_cnn",
    n_images: int = 100,
    n_brian2_images: int = 10,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Any]:
    """Convert a digits network and simulate it with the array simulator and with Brian2.

    Parameters
    ----------
    folder : str or Path
        Folder for the network, the recordings and the pictures.
    model : str
        Name of a network in ``models`` that was trained on the digits.
    n_images, n_brian2_images : int
        Number of test images for the array simulator and for Brian2.
    seed : int
    progress : bool
        Whether to show progress, as `bioconv.simulate` does.

    Returns
    -------
    dict
        ``array`` and ``brian2``: the summaries of `bioconv.summarize`; ``same_classes``: whether
        the simulators agree on all classes; ``files``: the files that were written.
    """
    from bioconv.models import weights_path

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    calibration, _ = load_data("digits", split="train")
    x, y = load_data("digits", n_images=n_images)
    network = convert(
        weights_path(model),
        calibration=calibration,
        code=RateCode(),
        seed=seed,
        name=model,
        progress=progress,
    )
    save_network(network, folder / f"{model}.h5")
    files = [folder / f"{model}.h5"]

    first = network.populations[0]
    record: dict[str, tuple[str, ...]] = {
        population.name: ("counts", "spikes") for population in network.populations
    }
    record[first.name] = ("counts", "spikes", first.model.potential)
    array = simulate(network, x, record=record, seed=seed, progress=progress)
    brian2 = simulate(
        network, x[:n_brian2_images], simulator="brian2", seed=seed, progress=progress
    )
    for recording in (array, brian2):
        recording.save(folder / f"{recording.simulator}.h5")
        files.append(folder / f"{recording.simulator}.h5")
    summary = summarize(network, array, x, y)
    files += plot_recording(
        network, array, folder, y=y, x=x, analog_accuracy=summary["analog_accuracy"]
    )
    readout = network.readouts[0].name
    same = (array.classes[readout][:n_brian2_images, -1] == brian2.classes[readout][:, -1]).all()
    return {
        "array": summary,
        "brian2": summarize(
            network, brian2, x[:n_brian2_images], None if y is None else y[:n_brian2_images]
        ),
        "same_classes": bool(same),
        "files": [str(file) for file in files],
    }
