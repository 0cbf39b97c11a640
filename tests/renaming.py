"""Networks in which everything is called something else: whatever is asked must stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.graph import Affine
from bioconv.network import Change, Population, Projection, SpikingNetwork
from bioconv.neurons import NeuronModel
from bioconv.neurons.language.identity import structure, with_names

#: names that mean something else in bioconv's own models, and those that imperfections add
BAIT = (
    *("tau_m", "v_th", "v", "gate", "i_syn", "v_rest", "fired", "slope", "c_m", "v_reset", "i_min"),
    *("lsb", "n_least", "n_most", "v_floor", "v_ceiling", "sigma_membrane", "slope_noise"),
    *("sigma_flicker", "t_flicker", "flicker0", "begins", "each_flicker", "tau_flicker1"),
    *("t_begin", "polarity", "window", "i_open", "t_close", "g_l", "theta_inf", "sigma_noise"),
)


def renamed(network: SpikingNetwork, *, populations: bool = True) -> SpikingNetwork:
    """The same network under other names: models and all their parts, populations, layers, inputs.

    Parameters
    ----------
    network : SpikingNetwork
    populations : bool
        Whether populations get other names; simulators draw random numbers by these.
    """
    places = {p.name: f"place_{k}" if populations else p.name for k, p in _numbered(network)}
    places |= {entry.name: f"entry_{k}" for k, entry in enumerate(network.inputs)}
    models = {p.name: _Model(p.model, k) for k, p in _numbered(network)}
    layers = {layer.name: f"stratum_{k}" for k, layer in enumerate(network.analog.layers)}
    layers |= {entry.name: places[entry.name] for entry in network.analog.inputs}

    def projection(p: Projection) -> Projection:
        receptor = models[p.post].receptors[p.receptor]
        return replace(p, pre=places[p.pre], post=places[p.post], receptor=receptor)

    def change(c: Change) -> Change:
        variable = models[c.population].names[c.variable]
        return replace(c, population=places[c.population], variable=variable)

    return network.replace(
        name="renamed",
        inputs=tuple(replace(i, name=places[i.name]) for i in network.inputs),
        populations=tuple(
            replace(
                models[p.name].population(p),
                name=places[p.name],
                layer=layers.get(p.layer, p.layer),
            )
            for p in network.populations
        ),
        projections=tuple(map(projection, network.projections)),
        drives=tuple(
            replace(d, input=places[d.input], post=places[d.post]) for d in network.drives
        ),
        changes=tuple(map(change, network.changes)),
        readouts=tuple(
            replace(r, name=f"result_{k}", population=places[r.population])
            for k, r in enumerate(network.readouts)
        ),
        analog=_graph(network.analog, layers),
    )


def _numbered(network: SpikingNetwork) -> list[tuple[int, Population]]:
    return list(enumerate(network.populations))


class _Model:
    """A model under other names, and what its parts were called."""

    def __init__(self, model: NeuronModel, number: int):
        own = sorted(model.names)
        bait = [name for name in BAIT if name not in model.names]
        turned = bait[number % len(bait) :] + bait[: number % len(bait)]
        new = [*turned[: len(own)], *(f"part_{k}" for k in range(len(own) - len(turned)))]
        self.names: Mapping[str, str] = dict(zip(own, new, strict=True))
        self.receptors = {r.name: f"port_{k}" for k, r in enumerate(model.receptors)}
        self.model = replace(
            with_names(model, self.names, self.receptors), name=f"axon_max_gate_{number}"
        )

    def population(self, population: Population) -> Population:
        return replace(
            population,
            model=self.model,
            parameters={self.names[k]: v for k, v in population.parameters.items()},
            initial={self.names[k]: v for k, v in population.initial.items()},
        )


def _graph(graph: AnalogGraph, names: Mapping[str, str]) -> AnalogGraph:
    def affine(entry: Affine) -> Affine:
        return replace(entry, terms=tuple(replace(t, source=names[t.source]) for t in entry.terms))

    return replace(
        graph,
        inputs=tuple(replace(entry, name=names[entry.name]) for entry in graph.inputs),
        layers=tuple(
            replace(layer, name=names[layer.name], inputs=tuple(map(affine, layer.inputs)))
            for layer in graph.layers
        ),
        outputs=tuple(names[name] for name in graph.outputs),
    )


def content(network: SpikingNetwork) -> list[Any]:
    """All that decides what a network does, without any name, in a form that can be compared."""
    numbers = {entry.name: k for k, entry in enumerate((*network.inputs, *network.populations))}
    models = {p.name: p.model for p in network.populations}
    found: list[Any] = [network.dt, network.n_steps]
    for p in network.populations:
        parts = structure(p.model)
        states, parameters = _split(p.model, parts.names)
        found += [p.shape, p.start_step, p.model.kind, parts.text]
        found += [p.values(name).tobytes() for name in parameters]
        found += [p.starts(name).tobytes() for name in states]
    for c in network.changes:
        place = structure(models[c.population]).names.index(c.variable)
        found += [c.step, numbers[c.population], place, np.asarray(c.value, np.float64).tobytes()]
    for e in network.projections:
        receptors = [r.name for r in models[e.post].receptors]
        found += [numbers[e.pre], numbers[e.post], receptors.index(e.receptor)]
        found += [e.delay_steps, e.release, _synapses(e.operator)]
    for d in network.drives:
        found += [numbers[d.input], numbers[d.post], d.grid, _synapses(d.operator)]
    return found


def _split(model: NeuronModel, names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Names of the state variables, and of the parameters, in the order of their places."""
    states, parameters = ({e.name for e in part} for part in (model.states, model.parameters))
    return [n for n in names if n in states], [n for n in names if n in parameters]


def _synapses(operator: Any) -> tuple[bytes, ...]:
    edges = operator.edges()
    return edges.pre.tobytes(), edges.post.tobytes(), edges.weight.tobytes()
