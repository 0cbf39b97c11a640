"""Lazy import of Keras, with JAX as the backend unless another one was chosen."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any


def import_keras() -> Any:
    """Import Keras with the JAX backend, unless the user has chosen a working backend.

    Keras falls back to TensorFlow, which bioconv does not install. Therefore JAX is the default,
    but it does not override the environment variable ``KERAS_BACKEND``, a ``keras.json`` with
    another backend, an installed TensorFlow, or an already imported Keras.

    Returns
    -------
    module
        The module ``keras``.
    """
    choose_engine()
    return importlib.import_module("keras")


def choose_engine() -> None:
    """Let Keras start with the JAX backend, unless the user has chosen a working backend.

    This imports nothing, so that ``import bioconv`` can do it: ``import keras`` works afterwards.
    """
    if "keras" not in sys.modules and not _engine_chosen():
        os.environ["KERAS_BACKEND"] = "jax"


def keras_home() -> Path:
    """Return the folder in which Keras keeps its configuration and its datasets.

    Returns
    -------
    Path
        The environment variable ``KERAS_HOME``, or ``.keras`` in the user's home.
    """
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()


def _engine_chosen() -> bool:
    """Whether Keras would by itself start with a backend that the user has chosen."""
    if "KERAS_BACKEND" in os.environ or importlib.util.find_spec("tensorflow") is not None:
        return True
    # Keras itself writes "tensorflow" to keras.json on first import, which is not a user's choice.
    return _configured_engine() not in (None, "tensorflow")


def _configured_engine() -> str | None:
    """Return the backend in the configuration file of Keras, or None."""
    try:
        text = (keras_home() / "keras.json").read_text(encoding="utf-8")
        engine = json.loads(text).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    return str(engine) if engine else None
