"""Neurons of NIR and of bioconv, which have the same equations in different units.

NIR does not specify the step.  Its readers treat a spike as a pulse of height one that lasts one
step of dt: ``I``, in ``tau dv/dt = (v_leak - v) + R I``, is then the weight, and v jumps by
``w R dt / tau``.  The values written are R = tau / dt (IF: 1 / dt) and w_in = tau_syn / dt, so
that weights and biases are in mV per step also for readers that ignore R.  Times are in seconds.

A neuron of NIR fires above its threshold, one of bioconv at or above it.  The threshold written is
therefore the float32 just below that of bioconv, so that both agree for every float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Population
from bioconv.neurons import IntegrateAndFire, Integrator, LeakyIntegrateAndFire
from bioconv.neurons.language import roles
from bioconv.neurons.language.identity import same
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.library.parts import (
    I_OFFSET,
    OUT_OF_REACH,
    POSITIVE,
    c_m,
    reset_statement,
    t_ref,
)
from bioconv.targets.nir.extras import SECOND, compact, metadata_of, with_extras
from bioconv.targets.nir.graph import Node, channels_first, channels_last

Floats = NDArray[np.float64]

_SOURCE = "Pedersen et al. 2024, Nature Communications 15:8122, Neuromorphic intermediate "
_SOURCE += "representation, table 1; nir 1.0.8, nir/ir/neuron.py"
_V_REST = Parameter("v_rest", 0.0, "mV", "Resting potential, also the start value", role=roles.REST)
_V_RESET = Parameter("v_reset", 0.0, "mV", "Reset potential", role=roles.RESET)
_V_TH = Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD)
_TAU_M = Parameter(
    "tau_m",
    20.0,
    "ms",
    "Membrane time constant",
    (POSITIVE, 1e12),
    role=roles.MEMBRANE_TIME_CONSTANT,
)
_TAU_SYN = Parameter(
    "tau_syn", 5.0, "ms", "Synaptic time constant", (POSITIVE, 1e12), role=roles.TIME_CONSTANT
)
_V = State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL)


def leaky_integrator() -> NeuronModel:
    """Return NIR's LI: a leaky membrane that never fires."""
    return NeuronModel(
        name="nir_li",
        kind=roles.READOUT,
        equations="dv/dt = (v_rest - v) / tau_m + i_offset / c_m : volt",
        threshold="",
        reset="",
        method="exact",
        parameters=(_V_REST, _TAU_M, c_m(1.0), I_OFFSET),
        states=(_V,),
        receptors=(Receptor("syn", "v", "mV"),),
        source=f"{_SOURCE}, LI",
        references=("pedersen2024",),
    )


def current_based(fires: bool, reset: str = "value") -> NeuronModel:
    """Return NIR's CubaLIF or CubaLI: all current, constant or not, passes through the synapse."""
    frozen = " (unless refractory)" if fires else ""
    return NeuronModel(
        name=f"nir_cuba_lif_{reset}" if fires else "nir_cuba_li",
        kind=roles.SPIKING if fires else roles.READOUT,
        equations=f"dv/dt = (v_rest - v) / tau_m + i_syn / c_m : volt{frozen}\n"
        "di_syn/dt = (i_offset - i_syn) / tau_syn : amp",
        threshold="v >= v_th" if fires else "",
        reset=reset_statement(reset) if fires else "",
        method="exact",
        parameters=(
            _V_REST,
            *((_V_RESET, _V_TH, t_ref()) if fires else ()),
            _TAU_M,
            _TAU_SYN,
            c_m(1.0),
            I_OFFSET,
        ),
        states=(_V, State("i_syn", 0.0, "pA", "Synaptic current", kind=roles.SYNAPTIC)),
        receptors=(Receptor("syn", "i_syn", "pA", "tau_syn"),),
        refractory="t_ref" if fires else "",
        source=f"{_SOURCE}, {'CubaLIF' if fires else 'CubaLI'}",
        references=("pedersen2024",),
    )


