"""Meaning of the parts of neuron models: roles of parameters, kinds of states and of models.

All code that converts, disturbs, solves or exports networks uses these declarations.  Nothing
depends on the names of parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

THRESHOLD = "threshold"
SOFT_THRESHOLD = "soft threshold"
CURRENT_THRESHOLD = "current threshold"
REST = "rest"
RESET = "reset"
LEAK = "leak"
CAPACITANCE = "capacitance"
MEMBRANE_TIME_CONSTANT = "membrane time constant"
TIME_CONSTANT = "time constant"
SLOPE = "slope"
WINDOW_CURRENT = "window current"
WINDOW_CURRENT_WITH_SYNAPSES = "window current with synapses"
REVERSAL = "reversal potential"
DEADLINE = "deadline"
OBSERVATION = "observation"
RELEASE = "release"
WINDOW = "window"
GATE = "gate"
POLARITY = "polarity"
NOISE_CURRENT = "noise current"
NOISE_SLOPE = "noise slope"
NOISE_THRESHOLD = "noise of the threshold"
FLOOR = "floor"
CEILING = "ceiling"
REGISTER_STEP = "register step"
LOSS = "loss"
SPURIOUS = "spurious spikes"
JITTER = "jitter"
LATENCY = "latency"

#: role of a parameter -> meaning; a model has one parameter per role, except for `REPEATED`
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "": "none of the others",
        THRESHOLD: "potential at which the neuron fires, relative to the reset",
        SOFT_THRESHOLD: "potential at which the upstroke of a spike begins, relative to rest",
        CURRENT_THRESHOLD: "input current above which the neuron fires",
        REST: "resting potential",
        RESET: "potential after a spike",
        LEAK: "leak conductance",
        CAPACITANCE: "membrane capacitance",
        MEMBRANE_TIME_CONSTANT: "time constant of the leak",
        TIME_CONSTANT: "another time constant of a device",
        SLOPE: "constant slope by which a neuron that fires once reaches its threshold",
        WINDOW_CURRENT: "that slope as a current, from the opening of the window on",
        WINDOW_CURRENT_WITH_SYNAPSES: "that current together with the current of all synapses",
        REVERSAL: "reversal potential of a synaptic conductance",
        DEADLINE: "time at which all neurons fire that have not fired before",
        OBSERVATION: "time after the first input spike from which on the neuron does not fire",
        RELEASE: "time before which the neuron does not fire",
        WINDOW: "1 while the neuron may fire",
        GATE: "1 while constant current flows",
        POLARITY: "1 for ON, -1 for OFF neurons of the same unit",
        NOISE_CURRENT: "amplitude of white noise in the input current",
        NOISE_SLOPE: "amplitude of white noise in the slope of the potential",
        NOISE_THRESHOLD: "standard deviation of a threshold that fluctuates",
        FLOOR: "lowest potential",
        CEILING: "highest potential",
        REGISTER_STEP: "step of state variables in fixed point",
        LOSS: "quantile of the probability that an axon loses a spike",
        SPURIOUS: "quantile above which a spurious spike occurs in an axon",
        JITTER: "standard deviation of the delay of an axon",
        LATENCY: "mean delay of an axon",
    }
)
#: roles that several parameters of a model may have
REPEATED = frozenset({"", TIME_CONSTANT, SLOPE, REVERSAL})

MEMBRANE_POTENTIAL = "membrane potential"
SYNAPTIC = "synaptic"
LASTING_CURRENT = "lasting current"
GATING = "gating variable"
RECOVERY = "recovery"
MARK = "mark"

#: kind of a state variable -> meaning
STATE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "": "none of the others",
        MEMBRANE_POTENTIAL: "potential that is compared with the threshold, or read as an output",
        SYNAPTIC: "current or conductance of synapses, or input of a step",
        LASTING_CURRENT: "current that a spike switches on and that never decays",
        GATING: "share of open channels",
        RECOVERY: "slow variable that counteracts spikes",
        MARK: "a flag or a counter",
    }
)

SPIKING = "spiking"
MAX_GATE = "gate"
READOUT = "readout"
AXON = "axon"

#: kind of a model -> meaning
MODEL_KINDS: Mapping[str, str] = MappingProxyType(
    {
        SPIKING: "a neuron that fires",
        MAX_GATE: "a gate of max pooling, which is not a neuron of a chip",
        READOUT: "an output that sums its input and never fires",
        AXON: "an axon, which passes on the spikes of one neuron",
    }
)
