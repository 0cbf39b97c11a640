"""Small networks for the tests of the array simulator, and the same networks in Brian2."""

from __future__ import annotations

import numpy as np
from later import later

from bioconv import neurons
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear
from bioconv.analog.graph import Affine, GraphInput, Layer
from bioconv.network import Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.neurons.language.model import UNITS
from bioconv.neurons.response.transfer import charge
from bioconv.operators import Dense, identity

brian2 = later("brian2")

SI = {"ms": 1e-3, "mV": 1e-3, "pA": 1e-12, "pF": 1e-12, "nS": 1e-9, "Hz": 1.0, "1": 1.0}


def analog(shape, outputs=(2,)):
    """An analog graph that only has the right shapes."""
    output = Affine((), np.zeros(outputs), outputs)
    return AnalogGraph(
        "graph",
        (GraphInput("x", shape),),
        (Layer("y", Linear(), (output,), outputs),),
        ("y",),
    )


def network(populations, projections=(), drives=(), *, shape=(3,), **fields):
    """A network with one input ``x``, read out by the spikes of its last population."""
    last = populations[-1]
    settings = {
        "name": "test",
        "dt": 1.0,
        "n_steps": 50,
        "inputs": (Input("x", shape),),
        "changes": (),
        "readouts": (Readout("y", last.name, "count", Linear()),),
        "analog": analog(shape, last.shape),
    }
    return SpikingNetwork(
        populations=tuple(populations),
        projections=tuple(projections),
        drives=tuple(drives),
        **{**settings, **fields},
    )


def driven(neuron, n=3, **fields):
    """One population whose neurons get the samples as currents in pA."""
    population = Population("a", (n,), neuron.model, neuron.parameters)
    drive = Drive("x", "a", identity((n,)))
    return network((population,), drives=(drive,), shape=(n,), **fields)


def chain(neuron, seed=0, delays=(1, 1), **fields):
    """Three populations 6 -> 8 -> 4 with random weights, the first driven by the samples."""
    rng = np.random.default_rng(seed)
    scale = float(neuron.value("v_th")) - float(neuron.value("v_reset"))
    scale /= charge(neuron, "syn", 1.0) / float(neuron.value("c_m"))
    sizes = (6, 8, 4)
    populations = [
        Population(name, (n,), neuron.model, neuron.parameters)
        for name, n in zip("abc", sizes, strict=True)
    ]
    projections = [
        Projection("a", "b", Dense((6,), scale * rng.normal(0.2, 0.4, (6, 8))), "syn", delays[0]),
        Projection("b", "c", Dense((8,), scale * rng.normal(0.2, 0.4, (8, 4))), "syn", delays[1]),
        Projection("a", "c", Dense((6,), scale * rng.normal(0.1, 0.3, (6, 4))), "syn", 3),
    ]
    drives = [Drive("x", "a", identity((6,)))]
    return network(populations, projections, drives, shape=(6,), **fields)


def run_in_brian2(net, x, n_steps):
    """Spikes {population: (step, neuron)} of one sample in Brian2, set up from the contract.

    Written here from the network's text alone, without the discretised update or the exporter.
    """
    brian2.prefs.codegen.target = "numpy"
    dt = net.dt * brian2.ms
    objects, groups, monitors = [], {}, {}
    for population in net.populations:
        model = population.model
        declared = "\n".join(f"{p.name} : {UNITS[p.unit][1]} (constant)" for p in model.parameters)
        group = brian2.NeuronGroup(
            population.n_neurons,
            f"{model.equations}\n{declared}",
            threshold=model.threshold,
            reset=model.reset or None,
            refractory=f"{model.refractory} + dt" if model.refractory else False,
            method=model.method,
            dt=dt,
        )
        values = {p.name: population.parameters.get(p.name, p.default) for p in model.parameters}
        for drive in net.drives:
            if drive.post == population.name:
                current = np.asarray(drive.operator.matrix().T @ np.asarray(x).reshape(-1))
                values[model.current] = values[model.current] + current
        for p in model.parameters:
            value = np.asarray(values[p.name], float) * SI[p.unit]
            value = value if value.ndim < 2 else np.broadcast_to(value, population.shape).ravel()
            getattr(group, p.name + "_")[:] = value
        for state in model.states:
            getattr(group, state.name + "_")[:] = population.starts(state.name) * SI[state.unit]
        groups[population.name] = group
        monitors[population.name] = brian2.SpikeMonitor(group)
        objects += [group, monitors[population.name]]
    for projection in net.projections:
        receptor = groups_model(net, projection.post).receptor(projection.receptor)
        dimension = UNITS[receptor.unit][1]
        synapses = brian2.Synapses(
            groups[projection.pre],
            groups[projection.post],
            f"weight : {dimension}",
            on_pre="\n".join(f"{name}_post += weight" for name in receptor.variables),
            delay=(projection.delay_steps - 1) * dt,
            dt=dt,
        )
        edges = projection.operator.edges()
        synapses.connect(i=edges.pre, j=edges.post)
        synapses.weight_[:] = edges.weight * SI[receptor.unit]
        objects.append(synapses)
    simulation = brian2.Network(objects)
    simulation.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    simulation.run(n_steps * dt)
    return {
        name: (np.round(monitor.t / dt).astype(int), np.asarray(monitor.i))
        for name, monitor in monitors.items()
    }


def groups_model(net, name):
    """The neuron model of a population."""
    return net.population(name).model


def default_neurons():
    """One neuron of every kind, with refractory periods in some."""
    return [
        neurons.IntegrateAndFire(),
        neurons.IntegrateAndFire("value", t_ref=2.0),
        neurons.IntegrateAndFire("subtraction", "exponential", t_ref=1.0),
        neurons.LeakyIntegrateAndFire("subtraction", "delta"),
        neurons.LeakyIntegrateAndFire("value", "delta", t_ref=3.0),
        neurons.LeakyIntegrateAndFire("value", "exponential", t_ref=2.0),
    ]
