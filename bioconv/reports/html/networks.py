"""Sections on a network that need no simulation: what it is, its neurons, its machines."""

from __future__ import annotations

from typing import Any

from bioconv.ground.errors import BioconvError
from bioconv.ground.tables import sizes, words
from bioconv.network import SpikingNetwork
from bioconv.plots.style import title_of
from bioconv.reports.html.page import Facts, Listing, Part, Section, Table, Text
from bioconv.reports.networks import (
    decision_texts,
    describe_expectation,
    describe_transfer,
    inspect,
)
from bioconv.targets import TARGETS, Report, Verdict, examine

#: synapses up to which a network is examined for all targets
_EXAMINED = 5_000_000


def network_section(network: SpikingNetwork) -> Section:
    """Describe a network: sizes, code with its options, layers, imperfections."""
    inputs = ", ".join(f"{i.name}: {sizes(i.shape)}, {_encoded(i.encoder)}" for i in network.inputs)
    facts = {
        "Name": network.name,
        "Code": words(str(network.code.get("code", "not known"))),
        "Neuron": ", ".join(dict.fromkeys(words(p.model.name) for p in network.populations)),
        "Inputs": inputs,
        "Neurons": f"{network.n_neurons:,}",
        "Synapses": f"{network.n_synapses:,}",
        "Time": f"{network.n_steps:,} steps of {network.dt:g} ms "
        f"({network.n_steps * network.dt:g} ms) per sample",
        "Decision": "; ".join(f"{n}: {text}" for n, text in decision_texts(network).items()),
    }
    parts: list[Part] = [
        Facts(facts),
        Table(_populations(network), "Populations. The scale is the largest activation."),
    ]
    told = [*describe_transfer(network), *describe_expectation(network)]
    if told:
        parts.append(Text([f"{line[0].upper()}{line[1:]}." for line in told]))
    if network.imperfections:
        rows = [{"imperfection": d.text, "seed": d.seed} for d in network.imperfections]
        parts.append(Table(rows, "Imperfections that were applied, in this order."))
    options = {words(name): _value(value) for name, value in network.code.items()}
    return Section(
        "Network",
        [*parts, Table(_rows(options, "option"), "Options of the code, and what followed.")],
    )


def neurons_section(network: SpikingNetwork) -> Section:
    """Show the equations of each neuron model of a network."""
    parts: list[Part] = []
    for model in dict.fromkeys(population.model for population in network.populations):
        lines = [model.equations.strip()]
        lines += [f"threshold: {model.threshold}"] if model.threshold else ["never spikes"]
        lines += [f"reset: {line}" for line in model.reset.splitlines() if line.strip()]
        source = f" Source: {model.source}" if model.source else ""
        parts.append(
            Listing("\n".join(lines), f"{words(model.name)}, method {model.method}.{source}")
        )
    return Section("Equations", parts)


def targets_section(network: SpikingNetwork) -> Section:
    """Say which targets represent the network, and what is lost on each; none if it is large."""
    if network.n_synapses > _EXAMINED:
        return Section("Other machines", [])
    rows = []
    for name in TARGETS:
        try:
            found = examine(network, name)
        except BioconvError as error:  # a package that is not installed
            rows.append({"target": name, "verdict": "not examined", "why": str(error)})
            continue
        rows.append(
            {
                "target": found.exporter.target.title,
                "verdict": str(found.verdict),
                "why": _losses(found),
            }
        )
    text = "The numbers of a target are in its own report: bioconv export --to TARGET --report."
    return Section("Other machines", [Table(rows, f"What each target loses. {text}")])


def _losses(found: Report) -> str:
    """Return what is worst about a target, once for each aspect."""
    worst = [f for f in found.findings if f.verdict is found.verdict]
    if found.verdict is Verdict.EXACT:
        only = " and ".join(found.only)
        return f"on {only} only" if only else "nothing is lost"
    texts = {f"{f.aspect}: {f.text.removesuffix('.')}.": None for f in worst}
    shown = list(texts)[:3]
    more = len(texts) - len(shown)
    return " ".join([*shown, *([f"And {more} more."] if more else [])])


def headline(network: SpikingNetwork) -> str:
    """Return the name of a network, its code and its neuron as words."""
    neuron = words(network.populations[0].model.name)
    return f"{title_of(network)}, {neuron}"


def _populations(network: SpikingNetwork) -> list[dict[str, Any]]:
    return [{**row, "neuron": words(row["neuron"])} for row in inspect(network)]


def _encoded(encoder: str) -> str:
    return {
        "current": "as constant currents",
        "regular": "as regular spikes",
        "poisson": "as Poisson spikes",
        "raster": "as given spikes",
    }[encoder]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rows(entries: dict[str, str], head: str) -> list[dict[str, str]]:
    return [{head: name, "value": value} for name, value in entries.items()]
