"""The report on a conversion."""

from __future__ import annotations

from numpy.typing import NDArray

from bioconv.network import SpikingNetwork
from bioconv.plots.layers import activation_distributions
from bioconv.reports.html.networks import (
    headline,
    network_section,
    neurons_section,
    targets_section,
)
from bioconv.reports.html.page import Facts, Page, Picture, Section, Table
from bioconv.reports.html.words import percent
from bioconv.reports.networks import expectation_of, versions


def conversion_page(network: SpikingNetwork, x: NDArray | None) -> Page:
    """Return the report on a converted network; see `bioconv.report`."""
    return Page(
        title=f"Conversion of {headline(network)}",
        summary=(
            f"{network.n_neurons:,} neurons, {network.n_synapses:,} synapses, "
            f"{network.n_steps:,} steps of {network.dt:g} ms for each sample."
        ),
        sections=[
            _expectation(network),
            network_section(network),
            _scales(network, x),
            targets_section(network),
            neurons_section(network),
        ],
        versions=versions(),
    )


def _expectation(network: SpikingNetwork) -> Section:
    agreement, weakest = expectation_of(network)
    facts = {
        "Expected agreement with the analog network": "not known; simulate the network"
        if agreement is None
        else percent(agreement)
    }
    if weakest:
        facts["Layer that loses most"] = weakest
    return Section("What to expect", [Facts(facts)])


def _scales(network: SpikingNetwork, x: NDArray | None) -> Section:
    if x is None:
        return Section("Activations", [])
    activations = network.analog.activations(x)
    if not any(population.layer in activations for population in network.populations):
        return Section("Activations", [])
    caption = (
        f"Activations of the analog network for {len(x):,} samples, and the scale of each "
        "population: what is above it cannot be represented."
    )
    rows = [
        {
            "layer": name,
            "lowest": float(v.min()),
            "mean": float(v.mean()),
            "highest": float(v.max()),
        }
        for name, v in activations.items()
    ]
    return Section(
        "Activations",
        [
            Picture(activation_distributions(network, activations), caption),
            Table(rows, "Activations of the analog network."),
        ],
    )
