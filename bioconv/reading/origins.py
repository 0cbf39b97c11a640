"""Whether the classes and functions of a model in memory are Keras's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bioconv.reading.refusal import Refusal

#: packages whose layers and activations are read by their names
_PACKAGES = ("keras", "keras_core", "tf_keras", "tensorflow", "bioconv")
#: attributes of a layer that contain another one
_PARTS = ("layer", "forward_layer", "backward_layer", "cell")
_ACTIVATIONS = ("activation", "recurrent_activation")
#: functions of `keras.ops` whose defaults differ from those of the activation of the same name
_OTHER_DEFAULTS = ("gelu",)


def is_own(item: Any) -> bool:
    """Whether a class or function belongs to Keras (or to `bioconv.keras`)."""
    return str(getattr(item, "__module__", "")).split(".")[0] in _PACKAGES


def check_origin(layer: Any) -> None:
    """Check that a layer, the layers it wraps and their activations are Keras's own.

    A configuration contains only names, by which a class or function of the user that is called
    like one of Keras's would be read as Keras's.

    Parameters
    ----------
    layer : keras.Layer

    Raises
    ------
    Refusal
        If a class or function is the user's own.
    """
    for part in _parts(layer):
        kind = type(part)
        if not is_own(kind):
            raise Refusal(f"it is a custom class of the module {kind.__module__!r}.")
        for key in _ACTIVATIONS:
            value = getattr(part, key, None)
            if callable(value):
                _check_function(key, value if hasattr(value, "__name__") else type(value))


def _check_function(key: str, function: Any) -> None:
    name, module = function.__name__, function.__module__
    if name == "<lambda>":
        return  # its code is in the configuration, and refused as such
    if not is_own(function):
        raise Refusal(
            f"its {key} {name!r} is a custom one of the module {module!r}.",
            "Use one of Keras's activations.",
        )
    if name in _OTHER_DEFAULTS and ".ops." in module:
        raise Refusal(
            f"its {key} is keras.ops.{name}, whose defaults differ from the activation {name!r} "
            "that is stored with the model.",
            f"Use activation={name!r}.",
        )


def _parts(layer: Any) -> Iterator[Any]:
    yield layer
    for key in _PARTS:
        part = getattr(layer, key, None)
        if part is not None and hasattr(part, "get_config"):
            yield from _parts(part)
