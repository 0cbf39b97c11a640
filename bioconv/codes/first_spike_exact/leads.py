"""A network of exact first spikes as a function of leads, which training can differentiate.

The lead of a neuron is the time from its spike to the end of its window, in units of the time that
represents the activation 1.  A neuron that fires at t = A / B (stanojevic Eq 3.7) has the lead
``clip((J l - D) / B, 0, length)``, where l are the leads of its sources, J the changes of slope
that their spikes cause, B the slope of the potential in the window, and D the shift of the
threshold (``v_th = B length + D``, Eq 3.21).  Unlike times, leads do not grow from layer to layer,
so that they keep their digits in single precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.decaying import Decay
from bioconv.codes.first_spike_exact.schedule import Schedule
from bioconv.network import Drive, Projection, Readout, Shape, SpikingNetwork
from bioconv.operators import Array, Operator, all_with_kernels, kernels

Floats = NDArray[np.float64]
#: population -> name of the array or arrays -> values
Parameters = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class InputLeads:
    """Input neurons: ``lead = clip(operator(x) + offset, 0, largest)``.

    Parameters
    ----------
    name : str
        The population.
    input : str
        The input that drives it.
    drive : Drive
    operator : Operator
        From the input to leads.
    offset : ndarray broadcastable to the shape of the population
    largest : float
    """

    name: str
    input: str
    drive: Drive
    operator: Operator
    offset: Floats
    largest: float


@dataclass(frozen=True, eq=False)
class Rectifier:
    """Neurons with a threshold.

    Parameters
    ----------
    name : str
    shape : tuple of int
    synapses : tuple of Projection
    shift : ndarray broadcastable to ``shape``
        D in units of leads.
    limit : ndarray broadcastable to ``shape``
        Largest lead, for a ReLU with an upper limit; otherwise infinite.
    places : ndarray of int broadcastable to ``shape``
        Flat index of the neuron whose weights determine the slope of the others in its channel, if
        slopes follow from weights.
    """

    name: str
    shape: Shape
    synapses: tuple[Projection, ...]
    shift: Floats
    limit: Floats
    places: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pool:
    """Neurons that fire with the first of their sources, or with the last one.

    Parameters
    ----------
    name : str
    synapses : tuple of Projection
    last : ndarray of bool broadcastable to the shape of the population
    """

    name: str
    synapses: tuple[Projection, ...]
    last: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Output:
    """Neurons that sum their input: ``J l + bias``.

    Parameters
    ----------
    name : str
    shape : tuple of int
    synapses : tuple of Projection
    bias : ndarray broadcastable to ``shape``
    readout : Readout
    """

    name: str
    shape: Shape
    synapses: tuple[Projection, ...]
    bias: Floats
    readout: Readout


Stage = Rectifier | Pool | Output
#: function of the name of a population and its leads, which returns leads
Disturb = Callable[[str, Array], Array]
#: function of the name of a population and its kernels, which returns kernels
Round = Callable[[str, Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True, eq=False)
class Leads:
    """A network of exact first spikes as a function of leads; see `leads_of`.

    Parameters
    ----------
    network : SpikingNetwork
        With parts named as in `bioconv.codes.first_spike_exact.neurons`.
    code : FirstSpikeExactCode
        The options of which the network is made, as far as they are visible in it.
    schedule : Schedule
        By name of the population.
    encoders : tuple of InputLeads
    stages : tuple of Rectifier, Pool or Output
        Sources first.
    decay : Decay, optional
        Time constants of double-exponential responses, in units of leads.
    """

    network: SpikingNetwork
    code: FirstSpikeExactCode
    schedule: Schedule
    encoders: tuple[InputLeads, ...]
    stages: tuple[Stage, ...]
    decay: Decay | None = None

    @property
    def rectifiers(self) -> Iterator[Rectifier]:
        """The layers with windows of their own."""
        return (stage for stage in self.stages if isinstance(stage, Rectifier))

    @property
    def outputs(self) -> Iterator[Output]:
        """The outputs, in the order of the populations."""
        return (stage for stage in self.stages if isinstance(stage, Output))

    def parameters(self) -> Parameters:
        """Return what training changes: the kernels of every layer, and its shifts or biases."""
        found: Parameters = {}
        for stage in self.stages:
            if isinstance(stage, Pool):
                continue
            weights = [k for p in stage.synapses for k in kernels(p.operator)]
            shift = stage.shift if isinstance(stage, Rectifier) else stage.bias
            found[stage.name] = {"kernels": [np.asarray(w) for w in weights], "shift": shift}
        return found

    def lengths(self) -> dict[str, Floats]:
        """Return the length of the window of every layer, in units of leads."""
        windows, step = self.schedule.windows, self.schedule.dt / self.schedule.unit
        return {
            stage.name: np.asarray((windows[stage.name].close - windows[stage.name].open) * step)
            for stage in self.rectifiers
        }

    def forward(
        self,
        parameters: Parameters,
        lengths: Mapping[str, Array],
        x: Mapping[str, Array],
        *,
        disturb: Disturb | None = None,
        rounded: Round | None = None,
        noisy: Round | None = None,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the outputs before their functions, and the leads of all populations.

        Parameters
        ----------
        parameters : dict
            As `parameters` returns them.
        lengths : mapping of str to float
            Lengths of the windows; infinite ones do not clip leads.
        x : mapping of str to array, shape (batch, *input shape)
            By name of the input.
        disturb : function of (population, leads), optional
            Imperfection of spike times, applied to every population that fires.
        rounded : function of (population, kernels), optional
            Rounding of weights to which all other parameters are adapted.
        noisy : function of (population, kernels), optional
            Imperfection of weights of which the thresholds and currents know nothing.

        Returns
        -------
        outputs, leads : dict of str to array, shape (batch, *population shape)
        """
        leads: dict[str, Array] = {}
        outputs: dict[str, Array] = {}
        for encoder in self.encoders:
            given = encoder.operator.apply(x[encoder.input]) + encoder.offset
            leads[encoder.name] = _disturbed(disturb, encoder.name, given, encoder.largest)
        for stage in self.stages:
            if isinstance(stage, Pool):
                leads[stage.name] = _pooled(stage, leads)
                continue
            own = parameters[stage.name]
            weights = own["kernels"] if rounded is None else rounded(stage.name, own["kernels"])
            planned = operators_with(stage, weights)
            actual = planned
            if noisy is not None:
                actual = operators_with(stage, noisy(stage.name, weights))
            if isinstance(stage, Output):
                outputs[stage.name] = self._read(stage, actual, own["shift"], leads)
                continue
            value = self._fired(stage, planned, actual, own["shift"], lengths[stage.name], leads)
            most = jnp.minimum(lengths[stage.name], jnp.asarray(stage.limit, value.dtype))
            leads[stage.name] = _disturbed(disturb, stage.name, value, most)
        return outputs, leads

    def _fired(
        self,
        stage: Rectifier,
        planned: Sequence[Operator],
        actual: Sequence[Operator],
        shift: Array,
        length: Array,
        leads: Mapping[str, Array],
    ) -> Array:
        """Return the leads of a layer before they are clipped to its window."""
        slope, shrink = self.slopes(stage, planned)
        found = slope
        if actual is not planned and self.code.inactive == "fire":
            # The currents are those of the planned weights, and so is the threshold.
            found = slope + shrink * (_slope_of(actual) - _slope_of(planned))
        if self.decay is not None:
            slow, fast = (
                shrink * _sum(actual, stage, {s.pre: part(leads[s.pre]) for s in stage.synapses})
                for part in self.decay.parts
            )
            needed = slope * self.decay.potential(length) + shift * self.decay.slope(length)
            return length - self.decay.crossing(slow, fast, found, needed)
        value = (shrink * _sum(actual, stage, leads) - shift) / slope
        if found is not slope:
            value = value * slope / found + length * (1.0 - slope / found)
        return value

    def _read(
        self,
        stage: Output,
        operators: Sequence[Operator],
        bias: Array,
        leads: Mapping[str, Array],
    ) -> Array:
        """Return the potentials of the outputs."""
        if self.decay is not None:
            leads = {s.pre: self.decay.potential(leads[s.pre]) for s in stage.synapses}
        return _sum(operators, stage, leads) + bias

    def slopes(self, stage: Rectifier, operators: Sequence[Operator]) -> tuple[Array, Array]:
        """Return the slope B of each neuron, and the factor on its weights that keeps B positive.

        With the linearly mappable condition (Eq 3.9), B is 1 whatever the weights.  With alpha = 1,
        B is 1 plus the sum of the weights; if this is below ``1 / (1 + b_low)`` (the bound of
        Eq 2.18 on B), all weights of the neuron are reduced by a common factor, because a
        potential that does not rise never reaches the threshold.
        """
        if self.code.slope == "identical":
            return jnp.ones(()), jnp.ones(())
        total = _slope_of(operators).reshape(-1)[stage.places]
        least = 1.0 / (1.0 + self.code.b_low) - 1.0
        shrink = jax.lax.stop_gradient(jnp.where(total < least, least / total, 1.0))
        return 1.0 + shrink * total, shrink


