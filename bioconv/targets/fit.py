"""A network fitted to the limits of its target."""

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
    """A resource of a target that a network needs.

    Parameters
    ----------
    name : str
        "cores", "chips", "synaptic memory", "neurons", "synapses per neuron", ...
    needed : float
    available : float or None
        None if there is no fixed number.
    unit : str
    """

    name: str
    needed: float
    available: float | None = None
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Fit:
    """A network rewritten to respect the limits of a target.

    Parameters
    ----------
    network : SpikingNetwork
        The network with the cells, weights, states and step of the target.  This is what is
        written and what is measured with the array simulator.
    findings : tuple of Finding
        Effects of the rewriting, in addition to those found by `bioconv.targets.validator.check`.
    resources : tuple of Resource
    details : mapping of str
        Data that only the writer of this target needs.
    """

    network: SpikingNetwork
    findings: tuple[Finding, ...] = ()
    resources: tuple[Resource, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exporter:
    """Functions that fit a network to a target and write it.

    Parameters
    ----------
    target : Target
    fit : function of (network, samples or None) to Fit
        The network uses the names of the target's cells (`Target.restated`).  The samples, if
        given, determine how strong the inputs of neurons become.
    write : function of (fit, path)
        Writes into an empty folder, or a single file if ``file`` is true.
    chip : function of (network, seed) to network, optional
        Returns the network on one machine, whose deviations from the values that were set are as
        large as reported, or assumed, for such machines.
    file : bool
        Whether a single file is written instead of a folder.
    fits_samples : bool
        Whether numbers are fitted to the samples, so that results on the same samples say less
        about others.
    """

    target: Target
    fit: Callable[[SpikingNetwork, Samples | None], Fit]
    write: Callable[[Fit, Path], None]
    chip: Callable[[SpikingNetwork, int], SpikingNetwork] | None = None
    file: bool = False
    fits_samples: bool = False
