"""Neurons of NIR and of bioconv: the same equations, in the units of either.

NIR leaves the step open.  Its readers treat a spike as a pulse of height one that lasts one step
of dt: ``I``, in ``tau dv/dt = (v_leak - v) + R I``, is then the weight, and v jumps by
``w R dt / tau``.  Written are R = tau / dt (IF: 1 / dt) and w_in = tau_syn / dt, so that weights
and biases are mV a step also for readers that do not look at R.  Times are in seconds.

NIR fires above the threshold, bioconv at it: the threshold that is written is the number of
float32 before ours, so that both say the same of every float32.
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
from bioconv.targets.nir.graph import Node, channels_first, channels_last

Floats = NDArray[np.float64]

_SOURCE = "Pedersen et al. 2024, Nature Communications 15:8122, Neuromorphic intermediate "
_SOURCE += "representation, table 1; nir 1.0.8, nir/ir/neuron.py"
#: ms
SECOND = 1e3

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
    """NIR's LI: a leaky membrane that never fires."""
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
    """NIR's CubaLIF and CubaLI: all current, constant or not, goes through the synapse."""
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
    """Models that one type of node stands for.

    Parameters
    ----------
    kind : str
        Type of the node.
    model : NeuronModel
        What comes back from a file.
    others : mapping of str to NeuronModel
        What differs -> models that it also stands for.
    leaks : bool
        Whether the node has a leak.
    through_synapse : bool
        Whether all current reaches the membrane through a synapse with a time constant.
    silent : str
        Of a node that fires: the type of the one that does the same and never fires.
    subtracting : tuple of NeuronModel
        Those of all these models whose reset keeps what went beyond the threshold, first the one
        that comes back from a file whose metadata say so.
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
        """All of them."""
        return (self.model, *(m for models in self.others.values() for m in models))

    def subtracts(self, model: NeuronModel) -> bool:
        """Whether the reset of a model keeps what went beyond the threshold."""
        return any(same(model, each) for each in self.subtracting)


_RESET = "the reset is to a value, what a potential is above the threshold is lost"
_THROUGH = "constant currents reach the membrane through the synapse"
_BOTH = f"{_RESET}, and {_THROUGH}"


@cache
def families() -> tuple[Family, ...]:
    """Every type of node that holds neurons."""
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
    """The family of a type of node that holds neurons."""
    return next(entry for entry in families() if entry.kind == kind)


#: values that are written in single precision
_SINGLE = ("weight", "bias", "v_threshold", "v_reset")


def kind_of(population: Population, sends: bool) -> str:
    """The type of the node for a population; empty if there is none.

    Parameters
    ----------
    population : Population
    sends : bool
        Whether it projects to another one: what never fires then sends nothing, where a node of
        NIR without a threshold would send its potential.
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
    """What makes a weight, and a constant current, of bioconv one of NIR: two factors.

    Both are then mV a step; of a current that goes through a synapse, mV a step and step.

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
    """A population as a node.

    Parameters
    ----------
    population : Population
    kind : str
        By `kind_of`.
    dt : float
        ms.
    shape : tuple of int
        That of the population, or flat.

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
    return Node(kind, values, _metadata(population, of, shape))


def written(node: Node) -> tuple[Node, dict[str, float]]:
    """A node as it is written, and the largest error of each of its values that is rounded.

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


def _metadata(population: Population, of: Family, shape: tuple[int, ...]) -> dict[str, Any]:
    """What NIR has no place for."""
    extra: dict[str, Any] = {}
    if of.subtracts(population.model):
        extra["reset"] = "subtraction"
    start = np.asarray(population.start("v")) - np.asarray(population.value("v_rest"))
    blocked = population.value("t_ref") if of.silent else 0.0
    for name, value in (("v_start", start), ("t_ref", np.asarray(blocked) / SECOND)):
        if np.any(value):
            array = np.broadcast_to(value, population.shape).reshape(shape)
            extra[name] = np.array(channels_first(array), np.float64)
    return extra


@dataclass(frozen=True, eq=False)
class Read:
    """A population that a node becomes, and what arrives there.

    Parameters
    ----------
    population : Population
    spike : ndarray
        Factor that makes a weight of NIR one of the population's receptor.
    constant : ndarray
        Factor that makes a bias, or a constant input, a current in pA.
    """

    population: Population
    spike: Floats
    constant: Floats


def population_of(name: str, node: Node, dt: float, second: float, extras: bool) -> Read:
    """The population that a node becomes.

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
        Take reset, start and refractory period from the metadata.

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
    parameters = {key: _compact(value) for key, value in parameters.items()}
    population = Population(name, tuple(last["r"].shape), of.model, parameters)
    if extras:
        population = _with_extras(population, of, node, second)
    return Read(population, spike, constant)


def _one(gain: Floats) -> Floats:
    """Gains that are one but for the rounding of the numbers in the file."""
    return np.where(np.isclose(gain, 1.0, rtol=1e-6, atol=0), 1.0, gain)


def _apart(tau_syn: Floats, tau_m: Floats) -> Floats:
    """Synaptic time constants that differ from those of the membrane: by a thousandth at least.

    The exact solution of two equal ones has another form.
    """
    return np.where(np.abs(tau_syn - tau_m) < 1e-3 * tau_m, 0.999 * tau_m, tau_syn)


def _above(threshold: NDArray[Any]) -> Floats:
    """The smallest number of the array's own precision above a threshold."""
    floats = threshold if threshold.dtype.kind == "f" else threshold.astype(np.float64)
    return np.nextafter(floats, np.array(np.inf, floats.dtype)).astype(np.float64)


def _compact(value: Any) -> Any:
    """One number for values that are all the same."""
    array = np.asarray(value, np.float64)
    return float(array.flat[0]) if array.size and np.all(array == array.flat[0]) else array


def _with_extras(population: Population, of: Family, node: Node, second: float) -> Population:
    """The population with what the metadata say beside the node's values."""
    model, extra = population.model, node.metadata
    if extra.get("reset") == "subtraction" and of.subtracting:
        model = of.subtracting[0]
    parameters, initial = dict(population.parameters), dict(population.initial)
    if "t_ref" in extra and model.refractory:
        parameters["t_ref"] = _compact(channels_last(np.asarray(extra["t_ref"])) * second)
    if "v_start" in extra:
        start = channels_last(np.asarray(extra["v_start"], np.float64))
        initial["v"] = _compact(start + np.asarray(parameters["v_rest"]))
    return replace(population, model=model, parameters=parameters, initial=initial)
