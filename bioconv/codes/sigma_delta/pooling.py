"""Max pooling of the sigma-delta code: inside the neurons, or by gates."""

from __future__ import annotations

from collections import Counter
from math import lcm, prod

import numpy as np

from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import Layer
from bioconv.codes.common.affine import apply64, substitute
from bioconv.codes.common.max_windows import cell_of, pool_of, rectifier_of
from bioconv.codes.common.membrane import denominator, on_grid, rounded
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.sigma_delta.neurons import SigmaDelta, SigmaDeltaMaxGate
from bioconv.codes.sigma_delta.plan import (
    GRID,
    SigmaDeltaPlan,
    decoded,
    one_value,
    polarity,
    synapses,
)
from bioconv.network import Population, Projection, Value
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import (
    Broadcast,
    Polarity,
    compact,
    compose,
    is_identity,
    n_synapses,
    scaled,
)


def pooled_inside(rewritten: Rewritten) -> dict[str, Layer]:
    """Return the maxima over rectifications that have no other use, and these rectifications.

    Only values that are communicated must be quantised: a neuron can pool the potentials directly.
    """
    by_name = {layer.name: layer for layer in rewritten.layers}
    users = Counter(
        source
        for layer in (*rewritten.layers, *rewritten.readouts)
        for source in {term.source for term in layer.inputs[0].terms}
    )
    found = {}
    for layer in rewritten.layers:
        terms = layer.inputs[0].terms
        source = by_name.get(terms[0].source) if len(terms) == 1 else None
        if (
            isinstance(layer.function, MaxPool)
            and source is not None
            and isinstance(source.function, ReLU)
            and is_identity(terms[0].operator)
            and users[source.name] == 1
        ):
            found[layer.name] = source
    return found


def add_pooling(plan: SigmaDeltaPlan, layer: Layer, source: Layer) -> None:
    """Add ON and OFF cells that rectify the maximum of the potentials of a window."""
    pool, function, name = pool_of(layer), rectifier_of(source), plan.names[layer.name]
    unit = plan.levels.of[source.name]
    affine = substitute(source.inputs[0], plan.averages)
    bias = rounded(np.asarray(affine.bias, np.float64) / unit, GRID)
    full = np.ascontiguousarray(np.broadcast_to(bias, source.shape))[None]
    cells, operators, initial = range(prod(pool.size)), [], {}
    for cell in cells:
        window = cell_of(source.shape, pool, cell)
        start = apply64(window, full) + (0.5 if plan.code.initial == "half" else 0.0)
        initial[f"v{cell}"] = one_value(compact(start, layer.shape))
        after = compose(window, Broadcast(layer.shape, (2, *layer.shape)))
        for term in affine.terms:
            pre, operator, receptor, grid = synapses(plan, term)
            operator = on_grid(scaled(operator, post=1 / unit), grid)
            operators.append(operator)
            operator = compose(operator, after)
            if n_synapses(operator):  # a cell that is all padding has none
                delay = plan.depths[layer.name] - plan.depths[term.source]
                plan.projections.append(Projection(pre, name, operator, f"{receptor}{cell}", delay))
    parameters: dict[str, Value] = {
        **plan.times(layer),
        "polarity": polarity(layer.shape),
        "v_th": 1.0 - GRID / (2 * lcm(*map(denominator, operators))),
        "v_max": one_value(np.minimum(function.max_value / unit, NEVER)),
    }
    model = SigmaDelta(len(cells)).model
    plan.populations.append(
        Population(name, (2, *layer.shape), model, parameters, initial, **decoded(plan, layer))
    )


def add_gates(plan: SigmaDeltaPlan, layer: Layer) -> None:
    """Add the ON and OFF cells of a maximum."""
    (affine,), pool, name = layer.inputs, pool_of(layer), plan.names[layer.name]
    cells = range(prod(pool.size))
    for cell in cells:
        window = cell_of(affine.shape, pool, cell)
        for term in affine.terms:
            operator = compose(
                Polarity((2, *term.operator.in_shape)),
                term.operator,
                window,
                Broadcast(layer.shape, (2, *layer.shape)),
            )
            if n_synapses(operator):  # a cell that is all padding has none
                delay = plan.depths[layer.name] - plan.depths[term.source]
                pre = plan.names[term.source]
                plan.projections.append(Projection(pre, name, operator, f"p{cell}", delay))
    plan.populations.append(
        Population(
            name,
            (2, *layer.shape),
            SigmaDeltaMaxGate(len(cells)).model,
            {"polarity": polarity(layer.shape)},
            **decoded(plan, layer),
        )
    )