@dataclass(frozen=True)
class Family:
    """Models that are represented by one type of node.

    Parameters
    ----------
    kind : str
        Type of the node.
    model : NeuronModel
        The model that is used when the node is read from a file.
    others : mapping of str to NeuronModel
        What differs -> model that the node also represents.
    leaks : bool
        Whether the node has a leak.
    through_synapse : bool
        Whether all current reaches the membrane through a synapse with a time constant.
    silent : str
        For a node that fires, the type of the corresponding node that never fires.
    subtracting : tuple of NeuronModel
        Those of all these models whose reset keeps the excess over the threshold.  The first is
        used when the metadata of a file request such a reset.
    """

    kind: str
    model: NeuronModel
    others: Mapping[str, tuple[NeuronModel, ...]] = field(default_factory=dict)
    leaks: bool = True
    through_synapse: bool = False
    silent: str = ""
    subtracting: tuple[NeuronModel, ...] = ()

    @property
    def models(self) -> tuple[NeuronModel, ...]:
        """All models of the family."""
        return (self.model, *(m for models in self.others.values() for m in models))

    def subtracts(self, model: NeuronModel) -> bool:
        """Return whether the reset of a model keeps the excess over the threshold."""
        return any(same(model, each) for each in self.subtracting)


_RESET = "the reset is to a value, so that the excess over the threshold is lost"
_THROUGH = "constant currents reach the membrane through the synapse"
_BOTH = f"{_RESET}; {_THROUGH}"


@cache
def families() -> tuple[Family, ...]:
    """Return the families of all types of node that represent neurons."""
    plain, other = (IntegrateAndFire(reset).model for reset in ("value", "subtraction"))
    pulsed, pulsed_other = (
        LeakyIntegrateAndFire(reset, "delta").model for reset in ("value", "subtraction")
    )
    direct, direct_other = (
        LeakyIntegrateAndFire(reset).model for reset in ("value", "subtraction")
    )
    through, through_other = (current_based(True, reset) for reset in ("value", "subtraction"))
    return (
        Family(
            "IF",
            plain,
            {_RESET: (other,)},
            leaks=False,
            silent="I",
            subtracting=(other,),
        ),
        Family(
            "LIF",
            pulsed,
            {_RESET: (pulsed_other,)},
            silent="LI",
            subtracting=(pulsed_other,),
        ),
        Family(
            "CubaLIF",
            through,
            {_THROUGH: (direct,), _BOTH: (direct_other,), _RESET: (through_other,)},
            through_synapse=True,
            silent="CubaLI",
            subtracting=(through_other, direct_other),
        ),
        Family("I", Integrator().model, leaks=False),
        Family("LI", leaky_integrator()),
        Family("CubaLI", current_based(False), through_synapse=True),
    )


def family(kind: str) -> Family:
    """Return the family of a type of node that represents neurons."""
    return next(entry for entry in families() if entry.kind == kind)


#: values that are written in single precision
_SINGLE = ("weight", "bias", "v_threshold", "v_reset")


def kind_of(population: Population, sends: bool) -> str:
    """Return the type of the node for a population, or an empty string if there is none.

    Parameters
    ----------
    population : Population
    sends : bool
        Whether the population projects to another one.  In bioconv a neuron that never fires then
        sends nothing, whereas a node of NIR without a threshold would send its potential.
    """
    for entry in families():
        if any(same(population.model, model) for model in entry.models):
            silent = (
                entry.silent
                and not sends
                and np.all(np.asarray(population.value("v_th")) >= OUT_OF_REACH)
            )
            return entry.silent if silent else entry.kind
    return ""


def gains(population: Population, kind: str, dt: float) -> tuple[Floats, Floats]:
    """Return the factors that convert a weight and a constant current of bioconv to those of NIR.

    The results are in mV per step; for a constant current that passes through a synapse, in mV per
    step squared.

    Parameters
    ----------
    population : Population
    kind : str
        By `kind_of`.
    dt : float
        ms.
    """
    current = dt / np.asarray(population.value("c_m"), np.float64)
    if not family(kind).through_synapse:
        return np.ones(()), current
    return current, current * dt / np.asarray(population.value("tau_syn"), np.float64)


