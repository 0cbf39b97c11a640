"""The one internal form into which the configuration of every Keras is brought.

`bioconv.reading.upgrade` writes it, `bioconv.reading.build` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioconv.reading.config import Config

#: start of the kind of a function of `keras.ops` or TensorFlow that stands in a model
OPERATION = "op:"


@dataclass(frozen=True)
class TensorRef:
    """Output number ``tensor`` of call number ``node`` of the layer called ``layer``."""

    layer: str
    node: int = 0
    tensor: int = 0


@dataclass(frozen=True)
class Call:
    """One use of a layer: a shared layer has several.

    Parameters
    ----------
    layer : str
    node : int
        Number of the call, counted per layer from 0.
    args : tuple
        Positional arguments, lists flattened: `TensorRef` or plain values.
    kwargs : mapping of str
        Named arguments other than None: `TensorRef` or plain values.
    """

    layer: str
    node: int
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def sources(self) -> tuple[TensorRef, ...]:
        """All tensors among the arguments."""
        values = (*self.args, *self.kwargs.values())
        return tuple(value for value in values if isinstance(value, TensorRef))


@dataclass(frozen=True)
class LayerSpec:
    """One layer in today's names.

    Parameters
    ----------
    name : str
    kind : str
        Class name in Keras 3 (or a name of Keras 1 and 2 for which there is no other).
    config : Config
        Arguments in Keras 3's names, values as the old version meant them.
    refusal : str
        Why the layer cannot be read whatever its class, e.g. a custom class; or "".
    code : bool
        The configuration contains Python code.
    inner : LayerSpec or ModelSpec, optional
        The wrapped layer of a Bidirectional or TimeDistributed.
    class_name : str
        As stored: archives name their groups after it.
    """

    name: str
    kind: str
    config: Config
    refusal: str = ""
    code: bool = False
    inner: LayerSpec | ModelSpec | None = None
    class_name: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """A model: its layers by name (models may nest), their calls, inputs and outputs."""

    name: str
    layers: Mapping[str, LayerSpec | ModelSpec]
    calls: tuple[Call, ...]
    inputs: tuple[TensorRef, ...]
    outputs: tuple[TensorRef, ...]
    class_name: str = "Functional"


@dataclass(frozen=True)
class Era:
    """Which Keras wrote a model: meanings of names and layouts of weights depend on it.

    Parameters
    ----------
    keras : int
        Major version: 1, 2 (also tf.keras) or 3.
    backend : str
        "tensorflow", "theano", "jax", ... or "" where the file does not say.
    """

    keras: int = 3
    backend: str = ""
