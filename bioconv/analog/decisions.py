"""Find what the outputs of an analog network decide, from the functions of its output layers.

- Softmax: the class of the largest output, along its axis.
- One output between 0 and 1 (sigmoid): class 1 above 0.5.  One output between -1 and 1 (tanh): its
  sign.  Any other single output: a value.
- Several outputs between 0 and 1: a label for each output, above 0.5.
- Outputs of the shape of an input (autoencoders), and pictures or sequences of other functions:
  values.
- Any other list of outputs: the class of the largest one.

A logit and a value look the same, and so do labels and classes with a sigmoid each.  Hence the
decision can be chosen, where a network is converted or with `SpikingNetwork.with_decision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod

import jax
import numpy as np

from bioconv.analog.base import Function
from bioconv.analog.functions import Elementwise, Linear, LogSoftmax, Softmax
from bioconv.analog.graph import AnalogGraph, Layer, Shape
from bioconv.ground.decisions import LARGEST, Decision, parse_decision
from bioconv.ground.errors import ParameterError
from bioconv.operators import n_synapses

#: a decision, its text, or one of these by output
Choice = Decision | str | Mapping[str, Decision | str] | None

_PROBABILITY, _SIGN = (0.0, 1.0), (-1.0, 1.0)
#: an input of a function at which it has reached its limit, to `_NEAR`
_FAR, _NEAR = 1e9, 1e-6
#: inputs between which a threshold is looked for
_POSITIVE = np.logspace(-6, 6, 241)
_INPUTS = np.concatenate([-_POSITIVE[::-1], [0.0], _POSITIVE])
#: number of halvings of the interval that contains the threshold
_HALVINGS = 100
#: largest output layer of which it is tested whether it only reshapes
_MOST_OUTPUTS = 100_000


def decisions_of(graph: AnalogGraph, chosen: Choice = None) -> dict[str, Decision]:
    """Return the decision of every output of a network.

    Parameters
    ----------
    graph : AnalogGraph
    chosen : Decision or str, or mapping of output names to these, optional
        Decisions to use instead of those that the output functions suggest; as text "largest",
        "threshold:NUMBER" or "value:TOLERANCE".

    Returns
    -------
    dict of str to Decision

    Raises
    ------
    ParameterError
        If a decision is none, or does not fit the output.
    """
    shapes = graph.shapes()
    given = _by_output(chosen, graph.outputs)
    found = {}
    for name in graph.outputs:
        decision = given.get(name)
        if decision is None:
            decision = _suggested(graph, name)
        _check(decision, name, shapes[name], _function(graph, name))
        found[name] = decision
    return found


def decision_of(graph: AnalogGraph) -> Decision:
    """Return the decision of the first output of a network; see `decisions_of`."""
    return decisions_of(graph)[graph.outputs[0]]


def suggest(function: Function, shape: Shape, inputs: Iterable[Shape] = ()) -> Decision:
    """Return the decision that an output function suggests.

    Parameters
    ----------
    function : Function
    shape : tuple of int
        Shape of the output of one sample.
    inputs : iterable of tuple of int
        Shapes of the inputs of the network.
    """
    if isinstance(function, Softmax | LogSoftmax):
        return _along(function.axis, shape)
    single = prod(shape) == 1
    limits = _limits(function)
    if single and limits in (_PROBABILITY, _SIGN):
        return Decision("threshold", threshold=sum(limits) / 2)
    if single or shape in inputs:
        return Decision("value")
    if limits == _PROBABILITY:
        return Decision("threshold", threshold=0.5)
    n_axes = sum(size > 1 for size in shape)
    return LARGEST if n_axes == 1 else Decision("value")


def before_function(decision: Decision, function: Function, shape: Shape) -> Decision:
    """Return the same decision for the values before the output function.

    Parameters
    ----------
    decision : Decision
        Decision on the output.
    function : Function
    shape : tuple of int
        Shape of the output of one sample.

    Raises
    ------
    ParameterError
        If outputs above the threshold do not result from values above another one.
    """
    if decision.kind != "threshold" or isinstance(function, Linear):
        return decision
    above = _values(function, _INPUTS, shape) > decision.threshold
    first = int(np.argmax(above))
    if not above[first] or first == 0 or not above[first:].all():
        raise ParameterError(
            f"the outputs of {type(function).__name__} cannot be decided by a threshold of "
            f"{decision.threshold:g}. Choose a threshold within their range, or decision='largest' "
            "or 'value'."
        )
    low, high = float(_INPUTS[first - 1]), float(_INPUTS[first])
    if _values(function, np.array([low]), shape)[0] == decision.threshold:
        return replace(decision, threshold=low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _values(function, np.array([middle]), shape)[0] > decision.threshold:
            high = middle
        else:
            low = middle
    return replace(decision, threshold=low)


def _by_output(chosen: Choice, outputs: tuple[str, ...]) -> dict[str, Decision]:
    if chosen is None:
        return {}
    if not isinstance(chosen, Mapping):
        chosen = dict.fromkeys(outputs, chosen)
    unknown = [name for name in chosen if name not in outputs]
    if unknown:
        raise ParameterError(
            f"decision: there is no output {', '.join(map(repr, unknown))}. "
            f"Outputs: {', '.join(outputs)}."
        )
    found = {}
    for name, entry in chosen.items():
        if isinstance(entry, str):
            entry = parse_decision(entry)
        if not isinstance(entry, Decision):
            raise ParameterError(
                "decision must be a Decision, 'largest', 'threshold:NUMBER' or 'value:TOLERANCE'. "
                f"Received: {entry!r}."
            )
        found[name] = entry
    return found


def _check(decision: Decision, name: str, shape: Shape, function: Function) -> None:
    if not decision.fits(shape):
        raise ParameterError(
            f"decision of {name}: there is no axis {decision.axis} in outputs of shape {shape}."
        )
    try:
        before_function(decision, function, shape)
    except ParameterError as error:
        raise ParameterError(f"decision of {name}: {error}") from None


def _suggested(graph: AnalogGraph, name: str) -> Decision:
    inputs = tuple(entry.shape for entry in graph.inputs)
    if name in {entry.name for entry in graph.inputs}:
        return Decision("value")
    return suggest(_last_function(graph, name), graph.shapes()[name], inputs)


def _function(graph: AnalogGraph, name: str) -> Function:
    """Return the function of an output; an input that is an output too has none."""
    layers = {layer.name: layer.function for layer in graph.layers}
    return layers.get(name, Linear())


def _last_function(graph: AnalogGraph, name: str) -> Function:
    """Return the function of an output, also if only a reshaping layer follows it."""
    layers = {layer.name: layer for layer in graph.layers}
    if name not in layers:
        return Linear()
    layer = layers[name]
    while (source := _reshaped(layer)) in layers:
        before = layers[source].function
        if not (isinstance(before, Elementwise) and before.pointwise):
            break
        layer = layers[source]
    return layer.function


def _reshaped(layer: Layer) -> str | None:
    """Return the source of a layer whose outputs are those of the source in another shape."""
    if not isinstance(layer.function, Linear) or len(layer.inputs[0].terms) != 1:
        return None
    (term,), bias = layer.inputs[0].terms, layer.inputs[0].bias
    size = term.operator.n_out
    if np.any(bias) or term.operator.n_in != size or size > _MOST_OUTPUTS:
        return None
    if n_synapses(term.operator) != size:
        return None
    edges = term.operator.edges()
    same = np.array_equal(edges.pre, edges.post) and np.all(edges.weight == 1)
    return term.source if same else None


def _along(axis: int | tuple[int, ...], shape: Shape) -> Decision:
    """Return the decision along an axis that is counted as in Keras, with the batch first."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axes) > 1 or len(shape) == 1:
        return LARGEST
    place = axes[0] - 1 if axes[0] > 0 else axes[0] + len(shape)
    return Decision("largest", axis=place)


def _limits(function: Function) -> tuple[float, float] | None:
    """Return the limits of a function of single values for small and for large values."""
    if not (isinstance(function, Elementwise) and function.pointwise):
        return None
    low, high = _values(function, np.array([-_FAR, _FAR]), (1,))
    for limits in (_PROBABILITY, _SIGN):
        if np.allclose((low, high), limits, rtol=0, atol=_NEAR):
            return limits
    return None


def _values(function: Function, inputs: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the largest output of a function for each input to all cells, in float64."""
    rows = inputs.reshape(-1, *[1] * len(shape))
    with jax.enable_x64(True):
        found = np.asarray(function.apply([rows]), np.float64)
    return found.reshape(len(inputs), -1).max(axis=1)
