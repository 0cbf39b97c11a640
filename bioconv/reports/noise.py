"""Imperfections and profiles of chips as plain data, as shown by ``bioconv noise``."""

from __future__ import annotations

import inspect
from typing import Any

from bioconv.ground.errors import ParameterError
from bioconv.noise import LIBRARY, PROFILES, Imperfection

Row = dict[str, Any]


def list_noise() -> list[Row]:
    """Return one row per imperfection, followed by one per profile.

    Returns
    -------
    list of dict
        ``noise`` (the name for ``--noise`` or ``--profile``), ``python`` (how it is created in
        Python, at amplitude zero), ``site``, ``unit`` of the amplitude, ``summary``; for a profile
        only ``noise``, ``python`` and ``summary``.

    Examples
    --------
    >>> [(row["noise"], row["unit"]) for row in list_noise() if row["noise"] == "jitter"]
    [('jitter', 'ms')]
    """
    rows: list[Row] = []
    for name, make in LIBRARY.items():
        entry = make(0)
        rows.append(
            {
                "noise": name,
                "python": str(entry),
                "site": entry.site,
                "unit": entry.unit,
                "summary": _summary(entry),
            }
        )
    for name, profile in PROFILES.items():
        rows.append({"noise": name, "python": f"profile({name!r})", "summary": profile.title})
    return rows


def describe_noise(name: str) -> Row:
    """Describe an imperfection or a profile, including the source of its numbers.

    Parameters
    ----------
    name : str
        A name from `list_noise`.

    Returns
    -------
    dict
        ``noise``, ``python``, ``text``, ``source``.

    Raises
    ------
    ParameterError
        There is neither an imperfection nor a profile of this name.

    Examples
    --------
    >>> describe_noise("jitter")["python"]
    'SpikeJitter'
    """
    if name in PROFILES:
        profile = PROFILES[name]
        python = f"profile({name!r})"
        return {"noise": name, "python": python, "text": profile.table(), "source": ""}
    if name not in LIBRARY:
        raise ParameterError(
            f"There is no imperfection {name!r}. Valid names: {', '.join(LIBRARY)}; "
            f"profiles: {', '.join(PROFILES)}."
        )
    entry = LIBRARY[name](0)
    python = type(entry).__name__
    text = (inspect.getdoc(type(entry)) or "").partition("\nRaises\n")[0].strip()
    return {
        "noise": name,
        "python": python,
        "text": text.replace("``", "`"),
        "source": entry.source,
    }


def _summary(entry: Imperfection) -> str:
    return (inspect.getdoc(type(entry)) or "").split("\n", maxsplit=1)[0].replace("``", "")
