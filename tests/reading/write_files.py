"""Write models with the Keras of another environment, and what they compute, to compare with.

``python write_files.py FOLDER`` is run by the Python of that environment, which needs nothing but
Keras and h5py: it writes FOLDER/NAME.h5, NAME.keras, and NAME.npz with the inputs x0, x1, ... and
the outputs y0, y1, ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
#: outputs of a model, and models of a layer
SIZE, EACH = 10, 2


def accepted(options: Mapping[str, Any]) -> bool:
    """TensorFlow has no kernels for images with channels first on CPUs."""
    return options.get("data_format") != "channels_first"


def models() -> Iterator[tuple[str, Any, list[np.ndarray]]]:
    """Yield names, models and samples of all layers that this Keras has."""
    from itertools import islice

    from joins import JOINS, join_models, join_samples
    from keras_models import samples
    from variants import VARIANTS
    from variants import models as variants

    for name in VARIANTS:
        for number, model in enumerate(islice(variants(name, SIZE, accepted), EACH)):
            yield f"{name}_{number}", model, [samples(*VARIANTS[name][0])]
    for name in JOINS:
        for number, model in enumerate(islice(join_models(name, SIZE), EACH)):
            yield f"{name.replace(' ', '_')}_{number}", model, join_samples(name)


def randomize(model: Any, seed: int) -> None:
    """Replace all weights; zeros and ones hide mistakes."""
    random = np.random.default_rng(seed)
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        scale = 1 / np.sqrt(max(np.prod(value.shape[:-1]), 1))
        new = random.normal(0.05, scale, value.shape).astype(value.dtype)
        if "variance" in variable.name or "stddev" in variable.name:
            new = np.abs(new) + np.asarray(0.5, value.dtype)
        values.append(value if "count" in variable.name else new)
    model.set_weights(values)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def write(folder: Path) -> None:
    """Write all models that can be written, and print the name and error of the others."""
    for number, (name, model, x) in enumerate(models()):
        try:
            randomize(model, number)
            found = model.predict(x if len(x) > 1 else x[0], verbose=0)
            for suffix in (".h5", ".keras"):
                model.save(folder / f"{name}{suffix}")
        except Exception as error:  # noqa: BLE001 - the bugs of old versions are theirs
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", flush=True)
            continue
        y = found if isinstance(found, list) else [found]
        arrays = {f"x{k}": v for k, v in enumerate(x)} | {f"y{k}": v for k, v in enumerate(y)}
        np.savez(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    write(Path(sys.argv[1]))
