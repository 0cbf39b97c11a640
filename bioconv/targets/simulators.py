"""Brian2 and PyNN as targets, whose programs contain the network unchanged."""

from __future__ import annotations

from pathlib import Path

from bioconv.export import write_program
from bioconv.export.cells import GENERATED, SIMULATORS, cell_for
from bioconv.ground.errors import Problem
from bioconv.network import Population, SpikingNetwork
from bioconv.targets.findings import Finding, Verdict
from bioconv.targets.fit import Exporter, Fit, Samples
from bioconv.targets.target import Limit, Target

BRIAN2 = Target(
    name="brian2",
    title="Brian2",
    summary="A Python program for Brian2 that contains the equations.",
    tested="Run by bioconv's simulator brian2, with the same spikes as the array simulator.",
    any_model=True,
    facts={
        "step": Limit("any", "", "Brian2, user guide, Running a simulation"),
        "recordables": Limit(
            "spikes and every state variable", "", "Brian2, user guide, Recording"
        ),
    },
)
PYNN = Target(
    name="pynn",
    title="PyNN",
    summary="A Python program for PyNN on NEST, NEURON and Brian2.",
    tested="Run by bioconv's simulators nest, neuron and pynn.brian2.",
    any_model=True,
    facts={
        "step": Limit("a multiple of 0.001 ms on NEST", "", "NEST 3.10, tics_per_ms = 1000"),
        "recordables": Limit(
            "spikes and the states of the standard cell", "", "PyNN 0.13, standardmodels/cells.py"
        ),
    },
)


def fit_brian2(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network unchanged: Brian2 can represent every network."""
    return Fit(network)


def fit_pynn(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network unchanged; which of PyNN's simulators run it depends on the cells."""
    return Fit(network, tuple(_cells(network, p) for p in network.populations))


def _cells(network: SpikingNetwork, population: Population) -> Finding:
    cells = {s: cell_for(population, network, s) for s in SIMULATORS}
    words = [f"{simulator}: {_word(cell)}" for simulator, cell in cells.items()]
    return Finding(population.name, "cells", Verdict.EXACT, "; ".join(words))


def _word(cell: str | Problem) -> str:
    if isinstance(cell, Problem):
        return f"none ({cell.reason.rstrip('.')})"
    return "generated from the equations" if cell == GENERATED else cell


def _write_brian2(fit: Fit, folder: Path) -> None:
    write_program(fit.network, folder, "brian2")


def _write_pynn(fit: Fit, folder: Path) -> None:
    write_program(fit.network, folder, "pynn")


BRIAN2_EXPORTER = Exporter(BRIAN2, fit_brian2, _write_brian2)
PYNN_EXPORTER = Exporter(PYNN, fit_pynn, _write_pynn)
