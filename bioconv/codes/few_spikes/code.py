"""The few-spikes code: an activation is a weighted sum of a few spikes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.calibration import OVER
from bioconv.ground.options import check, choice, is_whole, number, whole

if TYPE_CHECKING:
    from bioconv.analog.functions import Function

_CHOICES = {
    "normalization": ("layer", "channel", "none"),
    "over": OVER,
    "initial": ("half", "zero"),
    "fit": ("standard", "layer"),
}
_MOST_STEPS, _MOST_BITS = 20, 24


@dataclass(frozen=True)
class FewSpikesCode(Code):
    """An activation is ``sum d(t) z(t)`` over the K steps in which a layer speaks.

    Stoeckl and Maass 2021.  Every layer listens for K steps while the one before it speaks, then
    speaks for K steps.  A neuron spikes in step t if its potential reaches T(t), and then falls
    by h(t); the receiving neuron weighs a spike by d(t).  For ReLU, T = h = d = alpha 2^-t: the
    spikes are binary digits.  Other elementwise functions (SiLU, sigmoid, GELU, tanh, ...) get
    tables that are optimised once and cached; those of the common ones are shipped.

    Max pooling takes the values of all its sources before it lets the spikes of the largest pass,
    in K steps of its own.  `bioconv.codes.few_spikes.pipeline` runs a stream of samples, a new one
    every 2K steps.  Products of layers (squeeze-and-excitation) stay analog in the paper,
    which computes them beside the spiking network; here they are refused, as no simulator could
    run the result.

    Parameters
    ----------
    k : int
        K, 1 to 20; 0: 10 if all functions are ReLU, else 16.
    k_of : mapping of str to int, or str
        K of single functions, which goes before ``k``: ``{"Silu": 16, "Sigmoid": 12}`` for the
        paper's EfficientNet.  Keys are class names in `bioconv.analog.functions`.  It is kept as
        a text, which may be given as well: ``"Sigmoid=12 Silu=16"``.
    alpha : float
        Largest activation of a ReLU that can be said; 0: the percentile of each channel or layer.
    percentile : float
        In (0, 100]; 100 is the maximum on the calibration data.
    normalization : {"layer", "channel", "none"}
        One alpha for each layer, for each channel, or 1 everywhere; used if ``alpha`` is 0.
    over : {"positive", "all"}
        Whether the percentile is that of the positive activations or of all, zeros included.
    initial : {"half", "zero"}
        Whether a ReLU starts half its last digit above zero, so that it rounds to the nearest
        multiple of alpha 2^-K, or at zero, so that it rounds down as in the paper.
    bits : int
        Q: the parameters T, h, d take 2^Q values, evenly spaced between -8 and 8 as in the paper
        (Fig 5e, f), for ReLU between -alpha / 2 and alpha / 2, for tables that are fitted to a
        layer or to other functions as far as the smallest power of 2 that covers them; 2 to 24, or
        0 for no limit.
    fit : {"standard", "layer"}
        Tables fitted to the range in which a function is interesting, or to the inputs that each
        layer has on the calibration data (takes some seconds a layer, once).

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Examples
    --------
    >>> FewSpikesCode(initial="zero").encode(np.array([0.7, 2.0]), 2).tolist()
    [0.5, 0.75]
    >>> FewSpikesCode().encode(np.array([0.7, -1.0]), 2).tolist()
    [0.75, 0.0]
    """

    k: int = whole(0, 0, _MOST_STEPS)
    k_of: str | Mapping[str, int] = ""
    alpha: float = number(0.0, 0.0)
    percentile: float = number(100.0, 0.0, 100.0, above=True)
    normalization: str = choice("channel", ("layer", "channel", "none"))
    over: str = choice("positive", OVER)
    initial: str = choice("half", ("half", "zero"))
    bits: int = whole(0, 2, _MOST_BITS, besides=(0,))
    fit: str = choice("standard", ("standard", "layer"))

    name = "few_spikes"
    references = ("stoeckl2021",)
    builder = "bioconv.codes.few_spikes.network"

    def __post_init__(self) -> None:
        check(self, _wrong_steps(self.k_of))
        if isinstance(self.k_of, Mapping):
            pairs = sorted(self.k_of.items())
            object.__setattr__(self, "k_of", " ".join(f"{name}={int(k)}" for name, k in pairs))

    def steps_of(self, function: Function, usual: int) -> int:
        """K of a function; ``usual`` where no option says how many steps it has."""
        return dict(_pairs(self.k_of)).get(type(function).__name__, self.k or usual)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """What ``n_steps`` binary digits make of an activation in units of alpha (ReLU)."""
        digits = 2.0**n_steps
        # The same tolerance as the network, whose membrane starts a hair above.
        start = (0.5 if self.initial == "half" else 0.0) + 1e-9
        spoken = np.floor(np.asarray(activation, np.float64) * digits + start)
        return np.clip(spoken, 0.0, digits - 1) / digits


def _pairs(text: str | Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Name and K of each function; a K that is no number counts as 0, which is refused."""
    if isinstance(text, Mapping):
        yield from text.items()
        return
    for entry in text.split():
        name, _, k = entry.partition("=")
        yield name, int(k) if k.isdecimal() else 0


def _wrong_steps(k_of: object) -> Iterator[str]:
    """What is wrong with numbers of steps of single functions."""
    from bioconv.analog.functions import FUNCTIONS
    from bioconv.codes.few_spikes.layers import can_have_table

    if not isinstance(k_of, str | Mapping):
        yield f'k_of must be a mapping of functions to K, or "Silu=16 ...". Received: {k_of!r}.'
        return
    valid = sorted(name for name, cls in FUNCTIONS.items() if can_have_table(cls))
    pairs = list(_pairs(k_of))
    for name in {name for name, _ in pairs if name not in valid}:
        yield f"k_of takes the functions {', '.join(valid)}. Received: {name!r}."
    for name, k in pairs:
        if not (is_whole(k) and 1 <= k <= _MOST_STEPS):
            yield f"k_of: K of {name} must be a whole number from 1 to {_MOST_STEPS}."
    if len(dict(pairs)) < len(pairs):
        yield f"k_of names a function twice. Received: {k_of!r}."
