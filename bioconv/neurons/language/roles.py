"""What the parts of a neuron model mean: roles of parameters, kinds of states and of models.

Whoever disturbs a network, solves it exactly, converts to it or exports it asks these
declarations.  Nothing depends on what a part is called.
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

#: role of a parameter -> what it says; a model has one parameter of a role, but for `REPEATED`
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "": "none of the others",
        THRESHOLD: "the neuron fires where its potential reaches it; counted from the reset",
        SOFT_THRESHOLD: "where the upstroke of a spike begins; counted from rest",
        CURRENT_THRESHOLD: "the neuron fires where its input current exceeds it",
        REST: "resting potential",
        RESET: "potential after a spike",
        LEAK: "leak conductance",
        CAPACITANCE: "membrane capacitance",
        MEMBRANE_TIME_CONSTANT: "time constant of the leak",
        TIME_CONSTANT: "another time constant of a device",
        SLOPE: "steady rise by which a neuron that fires once fires",
        WINDOW_CURRENT: "that rise as a current, from the opening of the window on",
        WINDOW_CURRENT_WITH_SYNAPSES: "the same together with the current of all synapses",
        REVERSAL: "reversal potential of a synaptic conductance",
        DEADLINE: "moment at which all neurons fire that have not fired before",
        RELEASE: "moment before which the neuron does not fire",
        WINDOW: "1 while the neuron may fire",
        GATE: "1 while constant current flows",
        POLARITY: "1 for ON, -1 for OFF neurons of the same unit",
        NOISE_CURRENT: "amplitude of white noise in the input current",
        NOISE_SLOPE: "amplitude of white noise in the slope of the potential",
        NOISE_THRESHOLD: "standard deviation of a threshold that fluctuates",
        FLOOR: "lowest potential",
        CEILING: "highest potential",
        REGISTER_STEP: "step of state variables in fixed point",
        LOSS: "quantile of the probability with which an axon loses a spike",
        SPURIOUS: "quantile above which a spike comes up in an axon",
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

#: kind of a state variable -> what it says
STATE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "": "none of the others",
        MEMBRANE_POTENTIAL: "what is compared with the threshold, and what outputs are read from",
        SYNAPTIC: "current or conductance of synapses, or what has arrived in a step",
        LASTING_CURRENT: "current that a spike switches on for good",
        GATING: "share of channels that are open",
        RECOVERY: "slow variable that works against spikes",
        MARK: "a mark or a count",
    }
)

SPIKING = "spiking"
MAX_GATE = "gate"
READOUT = "readout"
AXON = "axon"

#: kind of a model -> what it says
MODEL_KINDS: Mapping[str, str] = MappingProxyType(
    {
        SPIKING: "a neuron that fires",
        MAX_GATE: "a gate of max pooling, which is no neuron of a chip",
        READOUT: "an output that adds up and never fires",
        AXON: "an axon, which passes on the spikes of one neuron",
    }
)
