"""Inference with integers, shifts and additions (stanojevic A.2.2, Eqs A.16 to A.19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import PatternDistances, SpikingUnits
from bioconv.codes.correlative.code import CorrelativeCode
from bioconv.codes.correlative.network import check_graph
from bioconv.codes.correlative.shifts import Shifts
from bioconv.ground.errors import ParameterError

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
    def of(code: CorrelativeCode, graph: AnalogGraph, bits: int = 12) -> IntegerNetwork:
        """Return the network with the weights of a trained one.

        Parameters
        ----------
        code : CorrelativeCode
            That of the training.
        graph : AnalogGraph
            See `bioconv.training.train_correlative`.
        bits : int
            Bits behind the binary point.

        Raises
        ------
        ConversionError
            If the graph is none of a trained network.
        ParameterError
            If potentials could exceed a register of 32 bits, or ``bits`` is not from 1 to 30.
        """
        check_graph(graph)
        first, *layers, last = graph.layers
        units = [one.function for one in layers if isinstance(one.function, SpikingUnits)]
        distances = last.function
        assert isinstance(distances, PatternDistances)
        largest = max(float(np.abs(unit.weights).sum(axis=0).max()) for unit in units)
        reach = largest / (1.0 - code.unit_shifts.factor)
        most = _REGISTER - _FREE - max(int(np.ceil(np.log2(reach))), 0)
        if bits not in range(1, most + 1):
            raise ParameterError(
                f"bits must be a whole number from 1 to {most}, as potentials can reach "
                f"{reach:.3g} and a register has {_REGISTER} bits. Received: {bits!r}."
            )
        encoder = AnalogGraph(graph.name, graph.inputs, (first,), (first.name,))
        return IntegerNetwork(
            encoder,
            tuple(_fixed(unit.weights, bits) for unit in units),
            tuple(_fixed(unit.v_th, bits) for unit in units),
            np.asarray(distances.patterns, bool),
            code.unit_shifts,
            code.readout_shifts,
            bits,
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
            arriving = self._layer(arriving @ jnp.asarray(weights), jnp.asarray(threshold))
        last, level = map(jnp.asarray, pairs[-1])
        emitted = (arriving @ last >= level).astype(jnp.int32)
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