def operators_with(stage: Rectifier | Output, new: Sequence[Any]) -> list[Operator]:
    """Return the operators of a stage with other kernels."""
    return all_with_kernels([synapse.operator for synapse in stage.synapses], new)


def _sum(operators: Sequence[Operator], stage: Stage, leads: Mapping[str, Array]) -> Array:
    terms = [o.apply(leads[s.pre]) for o, s in zip(operators, stage.synapses, strict=True)]
    return sum(terms[1:], start=terms[0])


def _slope_of(operators: Sequence[Operator]) -> Array:
    """Return the slope that one spike of every source causes in each neuron."""
    terms = [o.apply(jnp.ones((1, *o.in_shape))) for o in operators]
    return sum(terms[1:], start=terms[0])


def _disturbed(disturb: Disturb | None, name: str, lead: Array, most: Array | float) -> Array:
    """Return leads within the window, of which those below 0 are spikes at its end."""
    lead = jnp.clip(lead, 0.0, most)
    return lead if disturb is None else disturb(name, lead)


def _pooled(stage: Pool, leads: Mapping[str, Array]) -> Array:
    """Return the largest lead of each window, or the smallest one for neurons that wait."""
    value = jnp.stack([s.operator.apply(leads[s.pre]) for s in stage.synapses])
    ones = [s.operator.apply(np.ones((1, *s.operator.in_shape))) for s in stage.synapses]
    present = jnp.stack(ones) > 0
    first = _chosen(value, jnp.where(present, value, -jnp.inf))
    if not np.any(stage.last):
        return first
    return jnp.where(stage.last, _chosen(value, jnp.where(present, -value, -jnp.inf)), first)


def _chosen(value: Array, rank: Array) -> Array:
    """Return the value of highest rank; of equal ones the first, to which its gradient belongs."""
    index = jnp.argmax(rank, axis=0, keepdims=True)
    return jnp.take_along_axis(value, index, axis=0)[0]
