"""Numbers of reports as words."""

from __future__ import annotations

from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

_JOULES = EngFormatter("J", places=1)


def joules(value: float | None, missing: str = "-") -> str:
    """Return an energy with a prefix of its unit.

    Examples
    --------
    >>> joules(2.36e-9)
    '2.4 nJ'
    """
    return missing if value is None else str(_JOULES(value))


def percent(share: float) -> str:
    """Return a share in percent, with two decimals."""
    return f"{100 * share:.2f} %"


def with_interval(share: float, interval: tuple[NDArray, NDArray] | None) -> str:
    """Return a share in percent, with its interval in brackets if there is one."""
    if interval is None:
        return percent(share)
    low, high = (100 * float(end) for end in interval)
    return f"{percent(share)} [{low:.2f}, {high:.2f}]"