def node_of(population: Population, kind: str, dt: float, shape: tuple[int, ...]) -> Node:
    """Return the node of a population.

    Parameters
    ----------
    population : Population
    kind : str
        By `kind_of`.
    dt : float
        ms.
    shape : tuple of int
        Shape of the population, or its flattened form.

    Returns
    -------
    Node
        In double precision, with bioconv's threshold; see `written`.
    """
    seconds, of = dt / SECOND, family(kind)

    def spread(name: str) -> Floats:
        array = np.broadcast_to(np.asarray(population.value(name)), population.shape)
        return np.array(channels_first(array.reshape(shape)), np.float64)

    rest = spread("v_rest")
    values: dict[str, Any] = {"r": np.full(rest.shape, 1.0 / seconds)}
    if of.leaks:
        tau = spread("tau_m") / SECOND
        values = {"r": tau / seconds, "v_leak": np.zeros(rest.shape)}
        values["tau_mem" if of.through_synapse else "tau"] = tau
    if of.through_synapse:
        values["tau_syn"] = spread("tau_syn") / SECOND
        values["w_in"] = values["tau_syn"] / seconds
    if of.silent:
        values["v_threshold"] = spread("v_th") - rest
        values["v_reset"] = spread("v_reset") - rest
    metadata = metadata_of(population, of.subtracts(population.model), bool(of.silent), shape)
    return Node(kind, values, metadata)


def written(node: Node) -> tuple[Node, dict[str, float]]:
    """Return a node as it is written, and the largest error of each value that is rounded.

    Weights, biases and thresholds are float32, which is what the readers of NIR compute with.
    """
    values, errors = dict(node.values), {}
    for name in (name for name in _SINGLE if name in values):
        exact = np.asarray(values[name], np.float64)
        values[name] = exact.astype(np.float32)
        error = float(np.max(np.abs(values[name] - exact), initial=0.0))
        if error:
            errors[name] = error
    if "v_threshold" in values:
        values["v_threshold"] = np.nextafter(values["v_threshold"], np.float32(-np.inf))
    return replace(node, values=values), errors


@dataclass(frozen=True, eq=False)
class Read:
    """A population read from a node, with the factors for its weights and currents.

    Parameters
    ----------
    population : Population
    spike : ndarray
        Factor that converts a weight of NIR to one of the population's receptor.
    constant : ndarray
        Factor that converts a bias, or a constant input, to a current in pA.
    """

    population: Population
    spike: Floats
    constant: Floats


def population_of(name: str, node: Node, dt: float, second: float, extras: bool) -> Read:
    """Return the population that corresponds to a node.

    Parameters
    ----------
    name : str
    node : Node
        Of one of the types of `families`.
    dt : float
        ms.
    second : float
        Unit of time of the node in ms.
    extras : bool
        Take reset, start values and refractory period from the metadata.

    Raises
    ------
    ParameterError
        Values that no neuron can have.
    """
    of = family(node.kind)
    last = {key: channels_last(np.asarray(value, np.float64)) for key, value in node.values.items()}
    parameters: dict[str, Any] = {"v_rest": last.get("v_leak", np.zeros(last["r"].shape))}
    parameters["c_m"] = 1.0
    gain = last["r"] * dt / second
    if of.leaks:
        tau = last.get("tau", last.get("tau_mem"))
        parameters["tau_m"] = np.asarray(tau) * second
        gain = last["r"] * dt / parameters["tau_m"]
    spike = gain = _one(gain)
    constant = gain / dt
    if of.through_synapse:
        tau_syn = _apart(last["tau_syn"] * second, parameters["tau_m"])
        parameters["tau_syn"] = tau_syn
        spike = _one(gain * last.get("w_in", 1.0) * dt / tau_syn) / dt
        constant = spike * tau_syn / dt
    if of.silent:
        parameters["v_th"] = channels_last(_above(np.asarray(node.values["v_threshold"])))
        parameters["v_reset"] = last.get("v_reset", np.zeros(last["r"].shape))
    parameters = {key: compact(value) for key, value in parameters.items()}
    population = Population(name, tuple(last["r"].shape), of.model, parameters)
    if extras:
        population = with_extras(population, of.subtracting, node, second)
    return Read(population, spike, constant)


def _one(gain: Floats) -> Floats:
    """Replace gains by one if they differ from it only by the rounding of numbers in the file."""
    return np.where(np.isclose(gain, 1.0, rtol=1e-6, atol=0), 1.0, gain)


def _apart(tau_syn: Floats, tau_m: Floats) -> Floats:
    """Return synaptic time constants that differ from the membrane's by at least a thousandth.

    The exact solution for two equal time constants has a different form.
    """
    return np.where(np.abs(tau_syn - tau_m) < 1e-3 * tau_m, 0.999 * tau_m, tau_syn)


def _above(threshold: NDArray[Any]) -> Floats:
    """Return the smallest number above a threshold in the array's own precision."""
    floats = threshold if threshold.dtype.kind == "f" else threshold.astype(np.float64)
    return np.nextafter(floats, np.array(np.inf, floats.dtype)).astype(np.float64)
