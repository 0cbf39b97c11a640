"""Fit a network to NIR, so that it is simulated as the readers of NIR will see it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import BioconvWarning
from bioconv.network import Population, SpikingNetwork
from bioconv.operators import Operator, Reshape, compose
from bioconv.targets.findings import Verdict, worst
from bioconv.targets.fit import Fit, Resource, Samples
from bioconv.targets.nir.building import build, settled
from bioconv.targets.nir.files import write
from bioconv.targets.nir.graph import Graph
from bioconv.targets.nir.importing import Options, network_of

#: name of the metadata of a node -> description
_WORDS = {
    "reset": "a reset by subtraction",
    "t_ref": "refractory periods",
    "v_start": "start values",
}


def fit(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network that is obtained by reading its graph back.

    Parameters
    ----------
    network : SpikingNetwork
        All its neurons can be nodes of NIR (`bioconv.targets.validator.check`).
    samples : ignored
        NIR has no limits that depend on them.

    Returns
    -------
    Fit
        ``details["graph"]`` is the graph that `write_file` writes.
    """
    still, findings = settled(network)
    if worst(findings) is Verdict.IMPOSSIBLE:
        return Fit(network, tuple(findings))
    graph, more = build(still)
    findings += more
    if worst(findings) is Verdict.IMPOSSIBLE:
        return Fit(network, tuple(findings))
    encoders = {entry.name: entry.encoder for entry in network.inputs}
    seen = network_of(graph, Options(network.name, network.dt, network.n_steps, encoders))
    resources = (
        Resource("nodes", len(graph.nodes)),
        Resource("weights", sum(_weights(node.values) for node in graph.nodes.values())),
    )
    return Fit(_restored(seen, still), tuple(findings), resources, {"graph": graph})


def write_file(fit: Fit, path: Path) -> None:
    """Write the graph of a fit, and warn about properties that only its metadata contain."""
    graph: Graph = fit.details["graph"]
    write(graph, path)
    hidden = {word for node in graph.nodes.values() for word in node.metadata}
    if hidden:
        words = ", ".join(_WORDS[word] for word in sorted(hidden))
        warnings.warn(
            f"NIR cannot represent {words}: stored as metadata, which other readers ignore. To "
            "measure the effect, call bioconv.examine(network, 'nir', x, y).",
            BioconvWarning,
            stacklevel=3,
        )


def _weights(values: Mapping[str, Any]) -> int:
    return int(np.size(values["weight"])) if "weight" in values else 0


def _restored(seen: SpikingNetwork, network: SpikingNetwork) -> SpikingNetwork:
    """Restore what a graph does not contain: inputs, readouts and meaning."""
    entries = {entry.name: entry for entry in network.inputs}
    shapes = {n: e.spike_shape if e.spikes else e.shape for n, e in entries.items()}

    def whole(source: str, operator: Operator) -> Operator:
        """Return an operator on the input in its own shape, which the graph may have flattened."""
        shape = shapes.get(source, operator.in_shape)
        return compose(Reshape(shape, operator.in_shape), operator)

    originals = {population.name: population for population in network.populations}
    return network.replace(
        populations=tuple(_population(p, originals[p.name]) for p in seen.populations),
        projections=tuple(replace(p, operator=whole(p.pre, p.operator)) for p in seen.projections),
        drives=tuple(replace(d, operator=whole(d.input, d.operator)) for d in seen.drives),
    )


def _population(seen: Population, original: Population) -> Population:
    def flat(value: ArrayLike) -> NDArray[np.float64]:
        array = np.asarray(value, np.float64)
        if seen.shape == original.shape:
            return array
        return np.broadcast_to(array, original.shape).reshape(seen.shape)

    return replace(
        seen,
        layer=original.layer,
        scale=flat(original.scale),
        offset=flat(original.offset),
        max_rate=original.max_rate,
        start_step=original.start_step,
        spike_values=original.spike_values,
    )
