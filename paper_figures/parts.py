"""Parts of full runs that are kept, so that an interrupted run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import bioconv
from bioconv.ground.cache import remembered
from bioconv.ground.digests import digest_of
from bioconv.paper_figures.frame import Context


def part(
    context: Context,
    key: Mapping[str, Any],
    names: tuple[str, ...],
    compute: Callable[[], Mapping[str, NDArray]],
) -> Mapping[str, NDArray]:
    """Return arrays of a part of a figure, which a full run keeps in the cache of the user.

    Parameters
    ----------
    context : Context
    key : mapping of str
        Everything that the arrays depend on, besides the library.
    names : tuple of str
        Names of the arrays.
    compute : function that returns a mapping of str to ndarray
    """
    if context.quick:
        return compute()
    return remembered("figures", {**key, "library": library_code()}, names, compute)


@cache
def library_code() -> str:
    """Return a digest of the code of the library, on which a part may depend in any way."""
    folder = Path(bioconv.__file__).parent
    return digest_of({str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.py")})
