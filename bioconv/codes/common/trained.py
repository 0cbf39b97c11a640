"""What codes have in common whose networks are trained from scratch, as a chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bioconv.analog import AnalogGraph
from bioconv.analog.graph import Layer
from bioconv.codes.code import Code, Request
from bioconv.codes.common.layout import describe_options
from bioconv.ground.errors import ConversionError, Problem

#: of a layer and its place, why it does not belong there; empty if it does
Misfit = Callable[[Layer, int], str]


def check_chain(
    graph: AnalogGraph, *, code: str, trained: str, trainer: str, fewest: int, misfit: Misfit
) -> None:
    """Refuse graphs other than those of a function that trains networks for a code.

    Parameters
    ----------
    graph : AnalogGraph
    code, trained : str
        Name of the code, and for what its networks are trained, for the message.
    trainer : str
        The function.
    fewest : int
        Fewest layers of a graph.
    misfit : function

    Raises
    ------
    ConversionError
        The message lists all layers that compute anything else.
    """
    problems = list(_problems(graph, f"Train weights with {trainer}.", fewest, misfit))
    if problems:
        raise ConversionError(
            f"The {code} code does not convert {graph.name!r}: its networks are trained {trained}. "
            f"{len(problems)} layer(s) compute something else:",
            problems,
        )


def _problems(graph: AnalogGraph, advice: str, fewest: int, misfit: Misfit) -> Iterator[Problem]:
    if len(graph.inputs) != 1 or graph.outputs != tuple(x.name for x in graph.layers[-1:]):
        yield Problem(graph.name, "AnalogGraph", "it is not a chain of layers.", advice)
        return
    if len(graph.layers) < fewest:
        reason = f"it has {len(graph.layers)} layer(s) instead of {fewest} at least."
        yield Problem(graph.name, "AnalogGraph", reason, advice)
    sources = [graph.inputs[0].name, *(layer.name for layer in graph.layers)]
    for place, (source, layer) in enumerate(zip(sources, graph.layers, strict=False)):
        reason = misfit(layer, place)
        if not reason and layer.sources != (source,):
            reason = f"it does not compute from {source!r} alone."
        if reason:
            yield Problem(layer.name, type(layer.function).__name__, reason, advice)


def record_of(code: Code, request: Request, n_steps: int, dt: float) -> dict[str, Any]:
    """Return the record of a network whose whole duration is that of its answer."""
    return {
        **describe_options(code),
        "latency_steps": n_steps,
        "latency": n_steps * dt,
        "calibration_samples": request.n_samples,
        "seed": request.seed,
    }
