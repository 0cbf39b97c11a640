"""The small networks for the comparison, one for each neuron and synapse."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear
from bioconv.network import Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.neurons import Neuron, Receptor, library
from bioconv.neurons.library.synapses import KINDS
from bioconv.operators import Dense
from bioconv.simulators.stimulation import default_step, stimulate
from bioconv.timing import whole_steps

Floats = NDArray[np.float64]

#: (neuron, synapse) -> parameters of an additional row
_VARIANTS: dict[tuple[str, str], dict[str, float]] = {
    # NEURON cannot follow the exponential to the default v_peak.
    ("adaptive_exponential", "conductance"): {"v_peak": -42.0},
    ("adaptive_exponential", "conductance_alpha"): {"v_peak": -42.0},
}

#: ms; time steps of models that require short steps, and of all others
_DURATIONS = (100.0, 150.0)
#: ms; longest time step, as NEURON is not stable with longer ones for some neurons
_STEP = 0.1
#: numbers of neurons of the two populations
N_DRIVEN, N_SECOND = 8, 6
#: currents that are tried to find one for which a neuron fires
_TRIED = np.geomspace(0.01, 1e5, 96)


@dataclass(frozen=True, eq=False)
class Case:
    """A neuron with a synapse, in its small network.

    Parameters
    ----------
    name, synapse : str
        Row of the table, together with ``variant``, the parameters that differ from the defaults.
    neuron : Neuron
    dt : float
        Step in ms.
    currents : tuple of ndarray
        Currents of the driven and of the second population, in the unit of the model's current.
    weights : mapping of str to tuple of ndarray
        Weights by receptor of the projections with delays of one and of three steps.
    """

    name: str
    synapse: str
    neuron: Neuron
    dt: float
    variant: Mapping[str, float]
    currents: tuple[Floats, Floats]
    weights: Mapping[str, tuple[Floats, ...]]


def cases(names: Iterable[str] | None = None) -> list[Case]:
    """Return cases with an exponential synapse, a conductance and a standard cell for all neurons.

    Parameters
    ----------
    names : iterable of str, optional
        Names of neurons of `bioconv.neurons.library`; all by default.
    """
    found = []
    for name in library() if names is None else names:
        neuron = library()[name]()
        unit = neuron.model.parameter(neuron.model.current).unit
        for synapse in KINDS[unit]:
            model = library()[name](synapse=synapse).model
            if synapse in ("exponential", "conductance") or model.standard_cell:
                found.append(_case(name, synapse, {}))
            if (name, synapse) in _VARIANTS:
                found.append(_case(name, synapse, _VARIANTS[name, synapse]))
    return found


@cache
def _onset(name: str) -> tuple[float, float]:
    """Return the smallest current for which a neuron fires three times, and the range of v."""
    with warnings.catch_warnings():  # the largest currents are too large for some neurons
        warnings.simplefilter("ignore", RuntimeWarning)
        response = stimulate(library()[name](), _TRIED, duration=200.0)
    first = next(n for n, times in enumerate(response.spike_times) if len(times) > 2)
    return float(_TRIED[first]), float(np.ptp(next(iter(response.traces.values()))[:, first]))


def _case(name: str, synapse: str, variant: Mapping[str, float]) -> Case:
    neuron = library()[name](synapse=synapse, **variant)
    onset, swing = _onset(name)
    random = np.random.default_rng(0)

    def matrices(scale: float, signed: bool) -> tuple[Floats, ...]:
        shape = (2, N_DRIVEN, N_SECOND)
        signs = random.choice((-1.0, 1.0), shape) if signed else 1.0
        return tuple(scale * signs * random.uniform(0.3, 1.0, shape))

    weights = {
        receptor.name: matrices(_scale(neuron, synapse, receptor, onset, swing), receptor.sign == 0)
        for receptor in neuron.model.receptors
    }
    currents = onset * np.linspace(0.7, 2.0, N_DRIVEN), onset * np.linspace(1.2, 1.6, N_SECOND)
    dt = min(default_step(neuron), _STEP)
    return Case(name, synapse, neuron, dt, variant, currents, weights)


def _scale(neuron: Neuron, synapse: str, receptor: Receptor, onset: float, swing: float) -> float:
    """Return a weight with an effect similar to the onset current for some milliseconds."""
    if not receptor.tau:
        return 0.1 * swing
    charge = 2.5 * onset / float(neuron.value(receptor.tau))
    charge /= np.e if synapse.endswith("alpha") else 1.0
    if receptor.sign == 0:
        return charge
    (excitatory,) = (entry for entry in neuron.model.receptors if entry.sign > 0)
    distance = float(neuron.value(excitatory.reversal)) - float(_start(neuron))
    return charge / max(abs(distance), swing)


def _start(neuron: Neuron) -> Any:
    initial = neuron.model.state(neuron.model.potential).initial
    return neuron.value(initial) if isinstance(initial, str) else initial


def network_of(chosen: Sequence[Case]) -> SpikingNetwork:
    """Combine the small networks of several cases with the same time step in one network."""
    (dt,) = {case.dt for case in chosen}
    last = names_of(chosen[-1])[1]
    nothing = Affine(
        tuple(
            Term(key, Dense((N_DRIVEN,), np.zeros((N_DRIVEN, N_SECOND))))
            for key, _ in (names_of(case) for case in chosen)
        ),
        np.zeros(N_SECOND),
        (N_SECOND,),
    )
    return SpikingNetwork(
        name="comparison",
        dt=dt,
        n_steps=whole_steps(_DURATIONS[0] if dt < 0.05 else _DURATIONS[1], dt),
        inputs=tuple(Input(f"x_{names_of(case)[0]}", (N_DRIVEN,)) for case in chosen),
        populations=tuple(p for case in chosen for p in _populations(case)),
        projections=tuple(p for case in chosen for p in _projections(case)),
        drives=tuple(
            Drive(f"x_{names_of(case)[0]}", names_of(case)[0], Dense((N_DRIVEN,), np.eye(N_DRIVEN)))
            for case in chosen
        ),
        changes=(),
        readouts=(Readout("out", last, "count", Linear()),),
        analog=AnalogGraph(
            "comparison",
            tuple(GraphInput(names_of(case)[0], (N_DRIVEN,)) for case in chosen),
            (Layer("out", Linear(), (nothing,), (N_SECOND,)),),
            ("out",),
        ),
    )


def names_of(case: Case) -> tuple[str, str]:
    """Return the names of the driven and of the second population."""
    name = "_".join([case.name, case.synapse, *case.variant])
    return name, f"{name}_second"


def _populations(case: Case) -> tuple[Population, Population]:
    (driven, second), model = names_of(case), case.neuron.model
    parameters = {**case.neuron.parameters, model.current: case.currents[1]}
    return (
        Population(driven, (N_DRIVEN,), model, dict(case.neuron.parameters)),
        Population(second, (N_SECOND,), model, parameters),
    )


def _projections(case: Case) -> Iterator[Projection]:
    driven, second = names_of(case)
    for receptor, matrices in case.weights.items():
        for delay, matrix in zip((1, 3), matrices, strict=True):
            yield Projection(driven, second, Dense((N_DRIVEN,), matrix), receptor, delay)
