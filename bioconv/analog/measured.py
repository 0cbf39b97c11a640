"""The measured f-I curve of a neuron as an activation function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog.elementwise import Elementwise
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, register

_LISTS = ("values", "scale")
_POSITIVE = ("scale", "max_rate", "dt")


@register
@dataclass(frozen=True, eq=False)
class FICurve(Elementwise):
    """Activation ``scale * g(x / scale)`` that a neuron's firing rate represents.

    The function ``g(a) = f(current + gain * a) / max_rate`` contains the neuron's f-I curve f.  It
    is interpolated between evenly spaced activations by cubic polynomials without overshoot (PCHIP:
    Fritsch and Carlson 1980, SIAM J. Numer. Anal. 17:238) and constant outside of them.

    Parameters
    ----------
    values, slopes : ndarray, shape (n,)
        g and its derivative at evenly spaced activations; see `pchip_slopes`.
    scale : ndarray broadcastable to one sample
        Activation that ``max_rate`` represents.
    low, high : float
        First and last activation of ``values``, in units of ``scale``.
    current, gain : float
        Affine drive in the unit of the neuron's current (pA, or 1).
    max_rate : float
        Rate in Hz.
    dt : float
        Step in ms with which f was measured.
    noise : float
        Sigma of the current noise of the neuron (see `bioconv.neurons.with_noise`); 0 without
        noise.
    tau_syn : float
        Decay time of the synapses in ms; 0 for delta pulses.
    neuron : str
        Fingerprint of the neuron, see `bioconv.codes.rate.curve.fingerprint`.
    """

    values: NDArray[np.float64] = field(metadata=LEAF)
    slopes: NDArray[np.float64] = field(metadata=LEAF)
    scale: NDArray[np.float64] = field(metadata=LEAF)
    low: float
    high: float
    current: float
    gain: float
    max_rate: float
    dt: float
    noise: float
    tau_syn: float
    neuron: str

    def value(self, x: Array) -> Array:
        dtype = jnp.result_type(x, jnp.float32)
        scale, values, slopes = (
            jnp.asarray(array, dtype) for array in (self.scale, self.values, self.slopes)
        )
        share = jnp.asarray(x, dtype) / scale
        return scale * interpolate(share, values, slopes, self.low, self.high, jnp, _integers)


def interpolate(
    x: Array,
    values: Array,
    slopes: Array,
    low: float,
    high: float,
    xp: ModuleType,
    integers: Callable[[Array], Array],
) -> Array:
    """Interpolate by cubic Hermite polynomials between evenly spaced points, constant outside.

    Parameters
    ----------
    x : array
    values, slopes : array, shape (n,)
    low, high : float
        First and last point.
    xp : module
        Array library, ``jax.numpy`` or ``keras.ops``.
    integers : function
        Function of ``xp`` that casts an array to integers.
    """
    n = len(values)
    step = (high - low) / (n - 1)
    place = xp.clip((x - low) / step, 0.0, n - 1.0)
    # Clip integers, because short floating-point types may not be able to represent n - 2.
    index = xp.clip(integers(xp.floor(place)), 0, n - 2)
    t = xp.subtract(place, index)
    y0, y1 = xp.take(values, index), xp.take(values, index + 1)
    m0, m1 = step * xp.take(slopes, index), step * xp.take(slopes, index + 1)
    rise = y1 - y0
    return y0 + t * (m0 + t * (3.0 * rise - 2.0 * m0 - m1 + t * (m0 + m1 - 2.0 * rise)))


def pchip_slopes(values: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Return derivatives at evenly spaced points that make `interpolate` monotone between them.

    Raises
    ------
    ParameterError
        If there are fewer than two points, if numbers are not finite, or if ``low`` is not below
        ``high``.
    """
    from scipy.interpolate import PchipInterpolator  # takes long to import

    points = np.asarray(values, np.float64)
    if points.ndim != 1 or len(points) < 2 or not np.all(np.isfinite(points)) or not low < high:
        raise ParameterError(
            "a curve requires at least two finite values, and low < high. "
            f"Received: {points.size} values of shape {points.shape}, low {low}, high {high}."
        )
    x = np.linspace(low, high, len(points))
    return np.asarray(PchipInterpolator(x, points).derivative()(x), np.float64)


def curve_of(entries: Mapping[str, Any]) -> FICurve:
    """Make a curve from plain numbers, as stored in the configuration of a Keras layer.

    Parameters
    ----------
    entries : mapping of str
        The fields of `FICurve` without ``slopes``, with arrays as lists.

    Raises
    ------
    ParameterError
        If entries are missing, unknown or invalid.  The message lists all of them.
    """
    wanted = {entry.name for entry in fields(FICurve)} - {"slopes"}
    if not isinstance(entries, Mapping) or set(entries) != wanted:
        received = sorted(map(str, entries)) if isinstance(entries, Mapping) else entries
        raise ParameterError(
            f"a curve has the entries {', '.join(sorted(wanted))}. Received: {str(received)[:300]}."
        )
    check_entries(entries)
    values, scale = (np.asarray(entries[name], np.float64) for name in _LISTS)
    plain = {name: float(entries[name]) for name in wanted - {*_LISTS, "neuron"}}
    return FICurve(
        values=np.atleast_1d(values),
        slopes=pchip_slopes(values, plain["low"], plain["high"]),
        scale=scale.reshape(()) if scale.size == 1 else scale,
        neuron=entries["neuron"],
        **plain,
    )


def check_entries(entries: Mapping[str, Any]) -> None:
    """Check some or all entries of a curve for `curve_of`.

    Raises
    ------
    ParameterError
        If entries are not finite numbers, or not above 0 where they have to be.  The message lists
        all of them.
    """
    wrong = {name: value for name, value in entries.items() if not _sound(name, value)}
    if wrong:
        raise ParameterError(
            f"{', '.join(wrong)} of a curve must be finite numbers (scale, max_rate and dt above "
            f"0), and neuron must be a string. Received: {str(wrong)[:300]}."
        )


def _sound(name: str, value: Any) -> bool:
    if name == "neuron":
        return isinstance(value, str)
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return False
    finite = array.size > 0 and bool(np.all(np.isfinite(array)))
    above = name not in _POSITIVE or bool(np.all(array > 0))
    return array.ndim <= (name in _LISTS) and finite and above


def _integers(x: Array) -> Array:
    return x.astype(jnp.int32)
