"""Multiplication-free inference of the correlative code: shifts, registers, operations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import digits
import numpy as np
import pytest
from correlative_networks import CODE, encoder_of, random_graph
from later import later
from sample_networks import spiking_network

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import SpikingUnits
from bioconv.codes import CorrelativeCode
from bioconv.codes.correlative.integers import IntegerNetwork, shifted
from bioconv.codes.correlative.operations import (
    Operations,
    analog_operations,
    counted_operations,
    spiking_operations,
)
from bioconv.codes.correlative.shifts import Shifts, nearest_shifts
from bioconv.codes.correlative.stack import dense_graph
from bioconv.ground.errors import ConversionError, ParameterError

elephant_distances = later("elephant.spike_train_dissimilarity")
quantities = later("quantities")


def test_factors_are_sums_of_shifts() -> None:
    """0.8 = 2^-1 + 2^-2 + 2^-4 and exp(-1/50) = 1 - 2^-6; three positive shifts reach 0.875."""
    assert CODE.unit_shifts == Shifts(((1, 1), (1, 2), (1, 4)))
    assert CODE.readout_shifts == Shifts(((1, 0), (-1, 6)))
    assert nearest_shifts(0.980199, 3).factor == 0.875
    for factor in np.random.default_rng(4).uniform(0.05, 0.86, 50):
        # Three terms are enough for 2^-3, the distance of the sums around 7/8 is the largest.
        assert abs(nearest_shifts(float(factor), 3).factor - factor) <= 2.0**-4
    with pytest.raises(ParameterError, match="between 0 and 1"):
        nearest_shifts(1.0, 3)
    values = np.arange(-400, 400, dtype=np.int32)
    found = shifted(values, CODE.unit_shifts)
    assert (found <= 0.8125 * values).all() and (found > 0.8125 * values - 3).all()


@pytest.mark.parametrize("bits", [12, pytest.param(19, marks=pytest.mark.slow)])
def test_integers_decide_as_floats_do(bits: int) -> None:
    """Eqs A.16 to A.19 with two's complement, against the same arithmetic in float64."""
    x = digits.test(60)
    code = replace(CODE, multiplication_free=True)
    graph = random_graph(True)
    network = IntegerNetwork.of(graph, bits)
    distances = network.distances(x)
    assert distances.dtype == np.int64
    found = np.log(code.readout_decay) * distances / 2.0**bits
    expected = graph.predict(x, dtype="float64")
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > (0.999 if bits == 20 else 0.97)
    same = network.classes(x) == expected.argmax(axis=1)
    assert same.mean() >= (0.98 if bits == 20 else 0.9)


def test_registers_are_large_enough() -> None:
    """20 outputs whose traces reach 64 add up to 1280, which takes 11 bits of the 30 there are."""
    x, graph = digits.test(60), random_graph(True)
    expected = graph.predict(x, dtype="float64")
    found = IntegerNetwork.of(graph, 19).classes(x)
    assert np.mean(found == expected.argmax(axis=1)) >= 0.98
    for bits in (0, 20, 30, 2.5, "12"):
        with pytest.raises(ParameterError, match="from 2 to 19: .* a register has 32 bits"):
            IntegerNetwork.of(graph, bits)  # type: ignore[arg-type]
    low = small_graph(v_th=0.01)
    with pytest.raises(ParameterError, match="from 6 to 2.: the smallest threshold, 0.01"):
        IntegerNetwork.of(low, 5)
    assert IntegerNetwork.of(low, 6).thresholds[0].tolist() == [1] * 4
    with pytest.raises(ConversionError, match="something else"):
        IntegerNetwork.of(spiking_network().analog)


def small_graph(decay: float = 0.8125, **changes: Any) -> AnalogGraph:
    """One hidden layer of four units, whose decays are sums of shifts."""
    v_th = np.full(4, changes.get("v_th", 0.5))
    code = CorrelativeCode(n_outputs=2, multiplication_free=True)
    weights = [np.full((64, 4), 0.1), np.full((4, 4), 0.1)]
    graph = dense_graph(code, encoder_of(), weights, [v_th, v_th], (8, 8, 1))
    first, hidden, *rest = graph.layers
    assert isinstance(hidden.function, SpikingUnits)
    changed = replace(hidden, function=replace(hidden.function, decay=decay))
    return replace(graph, layers=(first, changed, *rest))


def test_integers_are_those_of_the_graph() -> None:
    """Decays that are no sums of shifts, and squares, would be another network."""
    assert IntegerNetwork.of(small_graph()).units == CODE.unit_shifts
    with pytest.raises(ConversionError, match=r"decay of units, 0.8, is no sum.*is 0.8125"):
        IntegerNetwork.of(small_graph(0.8))
    with pytest.raises(ConversionError, match="squares instead of absolute values"):
        IntegerNetwork.of(random_graph())


def test_decays_far_from_every_sum_of_shifts_are_refused() -> None:
    for options in ({"decay": 0.95}, {"decay": 0.01}, {"tau": 2000.0}, {"tau": 0.1}):
        CorrelativeCode(**options)
        with pytest.raises(ParameterError, match="is no sum of . shifts, the nearest of which"):
            CorrelativeCode(multiplication_free=True, **options)
    for tau in np.geomspace(2.0, 250.0, 40):
        CorrelativeCode(multiplication_free=True, tau=float(tau))
    for tau in (1e-3, 1e9):
        with pytest.raises(ParameterError, match="tau must be a number from 0.01 to 1e"):
            CorrelativeCode(tau=tau)


def test_operations_are_those_of_the_thesis() -> None:
    """Stanojevic A.2.4, in the text: MNIST with a constant feature, 785, and 20 % active pixels."""
    cte = spiking_operations(785, 800, 100, spikes=5, active=0.2)
    assert cte == Operations(868_000.0)
    # "ECTE deep" has the weights of the deep network, 256, and the decays of the shallow one.
    weights = spiking_operations(785, 256, 0, spikes=30, active=0.2)
    decays = spiking_operations(0, 800, 100, spikes=30)
    assert weights + decays == Operations(1_445_760.0)
    assert analog_operations(785, 800, active=0.2).multiplications == 125_600.0
    rate = spiking_operations(784, 256, 300, spikes=100, active=0.2, n_terms=0)
    assert rate == Operations(4_014_080.0, 76_800.0)


def test_counted_operations_are_the_spikes_that_arrive() -> None:
    x, graph = digits.test(25), random_graph(True)
    found = counted_operations(graph, x)
    dense = encoder_of().dense(x)
    assert np.array_equal(found["hidden_1"], dense.sum(axis=(1, 2)) * 20 + 3 * 20 * 100)
    hidden = graph.activations(x, ["hidden_2"], dtype="float64")["hidden_2"]
    assert np.array_equal(found["outputs"], hidden.sum(axis=(1, 2)) * 20)  # no memory, no decay
    # The closed form with the measured share of active pixels and spikes of each.
    active = float((x != 0).mean())
    spikes = dense.sum() / (x != 0).sum()
    closed = spiking_operations(64, 20, 100, spikes=spikes, active=active)
    assert found["hidden_1"].mean() == pytest.approx(closed.additions)
    without = counted_operations(graph, x, shifts=False)["hidden_1"]
    assert np.array_equal(found["hidden_1"] - without, np.full(25, 6000.0))
