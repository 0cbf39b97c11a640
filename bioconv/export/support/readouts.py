"""Decode the analog output from spikes and potentials of the output population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def decode(
    readout: Mapping[str, Any],
    steps: NDArray[np.int64],
    neurons: NDArray[np.int64],
    potential: Floats | None,
    checkpoints: NDArray[np.int64],
    dt: float,
    generator: np.random.Generator,
) -> Floats:
    """Return an image's analog output after each checkpoint, before the layer's activation.

    Parameters
    ----------
    readout : mapping
        ``kind`` ("count", "first_spike", "pattern", "pattern_absolute", "potential",
        "accumulated_softmax", "softmax" or "level"), ``scale`` and ``offset`` (n_neurons,),
        ``max_rate`` (Hz), ``start_step``, ``initial`` (mV, n_neurons), ``rate`` (Hz), ``patterns``
        (n_patterns, n_steps, n_neurons), ``decay``.
    steps, neurons : ndarray of int, shape (n_spikes,)
        Spikes of the output population; fractions of a step for a simulator without steps.
    potential : ndarray, shape (n_steps, n_neurons), or None
        mV at the end of each step; for kinds that do not read spikes.
    checkpoints : ndarray of int, shape (n_checkpoints,)
        Numbers of steps simulated, ascending.
    dt : float
        ms.
    generator : numpy Generator
        Random numbers for the kinds with a softmax.

    Returns
    -------
    ndarray, shape (n_checkpoints, n_neurons), or (n_checkpoints, n_patterns)
        NaN as long as there is no output.
    """
    kind = readout["kind"]
    n_neurons = len(readout["scale"])
    elapsed = (checkpoints - readout["start_step"])[:, None]
    if kind == "count":
        late = steps >= readout["start_step"]
        counts = counts_at(steps[late], neurons[late], checkpoints, n_neurons)
        seconds = np.maximum(elapsed, 1) * dt * 1e-3
        output = readout["scale"] * counts / (seconds * readout["max_rate"]) + readout["offset"]
        # Without a spike, several neurons tell no class, but a single one has its lowest value.
        given = counts.any(axis=1) | (n_neurons == 1)
    elif kind == "first_spike":
        output, given = _from_first_spikes(readout, steps, neurons, checkpoints, dt)
    elif kind in ("pattern", "pattern_absolute"):
        output, given = _from_patterns(readout, steps, neurons, elapsed[:, 0])
    else:
        if potential is None:
            raise ValueError(f"the readout kind {kind!r} needs the membrane potential")
        output, given = _from_potential(readout, potential, dt, checkpoints, generator)
    output[(elapsed[:, 0] < 1) | ~given] = np.nan
    return output


def counts_at(
    steps: NDArray[np.int64],
    neurons: NDArray[np.int64],
    checkpoints: NDArray[np.int64],
    n_neurons: int,
) -> NDArray[np.int64]:
    """Return spike counts in the first ``checkpoints`` steps, shape (n_checkpoints, n_neurons)."""
    slot = np.searchsorted(checkpoints, steps, side="right")  # step t is over after t + 1 steps
    kept = slot < len(checkpoints)
    flat = slot[kept] * n_neurons + neurons[kept]
    counts = np.bincount(flat, minlength=len(checkpoints) * n_neurons)
    return counts.reshape(len(checkpoints), n_neurons).cumsum(axis=0)


def _from_first_spikes(
    readout: Mapping[str, Any],
    steps: NDArray[np.int64],
    neurons: NDArray[np.int64],
    checkpoints: NDArray[np.int64],
    dt: float,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the output from each neuron's first spike time, and where there is an output."""
    n_neurons = len(readout["scale"])
    first = np.full(n_neurons, np.inf)
    late = steps >= readout["start_step"]
    np.minimum.at(first, neurons[late], steps[late])
    seen = np.minimum(first[None, :], checkpoints[:, None])  # silent neurons: now at the earliest
    elapsed = (seen - readout["start_step"]) * dt
    given = first.min(initial=np.inf) < checkpoints
    return readout["offset"] - readout["scale"] * elapsed, given


