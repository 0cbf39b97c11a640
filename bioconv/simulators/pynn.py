"""NEST, NEURON and Brian2, which run the program that `bioconv.emit` writes for PyNN."""

from __future__ import annotations

from bioconv.export.cells import choose_cells
from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators.exported import emitted, require, run_program
from bioconv.simulators.settings import Data, Settings

_PIP = "pip install 'bioconv[pynn]'"


def run(
    network: SpikingNetwork, data: Data, settings: Settings, *, cells: str = "standard"
) -> Recording:
    """Simulate; see `bioconv.simulate`.

    Parameters
    ----------
    network : SpikingNetwork
    data : dict of str to ndarray
    settings : Settings
        ``simulator`` is "nest", "neuron" or "pynn.brian2".  Samples run one after another.
    cells : {"standard", "generated"}
        "standard" uses PyNN's standard cells where there are any and, on NEST, generated models for
        the rest.  "generated", which only NEST supports, uses generated models for all.

    Returns
    -------
    Recording

    Raises
    ------
    ExportError
        If the simulator has no cell for a population.  The message lists every such population
        with advice.
    SimulatorMissingError, CompilerMissingError, SimulationError
    """
    simulator = settings.simulator.removeprefix("pynn.")
    if cells not in ("standard", "generated") or (cells == "generated" and simulator != "nest"):
        raise ParameterError(
            f"cells must be 'standard' or, on NEST, 'generated'. Received: {cells!r}."
        )
    choose_cells(network, simulator)
    require({"pyNN": _PIP, simulator: _PIP})
    with emitted(network, "pynn") as folder:
        arguments = ["--simulator", simulator, "--cells", cells]
        return run_program(network, data, settings, folder, arguments)
