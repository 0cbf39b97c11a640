"""Imperfections of hardware in the forward pass of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.noise import Imperfection, Mismatch, SpikeJitter, WeightQuantization
from bioconv.operators import Array

#: function of the name of a population and its kernels
Change = Callable[[str, Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True)
class Hardware:
    """The imperfections under which a network of first spikes is trained.

    Gradients pass straight through everything that is rounded (Bengio, Leonard and Courville 2013,
    arXiv:1308.3432).  All other parameters of the network are adapted to rounded weights, but not
    to the noise of weights, which differs from chip to chip.

    Parameters
    ----------
    jitter : float
        Standard deviation of spike times in units of leads, drawn for every spike.
    reach : float
        Largest jitter in standard deviations.
    step : float
        Step of the time grid in units of leads; 0 for exact times.
    weight_noise : float
        Standard deviation of a factor on every weight, drawn for every batch.
    quantization : WeightQuantization, optional
        Rounding of weights.
    """

    jitter: float = 0.0
    reach: float = 4.0
    step: float = 0.0
    weight_noise: float = 0.0
    quantization: WeightQuantization | None = None

    @staticmethod
    def of(imperfections: Iterable[Imperfection], unit: float, step: float) -> Hardware:
        """Return the imperfections of `bioconv.noise` in terms of leads.

        Parameters
        ----------
        imperfections : iterable of Imperfection
            `SpikeJitter`, `Mismatch` of weights with normally distributed factors, and
            `WeightQuantization` that rounds to the nearest level.
        unit : float
            Time in ms of a lead of 1.
        step : float
            Step of the time grid in units of leads; 0 for exact times.

        Raises
        ------
        ParameterError
            If there is no counterpart of an imperfection; the message lists all of them.
        """
        found = Hardware(step=step)
        problems = []
        for entry in imperfections:
            match entry:
                case SpikeJitter(sigma=sigma, reach=reach):
                    found = replace(found, jitter=sigma / unit, reach=reach)
                case Mismatch(
                    target="weight", distribution="normal", correlation=0.0, populations=()
                ):
                    found = replace(found, weight_noise=entry.sigma)
                case WeightQuantization(rounding="nearest") if entry.bits:
                    found = replace(found, quantization=entry)
                case _:
                    problems.append(f"  - {entry}")
        if problems:
            lines = "\n".join(problems)
            raise ParameterError(
                f"training does not support these imperfections:\n{lines}\nIt supports "
                "SpikeJitter, Mismatch('weight', ...) with independent normal factors, and "
                "WeightQuantization with bits and rounding='nearest'."
            )
        return found

    def rounded(self, kernels: Sequence[Any], ops: Any = np) -> list[Any]:
        """Return kernels rounded to the levels of the hardware, by NumPy or another module."""
        if self.quantization is None:
            return list(kernels)
        return [self.quantization.rounded(kernel, ops=ops) for kernel in kernels]

    def of_weights(self) -> Change | None:
        """Return the rounding of kernels in training; None if weights are exact."""
        if self.quantization is None:
            return None

        def changed(name: str, kernels: Sequence[Array]) -> list[Array]:
            pairs = zip(kernels, self.rounded(kernels, jnp), strict=True)
            return [exact + jax.lax.stop_gradient(there - exact) for exact, there in pairs]

        return changed

    def of_synapses(self, key: Array) -> Change | None:
        """Return the noise of kernels in one batch; None if there is none."""
        if not self.weight_noise:
            return None
        numbers = _Numbers()

        def changed(name: str, kernels: Sequence[Array]) -> list[Array]:
            own = jax.random.fold_in(key, numbers.of(name))
            return [
                kernel * jnp.maximum(1.0 + self.weight_noise * _normal(own, k, kernel), 0.01)
                for k, kernel in enumerate(kernels)
            ]

        return changed

    def of_leads(self, key: Array) -> Callable[[str, Array], Array] | None:
        """Return the function of (population, leads) for one batch; None if times are exact."""
        if not self.step and not self.jitter:
            return None
        numbers = _Numbers()

        def changed(name: str, leads: Array) -> Array:
            there = leads
            if self.step:
                there = jnp.round(there / self.step) * self.step
            if self.jitter:
                noise = _normal(jax.random.fold_in(key, numbers.of(name)), 0, leads)
                there = there + self.jitter * jnp.clip(noise, -self.reach, self.reach)
            return leads + jax.lax.stop_gradient(there - leads)

        return changed


class _Numbers:
    """Numbers names in the order of their first use, so that no stream depends on a name."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self._known.setdefault(name, len(self._known))


def _normal(key: Array, number: int, like: Array) -> Array:
    return jax.random.normal(jax.random.fold_in(key, number), like.shape, like.dtype)
