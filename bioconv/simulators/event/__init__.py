"""The event simulator: spike times as real numbers, from closed forms, without time steps.

Where the dynamics between spikes have a closed form, a neuron's spikes follow from the times of
the spikes that it gets, exactly.  Populations are solved one after the other in topological order,
a batch of samples at a time.

Time runs on from 0 ms in the sense of `bioconv.timing`: a spike of step t of the grid has the time
(t + 1) dt here, a change of step t happens at t dt, and a delay of n steps is n dt.  Equations are
taken in the limit of dt towards 0.

To add a family of neurons
--------------------------
Write a module in the room of its code and enter it in `solvers.ROOMS`.  It has a function that
tells which models have an exact solution, with the conditions under which it holds
(`bioconv.codes.solving.exact.Exact`)::

    def exact_solutions(model: NeuronModel) -> Iterable[Exact]

A population gets the solution of the model that its own is the same as: equations, threshold,
reset and receptors decide, names do not (`bioconv.neurons.language.identity`).  The solver speaks
of parameters, state variables and receptors by the names of that reference.  Each entry has a
function ``prepare``::

    def prepare(stage: Stage) -> Solver

It is called once for each population, with everything that stays the same from sample to sample
(`Stage`: the population, its incoming projections, its changes), and gives a function that is
called once for each batch::

    def solve(arrivals: Sequence[Times], current: Times) -> Solution

``arrivals`` holds, for each projection of the stage in its order, when the spikes of each sending
neuron arrive: an array (batch, n_pre, k) in ms, ascending along the last axis, ``inf`` where there
are no more; k is the largest number of spikes of a neuron.  ``current`` (batch, n) is what the
drives add to the parameter ``model.current``.  `Solution` has the times of the population's own
spikes (batch, n, k) in the same form, and the state variables that readouts read, at the end.
Arrays are NumPy's or JAX's.  A spike that comes later than ``stage.end`` must not be in it.  All
is in float64, with JAX's 64 bit mode on; ``operator.apply`` takes arrays of shape
(batch, *in_shape).

A solver with the attribute ``draws`` gets the numbers of the samples (batch,) as its third
argument: its random numbers must be those of ``stage.seed``, of the population and of the sample,
whatever else is in the batch.

A solver may be a `Compiled`: if all of a network are, batches go from one compiled function to the
next (`bioconv.simulators.event.compiled`), which saves most of the memory traffic.
"""

from __future__ import annotations

from bioconv.codes.solving.stage import Compiled, Incoming, Solution, Solver, Stage, Times
from bioconv.simulators.event.simulation import is_compiled, run
from bioconv.simulators.event.solvers import solution_of

__all__ = [
    "Compiled",
    "Incoming",
    "Solution",
    "Solver",
    "Stage",
    "Times",
    "is_compiled",
    "run",
    "solution_of",
]
