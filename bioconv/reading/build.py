"""Build the analog graph of a model specification, and report all problems together."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from bioconv.analog import AnalogGraph, GraphInput, Layer
from bioconv.analog.functions import Linear
from bioconv.ground.errors import NetworkFileError, Problem, ReadError, UnsafeModelError
from bioconv.reading.arguments import check_arguments
from bioconv.reading.config import Config, shown
from bioconv.reading.context import Context, LayerNames
from bioconv.reading.layers import (
    ATTENTION,
    AUGMENTATION,
    READERS,
    alternatives,
    check_activations,
)
from bioconv.reading.masks import carried_mask, check_mask, with_explicit_mask
from bioconv.reading.refusal import Refusal, UnsafeCode
from bioconv.reading.sizes import most_values
from bioconv.reading.spec import OPERATION, Call, Era, LayerSpec, ModelSpec, TensorRef
from bioconv.reading.tensors import Tensor, checked, joined, origin, source
from bioconv.reading.weights import Named, Weights

_T = TypeVar("_T")
#: exceptions of readers, operators or JAX for settings that Keras does not write
_NONSENSE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def build(
    model: ModelSpec,
    weights: Weights,
    era: Era,
    label: str,
    name: str | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> AnalogGraph:
    """Build the analog graph of a model.

    Parameters
    ----------
    model : ModelSpec
    weights : Weights
    era : Era
    label : str
        File or model name for messages.
    name : str, optional
        Name of the graph; by default that of the model.
    shapes : mapping of str to tuple of int, optional
        Shape of one sample of each input whose size is free.

    Returns
    -------
    AnalogGraph

    Raises
    ------
    ReadError
        If layers cannot be read, with one `Problem` for each.
    UnsafeModelError
        If a layer contains Python code.
    """
    builder = _Builder(era)
    inputs = builder.inputs(model, shapes or {})
    outputs = builder.model(model, weights, list(inputs.values()), "")
    layers, names = builder.outputs(outputs)
    if builder.problems:
        raise _error(label, builder.problems, builder.unsafe)
    graph_inputs = tuple(
        GraphInput(key, tensor.shape) for key, tensor in inputs.items() if tensor is not None
    )
    return AnalogGraph(name or model.name, graph_inputs, layers, names)


def _error(label: str, problems: Sequence[Problem], unsafe: bool) -> ReadError:
    if unsafe:
        headline = f"{label}: the model contains Python code, which bioconv never runs."
        return UnsafeModelError(headline, problems)
    n = len(problems)
    return ReadError(f"{label}: {n} {'layer' if n == 1 else 'layers'} cannot be read.", problems)


class _Builder:
    """The graph and the problems found so far."""

    def __init__(self, era: Era) -> None:
        self._era = era
        self.problems: list[Problem] = []
        self.unsafe = False
        self._names = LayerNames()
        self._layers: list[Layer] = []

    def inputs(
        self, model: ModelSpec, shapes: Mapping[str, tuple[int, ...]]
    ) -> dict[str, Tensor | None]:
        """Return the inputs of a model, with None for those whose shape is not known."""
        found: dict[str, Tensor | None] = {}
        for ref in model.inputs:
            spec = model.layers.get(ref.layer)
            name = self._names.new(ref.layer)
            found[name] = self._guarded(
                ref.layer, spec, partial(_input, spec, name, shapes.get(ref.layer))
            )
        return found

    def model(
        self, model: ModelSpec, weights: Weights, inputs: Sequence[Tensor | None], prefix: str
    ) -> list[Tensor | None]:
        """Return the outputs of a model, with None for those that depend on unreadable layers."""
        if len(inputs) != len(model.inputs):
            raise Refusal(f"it takes {len(model.inputs)} inputs. Received: {len(inputs)}.")
        given = dict(zip(model.inputs, inputs, strict=True))
        readable = self._readable(model, prefix)
        stored: dict[str, Named | None] = {}
        values: dict[TensorRef, Tensor | None] = {}
        for call in _in_order(model):
            spec = model.layers[call.layer]
            own = TensorRef(call.layer, call.node)
            if own in given:
                values[own] = given[own]
                continue
            if isinstance(spec, LayerSpec) and call.layer in readable - stored.keys():
                known = [values.get(ref) for ref in call.sources]
                shapes = [tensor.shape for tensor in known if tensor is not None]
                if len(shapes) == len(known):
                    work = partial(_weights_of, spec, weights, shapes)
                    stored[call.layer] = self._guarded(prefix + call.layer, spec, work)
            results = self._call(spec, call, stored.get(call.layer), weights, values, prefix)
            for place, result in enumerate(results):
                values[TensorRef(call.layer, call.node, place)] = result
        for ref in model.outputs:
            self._guarded(
                prefix + ref.layer, model.layers[ref.layer], partial(_exists, values, ref)
            )
        return [values.get(ref) for ref in model.outputs]

    def _readable(self, model: ModelSpec, prefix: str) -> set[str]:
        """Return the layers whose configuration can be read, and report the others."""
        found = set()
        for name, spec in model.layers.items():
            if not isinstance(spec, LayerSpec) or spec.kind == "InputLayer":
                continue
            if self._guarded(prefix + name, spec, partial(_checked_layer, spec)):
                found.add(name)
        return found

    def _call(
        self,
        spec: LayerSpec | ModelSpec,
        call: Call,
        stored: Named | None,
        weights: Weights,
        values: Mapping[TensorRef, Tensor | None],
        prefix: str,
    ) -> list[Tensor | None]:
        times = f":{call.node + 1}" if call.node else ""
        name = f"{prefix}{call.layer}{times}"

        def value(item: Any) -> Any:
            return values.get(item) if isinstance(item, TensorRef) else item

        args = [value(item) for item in call.args]
        kwargs = {key: value(item) for key, item in call.kwargs.items()}
        for ref in call.sources:
            self._guarded(name, spec, partial(_exists, values, ref))
        if isinstance(spec, ModelSpec):
            inner = self._guarded(name, spec, lambda: weights.inner(spec))
            if inner is None:
                return [None] * len(spec.outputs)
            read = self._guarded(name, spec, lambda: self.model(spec, inner, args, f"{name}/"))
            return read if read is not None else [None] * len(spec.outputs)
        if isinstance(spec, LayerSpec) and spec.kind == "InputLayer":
            reason = "it is not one of the inputs of its model."
            self._guarded(name, spec, partial(_refuse, reason))
        if stored is None or any(values.get(ref) is None for ref in call.sources):
            return [None]
        context = Context(name, spec, stored, args, kwargs, self._names, self._layers, self._era)
        return [self._guarded(name, spec, lambda: _read(context))]

    def _guarded(
        self, name: str, spec: LayerSpec | ModelSpec | None, work: Callable[[], _T]
    ) -> _T | None:
        """Return the result of ``work``, or record a problem and return None if it fails."""
        what = getattr(spec, "class_name", "") or getattr(spec, "kind", "layer")
        try:
            return work()
        except NetworkFileError:  # the file is damaged, whatever else is wrong with the layers
            raise
        except Refusal as refusal:
            self.unsafe |= isinstance(refusal, UnsafeCode)
            problem = Problem(name, what, refusal.reason, refusal.advice)
        except MemoryError:
            problem = Problem(name, what, "it requires more memory than is available.")
        except _NONSENSE as error:
            reason = "its configuration, weights and input are inconsistent"
            first = (str(error).splitlines() or [""])[0]
            problem = Problem(name, what, f"{reason} ({type(error).__name__}: {first[:200]}).")
        if problem not in self.problems:
            self.problems.append(problem)
        return None

    def outputs(
        self, tensors: Sequence[Tensor | None]
    ) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
        """Return all layers on which the outputs depend, and the names of the outputs."""
        names: list[str] = []
        for tensor in tensors:
            if tensor is not None:
                name = self._output(tensor)
                names.append(self._repeated(name, tensor) if name in names else name)
        needed = set(names)
        kept = []
        for layer in reversed(self._layers):
            if layer.name in needed:
                kept.append(layer)
                needed.update(layer.sources)
        return tuple(reversed(kept)), tuple(names)

    def _output(self, tensor: Tensor) -> str:
        """Return the name of the tensor's layer, after adding a linear layer if there is none."""
        name = origin(tensor)
        if name is not None and any(layer.name == name for layer in self._layers):
            return name
        for layer in self._layers:
            if isinstance(layer.function, Linear) and layer.inputs[0] is tensor.affine:
                return layer.name
        return self._linear(tensor.members[-1] if tensor.members else "output", tensor)

    def _repeated(self, name: str, tensor: Tensor) -> str:
        """Return the name of another layer for a tensor that is an output more than once."""
        return self._linear(name, source(name, tensor.shape))

    def _linear(self, wanted: str, tensor: Tensor) -> str:
        name = self._names.new(wanted)
        members = tensor.members or (name,)
        self._layers.append(Layer(name, Linear(), (tensor.affine,), tensor.shape, members))
        return name


