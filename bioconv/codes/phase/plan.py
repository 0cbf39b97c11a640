"""Plan of an oscillation network: windows, names and neurons.

A layer *transmits* from the time A on: a neuron at the full scale fires at A, and one at zero a
window later.  On the time grid, a spike at A is emitted at the end of step A - 1.  With a delay of
one step it arrives at the end of step A and acts on the membrane from A + 1 on.  There the
*listening* window of the next layer starts, which transmits a window later.
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
    """State of the construction: decisions made beforehand, and the parts built so far.

    Parameters
    ----------
    code : OscillationCode
    rewritten : Rewritten
        With encoders.
    headroom : Headroom
    dt : float
        ms.
    names : dict of str to str
        Name of the population of every layer and of the input of the network for every input.
    transmits : dict of str to int
        Step in which the transmitting window of each layer starts.
    carried : mapping of str to Carried
    inputs : mapping of str to Input
    bias_lane : dict of int to str
        For each step in which a listening window starts, the neuron that provides the biases.
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
        """Length of a window in steps."""
        return self.code.window_steps

    @property
    def window(self) -> float:
        """Length of a window in ms."""
        return self.n * self.dt

    @property
    def values(self) -> NDArray[np.float64]:
        """Value of a spike in each step of a transmitting window, in units of the scale."""
        return 1.0 - np.arange(self.n) / self.n

    def neuron(self) -> Neuron:
        """The neuron of all layers except gates."""
        timed = {"window": self.window} if self.code.adaptation == "amplitude" else {}
        return Oscillation(self.code.adaptation, t_ref=ONCE_STEPS * self.dt, **timed)

    def change(self, name: str, step: int, **values: Value) -> None:
        """Schedule changes of variables of a population in a step."""
        self.changes += [Change(step, name, *entry) for entry in values.items()]


def transmission_starts(rewritten: Rewritten, window_steps: int) -> dict[str, int]:
    """Return the step in which the transmitting window of every layer and readout starts.

    Encoders are charged in step 0, a layer waits for its latest source, and a gate passes spikes on
    without a window of its own.
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
