"""The internal form to which the configurations of all versions of Keras are converted.

It is written by `bioconv.reading.upgrade` and read by `bioconv.reading.build`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioconv.reading.config import Config

#: prefix of the kind of a function of `keras.ops` or TensorFlow that is part of a model
OPERATION = "op:"


@dataclass(frozen=True)
class TensorRef:
    """Output number ``tensor`` of call number ``node`` of the layer ``layer``."""

    layer: str
    node: int = 0
    tensor: int = 0


@dataclass(frozen=True)
class Call:
    """A call of a layer, of which a shared layer has several.

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
    """A layer with the names of Keras 3.

    Parameters
    ----------
    name : str
    kind : str
        Class name in Keras 3, or in Keras 1 and 2 if Keras 3 has no such class.
    config : Config
        Arguments with the names of Keras 3, whose values have the meaning of the old version.
    refusal : str
        Reason why the layer cannot be read regardless of its reader, for example that it is a
        custom class; else "".
    code : bool
        Whether the configuration contains Python code.
    inner : LayerSpec or ModelSpec, optional
        The wrapped layer of a Bidirectional or TimeDistributed.
    class_name : str
        The stored class name, from which the names of groups in archives are derived.
    shared : int, optional
        Number that all entries of an archive for one and the same layer have.
    """

    name: str
    kind: str
    config: Config
    refusal: str = ""
    code: bool = False
    inner: LayerSpec | ModelSpec | None = None
    class_name: str = ""
    shared: int | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A model of layers by name (which may be models), their calls, inputs and outputs.

    Parameters
    ----------
    name : str
    layers : mapping of str to LayerSpec or ModelSpec
    calls : tuple of Call
    inputs, outputs : tuple of TensorRef
    class_name : str
        The stored class name.
    trainable : bool
        False for a frozen model, even if some of its layers are trainable again.
    shared : int, optional
        As in `LayerSpec`.
    """

    name: str
    layers: Mapping[str, LayerSpec | ModelSpec]
    calls: tuple[Call, ...]
    inputs: tuple[TensorRef, ...]
    outputs: tuple[TensorRef, ...]
    class_name: str = "Functional"
    trainable: bool = True
    shared: int | None = None


@dataclass(frozen=True)
class Era:
    """The Keras that wrote a model, on which meanings of names and layouts of weights depend.

    Parameters
    ----------
    keras : int
        Major version: 1, 2 (also tf.keras) or 3.
    backend : str
        "tensorflow", "theano", "jax", ..., or "" if the file does not contain it.
    """

    keras: int = 3
    backend: str = ""
