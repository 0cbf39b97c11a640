"""The parts of a spiking network: populations, projections, inputs, readouts.  Frozen data.

Numbers are plain floats in ms, mV, pA, pF, nS, Hz.  Time is counted in integer steps of ``dt``;
`bioconv.timing` describes the order of events in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Function
from bioconv.analog.graph import Affine
from bioconv.ground.decisions import Decision
from bioconv.neurons.language.model import NeuronModel
from bioconv.operators import Operator

Shape = tuple[int, ...]
Value = float | NDArray[np.float64]


@dataclass(frozen=True)
class Input:
    """An input, where the data enter the network.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Shape of one sample.
    encoder : {"current", "regular", "poisson", "raster"}
        "current": the sample drives populations as a constant current (see `Drive`).
        "regular", "poisson": the input is a population of spike sources that emit at most one
        spike per step; sources have the shape ``(2, *shape)`` if ``signed`` (ON for positive,
        OFF for negative values), else ``shape``.  "raster": such sources that replay given spikes;
        a sample is a list of steps and sources, shape (n_listed, 2), in which rows of -1 are none.
    scale : float
        A value of x times ``scale`` is the number of spikes per step (clipped to [0, 1]).
    signed : bool
    calibrated : tuple of float, or None
        Smallest and largest value and root mean square of the calibration data, if they are known.
    """

    name: str
    shape: Shape
    encoder: str = "current"
    scale: float = 1.0
    signed: bool = False
    calibrated: tuple[float, float, float] | None = None

    @property
    def spikes(self) -> bool:
        """Whether the input is a population of spike sources."""
        return self.encoder != "current"

    @property
    def spike_shape(self) -> Shape:
        """Shape of the population of spike sources."""
        return (2, *self.shape) if self.signed else self.shape

    @property
    def n_neurons(self) -> int:
        """Number of spike sources."""
        return prod(self.spike_shape) if self.spikes else 0


@dataclass(frozen=True, eq=False)
class Population:
    """A population of neurons of one model.

    Parameters
    ----------
    name : str
    shape : tuple of int
    model : NeuronModel
    parameters : mapping of str to float or ndarray broadcastable to ``shape``
        Values that differ from the defaults of the model, in the units of the model.
    initial : mapping of str to float or ndarray broadcastable to ``shape``
        Start values of state variables that differ from those of the model.
    layer : str
        The analog layer whose activation the population represents.  Several populations may
        represent one layer (positive and negative part of a leaky ReLU), in which case their
        contributions are summed.
    scale, offset : ndarray broadcastable to ``shape``
        Contribution to the activation: ``scale * rate / max_rate + offset``, or
        ``scale * value + offset`` if ``spike_values`` are given.
    max_rate : float
        Rate in Hz that represents ``scale``.
    start_step : int
        First step in which input can arrive, from which spikes are counted.
    spike_values : ndarray, shape (n,)
        For codes in which the time of a spike is relevant: a spike in step ``start_step + i`` adds
        ``spike_values[i]`` to the value, and spikes in other steps add nothing.  Empty for rates.
    activation_current : float
        Current in pA that represents the activation of one scale, if a constant current
        represents an activation; otherwise 0.
    """

    name: str
    shape: Shape
    model: NeuronModel
    parameters: Mapping[str, Value] = field(default_factory=dict)
    initial: Mapping[str, Value] = field(default_factory=dict)
    layer: str = ""
    scale: NDArray[np.float64] = field(default_factory=lambda: np.ones(()))
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))
    max_rate: float = 1000.0
    start_step: int = 0
    spike_values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    activation_current: float = 0.0

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    def value(self, parameter: str) -> Value:
        """Return the value of a parameter, given or default."""
        return self.parameters.get(parameter, self.model.parameter(parameter).default)

    def values(self, parameter: str) -> NDArray[np.float64]:
        """Return the values of a parameter, given or default, shape (n_neurons,)."""
        return self._flat(self.value(parameter))

    def starts(self, state: str) -> NDArray[np.float64]:
        """Return the start values of a state variable, shape (n_neurons,)."""
        return self._flat(self.start(state))

    def _flat(self, value: Value) -> NDArray[np.float64]:
        return np.broadcast_to(np.asarray(value, np.float64), self.shape).reshape(-1)

    def start(self, state: str) -> Value:
        """Return the start value of a state variable, given or default."""
        start = self.initial.get(state, self.model.state(state).initial)
        return self.value(start) if isinstance(start, str) else start

    @property
    def decoded_from(self) -> str:
        """Recording that determines the activation: "spikes" (their times) or "counts"."""
        return "spikes" if len(self.spike_values) else "counts"


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from a population, or an input with spikes, to a population.

    ``operator`` maps the flat spikes of ``pre`` to weights in the unit of the receptor.
    A spike emitted in step t arrives in step t + ``delay_steps`` (at least 1).
    ``release`` is the probability that a synapse transmits a spike, drawn independently for each
    synapse and spike; the array simulator instead draws the sum over the synapses of a neuron from
    the normal distribution with the exact mean and variance.
    """

    pre: str
    post: str
    operator: Operator
    receptor: str
    delay_steps: int = 1
    release: float = 1.0


