"""Fit a network to the potentials, weights, inputs and time scale of BrainScaleS-2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.operators import reweighted
from bioconv.targets.brainscales2 import scales
from bioconv.targets.brainscales2.declaration import (
    GM,
    GM_DEFAULT,
    MODEL,
    NEURONS,
    ROWS,
    STRENGTH,
    WEIGHT,
)
from bioconv.targets.brainscales2.partition import Run, runs
from bioconv.targets.brainscales2.restating import (
    continuous,
    pauses,
    rectified,
    released,
    with_sources,
)
from bioconv.targets.brainscales2.scales import ChipScale, Demand
from bioconv.targets.findings import Finding, Verdict, projection_name
from bioconv.targets.fit import Fit, Resource, Samples

#: LSB between reset and threshold below which rounding and noise dominate
_LEAST_SWING = 20

#: share of output neurons above which the report states that they fire without input
_MOST = 0.5

Setup = Mapping[str, tuple[Demand, ChipScale]]


def fit(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network with the chip's potentials, weights, inputs and time scale.

    Its populations are in the chip's own units: LSB instead of mV, microseconds instead of ms,
    and weights in whole units instead of pA.

    Parameters
    ----------
    network : SpikingNetwork
        A network for which `bioconv.targets.validator.check` finds nothing impossible.
    samples : mapping of str to ndarray, or None
        Samples from which the range of the inputs is determined.

    Returns
    -------
    Fit
        ``details["runs"]`` holds the runs, see `bioconv.targets.brainscales2.partition.runs`.
    """
    free, findings = released(network)
    plain, cut = rectified(free)
    sourced, told = with_sources(plain, samples)
    fine = continuous(sourced)
    findings += [*cut, *told, *pauses(network, fine)]
    demands = {p.name: scales.demand(fine, p) for p in fine.populations}
    kappa = scales.strength(list(demands.values()))
    setup = {name: (of, scales.scale(of, kappa)) for name, of in demands.items()}
    findings += [*_impossible(fine, setup)]
    if any(f.verdict is Verdict.IMPOSSIBLE for f in findings):
        return Fit(network, tuple(findings))
    chip = _on_chip(fine, setup, kappa)
    findings += [*_words(fine, network.dt, setup, kappa)]
    parts = runs(chip)
    return Fit(chip, tuple(findings), _resources(chip, setup, parts), {"runs": parts})


def _impossible(network: SpikingNetwork, setup: Setup) -> Iterator[Finding]:
    """Yield a finding for each limit of the chip that the network exceeds or falls short of."""
    if network.n_neurons > NEURONS.value and network.recurrent:
        text = (
            f"the network is recurrent and has {network.n_neurons:,} neurons, but a run has only "
            f"{NEURONS.value}."
        )
        yield Finding(network.name, "size", Verdict.IMPOSSIBLE, text)
    for name, (of, scale) in setup.items():
        if scale.rows > ROWS.value:
            text = (
                f"a neuron needs {scale.rows:,} synapses (the largest excitatory number plus the "
                f"largest inhibitory number), but has only {ROWS.value}."
            )
            advice = "Convert a network with smaller layers or kernels, or prune weights."
            yield Finding(name, "fan-in", Verdict.IMPOSSIBLE, text, advice=advice)
        swing = scale.lsb * of.swing
        if swing < _LEAST_SWING:
            text = (
                f"only {swing:.0f} LSB are left between reset and threshold, but {_LEAST_SWING} "
                "are needed: with the constant currents, resting potentials range from "
                f"{of.rest.min():.4g} to {of.rest.max():.4g} mV."
            )
            advice = "Use normalization='channel', or a shorter membrane time constant."
            yield Finding(name, "potentials", Verdict.IMPOSSIBLE, text, advice=advice)


def _on_chip(network: SpikingNetwork, setup: Setup, kappa: float) -> SpikingNetwork:
    """Return the network in the chip's units."""
    populations = tuple(
        replace(scales.in_lsb(p, *setup[p.name], kappa), model=MODEL) for p in network.populations
    )
    left = {name: iter(of.slopes) for name, (of, _) in setup.items()}
    projections = []
    for entry in network.projections:
        weights = np.round(next(left[entry.post]) * setup[entry.post][1].units)
        operator = reweighted(entry.operator, lambda edges, new=weights: new)  # type: ignore[misc]
        projections.append(replace(entry, operator=operator))
    record = {**network.code, "target": "brainscales2", "i_synin_gm": strength_setting(kappa)}
    return network.replace(populations=populations, projections=tuple(projections), code=record)