def _exists(values: Mapping[TensorRef, Tensor | None], ref: TensorRef) -> None:
    if ref not in values:
        raise Refusal(f"output {ref.tensor} of {shown(ref.layer)} is used, but is not supported.")


def _refuse(reason: str) -> None:
    raise Refusal(reason)


def _input(spec: LayerSpec | ModelSpec | None, name: str, given: tuple[int, ...] | None) -> Tensor:
    if not isinstance(spec, LayerSpec):
        raise Refusal("the model's input is not an input layer.")
    check_arguments(spec)
    shape = input_shape(spec.config)
    if given is not None:
        if len(given) != len(shape) or any(
            n is not None and n != size for n, size in zip(shape, given, strict=True)
        ):
            raise Refusal(f"its shape is {shown(shape)}, which {shown(given)} does not fit.")
        shape = given
    if None in shape:
        raise Refusal(
            f"its shape {shown(shape)} is not fixed.",
            "Give the size of the samples, as in bioconv.read(model, input_shape=(28, 28, 1)) or "
            "--input-shape 28 28 1, or build the model for one: keras.Input((28, 28, 1)).",
        )
    return source(name, checked([size for size in shape if size is not None]))


def input_shape(config: Config) -> tuple[int | None, ...]:
    """Return the shape of one sample, in which None is a free size."""
    batch = config.get("batch_shape") or config.get("batch_input_shape")
    shape = batch[1:] if isinstance(batch, list | tuple) and batch else config.get("shape")
    if not isinstance(shape, list | tuple):
        raise Refusal(f"its shape is missing. Received: {shown(batch)}.")
    if any(isinstance(n, bool) or not isinstance(n, int | None) for n in shape):
        raise Refusal(f"its shape {shown(tuple(shape))} does not consist of integers.")
    return tuple(shape)


