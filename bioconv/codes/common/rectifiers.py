"""Functions that are sums of rectifications, so that firing rates can represent them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import FICurve, Function, HardSigmoid, HardTanh, PReLU, ReLU

Number = float | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contribution:
    """One contribution ``factor * function(gain * x + shift) + offset``.

    Parameters
    ----------
    function : ReLU or FICurve
        With slope 0.
    gain, shift, factor, offset : float or ndarray
    suffix : str
        Suffix that distinguishes the part from the others.
    """

    function: ReLU | FICurve
    gain: Number = 1.0
    shift: Number = 0.0
    factor: Number = 1.0
    offset: float = 0.0
    suffix: str = ""

    @property
    def is_all(self) -> bool:
        """Whether the contribution is the function itself."""
        return self.suffix == ""


def is_rectifier(function: Function) -> bool:
    """Whether `rectifiers` can decompose the function."""
    return isinstance(function, ReLU | PReLU | HardSigmoid | HardTanh | FICurve)


def rectifiers(function: Function) -> list[Contribution]:
    """Return the rectifications whose sum is ``function``.

    A leaky rectification is its positive part minus the slope times its negative part; the hard
    sigmoid and the hard tangent are rectifications that saturate.
    """
    match function:
        case ReLU(negative_slope=0.0) | FICurve():
            return [Contribution(function)]
        case ReLU(negative_slope=slope, max_value=limit):
            return _leaky(slope, limit)
        case PReLU(alpha=alpha):
            return _leaky(np.asarray(alpha, np.float64), np.inf)
        case HardSigmoid(slope=slope, shift=shift):
            return [Contribution(ReLU(max_value=1.0), slope, shift, suffix="_clipped")]
        case HardTanh():
            return [Contribution(ReLU(max_value=2.0), 1.0, 1.0, 1.0, -1.0, "_clipped")]
        case _:
            raise TypeError(f"{type(function).__name__} is not a sum of rectifications")


def _leaky(slope: Number, limit: float) -> list[Contribution]:
    return [
        Contribution(ReLU(max_value=limit), suffix="_positive"),
        Contribution(ReLU(), gain=-1.0, factor=-slope, suffix="_negative"),
    ]