def strength_setting(kappa: float) -> int:
    """Return the i_synin_gm at which a unit of weight nominally has the slope ``kappa``."""
    return int(np.clip(round(GM_DEFAULT.value * kappa / STRENGTH.value), *GM.value))


def _words(network: SpikingNetwork, step: float, setup: Setup, kappa: float) -> Iterator[Finding]:
    """Yield how each part is represented and its error; ``step`` is that of the source, ms."""
    text = (
        f"with i_synin_gm = {strength_setting(kappa)}, a unit of weight nominally increases the "
        f"slope of the potential by {kappa:.3g} LSB/us."
    )
    advice = "Chips differ: measure your chip with strength.py."
    yield Finding(network.name, "synapses", Verdict.APPROXIMATED, text, advice=advice)
    for population in network.populations:
        yield _potentials(population, *setup[population.name], kappa)
    for readout in network.readouts:
        of = setup[readout.population][0]
        if np.mean(of.rest > of.threshold) > _MOST:
            text = (
                "most of its neurons fire without input to represent outputs below 0, so that "
                "differences between neurons affect the whole rate."
            )
            advice = (
                "End the network with relu instead of softmax: the classes are the same, but an "
                "output of 0 is a silent neuron."
            )
            where = readout.population
            yield Finding(where, "outputs", Verdict.APPROXIMATED, text, advice=advice)
    left = {name: iter(of.slopes) for name, (of, _) in setup.items()}
    for entry in network.projections:
        scale = setup[entry.post][1]
        yield _weights(entry, next(left[entry.post]), scale)
        text = f"the delay of {step:g} ms is replaced by the chip's own, with the setting 0"
        name = projection_name(entry.pre, entry.post, entry.receptor)
        yield Finding(name, "delay", Verdict.APPROXIMATED, text, step, "ms")


def _potentials(population: Population, of: Demand, scale: ChipScale, kappa: float) -> Finding:
    there = scales.in_lsb(population, of, scale, kappa).parameters
    rest, reset = np.asarray(there["v_rest"]), np.asarray(there["v_reset"])
    off = rest.ravel() - reset.ravel() - scale.lsb * (of.rest - of.reset)
    text = (
        f"{scale.lsb:.3g} LSB per mV: reset {_span(reset)}, rest with the constant current "
        f"{_span(rest)}, threshold {_span(np.asarray(there['v_th']))}"
    )
    error = float(np.abs(off).max()) / scale.lsb
    return Finding(population.name, "potentials", Verdict.APPROXIMATED, text, error, "mV")


def _weights(entry: Projection, slopes: np.ndarray, scale: ChipScale) -> Finding:
    units = slopes * scale.units
    whole = np.round(units)
    lost = int(np.sum((whole == 0) & (units != 0)))
    largest = int(np.abs(whole).max(initial=0))
    per_synapse = int(np.ceil(largest / WEIGHT.value))
    text = f"rounded to whole units from {int(whole.min(initial=0))} to {int(whole.max(initial=0))}"
    if per_synapse > 1:
        text += f"; the largest weight takes {per_synapse} synapses"
    if lost:
        text += f"; {lost:,} of {len(units):,} weights become 0"
    error = 100.0 * float(np.abs(units - whole).max(initial=0.0)) / max(largest, 1)
    name = projection_name(entry.pre, entry.post, entry.receptor)
    return Finding(name, "weights", Verdict.APPROXIMATED, text, error, "% of the largest weight")


def _span(values: np.ndarray) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low}" if low == high else f"{low} to {high}"


def _resources(
    network: SpikingNetwork, setup: Setup, parts: tuple[Run, ...]
) -> tuple[Resource, ...]:
    largest = max(sum(s.stop - s.start for s in part) for part in parts)
    most = max(scale.rows for _, scale in setup.values())
    synapses = sum(int(_count(entry)) for entry in network.projections)
    return (
        Resource("runs per batch of images", len(parts)),
        Resource("neurons of the largest run", largest, NEURONS.value),
        Resource("synapses per neuron", most, ROWS.value),
        Resource("synapses", synapses, NEURONS.value * ROWS.value * len(parts)),
        Resource("spike sources", sum(entry.n_neurons for entry in network.inputs)),
        Resource("time per image", network.n_steps * network.dt, None, "us"),
    )


def _count(entry: Projection) -> float:
    """Return the number of synapses of the chip that a projection takes."""
    weight = np.abs(entry.operator.edges().weight)
    return float(np.sum(np.ceil(weight / WEIGHT.value)))
