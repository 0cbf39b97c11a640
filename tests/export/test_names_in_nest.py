"""Names that NEST's C++ or its headers use: refused, or compiled."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv.ground.errors import ExpressionError
from bioconv.neurons.language.grammar import check_name
from bioconv.neurons.language.model import Parameter

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402

#: words of C++ and macros of its headers
REFUSED = (
    *("int", "double", "float", "and", "xor", "compl", "static_cast", "thread_local", "co_await"),
    *("NULL", "errno", "EOF", "NAN", "INFINITY", "stdin", "stdout", "assert", "RAND_MAX"),
    *("M_PI", "INT_MAX", "DBL_EPSILON", "SIGINT", "UINT64_MAX", "FE_INVALID", "SIZE_MAX", "linux"),
)
#: names that occur in the classes that NESTML writes
ALLOWED = (
    *("nest", "std", "names", "data", "get", "lag", "origin", "to", "size"),
    *("params", "status", "node", "value", "it", "n", "m", "h", "g", "Name", "Time", "SpikeEvent"),
    *("S_", "P_", "V_", "B_", "I", "E", "R", "D", "delta", "gamma", "beta", "port", "rport"),
)


@pytest.mark.parametrize("name", REFUSED)
def test_words_of_the_language_are_refused(name: str) -> None:
    with pytest.raises(ExpressionError, match="is reserved"):
        check_name(name)


@pytest.mark.slow
def test_other_names_compile_in_nest() -> None:
    pytest.importorskip("nest")
    network = networks.leaky()
    plain = network.populations[0].model
    others = tuple(Parameter(name, 1.0, "1", "An unusual name") for name in ALLOWED)
    model = replace(plain, name="unusual", parameters=(*plain.parameters, *others))
    populations = tuple(
        replace(p, model=model) if p.model == plain else p for p in network.populations
    )
    unusual = network.replace(populations=populations)
    x = np.random.default_rng(0).random((2, *network.inputs[0].shape))
    found = bc.simulate(unusual, x, simulator="nest", progress=False)
    expected = bc.simulate(network, x, simulator="array", dtype="float64", progress=False)
    for name, output in expected.outputs.items():
        np.testing.assert_allclose(found.outputs[name], output, rtol=1e-6, atol=1e-9)
