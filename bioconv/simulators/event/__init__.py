"""The event simulator: real-valued spike times from closed forms, without time steps.

If the dynamics between spikes have a closed form, the spikes of a neuron follow exactly from the
times of its input spikes.  Populations are solved one after the other in topological order, one
batch of samples at a time.

Time starts at 0 ms in the sense of `bioconv.timing`: a spike in step t of the grid has the time
(t + 1) dt, a change in step t happens at t dt, and a delay of n steps is n dt.  Equations are
solved in the limit of dt towards 0.

To add a family of neurons
--------------------------
Write a module in the package of its code and add it to `solvers.ROOMS`.  It must have a function
that returns the models with an exact solution, and the conditions under which it holds
(`bioconv.codes.solving.exact.Exact`)::

    def exact_solutions(model: NeuronModel) -> Iterable[Exact]

A population is solved by the solution of the model that is identical to its own, irrespective of
names, in its equations, threshold, reset and receptors (`bioconv.neurons.language.identity`).  The
solver refers to parameters, state variables and receptors by the names of that reference model.
Each entry has a function ``prepare``::

    def prepare(stage: Stage) -> Solver

It is called once for each population, with everything that does not depend on the sample
(`Stage`: the population, its incoming projections and its changes), and returns a function that
is called once for each batch::

    def solve(arrivals: Sequence[Times], current: Times) -> Solution

``arrivals`` holds, for each projection of the stage in its order, when the spikes of each sending
neuron arrive: an array (batch, n_pre, k) in ms, ascending along the last axis and padded with
``inf``; k is the largest number of spikes of a neuron.  ``current`` (batch, n) is the current that
the drives add to the parameter ``model.current``.  `Solution` contains the times of the
population's own spikes (batch, n, k) in the same form, and the final values of the state variables
that readouts need.  Arrays may be NumPy or JAX arrays.  Spikes later than ``stage.end`` must be
omitted.  All computations are in float64, with the 64-bit mode of JAX enabled; ``operator.apply``
takes arrays of shape (batch, *in_shape).

A solver with the attribute ``draws`` receives the numbers of the samples (batch,) as its third
argument.  Its random numbers may only depend on ``stage.seed``, the population and the sample, not
on the other samples in the batch.

A solver may be a `Compiled`.  If all solvers of a network are, batches are passed from one compiled
function to the next (`bioconv.simulators.event.compiled`), which avoids most memory traffic.
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
