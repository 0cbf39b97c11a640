"""How well a converted network is expected to agree with the analog one, before it is run.

A code that knows which values its spikes can represent says so by a function for each layer, its
levels.  The network of these functions is evaluated on calibration data, layer by layer, beside the
analog network.  Codes without such functions are run instead, see `bioconv.measures.expectation`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.decisions import before_function, decisions_of
from bioconv.analog.evaluate import value_of
from bioconv.analog.functions import Elementwise, Function
from bioconv.analog.graph import Layer
from bioconv.codes.common.affine import pre_activations
from bioconv.codes.common.rewritten import Rewritten
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import AccuracyWarning
from bioconv.network.agreement import AGREEMENT, DEVIATION, ENOUGH, MOST_DEVIATION, RUN, WEAKEST
from bioconv.operators import Array

Values = dict[str, NDArray]
#: from the inputs of a layer's functions to the values that its spikes represent, (n, *shape)
Level = Callable[..., NDArray]

#: largest number of samples and, for large networks, of activations that are evaluated
_SAMPLES, _VALUES = 1024, 20_000_000
#: smallest number of samples, irrespective of the size of the network
_FEWEST_SAMPLES = 16
#: number of samples that show how much accuracy a single layer loses
_PROBED = 32


@dataclass(frozen=True)
class Expectation:
    """What is expected of a network.

    Parameters
    ----------
    agreement : float
        Share of decisions of the analog network that stay the same.
    weakest : str
        The layer with the largest error of its own: root mean square, as a share of the standard
        deviation of its activations.  Empty if no layer has one.
    n_run : int
        Number of samples of the run that found it; 0 if it was found without a run.
    deviation : float or None
        Largest error of an output: root mean square, as a share of the range of this output.  None
        after a run, which is too short to tell.
    """

    agreement: float
    weakest: str = ""
    n_run: int = 0
    deviation: float | None = None

    def record(self) -> dict[str, str | float]:
        """Return the entries for the record of a network."""
        found: dict[str, str | float] = {AGREEMENT: self.agreement, WEAKEST: self.weakest}
        if self.deviation is not None:
            found[DEVIATION] = self.deviation
        return {**found, RUN: self.n_run} if self.n_run else found


def few_samples(size: int, calibration: Mapping[str, NDArray]) -> Values:
    """Return the first samples, at most 1024 and fewer for a large network.

    Parameters
    ----------
    size : int
        Number of activations of a sample.
    calibration : mapping of str to ndarray
    """
    n = n_samples_of(size, _SAMPLES, _VALUES, _FEWEST_SAMPLES)
    return {name: x[:n] for name, x in calibration.items()}


def n_samples_of(size: int, most: int, values: int, fewest: int) -> int:
    """Return ``most`` samples, or so many that there are ``values`` activations of this size."""
    return max(fewest, min(most, values // max(size, 1)))


def n_activations(rewritten: Rewritten) -> int:
    """Return the number of activations of a sample."""
    return sum(int(np.prod(layer.shape)) for layer in rewritten.layers)


def compare(
    exact: Sequence[NDArray], found: Sequence[NDArray], decisions: Sequence[Decision]
) -> tuple[float, float]:
    """Return the relative error and the agreement over all outputs.

    Parameters
    ----------
    exact, found : sequence of ndarray, shape (n, *shape)
        Outputs of the analog and of the spiking network.
    decisions : sequence of Decision
        What each output stands for.

    Returns
    -------
    error : float
        Root mean squared distance, as a share of the standard deviation of the analog outputs.
    agreement : float
        Share of decisions that are the same, mean of all outputs.
    """
    squares = sum(float(np.sum((a - b) ** 2)) for a, b in zip(exact, found, strict=True))
    spread = sum(float(np.sum((a - a.mean()) ** 2)) for a in exact)
    same = [
        decision.share(decision.of(b), decision.of(a))
        for a, b, decision in zip(exact, found, decisions, strict=True)
    ]
    return float(np.sqrt(squares / spread)) if spread else 0.0, float(np.mean(same))


def expect(
    exact: Rewritten,
    levels: Mapping[str, Level],
    calibration: Mapping[str, NDArray],
    *,
    spiking: Rewritten | None = None,
    decisions: Sequence[Decision] | None = None,
) -> Expectation:
    """Return what to expect of a network whose layers represent certain values only.

    Parameters
    ----------
    exact : Rewritten
        The analog network.
    levels : mapping of str to function
        For inputs and layers, which values their spikes represent.  Without one, activations are
        exact.
    calibration : mapping of str to ndarray
        Samples for each input; see `few_samples`.
    spiking : Rewritten, optional
        The network that spikes, if its weights differ; it has the same layers.
    decisions : sequence of Decision, optional
        What each output stands for.  Default: what its function suggests.
    """
    if decisions is None:
        decisions = tuple(decisions_of(exact.graph()).values())
    spiking = exact if spiking is None else spiking
    samples = few_samples(n_activations(exact), calibration)
    n = len(next(iter(samples.values())))
    known: Values = {name: np.asarray(x, np.float32) for name, x in samples.items()}
    found: Values = {name: levels[name](x) if name in levels else x for name, x in known.items()}
    last = _last_uses(exact)
    own_errors: dict[str, float] = {}
    outputs: tuple[list[NDArray], list[NDArray]] = ([], [])
    decided: list[Decision] = []
    rows = [*exact.layers, *pre_activations(exact.readouts)]
    spiking_rows = [*spiking.layers, *pre_activations(spiking.readouts)]
    for place, (layer, other) in enumerate(zip(rows, spiking_rows, strict=True)):
        level = levels.get(layer.name, _plain(other.function))
        driven = _driven(layer, known, n)
        known[layer.name] = _plain(layer.function)(*driven)
        found[layer.name] = np.asarray(level(*_driven(other, found, n)), np.float32)
        if layer.name in levels:
            m = min(n, _PROBED)
            if spiking is not exact:
                few = {name: known[name][:m] for name in other.sources}
                driven = _driven(other, few, m)
            missed = np.asarray(level(*(part[:m] for part in driven))) - known[layer.name][:m]
            own_errors[layer.name] = _relative(missed, known[layer.name][:m])
        if place >= len(exact.layers):
            number = place - len(exact.layers)
            compared, decision = _compared(exact.readouts[number], decisions[number])
            decided.append(decision)
            for values, output in zip((known, found), outputs, strict=True):
                output.append(compared(values[layer.name]))
        for name in last.get(place, ()):
            del known[name], found[name]
    _, agreement = compare(*outputs, decided)
    deviation = max(starmap(deviation_of, zip(*outputs, strict=True)), default=0.0)
    return Expectation(agreement, largest_error(own_errors), deviation=deviation)


def deviation_of(exact: NDArray, found: NDArray) -> float:
    """Return the root mean squared error as a share of the range of the exact values."""
    extent = float(np.ptp(exact))
    return float(np.sqrt(np.mean(np.square(found - exact)))) / extent if extent else 0.0


def largest_error(errors: Mapping[str, float]) -> str:
    """Return the name of the layer with the largest error, or an empty string without an error."""
    worst = max(errors, key=lambda name: errors[name], default="")
    return worst if worst and errors[worst] > 0 else ""


def warn_of_loss(record: Mapping[str, object], network: str, remedy: str) -> None:
    """Warn if decisions or outputs are not expected to be those of the analog network.

    Parameters
    ----------
    record : mapping
        Of the network, see `Expectation.record`.
    network : str
        Name of the network.
    remedy : str
        What helps, for the message.
    """
    agreement, deviation = record.get(AGREEMENT), record.get(DEVIATION)
    weakest, n = record.get(WEAKEST), record.get(RUN)
    where = f" The layer {weakest!r} loses most." if weakest else ""
    if isinstance(agreement, float) and agreement < ENOUGH:
        samples = "the" if not isinstance(n, int) else f"{n}"
        said = (
            f"{network} is expected to agree with the analog network on {100 * agreement:.1f} % of "
            f"{samples} calibration samples only."
        )
    elif isinstance(deviation, float) and deviation > MOST_DEVIATION:
        said = (
            f"{network} is expected to make the decisions of the analog network, but its outputs "
            f"are expected to be off by {100 * deviation:.1f} % of their range (root mean square)."
        )
    else:
        return
    warnings.warn(f"{said}{where} {remedy}", AccuracyWarning, stacklevel=3)


def _compared(readout: Layer, decision: Decision) -> tuple[Level, Decision]:
    """Return the function from the input of an output function to what decides, and the decision.

    Classes are decided before a function of single values, which may saturate.
    """
    function = readout.function
    if decision.of_classes and isinstance(function, Elementwise) and function.pointwise:
        return np.asarray, before_function(decision, function, readout.shape)
    return _plain(function), decision


def _plain(function: Function) -> Level:
    def level(*inputs: NDArray) -> NDArray:
        return np.asarray(applied(function, *inputs))

    return level


@jax.jit
def applied(function: Function, *inputs: Array) -> jax.Array:
    """Return the value of a function."""
    return function.apply(inputs)


def _driven(layer: Layer, values: Mapping[str, NDArray], n: int) -> list[NDArray]:
    """Return the inputs of the function of a layer, of which only analog stages have several."""
    found = []
    for affine in layer.inputs:
        given = {term.source: values[term.source] for term in affine.terms}
        with jax.default_matmul_precision("highest"):
            found.append(np.asarray(_value(affine, given, n)))
    return found


_value = jax.jit(value_of, static_argnames="n")


def _last_uses(rewritten: Rewritten) -> dict[int, list[str]]:
    """Return the names of inputs and layers that no layer after this place uses."""
    last: dict[str, int] = {}
    for place, layer in enumerate((*rewritten.layers, *rewritten.readouts)):
        last |= dict.fromkeys(layer.sources, place)
    places: dict[int, list[str]] = {}
    for name, place in last.items():
        places.setdefault(place, []).append(name)
    return places


def _relative(missed: NDArray, exact: NDArray) -> float:
    spread = float(np.std(exact))
    return float(np.sqrt(np.mean(np.square(missed)))) / spread if spread else 0.0
