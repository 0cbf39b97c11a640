"""Information on the board that is available once a network has been fitted to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bioconv.targets.spinnaker.arithmetic import WeightScale
from bioconv.targets.spinnaker.cells import BoardCell
from bioconv.targets.spinnaker.geometry import ConnectorLayout
from bioconv.targets.spinnaker.weights import Sums


@dataclass(frozen=True, eq=False)
class Board:
    """Data that the writer needs in addition to the network as the board sees it.

    Parameters
    ----------
    cells : mapping of str to BoardCell
    scales : mapping of str to (WeightScale, WeightScale)
        Scales of excitatory and of inhibitory weights.
    sums : mapping of str to Sums
    layout : ConnectorLayout
    slower : int
        Factor by which the network is slowed down.
    measured : bool
        Whether the sums were measured on samples.
    kept : float
        Share of these samples that are assigned the same class as by the unrestricted network; 1 if
        nothing was compared.
    """

    cells: Mapping[str, BoardCell]
    scales: Mapping[str, tuple[WeightScale, WeightScale]]
    sums: Mapping[str, Sums]
    layout: ConnectorLayout
    slower: int
    measured: bool
    kept: float = 1.0