@dataclass(frozen=True, eq=False)
class Drive:
    """Current from an analog input or an analog stage, added to the parameter ``model.current`` of
    ``post``.

    An input x drives the constant current ``operator(x)`` in pA.  The value F(t) of a stage changes
    from step to step.  In step t of the population, counted from 1 in its ``start_step``, the stage
    drives ``operator(t F(t) - (t - 1) F(t - 1))``, so that the mean current up to any step is
    ``operator`` of the last value, as if that value had been known from the start.

    The current (of a stage, the sum of its currents so far) is rounded to integer multiples of
    ``grid`` (pA), so that all simulators sum exactly the same numbers; 0 for no rounding.
    """

    input: str
    post: str
    operator: Operator
    grid: float = 0.0


@dataclass(frozen=True, eq=False)
class AnalogStage:
    """A layer that no neuron computes: a function of decoded activations.

    In every step, its value is the function of ``layer`` of what the spikes before this step
    represent.  It drives populations through `Drive`.

    Parameters
    ----------
    name : str
    layer : str
        The layer of the analog network whose function it computes, and whose activation its value
        represents; the function is one of `bioconv.network.stages.STAGE_FUNCTIONS`.
    inputs : tuple of Affine
        The arguments of the function, as in that layer, but with parts of the network as sources:
        inputs with the encoder "current" (the sample), spike sources (spikes per step so far),
        populations that represent activations by rates (their mean rate since ``start_step``, as a
        share of ``max_rate``), and earlier stages (their value in the same step).
    """

    name: str
    layer: str
    inputs: tuple[Affine, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the inputs, populations and stages from which it computes, for each term."""
        return tuple(term.source for affine in self.inputs for term in affine.terms)


@dataclass(frozen=True, eq=False)
class Change:
    """A change of a parameter or state variable of a population in a given step.

    It is applied at the start of step ``step``, before integration.  For the parameter
    ``model.current``, the drives are added to ``value``.
    """

    step: int
    population: str
    variable: str
    value: Value


@dataclass(frozen=True, eq=False)
class Readout:
    """Conversion of the state of an output population to the analog output.

    With n = steps simulated so far - population.start_step:

    - kind "count": output = scale * spikes / (n dt max_rate) + offset (scale and offset of the
      population),
    - kind "potential": output = population.scale * (v - v_initial) / n + population.offset; the
      population never spikes and ``scale`` is in activation per (mV / step),
    - kind "accumulated_softmax": an external Poisson generator (``rate`` in Hz) triggers output
      spikes, each a draw from the softmax of the accumulated potential in mV (rueckauer 3.5);
      output = share of the spikes,
    - kind "softmax": the same, with the softmax of the output of kind "potential",
    - kind "level": output = scale * (v - v_initial) + offset, for codes whose outputs sum to a
      fixed amount; the population never spikes,
    - kind "first_spike": output = offset - scale * (time of the neuron's first spike, in ms after
      the start of population.start_step); a neuron that has not spiked counts as spiking now, and
      there is no output before the first spike of the population,
    - kinds "pattern", "pattern_absolute": an output for each of some ``patterns`` of spikes, the
      negative van Rossum distance of the spikes of the population from it: the sum of the squares,
      or of the absolute values, of the differences between the traces of the two, divided by the
      time constant in steps (stanojevic Eqs A.14, A.15, A.19).  A trace decays by the factor
      ``decay`` a step, and a spike adds 1.

    Then ``function`` is applied (softmax, sigmoid, linear, ...) to obtain the output of Keras.
    ``patterns`` are spikes from the step population.start_step on, shape (n_patterns, n_steps,
    n_neurons).
    ``decision`` is what the output stands for (a class, labels, values); None for what its function
    suggests (`bioconv.analog.decisions`).
    """

    name: str
    population: str
    kind: str
    function: Function
    rate: float = 0.0
    decision: Decision | None = None
    patterns: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0, 0), bool))
    decay: float = 0.0

    @property
    def reads_spikes(self) -> bool:
        """Whether it requires spikes of the population, not its membrane potential."""
        return self.kind in ("count", "first_spike") or self.compares

    @property
    def compares(self) -> bool:
        """Whether it compares the spikes of the population with patterns."""
        return self.kind in ("pattern", "pattern_absolute")

    def shape(self, population: Population) -> Shape:
        """Return the shape of the output of one sample."""
        return (len(self.patterns),) if self.compares else population.shape

    @property
    def draws(self) -> bool:
        """Whether an external generator draws the spikes of the output at random."""
        return self.kind in ("accumulated_softmax", "softmax")


@dataclass(frozen=True)
class Disturbance:
    """An imperfection that was applied to a network (`bioconv.noise.disturb`).

    Parameters
    ----------
    kind : str
        Class of the imperfection.
    target : str
        The disturbed quantity, if several imperfections of the class can be applied; else empty.
    seed : int
        Seed of its random numbers.
    text : str
        The imperfection with its options, for the record.
    """

    kind: str
    target: str
    seed: int
    text: str


@dataclass(frozen=True, eq=False)
class NetworkParts:
    """All fields of a spiking network, which `bioconv.network.SpikingNetwork` describes."""

    name: str
    dt: float
    n_steps: int
    inputs: tuple[Input, ...]
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    drives: tuple[Drive, ...]
    changes: tuple[Change, ...]
    readouts: tuple[Readout, ...]
    analog: AnalogGraph
    code: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    imperfections: tuple[Disturbance, ...] = ()
    stages: tuple[AnalogStage, ...] = ()

    @property
    def spiking_inputs(self) -> tuple[Input, ...]:
        """The inputs that are populations of spike sources."""
        return tuple(entry for entry in self.inputs if entry.spikes)
