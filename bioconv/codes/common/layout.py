"""Layout shared by all codes: names, depths, numbers of steps, and supported neurons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from bioconv.analog.functions import FICurve
from bioconv.codes.code import Code, Request
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.rewritten import Rewritten
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.neurons import IntegrateAndFire, Neuron
from bioconv.neurons.language.identity import same
from bioconv.timing import whole_steps


def depths(
    rewritten: Rewritten, currents: Collection[str] = (), merged: Collection[str] = ()
) -> dict[str, int]:
    """Return the longest path of spikes to each input, layer and readout, in layers.

    An analog stage is as deep as the layers from which it computes.

    Parameters
    ----------
    rewritten : Rewritten
    currents : collection of str
        Inputs that arrive as currents instead of spikes, where no path starts.
    merged : collection of str
        Layers that the population of the following layer computes as well.
    """
    found = {entry.name: 0 for entry in rewritten.inputs}
    silent = rewritten.constant(currents)
    for layer in (*rewritten.layers, *rewritten.readouts):
        sources = set(layer.sources) - silent
        own = int(layer.name not in merged and layer.name not in rewritten.analog)
        found[layer.name] = max((found[source] + own for source in sources), default=0)
    return found


def names(rewritten: Rewritten) -> dict[str, str]:
    """Return the name of the population, or input, of every input, layer and readout."""
    keys = [entry.name for entry in rewritten.inputs]
    keys += [layer.name for layer in (*rewritten.layers, *rewritten.readouts)]
    return dict(zip(keys, identifiers(keys), strict=True))


def asked_steps(request: Request, dt: float) -> int | None:
    """Return the requested steps of a sample, given as steps or duration, or None."""
    if request.n_steps is None and request.duration is not None:
        return whole_steps(request.duration, dt)
    return request.n_steps


def steps_of(request: Request, dt: float, least: int, more: int = 0, advice: str = "") -> int:
    """Return the number of steps of a sample: as requested, or ``least + more``.

    Parameters
    ----------
    request : Request
    dt : float
        ms.
    least : int
        Steps after which the output is complete.
    more : int
        Additional steps if no number is requested.
    advice : str
        Advice for the case of too few steps.

    Raises
    ------
    ParameterError
        If there are fewer than ``least``.
    """
    asked = asked_steps(request, dt)
    n_steps = least + more if asked is None else asked
    if n_steps < least:
        raise ParameterError(
            f"n_steps = {n_steps} is too short: the output is complete after {least} steps. "
            f"{advice}"
        )
    return n_steps


def check_neuron(code: str, neuron: Neuron) -> None:
    """Refuse a neuron if the code has its own.

    Parameters
    ----------
    code : str
        Name of the code in the message.
    neuron : Neuron
        The requested neuron; `bioconv.convert` passes ``IntegrateAndFire()`` if none is given.

    Raises
    ------
    ConversionError
        If the neuron is not the default one.
    """
    nothing = IntegrateAndFire()
    if same(neuron.model, nothing.model) and not (neuron.parameters or neuron.distributions):
        return
    problem = Problem(
        "neuron",
        neuron.model.name,
        "this code depends on the membrane potential at exact times and has its own neuron.",
        "Omit the neuron, or use the rate code, which supports any neuron.",
    )
    raise ConversionError(f"The {code} code cannot use this neuron:", [problem])


def describe_options(code: Code) -> dict[str, Any]:
    """Return name and options of a code as plain values, for the record of a network."""
    return {"code": code.name, **asdict(code)}  # type: ignore[call-overload]


def refuse_curves(code: str, rewritten: Rewritten) -> None:
    """Refuse measured curves of neurons, which apply to firing rates only.

    Raises
    ------
    ConversionError
        If layers have measured curves; the message lists all of them.
    """
    problems = [
        Problem(
            layer.name,
            "FICurve",
            "it is the measured f-I curve of a neuron, which only the rate code supports.",
            "Use the rate code, or replace the curve by a ReLU.",
        )
        for layer in rewritten.layers
        if isinstance(layer.function, FICurve)
    ]
    if problems:
        raise ConversionError(
            f"The {code} code does not support {len(problems)} layer(s) of {rewritten.name!r}:",
            problems,
        )
