"""Gain and bias of channels that make up for a neuron's curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import digits
import numpy as np
import pytest

import bioconv as bc
from bioconv.analog.functions import FICurve
from bioconv.analog.measured import pchip_slopes
from bioconv.codes.common.calibration import LowestValues, measure
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.rate.correction import correct


def curve(function: Any, scale: Any = 1.0) -> FICurve:
    """A curve that is known, in place of a measured one."""
    values = function(np.linspace(-1.0, 4.0, 2001))
    return FICurve(
        values=values,
        slopes=pchip_slopes(values, -1.0, 4.0),
        scale=np.asarray(scale, np.float64),
        low=-1.0,
        high=4.0,
        current=0.0,
        gain=1.0,
        max_rate=100.0,
        dt=1.0,
        noise=0.0,
        tau_syn=5.0,
        neuron="known",
    )


@pytest.fixture(scope="module")
def rewritten() -> Rewritten:
    return rewrite(
        digits.cnn(),
        LowestValues(digits.cnn(), {digits.cnn().inputs[0].name: digits.train()[:200]}),
    )


def curves(rewritten: Rewritten, function: Any) -> dict[str, FICurve]:
    given = {digits.cnn().inputs[0].name: digits.train()[:200]}
    scales = measure(rewritten, given, percentile=99.99, normalization="channel")
    return {layer.name: curve(function, scales.of[layer.name]) for layer in rewritten.layers}


def with_curves(rewritten: Rewritten, found: dict[str, FICurve]) -> Any:
    layers = [replace(layer, function=found[layer.name]) for layer in rewritten.layers]
    return replace(rewritten, layers=layers).graph()


@pytest.mark.slow
def test_nothing_is_done_where_the_curve_is_the_rectification(rewritten: Rewritten) -> None:
    found = correct(
        rewritten,
        curves(rewritten, lambda a: np.maximum(a, 0)),
        {digits.cnn().inputs[0].name: digits.train()},
    )
    assert found.error < 1e-2
    assert found.agreement == 1.0
    for before, after in zip(rewritten.layers, found.rewritten.layers, strict=True):
        one = np.ones((1, *before.inputs[0].terms[0].operator.in_shape), np.float32)
        np.testing.assert_allclose(
            after.inputs[0].terms[0].operator.apply(one),
            before.inputs[0].terms[0].operator.apply(one),
            rtol=0.02,
            atol=0.02,
        )


def test_a_linear_distortion_is_undone(rewritten: Rewritten) -> None:
    """max(0, 0.8 a - 0.1) gives max(0, a) back with the gain 1 / 0.8 and the bias 0.1 / 0.8."""
    found = curves(rewritten, lambda a: np.maximum(0.8 * a - 0.1, 0))
    result = correct(rewritten, found, {digits.cnn().inputs[0].name: digits.train()})
    exact = digits.cnn().predict(digits.test())
    plain = with_curves(rewritten, found).predict(digits.test())
    corrected = with_curves(result.rewritten, found).predict(digits.test())
    assert np.abs(plain - exact).mean() > 10 * np.abs(corrected - exact).mean()
    first, before = result.rewritten.layers[0], rewritten.layers[0]
    scale = np.ravel(np.broadcast_to(found[first.name].scale, (1, 1, first.shape[-1])))
    shift = np.broadcast_to(first.inputs[0].bias, first.shape).reshape(-1, first.shape[-1])[0]
    bias = np.broadcast_to(before.inputs[0].bias, first.shape).reshape(-1, first.shape[-1])[0]
    active = (
        digits.cnn()
        .activations(digits.train()[:200], [before.name])[before.name]
        .mean(axis=(0, 1, 2))
        > 0.02
    )
    np.testing.assert_allclose(
        ((shift - 1.25 * bias) / scale)[active], 0.125, atol=0.02, err_msg=str(scale)
    )


def test_a_rough_curve_is_better_on_data_that_were_not_seen(rewritten: Rewritten) -> None:
    found = curves(rewritten, lambda a: np.sqrt(np.maximum(a, 0)))
    result = correct(rewritten, found, {digits.cnn().inputs[0].name: digits.train()})
    exact = digits.cnn().predict(digits.test()).argmax(axis=1)
    plain = with_curves(rewritten, found).predict(digits.test()).argmax(axis=1)
    corrected = with_curves(result.rewritten, found).predict(digits.test()).argmax(axis=1)
    assert np.mean(corrected == exact) > np.mean(plain == exact)
    assert abs(np.mean(corrected == exact) - result.agreement) < 0.03


@pytest.mark.slow
def test_conversion_says_what_to_expect() -> None:
    neuron = bc.neurons.make("lif")
    network = bc.convert(digits.cnn(), calibration=digits.train(), neuron=neuron)
    expected = float(network.code["expected_agreement"])
    recording = bc.simulate(network, digits.test(60), progress=False)
    agreement = np.mean(
        recording.predictions() == digits.cnn().predict(digits.test(60)).argmax(axis=1)
    )
    assert 0.97 <= expected <= 1.0
    assert abs(agreement - expected) <= 0.05
    plain = bc.convert(
        digits.cnn(), calibration=digits.train(), neuron=neuron, code=bc.RateCode(correction=False)
    )
    assert "expected_error" not in plain.code
    assert float(plain.code["expected_agreement"]) <= expected + 0.01


def test_perfect_integrators_need_none() -> None:
    assert "expected_error" not in bc.convert(digits.cnn(), calibration=digits.train()).code


def test_a_value_that_makes_no_sense() -> None:
    with pytest.raises(bc.errors.ParameterError, match="correction must be true or false"):
        bc.RateCode(correction="yes")  # type: ignore[arg-type]
