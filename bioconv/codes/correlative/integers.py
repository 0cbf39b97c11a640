"""Inference with integers, shifts and additions (stanojevic A.2.2, Eqs A.16 to A.19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log2
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import PatternDistances, SpikingUnits
from bioconv.codes.correlative.network import check_graph, distances_of
from bioconv.codes.correlative.shifts import Shifts, readout_shifts, unit_shifts
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.ground.options import is_whole
from bioconv.operators import precision

Ints = NDArray[np.int32]
#: samples at a time
_BATCH = 64
#: bits of a register, of which one is the sign and one is kept free for sums
_REGISTER, _FREE = 32, 2


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """A trained network whose state consists of integers, and that only shifts and adds.

    A potential v decays to the sum of ``v >> shift``; the trace of the readout likewise.  Shifts
    round down, as two's complement does.  The weights are those of the trained network in fixed
    point.

    Parameters
    ----------
    encoder : AnalogGraph
        The part of the trained network that emits the spikes of the input.
    weights : tuple of ndarray of int, shape (n_pre, n)
    thresholds : tuple of ndarray of int, shape (n,)
    targets : ndarray of bool, shape (n_classes, n_steps, n_outputs)
    units, readout : Shifts
        Decay of the potentials of hidden units, and of the traces.
    bits : int
        Bits behind the binary point.
    """

    encoder: AnalogGraph
    weights: tuple[Ints, ...]
    thresholds: tuple[Ints, ...]
    targets: NDArray[np.bool_]
    units: Shifts
    readout: Shifts
    bits: int

    @staticmethod
    def of(graph: AnalogGraph, bits: int = 12) -> IntegerNetwork:
        """Return the network with the weights of a trained one.

        Parameters
        ----------
        graph : AnalogGraph
            See `bioconv.training.train_correlative`; trained with ``multiplication_free=True``.
        bits : int
            Bits behind the binary point.

        Raises
        ------
        ConversionError
            If the graph is none of a trained network, or its decays are no sums of shifts or its
            distances none of absolute values, so that integers would compute something else.
        ParameterError
            If potentials or distances could exceed a register of 32 bits, if a threshold would be
            0, or if ``bits`` is no whole number.
        """
        check_graph(graph)
        first, distances = graph.layers[0], distances_of(graph)
        units = [one.function for one in graph.layers if isinstance(one.function, SpikingUnits)]
        hidden, readout = _shifts(graph, units, distances)
        _check_bits(bits, units, distances, hidden, readout)
        encoder = AnalogGraph(graph.name, graph.inputs, (first,), (first.name,))
        return IntegerNetwork(
            encoder,
            tuple(_fixed(unit.weights, bits) for unit in units),
            tuple(_fixed(unit.v_th, bits) for unit in units),
            np.asarray(distances.patterns, bool),
            hidden,
            readout,
            int(bits),
        )

    def distances(self, x: ArrayLike) -> NDArray[np.int64]:
        """Return the distances of the outputs from the target patterns (Eq A.19).

        Parameters
        ----------
        x : array, shape (n_samples, *shape)

        Returns
        -------
        ndarray of int, shape (n_samples, n_classes)
            In units of ``2**-bits``, without the factor 1 / tau, which all classes have in common.
        """
        run = jax.jit(self._run)
        samples = {self.encoder.inputs[0].name: np.asarray(x)}
        parts = []
        for batch in self.encoder.iterate(samples, batch_size=_BATCH):
            (spikes,) = batch.values()
            with precision("float64"):
                each = np.asarray(run(np.asarray(spikes, np.int32)))
            parts.append(each.sum(axis=2, dtype=np.int64))
        return np.concatenate(parts)

    def classes(self, x: ArrayLike) -> NDArray[np.int64]:
        """Return the class of every sample, shape (n_samples,); see `distances`."""
        return self.distances(x).argmin(axis=1)

    def _run(self, spikes: Any) -> Any:
        arriving = jnp.swapaxes(spikes, 0, 1)
        pairs = list(zip(self.weights, self.thresholds, strict=True))
        for weights, threshold in pairs[:-1]:
            arriving = self._layer(_sums(arriving, weights), jnp.asarray(threshold))
        last, level = pairs[-1]
        emitted = (_sums(arriving, last) >= jnp.asarray(level)).astype(jnp.int32)
        found = self._trace(emitted)
        goals = self._trace(jnp.swapaxes(jnp.asarray(self.targets, jnp.int32), 0, 1))
        each = jax.lax.map(
            lambda goal: jnp.abs(found - goal[:, None]).sum(axis=2), jnp.swapaxes(goals, 0, 1)
        )
        return jnp.moveaxis(each, 2, 0)  # (batch, class, step)

    def _layer(self, current: Any, threshold: Any) -> Any:
        def step(before: tuple[Any, Any], arrived: Any) -> tuple[tuple[Any, Any], Any]:
            potential, fired = before
            potential = arrived + jnp.where(fired, 0, shifted(potential, self.units))
            fired = potential >= threshold
            return (potential, fired), fired.astype(jnp.int32)

        none = jnp.zeros(current.shape[1:], jnp.int32)
        return jax.lax.scan(step, (none, none > 0), current)[1]

    def _trace(self, spikes: Any) -> Any:
        def step(before: Any, arrived: Any) -> tuple[Any, Any]:
            now = shifted(before, self.readout) + (arrived << self.bits)
            return now, now

        return jax.lax.scan(step, jnp.zeros(spikes.shape[1:], jnp.int32), spikes)[1]


def _sums(spikes: Any, weights: Ints) -> Any:
    """Return the sums of the weights of spikes.

    Floats of 64 bits add integers exactly, and XLA multiplies matrices of integers slowly.
    """
    return (spikes.astype(jnp.float64) @ jnp.asarray(weights, jnp.float64)).astype(jnp.int32)


def shifted(value: Any, shifts: Shifts) -> Any:
    """Return an integer array times a factor, by shifts to the right and additions.

    Examples
    --------
    >>> int(shifted(np.int32(80), Shifts(((1, 1), (1, 2), (1, 4)))))
    65
    """
    total = value * 0
    for sign, shift in shifts.terms:
        total = total + (value >> shift) if sign > 0 else total - (value >> shift)
    return total


def _fixed(values: NDArray[Any], bits: int) -> Ints:
    return np.round(np.asarray(values) * 2.0**bits).astype(np.int32)


def _shifts(
    graph: AnalogGraph, units: list[SpikingUnits], distances: PatternDistances
) -> tuple[Shifts, Shifts]:
    """Return the shifts that are the decays of the graph."""
    decays = sorted({unit.decay for unit in units[:-1]})
    problems = [
        problem
        for name, factors, nearest in (
            ("decay of units", decays, unit_shifts),
            ("decay of traces", [distances.decay], readout_shifts),
        )
        for problem in _no_sum(name, factors, nearest)
    ]
    if units[-1].decay:
        problems.append(f"the outputs decay by {units[-1].decay:g} instead of having no memory")
    if not distances.absolute:
        problems.append("the distances are those of squares instead of absolute values")
    if problems:
        raise ConversionError(
            f"{graph.name} does not consist of shifts and additions: {'; '.join(problems)}. Train "
            "it with CorrelativeCode(multiplication_free=True)."
        )
    # Without hidden units, nothing decays by the first of them.
    return unit_shifts(decays[0]) if decays else Shifts(()), readout_shifts(distances.decay)


def _no_sum(name: str, factors: list[float], nearest: Callable[[float], Shifts]) -> list[str]:
    """Return why decays are not one sum of shifts."""
    if len(factors) > 1:
        return [f"the {name} is not the same in all layers: {', '.join(map(str, factors))}"]
    return [
        f"the {name}, {factor:.6g}, is no sum of shifts (the nearest is {nearest(factor).factor:g})"
        for factor in factors
        if not 0 < factor < 1 or nearest(factor).factor != factor
    ]


def _check_bits(
    bits: int,
    units: list[SpikingUnits],
    distances: PatternDistances,
    hidden: Shifts,
    readout: Shifts,
) -> None:
    """Refuse numbers of bits with which registers overflow, or thresholds are rounded to 0."""
    largest = max(float(np.abs(unit.weights).sum(axis=0).max()) for unit in units)
    potential = largest / (1.0 - hidden.factor)
    # Each trace reaches 1 / (1 - factor), and the distances of all outputs are added.
    distance = distances.patterns.shape[2] / (1.0 - readout.factor)
    most = _REGISTER - _FREE - max(ceil(log2(max(potential, distance))), 0)
    smallest = min(float(unit.v_th.min()) for unit in units)
    least = 1
    while not _fixed(np.array(smallest), least) and least < _REGISTER:
        least += 1
    if not is_whole(bits) or not least <= bits <= most:
        raise ParameterError(
            f"bits must be a whole number from {least} to {most}: the smallest threshold, "
            f"{smallest:.3g}, must not become 0, potentials can reach {potential:.3g}, distances "
            f"{distance:.3g}, and a register has {_REGISTER} bits. Received: {bits!r}."
        )
