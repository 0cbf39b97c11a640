"""Findings on the effects of the board on a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.operators import Chain, Conv, Operator
from bioconv.targets.findings import Finding, Verdict, projection_name
from bioconv.targets.spinnaker.arithmetic import MOST
from bioconv.targets.spinnaker.board import Board
from bioconv.targets.spinnaker.cells import (
    NEVER,
    mixed,
    never_forgets,
    out_of_range,
)
from bioconv.targets.spinnaker.kinds import kind_of
from bioconv.targets.spinnaker.support.spinnaker_network import time_scale
from bioconv.targets.spinnaker.weights import drawn_towards

#: share of the samples that must be assigned the same class as before
KEPT = 0.99
_CONNECTORS = {
    "list": "FromListConnector, one list for each sign",
    "convolution": "ConvolutionConnector, one population per channel",
    "pool_dense": "PoolDenseConnector, one projection per channel",
}


def obstacles(network: SpikingNetwork, released: SpikingNetwork | None) -> tuple[Finding, ...]:
    """Return what makes a network impossible in addition to the limits in the declaration."""
    found = []
    if released is None:
        text = "parameters or states are set in the middle of a sample."
        advice = "Convert with the rate code."
        found.append(_impossible(network.name, "scheduled changes", text, advice))
    for population in network.populations:
        for name in mixed(population):
            text = f"neurons have different {name}, so that their weights would have to differ."
            found.append(_impossible(population.name, name, text, f"Use one {name}."))
    for projection in network.projections:
        conductance = kind_of(network.population(projection.post)).synapse == "conductance"
        if conductance and np.any(projection.operator.edges().weight < 0):
            name = projection_name(projection.pre, projection.post, projection.receptor)
            text = "a conductance has no weights below 0: the receptor determines the sign."
            advice = "Connect weights below 0 to the receptor inh, as absolute values."
            found.append(_impossible(name, "signs", text, advice))
    return tuple(found)


def effects(
    network: SpikingNetwork, source: SpikingNetwork, found: SpikingNetwork, board: Board
) -> tuple[Finding, ...]:
    """Return findings on how the board represents a network.

    Parameters
    ----------
    network, source, found : SpikingNetwork
        The network as it was converted, without changes within a sample, and as the board sees it.
    board : Board
    """
    return (
        *_time(network, found, board),
        *(f for p in source.populations for f in _population(p, found, board)),
        *(
            f
            for before, after, connector in zip(
                network.projections, found.projections, board.layout.connectors, strict=True
            )
            for f in _projection(network, before, after, connector.kind, board)
        ),
    )


def _time(network: SpikingNetwork, found: SpikingNetwork, board: Board) -> Iterator[Finding]:
    slower = time_scale(network.dt)
    if slower > 1:
        text = (
            f"with a step of {network.dt:g} ms the board runs {slower} times slower than real time."
        )
        yield Finding(network.name, "step", Verdict.EXACT, text)
    if board.slower > 1:
        text = (
            f"{found.n_steps:,} steps instead of {network.n_steps:,}, with the same number of "
            "spikes: the excess over the threshold, which is lost at the reset, is smaller."
        )
        yield Finding(network.name, "duration", Verdict.APPROXIMATED, text)
    if network.changes:
        text = "layers are active from the start and not held back until their input arrives."
        yield Finding(network.name, "scheduled changes", Verdict.APPROXIMATED, text)
    if board.kept < KEPT:
        text = (
            f"{100 * (1 - board.kept):.1f} % of the samples are assigned another class, also "
            "when the network is slowed down."
        )
        advice = "Convert with more steps, or with percentile=100 for smaller inputs."
        yield Finding(network.name, "classes", Verdict.APPROXIMATED, text, advice=advice)
    if not board.measured:
        text = "weights are scaled as if all neurons fired in every step."
        advice = "Give samples to measure the scale of weights and the thresholds."
        yield Finding(network.name, "samples", Verdict.APPROXIMATED, text, advice=advice)


def _population(before: Population, found: SpikingNetwork, board: Board) -> Iterator[Finding]:
    name, kind = before.name, kind_of(before)
    after, cell = found.population(name), board.cells[name]
    outside = out_of_range(cell)
    if outside:
        yield _impossible(name, "range", f"s16.15 cannot represent {', '.join(outside)}.")
    drawn = drawn_towards(after, found, board.sums[name], cell)
    if drawn > MOST:
        text = f"input can drive v towards {drawn:,.0f} mV, but s16.15 is limited to 65,536."
        verdict = Verdict.IMPOSSIBLE if board.measured else Verdict.APPROXIMATED
        advice = (
            "Convert with smaller weights." if board.measured else "Give samples to measure it."
        )
        yield Finding(name, "range", verdict, text, advice=advice)
    if cell.pulse:
        text = "currents with a time constant of 1/16 step replace delta pulses, for which the "
        text += "board has no convolutions."
        yield Finding(name, "synapse", Verdict.EXACT, text)
    if kind.subtracts and np.any(before.value("v_th") < NEVER):
        yield _reset(before, after, board)
    if kind.linear and kind.leaks:
        yield _time_constant(before, after, found.dt)


def _reset(before: Population, after: Population, board: Board) -> Finding:
    ideal, now = np.asarray(before.value("v_th")), np.asarray(after.value("v_th"))
    if not board.measured:
        text = "to a value, without compensation for the excess over the threshold that is lost."
        advice = "Give samples to match the thresholds."
        return Finding(before.name, "reset", Verdict.APPROXIMATED, text, advice=advice)
    distance = np.maximum(np.abs(ideal - np.asarray(before.value("v_reset"))), 1e-12)
    lower = (ideal - now) / distance
    text = (
        f"to a value; thresholds of channels are {100 * np.mean(lower):.1f} % lower on average "
        f"({100 * np.min(lower):.1f} to {100 * np.max(lower):.1f} %) to keep the numbers of spikes."
    )
    return Finding(before.name, "reset", Verdict.APPROXIMATED, text)


def _time_constant(before: Population, after: Population, dt: float) -> Finding:
    if never_forgets(before, dt):
        text = "s16.15 cannot represent so slow a leak: one of 1,024 steps replaces it."
        return Finding(before.name, "tau_m", Verdict.APPROXIMATED, text)
    wanted = np.asarray(before.value("tau_m"))
    with np.errstate(divide="ignore"):  # a leak that leaves nothing has no time constant
        held = -dt / np.log1p(-dt / np.asarray(after.value("tau_m")))
    error = float(np.max(np.where(held > 0, np.abs(held / wanted - 1.0), np.exp(-dt / wanted))))
    text = "exp(-dt / tau_m) is rounded to s16.15."
    return Finding(before.name, "tau_m", Verdict.APPROXIMATED, text, 100 * error, "%")


def _projection(
    network: SpikingNetwork, before: Projection, after: Projection, kind: str, board: Board
) -> Iterator[Finding]:
    name = projection_name(before.pre, before.post, before.receptor)
    text = _CONNECTORS[kind]
    if kind == "list" and _convolves(before.operator):
        text += "; ConvolutionConnector does not support this geometry"
    yield Finding(name, "connector", Verdict.EXACT, text)
    cell = board.cells[before.post]
    if cell.later:
        steps = after.delay_steps + cell.later
        text = f"{steps} steps on the board, where input acts in the step in which it arrives."
        yield Finding(name, "delay", Verdict.EXACT, text)
    yield _weights(name, before, board)


def _convolves(operator: Operator) -> bool:
    parts = operator.operators if isinstance(operator, Chain) else (operator,)
    return any(isinstance(part, Conv) for part in parts)


def _weights(name: str, before: Projection, board: Board) -> Finding:
    cell, sums = board.cells[before.post], board.sums[before.post]
    scales, totals = board.scales[before.post], (sums.excitatory, sums.inhibitory)
    step = max(s.resolution / each for s, each in zip(scales, cell.by_sign, strict=True))
    weight = np.abs(before.operator.edges().weight)
    lost = float(np.mean(weight < step / 2)) if len(weight) else 0.0
    room = min(
        s.capacity / max(each * total, s.resolution)
        for s, each, total in zip(scales, cell.by_sign, totals, strict=True)
    )
    text = (
        f"rounded to multiples of {step:.3g}, the largest weight being "
        f"{weight.max(initial=0.0) / step:,.0f} of them; {100 * lost:.1f} % of the weights become "
        f"0; the range for the sums in a step is {room:.1f} times as large as needed."
    )
    return Finding(name, "weights", Verdict.APPROXIMATED, text, step / 2, "in the unit of weights")


def _impossible(part: str, aspect: str, text: str, advice: str = "") -> Finding:
    return Finding(part, aspect, Verdict.IMPOSSIBLE, text, advice=advice)
