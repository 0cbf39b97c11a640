"""Binary codes: spikes are the bits of a word, one after the other or all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat
from bioconv.encoders.raster import Shape, SpikeRaster, steps_of
from bioconv.ground.options import choice, whole


@dataclass(frozen=True)
class _Binary(Encoder):
    """Values rounded to words of some bits, the most significant one first."""

    n_bits: int = whole(8, 1, 32)

    @property
    def largest(self) -> int:
        """Largest word."""
        return 2**self.n_bits - 1

    def words(self, values: Floats) -> NDArray[np.int64]:
        """Return the bits of all values, shape (n_samples, n_bits, n_values)."""
        word = np.floor(flat(self.shares(values)) * self.largest + 0.5).astype(np.int64)
        place = np.arange(self.n_bits - 1, -1, -1)
        return (word[:, None] >> place[:, None]) & 1

    def added(
        self, raster: SpikeRaster, bit: NDArray[np.int64], unit: NDArray, shape: Shape
    ) -> Floats:
        """Return the values of words, from the bit of each spike that stands for a one."""
        n, n_values = self.n_samples(raster), int(np.prod(shape))
        place = self.windows(raster) * n_values + unit
        weight = 2.0 ** (self.n_bits - 1 - bit)
        total = np.bincount(place, weights=weight, minlength=n * n_values)
        return self.values(total.reshape(n, *shape) / self.largest)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error: half of the last bit."""
        fitted = self.fitted(signal)
        return np.full(checked(signal).shape, fitted.span * (0.5 / self.largest + EXACT))


@dataclass(frozen=True)
class SequentialBinary(_Binary):
    """Bits in a stream: each has a slot of the window.

    Mueller 2023, thesis, 3.1.3.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; a window is divided into a slot for each bit.
    n_bits : int
    kind : {"presence", "half"}
        "presence": a spike in a slot is a one, none is a zero.  "half": a spike in the second half
        of a slot is a one, in the first half a zero, so that there always is one.

    Examples
    --------
    >>> encoder = SequentialBinary(interval=4.0, low=0.0, high=15.0, n_bits=4)
    >>> encoder.encode([5.0]).time.tolist()
    [2.0, 4.0]
    """

    kind: str = choice("presence", ("presence", "half"))

    name = "binary_sequential"
    family = "temporal, globally referenced"
    law = "bit b of round(a (2^B - 1)) in slot b of the window"
    error = "1 / (2 (2^n_bits - 1))"
    reason = "an activation function of continuous values does not translate into it"

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        bits = self.words(values)
        slot_time = self.interval / self.n_bits
        if self.kind == "presence":
            window, bit, unit = np.nonzero(bits)
            place: NDArray[Any] = bit + 1.0
        else:
            window, bit, unit = (index.ravel() for index in np.indices(bits.shape))
            place = bit + 0.5 + 0.5 * bits.ravel()
        return self.raster(unit, window * self.interval + place * slot_time, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        halves = steps_of(raster.time, self.interval / (2 * self.n_bits))
        slot, second = np.divmod(halves, 2)
        one = slice(None) if self.kind == "presence" else second == 1
        kept = SpikeRaster(raster.unit[one], raster.time[one], raster.shape, raster.duration)
        return self.added(kept, slot[one] % self.n_bits, kept.unit, shape)


@dataclass(frozen=True)
class ParallelBinary(_Binary):
    """A whole word at once: each bit has a unit, and those of ones spike together.

    Mueller 2023, thesis, 3.1.3.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_bits : int
        Number of units for a value, which are the first axis of the units.
    """

    name = "binary_parallel"
    family = "temporal, correlation and synchrony"
    law = "unit b spikes if bit b of round(a (2^B - 1)) is 1"
    error = SequentialBinary.error
    reason = "would need connections between the neurons of a layer"
    axes = ("bits",)

    def axis_lengths(self) -> Shape:
        """Return the number of bits."""
        return (self.n_bits,)

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        bits = self.words(values)
        window, bit, unit = np.nonzero(bits)
        time = (window + 1.0) * self.interval
        return self.raster(bit * bits.shape[2] + unit, time, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        bit, unit = np.divmod(raster.unit, raster.n_units // self.n_bits)
        return self.added(raster, bit, unit, shape)
