"""Exact solution of the neurons of `bioconv.codes.first_spike_exact.neurons`.

Once all spikes have arrived, a potential rises linearly, so that the time at which it crosses the
threshold is a quotient (stanojevic Eq 3.7).  Earlier crossings are ruled out by a bound: until the
window opens, the potential is never above the value that the positive weights alone would give at
its opening.  Neurons for which the bound does not rule them out, and neurons that a spike reaches
after the opening, are solved event by event (`bioconv.codes.solving.piecewise`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache, partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.codes.first_spike_exact.neurons import (
    FirstSpikeEncoder,
    FirstSpikeExact,
    FirstSpikeIntegrator,
    FirstSpikePool,
)
from bioconv.codes.solving.exact import Exact, at_most
from bioconv.codes.solving.linear import positive_bound, synaptic
from bioconv.codes.solving.piecewise import Ramps, Synapses, first_crossings
from bioconv.codes.solving.stage import Compiled, Solution, Solver, Stage, Times, Traced
from bioconv.neurons.language.model import NeuronModel
from bioconv.operators import Array, Operator

#: tolerance for rounding of the bound, which is computed in single precision
_MARGIN = 1e-4
#: largest time in ms by which rounding may delay a spike
_LATE = 1e-9
#: option of the neurons -> whether those that have not fired do so when their window closes
_INACTIVE = {"fire": True, "silent": False}


@cache
def exact_solutions(_: NeuronModel) -> tuple[Exact, ...]:
    """Return the models of this code, all of which have exact solutions without changes."""
    still = at_most()
    return (
        *(
            Exact(FirstSpikeEncoder(inactive).model, partial(_encoder, fires), still, ("fired",))
            for inactive, fires in _INACTIVE.items()
        ),
        *(
            Exact(
                FirstSpikeExact(inactive, threshold).model,
                partial(_neuron, fires),
                still,
                ("i_syn", "fired"),
            )
            for inactive, fires in _INACTIVE.items()
            for threshold in ("constant", "falling")
        ),
        Exact(FirstSpikePool().model, _pool, still, ("fired",)),
        Exact(FirstSpikeIntegrator().model, _integrator, still, ("i_syn",), ("v",)),
    )


def _encoder(fires: bool, stage: Stage) -> Solver:
    names = ("slope", "v_th", "g_in", "i_offset", "t_close")
    p: dict[str, Array] = {name: stage.value(name) for name in names}
    # The neuron with the largest input fires at the end of the first step.
    p |= {"v": stage.start("v"), "end": np.asarray(stage.end), "first": np.asarray(stage.dt)}
    latest = float(p["t_close"].max())
    certain = fires and latest <= stage.end
    return _always(_encoded, fires, p, min(latest, stage.end), certain)


def _always(
    traced: Traced, static: Hashable, constants: Any, latest: float, certain: bool = False
) -> Compiled:
    """Return a solver whose compiled form is always exact."""

    def solve(arrivals: Sequence[Times], current: Times) -> Solution:
        times, final, _ = _alone(traced, static, constants, list(arrivals), current)
        return Solution(times, final)

    return Compiled(solve, traced, static, constants, latest, certain)


@partial(jax.jit, static_argnames=("traced", "static"))
def _alone(
    traced: Traced, static: Hashable, constants: Any, arrivals: list[Array], current: Array
) -> tuple[Array, Mapping[str, Array], Array]:
    return traced(static, constants, arrivals, current)


def _encoded(
    fires: Any, p: Mapping[str, Array], arrivals: Sequence[Array], current: Array
) -> tuple[Array, dict[str, Array], Array]:
    given = 0.0 if current is None else current
    lift = p["v"] + (given + p["i_offset"]) / p["g_in"]
    times = jnp.maximum((p["v_th"] - lift) / p["slope"], p["first"])
    times = times.reshape(-1, times.shape[-1])
    return _closed(times, p, fires)[:, :, None], {}, jnp.zeros((), bool)


def _closed(times: Array, p: Mapping[str, Array], fires: bool) -> Array:
    """Let neurons that have not fired when the window closes fire then, or not at all."""
    times = jnp.where(times < p["t_close"], times, p["t_close"] if fires else jnp.inf)
    return jnp.where(times <= p["end"], times, jnp.inf)


def _neuron(fires: bool, stage: Stage) -> Solver:
    names = ("v_th", "c_m", "i_offset", "i_open", "t_start", "t_open", "t_first", "t_close")
    values = {name: stage.value(name) for name in names}
    operators = [entry.operator for entry in stage.incoming]
    opened = values["t_open"]
    p = _constants(values, stage, operators, fires)
    ramps, synapses = Ramps(stage.start("v"), values, fires), Synapses(operators)
    early = bool(np.any(values["t_first"] < opened))
    bound = [positive_bound(operator) for operator in operators] if early else []
    latest = max((entry.latest for entry in stage.incoming), default=0.0)
    shape = stage.population.shape
    shaped = {name: np.reshape(v, shape) if np.ndim(v) else v for name, v in p.items()}
    constants = (_in_precision(operators, stage.dtype), bound, shaped)
    alike = bool(np.all(opened == opened[0]) and np.all(p["slope"] > 0))
    complete = not fires or all(entry.certain for entry in stage.incoming)
    irregular = not complete or latest > opened[0] + _LATE
    raised = [positive_bound(operator) for operator in operators] if irregular else []

    def solve(arrivals: Sequence[Times], current: Times) -> Solution:
        everyone = (len(current), stage.population.n_neurons)
        if alike and all(times.shape[2] == 1 for times in arrivals):
            if irregular:
                times, doubtful = _crossed_anyhow(fires, constants, raised, list(arrivals))
            else:
                times, doubtful = _crossed_alone(fires, constants, list(arrivals))
        else:
            times, doubtful = np.zeros(everyone), np.ones(everyone, bool)
        if not np.any(doubtful):
            return Solution(times[:, :, None])
        image, neuron = np.nonzero(np.broadcast_to(doubtful, everyone))
        times, before = np.array(times), [np.asarray(entry) for entry in arrivals]
        times[image, neuron] = first_crossings(synapses, ramps, before, image, neuron)
        return Solution(_closed(times, p, fires)[:, :, None])

    if not alike or irregular:
        return solve
    close = float(values["t_close"].max())
    certain = fires and close <= stage.end
    latest = min(close, stage.end)
    return Compiled(solve, _traced, fires, constants, latest, certain, phases=(_leads, _charges))


def _constants(
    values: Mapping[str, Array], stage: Stage, operators: Sequence[Operator], fires: bool
) -> dict[str, Array]:
    """Return the parameters and the quantities derived from them, which hold for all samples."""
    start = stage.start("v") * values["c_m"]
    total = np.zeros(stage.population.n_neurons)
    for operator in operators:
        total += np.asarray(synaptic([operator], [np.ones((1, operator.n_in))])).reshape(-1)
    ramp = values["i_offset"] * (values["t_open"] - values["t_start"])
    needed = values["v_th"] * values["c_m"]
    slope = values["i_open"] + (total if fires else 0.0)
    return {
        **values,
        "end": np.asarray(stage.end),
        "slope": slope,
        "per_slope": 1.0 / np.where(slope > 0, slope, 1.0),
        "needed": needed,
        # charge (pA ms) that synapses must deliver by the time the window opens
        "missing": needed - start - ramp,
        # the largest value until then: a ramp is highest at one of its ends
        "highest": start + np.maximum(ramp, 0.0),
    }


def _leads(constants: Any, arrivals: Sequence[Array]) -> list[Array]:
    """Return the time from each spike to the opening of the window, 0 without a spike."""
    opened = constants[2]["t_open"].ravel()[0]
    return [jnp.where(jnp.isfinite(t), opened - t, 0.0)[:, :, 0] for t in arrivals]


def _charges(constants: Any, leads: Sequence[Array]) -> list[Array]:
    """Return the charge that synapses deliver by the opening and, if needed, an upper bound.

    The bound is computed from positive weights alone, in single precision.  All arrays have the
    shape of the layer, because XLA would recompute the index of each neuron in a flat array.
    """
    operators, bound, _ = constants
    return [_shaped(operators, leads), *([_shaped(bound, leads)] if bound else [])]


def _shaped(operators: Sequence[Operator], values: Sequence[Array]) -> Array:
    """Return the sum over projections of the operators applied to flat values, (batch, *shape).

    The result has the precision of the weights of the operators.
    """
    parts = []
    for operator, x in zip(operators, values, strict=True):
        weights = jax.tree.leaves(operator)
        cast = x.astype(weights[0].dtype) if weights else x
        parts.append(operator.apply(cast.reshape(len(x), *operator.in_shape)))
    return sum(parts[1:], start=parts[0])


def _in_precision(operators: Sequence[Operator], dtype: str) -> list[Operator]:
    """Return the operators with weights of this precision."""
    return [operator.map_weights(lambda w: np.asarray(w, dtype)) for operator in operators]


def _traced(
    fires: Any, constants: Any, charges: Sequence[Array], current: Array
) -> tuple[Array, dict[str, Array], Array]:
    times, doubtful = _crossed(fires, constants, charges)
    return times[:, :, None], {}, jnp.any(doubtful)


def _crossed(fires: Any, constants: Any, charges: Sequence[Array]) -> tuple[Array, Array]:
    """Return spike times for input that is complete at the opening, and possible early spikes."""
    p = constants[2]
    opened = p["t_open"].ravel()[0]
    missing = jnp.maximum(p["missing"] - charges[0], 0.0)
    times = jnp.maximum(opened + missing * p["per_slope"], p["t_first"])
    doubtful = jnp.zeros((1, 1), bool)
    if len(charges) > 1:
        room = _MARGIN * (1.0 + charges[1] + jnp.abs(p["needed"]))
        reach = charges[1] + p["highest"] + room >= p["needed"]
        doubtful = _flat(reach & (p["t_first"] < opened))
    return _flat(_closed(times, p, fires)), doubtful


@partial(jax.jit, static_argnames="fires")
def _crossed_alone(fires: bool, constants: Any, arrivals: Sequence[Array]) -> tuple[Array, Array]:
    """As `_crossed`, but from arrivals; samples with late spikes are marked as in doubt too."""
    times, doubtful = _crossed(fires, constants, _charges(constants, _leads(constants, arrivals)))
    opened = constants[2]["t_open"].ravel()[0]
    for t in arrivals:
        late = jnp.any(jnp.isfinite(t) & (t > opened + _LATE), axis=(1, 2))
        doubtful = doubtful | late[:, None]
    return times, doubtful


@partial(jax.jit, static_argnames="fires")
def _crossed_anyhow(
    fires: bool, constants: Any, raised: Sequence[Operator], arrivals: Sequence[Array]
) -> tuple[Array, Array]:
    """As `_crossed_alone`, but for spikes that may arrive after the opening or not at all.

    Once all spikes have arrived, the potential lies on a straight line, to which late spikes
    contribute in the same way as early ones.  Before that, it is above this line by at most the
    amount by which the positive weights of late spikes will still reduce it.  Neurons that may
    reach the threshold because of this are in doubt.
    """
    operators, bound, p = constants
    opened = p["t_open"].ravel()[0]
    finite = [jnp.isfinite(t)[:, :, 0] for t in arrivals]
    leads = _leads(constants, arrivals)
    if not fires:  # synapses have no effect after the opening
        leads = [jnp.maximum(lead, 0.0) for lead in leads]
    brought = _shaped(operators, leads)
    slope = p["i_open"] + _shaped(operators, finite) if fires else p["slope"]
    missing = p["missing"] - brought
    ahead = jnp.where(slope > 0, missing / jnp.where(slope > 0, slope, 1.0), jnp.inf)
    times = jnp.maximum(opened + jnp.where(missing > 0, ahead, 0.0), p["t_first"])
    room = _MARGIN * (1.0 + jnp.abs(p["needed"]) + jnp.abs(brought))
    doubtful = jnp.zeros((1, 1), bool)
    if fires:
        late = [jnp.maximum(-lead, 0.0) for lead in leads]
        last = reduce(jnp.maximum, [each.max(axis=1) for each in late])
        span = last.reshape(-1, *(1,) * (missing.ndim - 1))
        most = _shaped(raised, late) + jnp.maximum(slope * span, 0.0) - missing + room
        doubtful = doubtful | _flat((most >= 0) & (span > _LATE) & (p["t_first"] < opened + span))
    if bound:
        positive = _shaped(bound, [jnp.maximum(lead, 0.0) for lead in leads])
        reach = positive * (1 + _MARGIN) + p["highest"] + room >= p["needed"]
        doubtful = doubtful | _flat(reach & (p["t_first"] < opened))
    return _flat(_closed(times, p, fires)), doubtful


def _pool(stage: Stage) -> Solver:
    operators = [entry.operator for entry in stage.incoming]
    # Pulses have weight 1, so that the threshold is the number of spikes that the neuron needs.
    rank = np.ceil(stage.value("v_th") - stage.start("v")).astype(np.int64)
    latest = min(max((e.latest for e in stage.incoming), default=0.0), stage.end)
    constants = (operators, {"rank": rank, "latest": np.asarray(latest)})
    first = bool(np.all(rank == 1))
    # If all sources fire, there is always a first spike.
    certain = first and latest < stage.end and all(entry.certain for entry in stage.incoming)
    return _always(_ranked, first, constants, latest, certain)


def _ranked(
    first: Any, constants: Any, arrivals: Sequence[Array], current: Array
) -> tuple[Array, dict[str, Array], Array]:
    """Return the time of the spike with a given rank (1 for the first) among all sources."""
    operators, p = constants
    # Earlier spikes have larger values; 0 stands for no spike, as in the padding of a window.
    last = p["latest"] + 1.0
    lead = [jnp.where(t < last, last - t, 0.0).max(axis=2) for t in arrivals]
    parts = [
        _flat(operator.apply(x.reshape(len(x), *operator.in_shape)))
        for operator, x in zip(operators, lead, strict=True)
    ]
    if first:
        found = reduce(jnp.maximum, parts)
    else:
        ordered = -jnp.sort(-jnp.stack(parts), axis=0)
        index = jnp.broadcast_to(p["rank"] - 1, ordered.shape[1:])[None]
        found = jnp.take_along_axis(ordered, index, axis=0)[0]
    times = jnp.where(found >= 1.0, last - found, jnp.inf)
    return times[:, :, None], {}, jnp.zeros((), bool)


def _integrator(stage: Stage) -> Solver:
    operators = [entry.operator for entry in stage.incoming]
    stop = np.minimum(stage.value("t_close"), stage.end)
    ramp = stage.value("i_offset") * np.maximum(stop - stage.value("t_start"), 0.0)
    p = {"stop": stop, "ramp": ramp, "v": stage.start("v"), "c_m": stage.value("c_m")}
    return _always(_integrated, None, (_in_precision(operators, stage.dtype), p), 0.0)


def _integrated(
    static: Any, constants: Any, arrivals: Sequence[Array], current: Array
) -> tuple[Array, dict[str, Array], Array]:
    operators, p = constants
    last = p["stop"].max()
    lead = [jnp.where(t < last, last - t, 0.0).sum(axis=2) for t in arrivals]
    v = p["v"] + (_flat(_shaped(operators, lead)) + p["ramp"]) / p["c_m"]
    return jnp.zeros((*v.shape, 0)), {"v": v}, jnp.zeros((), bool)


def _flat(values: Array) -> Array:
    return values.reshape(len(values), -1)
