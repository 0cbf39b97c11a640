"""What is known before an oscillation network is built: windows, names, neurons.

Times.  A layer *transmits* from the time A on: a neuron at the full scale fires at A, one at zero
a window later.  On the grid a spike at A is that of step A - 1, at the end of it.  It arrives a
delay of one step later, at the end of step A, and acts on the membrane from A + 1 on: there the
next layer starts to *listen*; it transmits a window later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import MaxPool
from bioconv.codes.common.assembly import Parts
from bioconv.codes.common.headroom import Headroom
from bioconv.codes.common.once import ONCE_STEPS
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.phase.code import OscillationCode
from bioconv.codes.phase.neurons import Oscillation
from bioconv.network import Change, Input, Value
from bioconv.neurons import Neuron


@dataclass
class PhasePlan(Parts):
    """What is known before the first population is built, and what has been built so far.

    Parameters
    ----------
    code : OscillationCode
    rewritten : Rewritten
        With encoders.
    headroom : Headroom
    dt : float
        ms.
    names : dict of str to str
        Name of the population of every layer, of the input of every input.
    transmits : dict of str to int
        Step in which each layer's transmitting window starts.
    carried : mapping of str to Carried
    inputs : mapping of str to Input
    bias_lane : dict of int to str
        For each step in which layers start to listen, the neuron that brings their biases.
    """

    code: OscillationCode
    rewritten: Rewritten
    headroom: Headroom
    dt: float
    names: Mapping[str, str]
    transmits: Mapping[str, int]
    carried: Mapping[str, Carried]
    inputs: Mapping[str, Input]
    bias_lane: dict[int, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Steps of a window."""
        return self.code.window_steps

    @property
    def window(self) -> float:
        """The same in ms."""
        return self.n * self.dt

    @property
    def values(self) -> NDArray[np.float64]:
        """What a spike in each step of a transmitting window says, in units of the scale."""
        return 1.0 - np.arange(self.n) / self.n

    def neuron(self) -> Neuron:
        """The neuron of all layers but gates."""
        timed = {"window": self.window} if self.code.adaptation == "amplitude" else {}
        return Oscillation(self.code.adaptation, t_ref=ONCE_STEPS * self.dt, **timed)

    def change(self, name: str, step: int, **values: Value) -> None:
        """Set variables of a population at a step."""
        self.changes += [Change(step, name, *entry) for entry in values.items()]


def transmission_starts(rewritten: Rewritten, window_steps: int) -> dict[str, int]:
    """The step in which the transmitting window of every layer and readout starts.

    Encoders are charged in step 0; a layer waits for its latest source; a gate passes spikes on.
    """
    inputs = {entry.name for entry in rewritten.inputs}
    starts: dict[str, int] = {}
    for layer in (*rewritten.layers, *rewritten.readouts):
        sources = {term.source for term in layer.inputs[0].terms}
        if sources & inputs:
            starts[layer.name] = 1
            continue
        latest = max((starts[source] for source in sources), default=1)
        wait = 0 if isinstance(layer.function, MaxPool) else window_steps
        starts[layer.name] = latest + 1 + wait
    return starts
