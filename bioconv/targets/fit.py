"""A network as its target will see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bioconv.network import SpikingNetwork
from bioconv.targets.findings import Finding
from bioconv.targets.target import Target

#: samples by the name of the input
Samples = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Resource:
    """What a network needs of a target.

    Parameters
    ----------
    name : str
        "cores", "chips", "synaptic memory", "neurons", "synapses of a neuron", ...
    needed : float
    available : float or None
        None where there is no fixed number.
    unit : str
    """

    name: str
    needed: float
    available: float | None = None
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Fit:
    """A network rewritten with the limits of a target.

    Parameters
    ----------
    network : SpikingNetwork
        As the target will see it: its cells, its weights, its state, its step.  This is what is
        written, and what the array simulator measures.
    findings : tuple of Finding
        What the rewriting cost, beside what `bioconv.targets.validator.check` finds.
    resources : tuple of Resource
    details : mapping of str
        What only the writer of this target needs.
    """

    network: SpikingNetwork
    findings: tuple[Finding, ...] = ()
    resources: tuple[Resource, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exporter:
    """How a network gets to a target.

    Parameters
    ----------
    target : Target
    fit : function of (network, samples or None) to Fit
        The network is in the words of the target's cells (`Target.restated`).  The samples, where
        there are any, tell how strong the inputs of neurons get.
    write : function of (fit, path)
        Writes into an empty folder; or one file, if ``file``.
    chip : function of (network, seed) to network, optional
        One machine of many, as far from what was set as is reported, or assumed, of them.
    file : bool
        Whether one file is written instead of a folder.
    fits_samples : bool
        Whether numbers are fitted on the samples, which then tell less of others.
    """

    target: Target
    fit: Callable[[SpikingNetwork, Samples | None], Fit]
    write: Callable[[Fit, Path], None]
    chip: Callable[[SpikingNetwork, int], SpikingNetwork] | None = None
    file: bool = False
    fits_samples: bool = False
