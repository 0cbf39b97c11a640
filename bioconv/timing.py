"""The timing contract, NEST's, that every simulator keeps.

A sample starts at step 0.  In every step t = 0, 1, 2, ... each population does, in this order:

0. *change*: the scheduled `bioconv.network.Change` of step t take effect; then random numbers are
   drawn and sub-expressions that are constant over dt are worked out; then, in a model that fires
   at crossings, neurons for which the threshold condition does not hold are no longer blocked;
1. *integrate*: state variables advance by ``dt`` with the model's discretised update
   (variables marked ``unless refractory`` stand still during refractoriness);
2. *deliver*: spikes that were emitted in step t - delay arrive and add their weights
   (delta input to a refractory neuron is lost); then the model's statements ``after`` run, for
   every neuron: what its registers make of the state;
3. *threshold*: neurons that meet the condition and are neither refractory nor blocked emit a
   spike in step t;
4. *reset*: the reset statements run for these neurons; at crossings, they are blocked now.

Spike sources emit in step t as a neuron would.  Delays are whole steps, at least one.  A
refractory period of n steps after a spike in step t covers steps t + 1 ... t + n.
Recorded values of a state variable in step t are those at the end of the step, after the reset.
NEST stamps a spike of step t with the end of the step, (t + 1) dt; bioconv counts steps.
"""

from __future__ import annotations

from math import isfinite

from bioconv.ground.errors import ParameterError
from bioconv.ground.options import is_number, is_whole

#: ms: shortest and longest step; neurons take between nanoseconds and seconds
SHORTEST_STEP, LONGEST_STEP = 1e-6, 1e3
#: largest number of steps of one sample
MOST_STEPS = 10_000_000


def wrong_step(dt: object) -> str:
    """Return what is wrong with a step in ms; nothing if it can be used."""
    if is_number(dt) and SHORTEST_STEP <= dt <= LONGEST_STEP:
        return ""
    return f"must be from {SHORTEST_STEP:g} to {LONGEST_STEP:g} ms. Received: {dt!r}"


def wrong_number_of_steps(n_steps: object) -> str:
    """Return what is wrong with the number of steps of a sample; nothing if it can be used."""
    if is_whole(n_steps) and 1 <= n_steps <= MOST_STEPS:
        return ""
    return f"must be an integer from 1 to {MOST_STEPS:,}. Received: {n_steps!r}"


def whole_steps(duration: float, dt: float, name: str = "duration") -> int:
    """Number of steps of ``dt`` (ms) in ``duration`` (ms), which must be a whole number of steps.

    Raises
    ------
    bioconv.ground.errors.ParameterError
        If ``duration`` is not a multiple of ``dt`` (to one part in a million of a step), or one
        of them is not finite, or ``dt`` is not above 0.
    """
    if not (isfinite(dt) and dt > 0):
        raise ParameterError(f"dt must be a finite number of ms above 0. Received: {dt}.")
    if not isfinite(duration):
        raise ParameterError(f"{name} must be a finite number of ms. Received: {duration}.")
    steps = round(duration / dt)
    if steps > MOST_STEPS:
        raise ParameterError(
            f"{name} = {duration} ms has more than {MOST_STEPS:,} steps of dt = {dt} ms."
        )
    if abs(steps * dt - duration) > 1e-6 * dt:
        raise ParameterError(
            f"{name} = {duration} ms is not a whole number of steps of dt = {dt} ms. "
            f"Use a multiple of {dt} ms, for example {max(steps, 1) * dt} ms."
        )
    return steps
