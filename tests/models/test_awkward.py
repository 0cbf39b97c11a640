"""The awkward networks: they build, they run, and everything in them matters."""

from __future__ import annotations

import numpy as np
import pytest

from bioconv import models
from bioconv.models import awkward

NAMES = awkward.names()


@pytest.mark.slow  # the tests of reading build and run them all
@pytest.mark.parametrize("name", NAMES)
def test_predicts_finite_outputs_that_depend_on_input(name: str) -> None:
    """The output is finite and no unit of it is the same for all inputs."""
    output = awkward.build(name).predict_on_batch(awkward.samples(name, 8))
    assert output.shape == (8, 5)
    assert np.isfinite(output).all()
    assert (output.std(axis=0) > 1e-3).all()
    assert np.abs(output).max() < 20.0


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_variable_matters(name: str) -> None:
    """No kernel, bias or statistic can be lost without changing the output."""
    model, x = awkward.build(name), awkward.samples(name, 4)
    values, reference = model.get_weights(), model.predict_on_batch(x)
    for index, variable in enumerate(model.weights):
        changed = [v * 0.5 + 0.3 if i == index else v for i, v in enumerate(values)]
        model.set_weights(changed)
        assert not np.allclose(model.predict_on_batch(x), reference, atol=1e-4), variable.path


@pytest.mark.slow
def test_seed_decides_weights() -> None:
    """The same seed gives the same network, another seed another one."""
    first, again, other = (awkward.build("residual", seed).get_weights() for seed in (3, 3, 4))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def test_some_gamma_is_negative() -> None:
    """A negative gamma turns max pooling into min pooling: it must occur."""
    model = awkward.build("max_of_normalized")
    gamma = next(v for v in model.weights if v.name == "gamma")
    assert 0 < (np.asarray(gamma) < 0).sum() < gamma.shape[0]


def test_reason_is_one_line() -> None:
    """Every network says what is awkward about it."""
    assert all(awkward.reason(name) and "\n" not in awkward.reason(name) for name in NAMES)


def test_unknown_name_lists_known_ones() -> None:
    """A slip of the pen is answered with the names that exist."""
    with pytest.raises(models.UnknownNameError, match=r"even_kernel_same.*Received: 'odd'"):
        awkward.build("odd")