def _from_patterns(
    readout: Mapping[str, Any],
    steps: NDArray[np.int64],
    neurons: NDArray[np.int64],
    elapsed: NDArray[np.int64],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the negative distance from every pattern; there is an output from the start on."""
    patterns = np.asarray(readout["patterns"], np.float64)
    n_steps = patterns.shape[1]
    step = np.floor(steps).astype(np.int64) - readout["start_step"]
    kept = (step >= 0) & (step < n_steps)
    spikes = np.zeros(patterns.shape[1:])
    spikes[step[kept], neurons[kept]] = 1.0
    absolute = readout["kind"] == "pattern_absolute"
    distance = pattern_distances(spikes[None], patterns, readout["decay"], absolute=absolute)[0]
    total = np.concatenate([np.zeros((len(patterns), 1)), distance.cumsum(axis=1)], axis=1)
    return -total[:, np.clip(elapsed, 0, n_steps)].T, np.ones(len(elapsed), bool)


def traces(spikes: Floats, decay: float) -> Floats:
    """Return spikes convolved with a decaying exponential (stanojevic 2023, Eq A.14).

    Parameters
    ----------
    spikes : ndarray, shape (..., n_steps, n_neurons)
    decay : float
        Factor of a step.
    """
    step = np.arange(np.shape(spikes)[-2])
    past = step[:, None] - step
    return np.where(past >= 0, decay ** np.maximum(past, 0), 0.0) @ np.asarray(spikes, np.float64)


def pattern_distances(
    spikes: Floats, patterns: Floats, decay: float, *, absolute: bool = False
) -> Floats:
    """Return what every step adds to the van Rossum distances of spikes from patterns.

    Stanojevic 2023, thesis, Eq A.15, or Eq A.19 if ``absolute``; van Rossum 2001.

    Parameters
    ----------
    spikes : ndarray, shape (n_samples, n_steps, n_neurons)
        0 or 1, or probabilities of spikes.
    patterns : ndarray, shape (n_patterns, n_steps, n_neurons)
    decay : float
        Factor of a step, which is exp(-1 / tau) for a time constant of tau steps.
    absolute : bool

    Returns
    -------
    ndarray, shape (n_samples, n_patterns, n_steps)
    """
    first, second = traces(spikes, decay), traces(patterns, decay)
    scale = -np.log(decay)  # 1 / tau
    if absolute:
        each = [np.abs(first - one).sum(axis=2) for one in second]
        return scale * np.stack(each, axis=1)
    # |x - y|^2 = |x|^2 - 2 x y + |y|^2, without an array of all pairs.
    product = np.einsum("nto,cto->nct", first, second)
    squares = (first**2).sum(axis=2)[:, None] + (second**2).sum(axis=2)
    return scale * (squares - 2.0 * product)


def _from_potential(
    readout: Mapping[str, Any],
    potential: Floats,
    dt: float,
    checkpoints: NDArray[np.int64],
    generator: np.random.Generator,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the output from the membrane potential, and where there is an output."""
    last = checkpoints - 1
    elapsed = np.arange(1, len(potential) + 1) - readout["start_step"]
    if readout["kind"] in ("level", "potential"):  # of a detector with many outputs, a few steps
        potential, elapsed = potential[last], elapsed[last]
    rise = potential - readout["initial"]
    if readout["kind"] == "level":
        return readout["scale"] * rise + readout["offset"], np.ones(len(checkpoints), bool)
    value = readout["scale"] * rise / np.maximum(elapsed, 1)[:, None] + readout["offset"]
    if readout["kind"] == "potential":
        return value, np.any(rise != 0, axis=1)
    if readout["kind"] == "accumulated_softmax":
        value = value * np.maximum(elapsed, 1)[:, None] / readout["scale"]  # mV
    counts = _external_spikes(value, elapsed, readout["rate"] * dt * 1e-3, generator)
    total = counts.cumsum(axis=0)[last]
    share = total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    return share, np.any(total, axis=1)


def _external_spikes(
    value: Floats, elapsed: NDArray[np.int64], mean: float, generator: np.random.Generator
) -> Floats:
    """Return spikes triggered by a Poisson generator, distributed by the softmax of ``value``."""
    weight = np.exp(value - value.max(axis=1, keepdims=True))
    chance = weight / weight.sum(axis=1, keepdims=True)
    triggers = generator.poisson(mean, len(value)) * (elapsed > 0)
    return generator.multinomial(triggers, chance).astype(np.float64)
