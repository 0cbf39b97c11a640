"""Writing small HDF5 files byte for byte as Keras 1.2, Keras 2 and tf.keras laid them out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Weights = Mapping[str, Sequence[tuple[str, np.ndarray]]]


def write(
    path: Path,
    config: Any,
    weights: Weights,
    *,
    version: str | None,
    backend: str | None = None,
) -> Path:
    """One model file.

    ``weights`` maps each layer to pairs of weight name and array; layers without weights have
    an empty list.  Keras 1.0 and 1.1 wrote no version, Keras 1 no backend.
    """
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group("model_weights")
        for target in (file, group):
            if version is not None:
                target.attrs["keras_version"] = version.encode()
            if backend is not None:
                target.attrs["backend"] = backend.encode()
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for layer, arrays in weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [name.encode() for name, _ in arrays]
            for name, array in arrays:
                inner.create_dataset(name, data=array)
    return path


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    """One layer's entry in a Sequential."""
    return {"class_name": class_name, "config": {"trainable": True, **config, "name": name}}


def node(entry: dict[str, Any], *sources: str) -> dict[str, Any]:
    """One layer's entry in a functional model of Keras 1 and 2: its sources by name."""
    inbound = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {**entry, "name": entry["config"]["name"], "inbound_nodes": inbound}


def functional(layers: Sequence[dict[str, Any]], outputs: Sequence[str], class_name: str = "Model"):
    """A functional model's configuration; inputs are the layers without sources."""
    inputs = [entry["name"] for entry in layers if not entry["inbound_nodes"]]
    config = {
        "name": "model_1",
        "layers": list(layers),
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[name, 0, 0] for name in outputs],
    }
    return {"class_name": class_name, "config": config}
