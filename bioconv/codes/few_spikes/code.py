"""The few-spikes code: activations are represented by weighted sums of a few spikes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.choices import OVER
from bioconv.ground.options import check, choice, is_whole, number, whole

if TYPE_CHECKING:
    from bioconv.analog.functions import Function

_MOST_STEPS, _MOST_BITS, _MOST_PIECES = 20, 24, 64


@dataclass(frozen=True, repr=False)
class FewSpikesCode(Code):
    """Represent an activation by ``sum d(t) z(t)`` over the K steps in which a layer fires.

    Stoeckl and Maass 2021.  Every layer receives spikes for K steps, while the preceding layer
    fires, and then fires for K steps itself.  A neuron spikes in step t if its potential reaches
    the threshold T(t); its potential then decreases by h(t), and the receiving neuron weights the
    spike by d(t).  For ReLU, T = h = d = alpha 2^-t, so that the spikes are binary digits.  Other
    elementwise functions (SiLU, sigmoid, GELU, tanh, ...) use tables that are optimised once and
    cached; those of the common functions are part of the package, and are replaced by fitted ones
    in layers whose inputs they do not suit.

    Max pooling collects the values of all its sources before it passes on the spikes of the
    largest one, which takes another K steps.  `bioconv.codes.few_spikes.pipeline` runs a stream of
    samples, with a new one every 2K steps.  The paper computes products of layers
    (squeeze-and-excitation) outside the spiking network; here they are refused, or computed by
    spikes with ``analog="none"``.

    Parameters
    ----------
    k : int
        K, from 1 to 20.  With 0, K is 10 if all functions are ReLU, and 16 otherwise.
    k_of : mapping of str to int, or str
        K of individual functions, which overrides ``k``: the EfficientNet of the paper has
        ``{"Silu": 16, "Sigmoid": 12}``.  Keys are class names in `bioconv.analog.functions`.  It
        is stored as a string, which is accepted as well: ``"Sigmoid=12 Silu=16"``.
    alpha : float
        Largest activation of a ReLU that can be represented.  With 0, it is the percentile of each
        channel or layer.
    percentile : float
        Percentile of the activations on the calibration data, in (0, 100]; 100 is the maximum.
    normalization : {"layer", "channel", "none"}
        Use one alpha per layer, one per channel, or 1 everywhere; applies if ``alpha`` is 0.
    over : {"positive", "all"}
        Whether the percentile is taken over the positive activations or over all, including zeros.
    initial : {"half", "zero"}
        Whether the potential of a ReLU neuron starts at half its last digit, so that values are
        rounded to the nearest multiple of alpha 2^-K, or at zero, so that they are rounded down
        as in the paper.
    bits : int
        Q, from 2 to 24: the parameters T, h and d take one of 2^Q evenly spaced values; 0 for no
        limit.  The values lie between -8 and 8 as in the paper (Fig 5e, f), for ReLU between
        -alpha / 2 and alpha / 2.  For tables that are fitted to a layer or to other functions, the
        range is bounded by the smallest power of 2 that covers all parameters.
    fit : {"auto", "standard", "layer"}
        Whether tables are fitted to a standard range of each function, or to the inputs that each
        layer receives on the calibration data (this takes some seconds per layer, once).  With
        "auto", a layer has the table that is part of the package wherever this table represents
        the function of its inputs well (`bioconv.codes.few_spikes.standard.suited_table`), and is
        fitted otherwise.
    analog : {"refused", "none"}
        Whether layers whose values depend on several others nonlinearly are refused, or are
        computed by spikes as well, so that nothing is analog: products of layers (gates,
        squeeze-and-excitation), attention, softmax, and normalizations of each sample.  They are
        made of squares, exponentials, logarithms and inverse square roots
        (`bioconv.codes.pointwise`).
    pieces : int
        With ``analog="none"``, the number of ReLUs, each a neuron, whose sum is one of these
        functions, with knots that are fitted to the inputs of its layer.  Their error falls with
        1 / pieces².  With 0, a function is one neuron with a table that is fitted to the inputs:
        fewer neurons, and a larger error than that of eight pieces.  Sums of pieces need a K of
        about 16.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

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
    fit: str = choice("auto", ("auto", "standard", "layer"))
    analog: str = choice("refused", ("refused", "none"))
    pieces: int = whole(0, 0, _MOST_PIECES)

    name = "few_spikes"
    references = ("stoeckl2021",)
    builder = "bioconv.codes.few_spikes.network"
    remedy = 'fit="layer" and a larger k, up to 20, help; with analog="none", so does pieces=8.'

    def __post_init__(self) -> None:
        check(self, [*_wrong_steps(self.k_of), *self._unused_pieces()])
        if isinstance(self.k_of, Mapping):
            pairs = sorted(self.k_of.items())
            object.__setattr__(self, "k_of", " ".join(f"{name}={int(k)}" for name, k in pairs))

    def _unused_pieces(self) -> list[str]:
        if self.pieces and self.analog != "none":
            return [f'pieces requires analog="none". Received: {self.pieces} and {self.analog!r}.']
        return []

    def steps_of(self, function: Function, usual: int) -> int:
        """Return K of a function, or ``usual`` if no option specifies it."""
        return dict(_pairs(self.k_of)).get(type(function).__name__, self.k or usual)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations, in units of alpha, to ``n_steps`` binary digits (ReLU)."""
        digits = 2.0**n_steps
        # The same tolerance as the network, whose membrane starts a hair above.
        start = (0.5 if self.initial == "half" else 0.0) + 1e-9
        levels = np.floor(np.asarray(activation, np.float64) * digits + start)
        return np.clip(levels, 0.0, digits - 1) / digits


def _pairs(text: str | Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield name and K of each function; a K that is not a number becomes 0, which is invalid."""
    if isinstance(text, Mapping):
        yield from text.items()
        return
    for entry in text.split():
        name, _, k = entry.partition("=")
        yield name, int(k) if k.isdecimal() else 0


def _wrong_steps(k_of: object) -> Iterator[str]:
    """Yield the errors in the numbers of steps of individual functions."""
    from bioconv.analog.functions import FUNCTIONS
    from bioconv.codes.few_spikes.layers import can_have_table

    if not isinstance(k_of, str | Mapping):
        yield f'k_of must map functions to K, or be a string like "Silu=16". Received: {k_of!r}.'
        return
    valid = sorted(name for name, cls in FUNCTIONS.items() if can_have_table(cls))
    pairs = list(_pairs(k_of))
    for name in {name for name, _ in pairs if name not in valid}:
        yield f"k_of accepts the functions {', '.join(valid)}. Received: {name!r}."
    for name, k in pairs:
        if not (is_whole(k) and 1 <= k <= _MOST_STEPS):
            yield f"k_of: the K of {name} must be an integer from 1 to {_MOST_STEPS}."
    if len(dict(pairs)) < len(pairs):
        yield f"k_of names a function twice. Received: {k_of!r}."
