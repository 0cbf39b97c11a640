"""Import Keras late, with JAX as its computing engine where nothing else was chosen."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any


def import_keras() -> Any:
    """Import Keras, choosing JAX where the user has chosen nothing that can work.

    Keras falls back to TensorFlow, which bioconv does not install. So JAX is the default, but
    never against the environment variable ``KERAS_BACKEND``, a ``keras.json`` that names
    something else, an installed TensorFlow, or a Keras that is already imported.

    Returns
    -------
    module
        The module ``keras``.
    """
    if "keras" not in sys.modules and not _engine_chosen():
        os.environ["KERAS_BACKEND"] = "jax"
    return importlib.import_module("keras")


def keras_home() -> Path:
    """Return the folder in which Keras keeps its configuration and its datasets.

    Returns
    -------
    Path
        The environment variable ``KERAS_HOME``, or ``.keras`` in the user's home.
    """
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()


def _engine_chosen() -> bool:
    """Whether Keras, left alone, would start with an engine that the user has chosen."""
    if "KERAS_BACKEND" in os.environ or importlib.util.find_spec("tensorflow") is not None:
        return True
    # Keras itself writes "tensorflow" into keras.json on its first import: no choice of a user.
    return _configured_engine() not in (None, "tensorflow")


def _configured_engine() -> str | None:
    """Return the engine that Keras's configuration file names, or None."""
    try:
        text = (keras_home() / "keras.json").read_text(encoding="utf-8")
        engine = json.loads(text).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    return str(engine) if engine else None
