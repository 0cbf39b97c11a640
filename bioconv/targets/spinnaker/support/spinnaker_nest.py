"""Run the program for SpiNNaker on NEST, to test it without a board."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.targets.spinnaker.support.spinnaker_network import Network, Values, of_part
from bioconv.targets.spinnaker.support.spinnaker_synapses import Synapses

#: parameters of NEST's iaf_psc_delta: name in PyNN -> name and factor
_DELTA = {
    "tau_m": ("tau_m", 1.0),
    "cm": ("C_m", 1e3),  # nF -> pF
    "v_rest": ("E_L", 1.0),
    "v_reset": ("V_reset", 1.0),
    "v_thresh": ("V_th", 1.0),
    "tau_refrac": ("t_ref", 1.0),
    "i_offset": ("I_e", 1e3),  # nA -> pA
}


class NestNetwork(Network):
    """The same network on NEST, with convolutions as lists, rebuilt for each image.

    A spike takes effect one step later here than on the board, which processes it before it
    integrates.  PyNN's IF_curr_delta ignores start values on NEST and cannot record its potential;
    the native cell is used instead.
    """

    module = "pyNN.nest"
    first = 1

    def setup(self, longest: float) -> None:
        """Start NEST."""
        self.sim.setup(
            timestep=self.dt, min_delay=self.dt, max_delay=longest, spike_precision="on_grid"
        )

    def neurons(self, label: str, entry: Values, n_neurons: int, part: slice) -> Any:
        """Create some neurons of a population of the network, with their start values."""
        values = of_part(entry["parameters"], part)
        start = of_part(entry["initial"], part)
        if entry["cell"] == "IF_curr_delta":
            cells = importlib.import_module("pyNN.nest.cells")
            told = _translated(values)
            kind = cells.native_cell_type("iaf_psc_delta")
            # PyNN would pass on every entry of NEST's status, including those that cannot be set.
            kind.default_parameters = dict.fromkeys(told, 0.0)
            cell = kind(**told)
            start = {"V_m": start["v"]}
        elif entry["cell"] == "Izhikevich":
            raise SystemExit(
                "PyNN has no Izhikevich neuron with synaptic currents on NEST: run the program "
                "with --simulator spinnaker."
            )
        else:
            cell = getattr(self.sim, entry["cell"])(**values)
        population = self.sim.Population(n_neurons, cell, label=label)
        population.initialize(**start)
        return population

    def recorded_name(self, population: Any, variable: str) -> str:
        """Return the simulator's name of a variable; the native cell uses its own names."""
        native = "V_m" in population.celltype.recordable
        return "V_m" if variable == "v" and native else variable

    def connect(self, row: Values) -> None:
        """Connect one projection of the network; on NEST all are lists."""
        self.connect_list(row)

    def add_list(
        self, row: Values, receptor: str, before: int, behind: int, synapses: Synapses
    ) -> None:
        """Add synapses of one sign between two channels, in NEST's units."""
        pre, post, weight = synapses
        entry = self.tables[row["post"]]
        factor = entry["rise"] if entry["cell"] == "IF_curr_delta" else 1e3  # mV, or nA -> pA
        if row["receptors"][1] == "" and receptor == "inhibitory":
            factor = -factor  # NEST distinguishes the two receptors by the sign of the weight
        ends = (self.populations[row["pre"]][before], self.populations[row["post"]][behind])
        senders, receivers = (np.asarray(end.all_cells, dtype=int) for end in ends)
        self.nest().Connect(
            senders[pre],
            receivers[post],
            conn_spec="one_to_one",
            syn_spec={
                "synapse_model": "static_synapse",
                "weight": factor * weight,
                "delay": np.full(len(pre), row["delay"]),
            },
        )

    def nest(self) -> Any:
        """The module of NEST itself, whose lists of synapses are 50 times as fast as PyNN's."""
        return importlib.import_module("nest")

    def start(self, currents: Values, spikes: Values, again: bool) -> None:
        """Rebuild the network, as NEST under PyNN cannot be returned to rest."""
        if again:
            observed = self.observed
            self.end()
            self.build(observed)
        for name, current in currents.items():
            delta = self.tables[name]["cell"] == "IF_curr_delta"
            parts = self.populations[name]
            for number, population in enumerate(parts):
                part = current[number :: len(parts)]
                population.set(**({"I_e": part * 1e3} if delta else {"i_offset": part}))
        super().start({}, spikes, again=False)

    def build(self, observed: Values) -> None:
        """Create the network, and store what is observed."""
        self.observed = observed
        self.made.clear()
        super().build(observed)

    def set_spikes(self, source: Any, trains: list[NDArray[np.int64]]) -> None:
        """Set the times at which each source fires, a step later than on the board."""
        sequence = importlib.import_module("pyNN.parameters").Sequence
        # PyNN emits them earlier by one delay, which for step 0 would be before the start.
        source.set(spike_times=[sequence((train + 2) * self.dt) for train in trains])


def _translated(values: Values) -> dict[str, Any]:
    return {
        _DELTA[name][0]: np.asarray(value) * _DELTA[name][1]
        if isinstance(value, np.ndarray)
        else value * _DELTA[name][1]
        for name, value in values.items()
    }
