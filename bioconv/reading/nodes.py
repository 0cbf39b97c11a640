"""Read the connections of the layers of a model from its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioconv.reading.config import shown
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import Call, TensorRef


def references(value: Any) -> Iterator[TensorRef]:
    """Yield all ``[layer, node, tensor]`` in a list, a list of lists or a mapping of them.

    Keras flattens mappings in the order of their keys.
    """
    ref = _reference(value)
    if ref is not None:
        yield ref
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from references(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references(item)


def _reference(value: Any) -> TensorRef | None:
    if not isinstance(value, list | tuple) or len(value) < 3 or not isinstance(value[0], str):
        return None
    if not all(isinstance(index, int) and 0 <= index < 2**31 for index in value[1:3]):
        return None
    return TensorRef(*value[:3])


def read_call(layer: str, node: int, data: Any) -> Call:
    """Read an inbound node in the form of Keras 3 (a mapping) or of older versions (a list)."""
    if isinstance(data, Mapping) and "args" in data:
        args = tuple(_keras3_values(data.get("args")))
        kwargs = data.get("kwargs") or {}
        if not isinstance(kwargs, Mapping):
            raise Refusal(f"the arguments of layer {shown(layer)} are not a JSON object.")
        named = {key: _single(list(_keras3_values([value]))) for key, value in kwargs.items()}
    else:
        args, named = _old_node(layer, data)
    return Call(layer, node, args, {k: v for k, v in named.items() if v is not None})


def _keras3_values(value: Any) -> Iterator[Any]:
    """Yield tensors and constants among arguments in Keras 3, with lists and dicts flattened."""
    if isinstance(value, Mapping) and value.get("class_name") == "__tuple__":
        value = value.get("items", [])
    if isinstance(value, list | tuple):
        for item in value:
            yield from _keras3_values(item)
    elif isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        history = config.get("keras_history") if isinstance(config, Mapping) else None
        ref = _reference(history)
        if ref is None:
            raise Refusal(f"a tensor has no source: {shown(value)}")
        yield ref
    elif isinstance(value, Mapping) and "class_name" not in value:
        for key in sorted(value):
            yield from _keras3_values(value[key])
    else:
        yield value


def _single(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _old_node(layer: str, data: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read ``[[layer, node, tensor, kwargs], ...]``, one of its entries, or a mapping of them."""
    if isinstance(data, Mapping):
        data = [data[key] for key in sorted(data)]
    if not isinstance(data, list):
        raise Refusal(f"the inputs of layer {shown(layer)} are not a list.")
    tensors = [data] if data and isinstance(data[0], str) else data
    args: list[Any] = []
    named: dict[str, Any] = {}
    for item in tensors:
        if isinstance(item, list) and item[:1] == ["_CONSTANT_VALUE"] and len(item) > 2:
            args.append(item[2])
        else:
            ref = _reference(item)
            if ref is None:
                raise Refusal(f"an input of layer {shown(layer)} is unreadable: {shown(item)}")
            args.append(ref)
        if len(item) > 3 and isinstance(item[3], Mapping):
            named.update({key: _reference(v) or v for key, v in item[3].items()})
    return tuple(args), named