def _checked_layer(spec: LayerSpec) -> bool:
    """Refuse a layer without a reader, or with arguments that are not known."""
    if spec.code:
        raise UnsafeCode(spec.refusal, "Replace it by a layer of Keras, e.g. Rescaling or ReLU.")
    if spec.refusal:
        raise Refusal(spec.refusal)
    if spec.kind not in READERS:
        raise Refusal("there is no reader for this class.", alternatives(spec.kind))
    check_arguments(spec)
    check_activations(spec)
    return True


def _weights_of(spec: LayerSpec, weights: Weights, shapes: Sequence[tuple[int, ...]]) -> Named:
    """Return the weights of a layer whose inputs have these shapes."""
    return weights.layer(spec, most_values(spec, shapes))


def _read(context: Context) -> Tensor:
    """Read one call of a layer, and propagate its mask."""
    context = with_explicit_mask(context)
    _check_arguments(context)
    check_mask(context)
    result = joined(READERS[context.spec.kind](context), context.name)
    return carried_mask(context, result)


def _check_arguments(context: Context) -> None:
    """Refuse calls with named arguments that change the result."""
    allowed = {"training", "name"}
    if context.spec.kind in ATTENTION:
        allowed |= {"query", "value", "key", "use_causal_mask"}
    if context.spec.kind.startswith(OPERATION):
        allowed |= {"x1", "x2", "y"}
    given = {key for key, value in context.kwargs.items() if value is not False}
    unknown = sorted(given - allowed)
    if unknown:
        raise Refusal(f"it is called with {shown(unknown)}, which is not supported.")
    # Keras 3 writes training=True for an augmentation layer, which still does nothing in predict.
    if context.kwargs.get("training") and context.spec.kind not in AUGMENTATION:
        raise Refusal("it is called with training=True.", "Build the model without it.")


def _in_order(model: ModelSpec) -> list[Call]:
    """Return the calls in topological order, which is otherwise that of the file.

    Raises
    ------
    Refusal
        If a tensor has no source, or if the calls form a cycle.
    """
    index = {(call.layer, call.node): place for place, call in enumerate(model.calls)}
    waiting = [0] * len(model.calls)
    followers: list[list[int]] = [[] for _ in model.calls]
    for place, call in enumerate(model.calls):
        for ref in call.sources:
            before = index.get((ref.layer, ref.node))
            if before is None:
                raise Refusal(f"layer {shown(call.layer)} uses a tensor that no layer returns.")
            waiting[place] += 1
            followers[before].append(place)
    for ref in (*model.inputs, *model.outputs):
        if (ref.layer, ref.node) not in index:
            raise Refusal(f"its input or output {shown(ref.layer)} is not one of its layers.")
    ready = [place for place, n in enumerate(waiting) if n == 0]
    order: list[Call] = []
    while ready:
        place = heapq.heappop(ready)
        order.append(model.calls[place])
        for after in followers[place]:
            waiting[after] -= 1
            if waiting[after] == 0:
                heapq.heappush(ready, after)
    if len(order) != len(model.calls):
        stuck = [call.layer for call, n in zip(model.calls, waiting, strict=True) if n][:5]
        raise Refusal(f"its layers form a cycle: {', '.join(stuck)}.")
    return order
