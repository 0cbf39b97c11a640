"""Export to and import from the neuromorphic intermediate representation (NIR).

NIR: Pedersen et al. 2024, Nature Communications 15:8122.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from bioconv.ground.errors import BioconvWarning, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.validation.network import ENCODERS
from bioconv.targets.fit import Exporter
from bioconv.targets.nir.clock import UNITS, clock
from bioconv.targets.nir.clock import n_steps as stored_steps
from bioconv.targets.nir.declaration import TARGET
from bioconv.targets.nir.files import identifier, read
from bioconv.targets.nir.fitting import fit, write_file
from bioconv.targets.nir.importing import Options, network_of
from bioconv.targets.nir.shapes import with_shapes
from bioconv.targets.nir.silence import silent
from bioconv.timing import wrong_number_of_steps, wrong_step

__all__ = ["EXPORTER", "read_nir"]

EXPORTER = Exporter(TARGET, fit, write_file, file=True)


def read_nir(
    path: str | Path,
    *,
    dt: float | None = None,
    n_steps: int | None = None,
    encoder: str = "current",
    unit: str | None = None,
    extras: bool = False,
    name: str | None = None,
) -> SpikingNetwork:
    """Read a network from a NIR file, which need not have been written by bioconv.

    Parameters
    ----------
    path : str or Path
    dt : float, optional
        Step in ms.  NIR has none, so that by default it is the one stored with the graph, or else
        the one at which a weight counts in full, as most programs write: R = tau / dt, or 1 / dt
        for perfect integrators.  If the file implies none, it is 1 ms.
    n_steps : int, optional
        Steps of a sample; by default the number that bioconv stored with the graph, or 100.
    encoder : {"current", "regular", "poisson"}
        How samples are encoded: as currents that are constant over all steps, or as spikes.
    unit : {"s", "ms"}, optional
        Unit of the times in the file: those of snnTorch, Norse, Rockpool and Lava are in seconds,
        those of hxtorch and jaxsnn in ms, and those of sinabs in steps, which corresponds to "ms".
        By default it is "s", or "ms" if the times are too long for seconds.
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

    Warns
    -----
    BioconvWarning
        If the unit or the step are not certain, or if neurons cannot fire.
    """
    if encoder not in ENCODERS or unit not in (None, *UNITS):
        raise ParameterError(
            f"encoder must be one of {', '.join(ENCODERS)}, and unit one of {', '.join(UNITS)}. "
            f"Received: encoder={encoder!r}, unit={unit!r}."
        )
    wrong = [
        f"{name} {problem}."
        for name, value, check in (
            ("dt", dt, wrong_step),
            ("n_steps", n_steps, wrong_number_of_steps),
        )
        if value is not None and (problem := check(value))
    ]
    if wrong:
        raise ParameterError(" ".join(wrong))
    path = Path(path)
    graph = with_shapes(read(path), path.name)
    time = clock(graph, path.name, unit, dt)
    options = Options(
        name=name or identifier(path.stem),
        dt=time.dt,
        n_steps=int(stored_steps(graph) if n_steps is None else n_steps),
        encoders={"": encoder},
        second=UNITS[time.unit],
        extras=extras,
    )
    network = network_of(graph, options)
    notes = [time.note] if time.note else []
    for note in (*notes, *(f"{path.name}: {sentence}." for sentence in silent(network))):
        warnings.warn(note, BioconvWarning, stacklevel=2)
    return network
