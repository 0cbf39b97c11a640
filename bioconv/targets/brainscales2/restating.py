"""Rewrite networks without held layers, input currents and steps, which the chip does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from bioconv.analog.functions import Softmax
from bioconv.network import Change, Drive, Input, Population, Projection, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.operators import Operator, Polarity, compose, scaled
from bioconv.targets.brainscales2.declaration import MODEL, REFRACTORY, SOURCE_RATE, STEP
from bioconv.targets.findings import Finding, Verdict
from bioconv.targets.fit import Samples
from bioconv.targets.releasing import after_changes

_CLASSES = "Classes are unchanged where the largest output is above 0; values of outputs change."


def released(network: SpikingNetwork) -> tuple[SpikingNetwork, list[Finding]]:
    """Return the network without held layers: values set at their release apply from the start.

    Parameters cannot be changed while the chip runs.  Readouts count from the same step as before.
    """
    settled: dict[str, Population] = {}
    findings = []
    for name in {change.population: None for change in network.changes}:
        population = network.population(name)
        changes = [change for change in network.changes if change.population == name]
        step = population.start_step
        if any(not _releases(change, population) for change in changes):
            text = "parameters cannot change while the chip runs."
            advice = (
                "Use a code whose parameters do not change within a sample, such as the rate code."
            )
            verdict = Verdict.IMPOSSIBLE
        else:
            text = f"active from the start instead of held until {step * network.dt:g} ms"
            advice, verdict = "", Verdict.APPROXIMATED
        findings.append(Finding(name, "scheduled changes", verdict, text, advice=advice))
        settled[name] = after_changes(population, changes)
    # potentials start at rest
    populations = tuple(replace(settled.get(p.name, p), initial={}) for p in network.populations)
    return network.replace(populations=populations, changes=()), findings


def rectified(network: SpikingNetwork) -> tuple[SpikingNetwork, list[Finding]]:
    """Return the network with softmax outputs that are silent below 0 and need no extra current.

    The rate code represents negative outputs by adding a current that makes all outputs fire.
    Because thresholds on the chip deviate from the values that were set, this changes all output
    rates by more than the outputs differ.  The largest output is the class in either case.
    """
    softmax = {
        r.population
        for r in network.readouts
        if r.kind == "count" and isinstance(r.function, Softmax)
    }
    populations, findings = [], []
    for population in network.populations:
        gain = population.activation_current
        if population.name in softmax and gain and np.any(population.offset < 0):
            current = gain * np.minimum(population.offset, 0.0) / population.scale
            text = (
                f"silent below 0: the current of up to {-float(current.min()):.4g} pA that made "
                "all of them fire is omitted."
            )
            findings.append(
                Finding(population.name, "outputs", Verdict.APPROXIMATED, text, advice=_CLASSES)
            )
            name = population.model.current
            parameters = {**population.parameters, name: population.value(name) + current}
            offset = np.maximum(population.offset, 0.0)
            population = replace(population, parameters=parameters, offset=offset)
        populations.append(population)
    return network.replace(populations=tuple(populations)), findings


def _releases(change: Change, population: Population) -> bool:
    """Return whether a change belongs to the release of a layer that was held."""
    return change.step <= population.start_step and change.variable in (
        MODEL.current,
        MODEL.potential,
        MODEL.role(roles.THRESHOLD),
    )


def with_sources(
    network: SpikingNetwork, samples: Samples | None
) -> tuple[SpikingNetwork, list[Finding]]:
    """Return the network with spike sources as inputs, none faster than `SOURCE_RATE`.

    A source that represents a value x fires regularly, and its spikes produce the same mean current
    as x.  Values of both signs are represented by ON and OFF sources.
    """
    findings: list[Finding] = []
    inputs, projections = [], []
    for entry in network.inputs:
        largest, signed = _range(entry, samples)
        if entry.encoder == "current":
            new = _source(entry, network.dt, largest, signed)
            drives = [drive for drive in network.drives if drive.input == entry.name]
            projections += [_synapses(network, drive, new) for drive in drives]
            findings.append(_told(entry, largest, samples))
        else:
            new = _slower(entry, network.dt, largest)
            if new.scale != entry.scale:
                findings.append(_told(entry, largest, samples))
        inputs.append(new)
    slower = {
        new.name: old.scale / new.scale
        for old, new in zip(network.inputs, inputs, strict=True)
        if old.spikes
    }
    projections += [_stronger(entry, slower) for entry in network.projections]
    changed = {"inputs": tuple(inputs), "projections": tuple(projections), "drives": ()}
    return network.replace(**changed), findings


def _range(entry: Input, samples: Samples | None) -> tuple[float, bool]:
    """Return the largest magnitude of an input, and whether it has negative values."""
    if samples is None:
        return 1.0, False
    values = np.asarray(samples[entry.name])
    return float(np.abs(values).max()) or 1.0, bool(values.min() < 0)


def _told(entry: Input, largest: float, samples: Samples | None) -> Finding:
    text = f"values up to {largest:.4g} become regular spikes at up to {SOURCE_RATE:g} Hz."
    advice = (
        "" if samples else "Values are assumed to be between 0 and 1; give samples to measure them."
    )
    return Finding(entry.name, "sources", Verdict.APPROXIMATED, text, advice=advice)


def _source(entry: Input, dt: float, largest: float, signed: bool) -> Input:
    scale = SOURCE_RATE * 1e-3 * dt / largest
    return Input(entry.name, entry.shape, "regular", min(scale, 1.0 / largest), signed)


def _slower(entry: Input, dt: float, largest: float) -> Input:
    """Return an input at a lower rate; Poisson sources stay, as fewer spikes would be noisier."""
    rate = min(entry.scale * largest, 1.0) / (dt * 1e-3)
    if entry.encoder != "regular" or rate <= SOURCE_RATE:
        return entry
    return replace(entry, scale=entry.scale * SOURCE_RATE / rate)


def _synapses(network: SpikingNetwork, drive: Drive, source: Input) -> Projection:
    post = network.population(drive.post)
    tau = np.broadcast_to(np.asarray(post.value("tau_syn"), np.float64), post.shape)
    weight = network.dt / (tau * source.scale)
    operator: Operator = scaled(drive.operator, post=weight)
    if source.signed:
        operator = compose(Polarity(source.spike_shape), operator)
    return Projection(source.name, post.name, operator, post.model.receptors[0].name)


def _stronger(entry: Projection, factors: Mapping[str, float]) -> Projection:
    factor = factors.get(entry.pre, 1.0)
    if factor == 1.0:
        return entry
    return replace(entry, operator=scaled(entry.operator, post=factor))


def continuous(network: SpikingNetwork) -> SpikingNetwork:
    """Return the network at steps of at most `STEP`, close to the continuous time of the chip."""
    finer = int(np.ceil(network.dt / STEP - 1e-9))
    dt = network.dt / finer
    return network.replace(
        dt=dt,
        n_steps=network.n_steps * finer,
        inputs=tuple(replace(entry, scale=entry.scale / finer) for entry in network.inputs),
        populations=tuple(_at_step(p, dt, finer) for p in network.populations),
    )


def _at_step(population: Population, dt: float, finer: int) -> Population:
    pause = np.maximum(population.value("t_ref"), REFRACTORY.value[0])
    steps = np.maximum(np.round(pause / dt), 1.0)
    return replace(
        population,
        parameters={**population.parameters, "t_ref": steps * dt},
        start_step=population.start_step * finer,
        spike_values=np.repeat(population.spike_values, finer),
    )


def pauses(before: SpikingNetwork, after: SpikingNetwork) -> Iterator[Finding]:
    """Yield a finding on each refractory period that changes."""
    for old, new in zip(before.populations, after.populations, strict=True):
        changed = np.asarray(new.value("t_ref")) - np.asarray(old.value("t_ref"))
        if np.any(np.abs(changed) > 1e-9):
            text = f"at least {REFRACTORY.value[0]:g} us, in steps of {after.dt:g} us"
            error = float(np.abs(changed).max())
            yield Finding(new.name, "refractory period", Verdict.APPROXIMATED, text, error, "ms")
