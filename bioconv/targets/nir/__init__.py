"""Export to and import from the neuromorphic intermediate representation (NIR).

NIR: Pedersen et al. 2024, Nature Communications 15:8122.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.validation.network import ENCODERS
from bioconv.targets.fit import Exporter
from bioconv.targets.nir.declaration import TARGET
from bioconv.targets.nir.files import identifier, read
from bioconv.targets.nir.fitting import fit, write_file
from bioconv.targets.nir.graph import Graph
from bioconv.targets.nir.importing import Options, network_of

__all__ = ["EXPORTER", "read_nir"]

EXPORTER = Exporter(TARGET, fit, write_file, file=True)

#: unit of time in a file -> its length in ms
_UNITS = {"s": 1e3, "ms": 1.0}
_DT, _N_STEPS = 1.0, 100


def read_nir(
    path: str | Path,
    *,
    dt: float | None = None,
    n_steps: int | None = None,
    encoder: str = "current",
    unit: str = "s",
    extras: bool = False,
    name: str | None = None,
) -> SpikingNetwork:
    """Read a network from a NIR file, which need not have been written by bioconv.

    Parameters
    ----------
    path : str or Path
    dt : float, optional
        Step in ms; NIR has none.  By default the step that bioconv stored with the graph, or 1 ms.
    n_steps : int, optional
        Steps of a sample; by default the number that bioconv stored with the graph, or 100.
    encoder : {"current", "regular", "poisson"}
        How samples are encoded: as currents that are constant over all steps, or as spikes.
    unit : {"s", "ms"}
        Unit of the times in the file: those of snnTorch, Norse, Rockpool and Lava are in seconds,
        those of hxtorch and jaxsnn in ms.  sinabs gives neurons without a leak R = 1 and adds the
        weight in every step, which corresponds to "ms" with dt = 1.
    extras : bool
        Also read what NIR cannot represent and bioconv stored as metadata: reset by subtraction,
        start values, refractory periods.  Other readers ignore them.
    name : str, optional
        Name of the network; by default that of the file.

    Returns
    -------
    SpikingNetwork
        Samples have their channels last, as everywhere in bioconv: an input of NIR with the shape
        (1, 28, 28) takes images of shape (28, 28, 1).  The analog network of the result computes
        what the rates would be without spikes, leak and feedback.

    Raises
    ------
    NetworkFileError
        The file is missing, damaged or malicious, or uses something for which bioconv has no
        neurons.
    ParameterError
        The encoder or unit is unknown, or the step or the number of steps is not valid.
    """
    if encoder not in ENCODERS or unit not in _UNITS:
        raise ParameterError(
            f"encoder must be one of {', '.join(ENCODERS)}, and unit one of {', '.join(_UNITS)}. "
            f"Received: encoder={encoder!r}, unit={unit!r}."
        )
    if (dt is not None and not 0 < dt < np.inf) or (n_steps is not None and n_steps < 1):
        raise ParameterError(
            "dt must be a number above 0 (ms), and n_steps an integer of at least 1. "
            f"Received: dt={dt!r}, n_steps={n_steps!r}."
        )
    path = Path(path)
    graph = read(path)
    written_dt, written_steps = _grid(graph, path.name)
    options = Options(
        name=name or identifier(path.stem),
        dt=float(written_dt if dt is None else dt),
        n_steps=int(written_steps if n_steps is None else n_steps),
        encoders={"": encoder},
        second=_UNITS[unit],
        extras=extras,
    )
    return network_of(graph, options)


def _grid(graph: Graph, label: str) -> tuple[float, int]:
    """Return the step in ms and the number of steps stored with a graph, or the defaults."""
    author = graph.metadata.get("written_by")
    if not isinstance(author, str) or author != "bioconv":
        return _DT, _N_STEPS
    values = [np.asarray(graph.metadata.get(key, np.nan)) for key in ("dt", "n_steps")]
    if not all(v.size == 1 and v.dtype.kind in "iuf" and 0 < v.item() < 1e9 for v in values):
        raise NetworkFileError(
            f"{label}: its metadata lack a valid dt or n_steps. Export the network again."
        )
    dt, n_steps = (value.item() for value in values)
    return float(f"{dt * _UNITS['s']:.12g}"), max(int(n_steps), 1)
