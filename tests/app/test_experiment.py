"""What the page runs is what its script does, and what one call of the library gives."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from some_variants import some

import bioconv as bc
from bioconv.app.experiment import BATCH, Experiment, Outcome

EXPERIMENTS = {
    "defaults": Experiment(model="digits_mlp", n_images=BATCH + 5),
    "everything": Experiment(
        model="digits_mlp",
        n_images=BATCH + 5,
        code_options={"percentile": 99.0},
        neuron="leaky_integrate_and_fire",
        neuron_options={"tau_m": 15.0},
        noise={"threshold": 0.2, "delay": 0.0},
        seed=3,
    ),
}


def finished(experiment: Experiment) -> Outcome:
    outcome = Outcome.start(experiment)
    for part in experiment.batches(outcome.network, outcome.x):
        outcome.add(part)
    return outcome


@pytest.mark.parametrize("name", some(EXPERIMENTS, every=2))
def test_the_script_does_the_same(name: str) -> None:
    outcome = finished(EXPERIMENTS[name])
    done = subprocess.run(
        [sys.executable, "-c", EXPERIMENTS[name].script()],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"accuracy {outcome.accuracy[-1]:.4f}\n"


def test_batches_are_parts_of_one_simulation() -> None:
    experiment = EXPERIMENTS["everything"]
    outcome = finished(experiment)
    whole = bc.simulate(outcome.network, outcome.x, batch_size=BATCH, seed=3, progress=False)
    answered = whole.answered() > 0
    np.testing.assert_allclose(
        outcome.accuracy[answered], whole.accuracy_over_time(outcome.target)[answered]
    )
    assert np.isnan(outcome.accuracy[~answered]).all()
    spikes = bc.measures.spikes_per_image(whole, outcome.network)
    assert outcome.spikes_per_image == pytest.approx(spikes)


def test_the_title_says_what_differs_from_the_defaults() -> None:
    network, *options = EXPERIMENTS["everything"].title.split(", ", 3)[2:]
    assert network == "leaky integrate and fire"
    assert options == ["threshold 0.2, percentile 99.0, tau m 15.0"]
