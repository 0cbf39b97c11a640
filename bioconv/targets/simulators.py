"""Brian2 and PyNN as targets, whose programs contain the network unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bioconv.export import write_program
from bioconv.export.cells import GENERATED, SIMULATORS, cell_for
from bioconv.ground.errors import Problem
from bioconv.network import SpikingNetwork
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
_WITHOUT_PYNN = "Export it for Brian2 without PyNN (target='brian2'), or choose another dt."


def fit_brian2(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network unchanged: Brian2 can represent every network."""
    return Fit(network)


def fit_pynn(network: SpikingNetwork, samples: Samples | None) -> Fit:
    """Return the network unchanged; which of PyNN's simulators run it depends on the cells."""
    cells = {
        population.name: {s: cell_for(population, network, s) for s in SIMULATORS}
        for population in network.populations
    }
    able = [_able(found) for found in cells.values()]
    common = tuple(s for s in SIMULATORS if all(s in each for each in able))
    findings = tuple(_finding(name, found) for name, found in cells.items())
    return Fit(network, (*findings, *_together(network, common)))


def _able(cells: Mapping[str, str | Problem]) -> tuple[str, ...]:
    """Return the simulators that have a cell."""
    return tuple(name for name, cell in cells.items() if not isinstance(cell, Problem))


def _finding(part: str, cells: Mapping[str, str | Problem]) -> Finding:
    able = _able(cells)
    text = "; ".join(f"{simulator}: {_word(cell)}" for simulator, cell in cells.items())
    verdict = Verdict.EXACT if able else Verdict.IMPOSSIBLE
    return Finding(part, "cells", verdict, text, only=able if able != SIMULATORS else ())


def _together(network: SpikingNetwork, common: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what all populations together mean for the network."""
    if common == SIMULATORS or not network.populations:
        return
    if common:
        text = f"it runs on {' and '.join(common)} only."
        yield Finding(network.name, "simulators", Verdict.EXACT, text, only=common)
        return
    text = "none of PyNN's simulators has cells for all of its populations."
    yield Finding(network.name, "simulators", Verdict.IMPOSSIBLE, text, advice=_WITHOUT_PYNN)


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
