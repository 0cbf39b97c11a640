"""What spike-by-spike training minimises: losses of the outputs, and of the rates of layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.evaluate import traced
from bioconv.analog.functions import Linear, Softmax
from bioconv.ground.decisions import LARGEST
from bioconv.ground.errors import DataError, ParameterError, Problem
from bioconv.ground.options import is_number
from bioconv.network import Population, Readout, SpikingNetwork
from bioconv.simulators.array.differentiable import Outcome
from bioconv.training.losses import check_targets

Array = Any
Values = dict[str, Array]

LOSSES = ("cross_entropy", "soft_labels", "mean_squared_error", "none")
#: losses of classes, which take the output before its softmax
_OF_CLASSES = ("cross_entropy", "soft_labels")
#: kinds of readouts that are functions of spike counts or of the potential at the end of a run
_KINDS = ("count", "potential", "level")


@dataclass(frozen=True)
class Objective:
    """The loss of a batch.

    Parameters
    ----------
    network : SpikingNetwork
        Its analog network, its populations and readouts; the weights do not matter.
    loss : str
        One of `LOSSES`.
    distillation : float
        Weight of the mean over layers of the squared distance between rates and activations.
    n_steps : int
    dtype : str
    """

    network: SpikingNetwork
    loss: str
    distillation: float
    n_steps: int
    dtype: str

    def __call__(self, found: Outcome, x: Values, y: Array) -> tuple[Array, Values]:
        """Return the loss and its parts.

        Parameters
        ----------
        found : Outcome
        x : dict of str to array (batch, *input shape)
        y : array (batch,)
        """
        names = [*(self.layers() if self.distillation else ()), *self._analog_outputs()]
        target = traced(self.network.analog, x, names, self.dtype) if names else {}
        total, parts = jnp.zeros(()), {}
        if self.loss in _OF_CLASSES:
            logits = self.analog_values(found, self.network.readouts[0])
            logits = logits.reshape(len(logits), -1)
            labels = self._labels(target, y, logits.shape[1])
            decided, wanted = (LARGEST.decide(v, v.shape[1:]) for v in (logits, labels))
            parts = {
                self.loss: -jnp.mean(jnp.sum(labels * jax.nn.log_softmax(logits), axis=1)),
                "agreement": jnp.mean(decided == wanted),
            }
            total += parts[self.loss]
        if self.loss == "mean_squared_error":
            parts["mean_squared_error"] = self._squared(found, target)
            total += parts["mean_squared_error"]
        if self.distillation:
            parts["distillation"] = self._distance(found, target)
            total += self.distillation * parts["distillation"]
        return total, parts

    def layers(self) -> dict[str, list[Population]]:
        """Return the populations whose rates represent each analog layer."""
        found: dict[str, list[Population]] = {}
        for population in self.network.populations:
            if population.layer and population.model.threshold:
                found.setdefault(population.layer, []).append(population)
        return found

    def analog_values(self, found: Outcome, readout: Readout) -> Array:
        """Return the output before the function of the output layer, shape (batch, *shape).

        It is that of `bioconv.network.Readout` after the last step.
        """
        population = self.network.population(readout.population)
        if readout.kind == "count":
            return self._activation(found, population)
        name = population.model.potential
        rise = found.traces[population.name][name] - population.starts(name).astype(self.dtype)
        if readout.kind == "potential":
            rise = rise / (self.n_steps - population.start_step)
        shaped = rise.reshape(-1, *population.shape)
        return _constant(population.scale, self.dtype) * shaped + _constant(
            population.offset, self.dtype
        )

    def _analog_outputs(self) -> tuple[str, ...]:
        return (
            self.network.analog.outputs
            if self.loss in ("soft_labels", "mean_squared_error")
            else ()
        )

    def _labels(self, target: Mapping[str, Array], y: Array, n_classes: int) -> Array:
        """Return the probability of each class, shape (batch, n_classes)."""
        if self.loss == "cross_entropy":
            return jax.nn.one_hot(y, n_classes, dtype=self.dtype)
        outputs = target[self.network.analog.outputs[0]].reshape(-1, n_classes)
        known = isinstance(self.network.readouts[0].function, Softmax)
        return outputs if known else jax.nn.softmax(outputs)

    def _activation(self, found: Outcome, population: Population) -> Array:
        """Return the contribution of a population to the activation of its layer."""
        seconds = (self.n_steps - population.start_step) * self.network.dt * 1e-3
        share = found.counts[population.name] / (seconds * population.max_rate)
        shaped = share.reshape(-1, *population.shape)
        scale, offset = (_constant(v, self.dtype) for v in (population.scale, population.offset))
        return scale * shaped + offset

    def _squared(self, found: Outcome, target: Mapping[str, Array]) -> Array:
        outputs = self.network.analog.outputs
        parts = [
            jnp.mean((r.function.apply([self.analog_values(found, r)]) - target[name]) ** 2)
            for r, name in zip(self.network.readouts, outputs, strict=True)
        ]
        return reduce(jnp.add, parts) / len(parts)

    def _distance(self, found: Outcome, target: Mapping[str, Array]) -> Array:
        parts = []
        for name, populations in self.layers().items():
            value = reduce(jnp.add, [self._activation(found, p) for p in populations])
            scale = _constant(np.maximum.reduce([np.abs(p.scale) for p in populations]), self.dtype)
            parts.append(jnp.mean(((value - target[name]) / scale) ** 2))
        return reduce(jnp.add, parts) / len(parts)


def check_network(objective: Objective) -> None:
    """Raise `ParameterError`, with all reasons, if a network cannot be trained so."""
    problems = _problems(objective)
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise ParameterError(f"{objective.network.name} cannot be trained through spikes:{lines}")


def labels_of(objective: Objective, y: NDArray | None, n_samples: int) -> NDArray[np.int32]:
    """Return the labels of the samples, zeros if none are needed.

    Raises
    ------
    DataError
        If labels are missing or wrong.
    """
    if objective.loss != "cross_entropy":
        return np.zeros(n_samples, np.int32)
    if y is None:
        raise DataError("the loss cross_entropy needs labels y, one for each sample.")
    population = objective.network.population(objective.network.readouts[0].population)
    return check_targets(y, n_samples, population.shape)


def _problems(objective: Objective) -> list[Problem]:
    network, found = objective.network, _wrong_options(objective)
    if network.recurrent:
        reason = "the network is recurrent, which the array simulator cannot run."
        found.append(Problem(network.name, "SpikingNetwork", reason))
    for entry in network.projections:
        if entry.release < 1:
            where, reason = f"{entry.pre} -> {entry.post}", "its synapses fail at random."
            advice = "Train the network before synapses fail."
            found.append(Problem(where, "Projection", reason, advice))
    for readout in network.readouts if objective.loss != "none" else ():
        if readout.kind not in _KINDS:
            reason = f"the output of kind {readout.kind!r} has no derivative."
            advice = "Convert with the readout 'potential' or 'count', or use loss='none'."
            found.append(Problem(readout.name, "Readout", reason, advice))
        elif objective.loss in _OF_CLASSES and not isinstance(readout.function, Softmax | Linear):
            reason = f"the function {type(readout.function).__name__} gives no classes."
            found.append(Problem(readout.name, "Readout", reason, "Use loss='mean_squared_error'."))
    if objective.loss in _OF_CLASSES and len(network.readouts) != 1:
        reason = f"a loss of classes needs one output, not {len(network.readouts)}."
        found.append(Problem(network.name, "Readout", reason, "Use loss='mean_squared_error'."))
    if objective.distillation > 0:
        timed = [p.name for p in network.populations if p.layer and len(p.spike_values)]
        reason = "activations are represented by the times of spikes, not by rates."
        if timed:
            found.append(Problem(", ".join(timed), "Population", reason, "Use distillation=0."))
        elif not objective.layers():
            reason = "no spiking population represents a layer of the analog network."
            found.append(Problem(network.name, "Population", reason, "Use distillation=0."))
    last = max(population.start_step for population in network.populations)
    if objective.n_steps <= last:
        reason = f"n_steps = {objective.n_steps} ends before the outputs start in step {last}."
        found.append(Problem(network.name, "SpikingNetwork", reason))
    return found


def _wrong_options(objective: Objective) -> list[Problem]:
    found = []
    if objective.loss not in LOSSES:
        reason = f"must be one of {', '.join(LOSSES)}. Received: {objective.loss!r}."
        found.append(Problem("loss", "option", reason))
    if not (is_number(objective.distillation) and objective.distillation >= 0):
        reason = f"must be a number of at least 0. Received: {objective.distillation!r}."
        found.append(Problem("distillation", "option", reason))
    elif objective.loss == "none" and not objective.distillation:
        reason = "is 0, and there is no other loss."
        found.append(Problem("distillation", "option", reason, "Use distillation=1.0."))
    return found


def _constant(value: NDArray, dtype: str) -> Array:
    return jnp.asarray(value, dtype)
