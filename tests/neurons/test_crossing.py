"""Spikes of neurons without a reset, against Brian2's own refractory condition."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from later import later

from bioconv import neurons
from bioconv.export.brian2 import brian2_network
from bioconv.export.nestml import added_states, nestml
from bioconv.ground.errors import ParameterError
from bioconv.neurons import NeuronModel, Parameter, State
from bioconv.neurons.language.update import update_of
from bioconv.simulators.stimulation import single_neurons

brian2 = later("brian2")

MODEL = NeuronModel(
    name="wave",
    equations="shift = v - u : 1\ndv/dt = speed * u : 1\ndu/dt = -speed * v + 0 * drive / ms : 1",
    threshold="shift > level",
    reset="",
    method="rk4",
    parameters=(
        Parameter("speed", 0.3, "Hz", "Angle a ms", (0.0, 1e6)),
        Parameter("level", 0.5, "1", "Threshold"),
        Parameter("drive", 0.0, "1", "Current"),
    ),
    states=(State("v", 1.0, "1", "Cosine"), State("u", 0.0, "1", "Sine")),
    current="drive",
    crossing=True,
)


def test_spikes_are_those_of_brian2s_refractory_condition():
    speeds, steps, dt = np.linspace(50, 900, 40), 300, 0.5
    with jax.enable_x64(True):
        update = update_of(MODEL)
        values = {**update.constants({"speed": speeds, "level": 0.5, "drive": 0.0}, dt), "t": 0.0}
        start = {"v": jnp.ones(40), "u": jnp.zeros(40)}

        def step(carry, _):
            state, wait, fired = update.step(*carry, values, {}, None)
            return (state, wait), fired

        found = jax.lax.scan(step, (start, jnp.zeros(40, jnp.int32)), length=steps)[1]

    group = brian2.NeuronGroup(
        40,
        f"{MODEL.equations}\nspeed : Hz\nlevel : 1\ndrive : 1",
        threshold=MODEL.threshold,
        refractory=MODEL.threshold,
        method="rk4",
        dt=dt * brian2.ms,
        namespace={},
    )
    group.v, group.level, group.speed = 1, 0.5, speeds * brian2.Hz
    spikes = brian2.SpikeMonitor(group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(brian2.prefs, "codegen.target", "numpy")
        brian2.Network(group, spikes).run(steps * dt * brian2.ms)
    rows = np.stack([np.rint(spikes.t / (dt * brian2.ms)).astype(int), spikes.i[:]], axis=1)
    assert len(rows) > 300
    assert {tuple(row) for row in rows} == {tuple(row) for row in np.argwhere(found)}
    turns = speeds * 1e-3 * steps * dt / (2 * np.pi)
    assert np.all(np.abs(found.sum(0) - turns) <= 1.5), "one spike a turn"


def test_a_crossing_step_needs_its_flags():
    update = update_of(MODEL)
    assert update.waits and not update_of(replace(MODEL, crossing=False)).waits
    with pytest.raises(ParameterError, match="initially zeros"):
        update.step({"v": jnp.ones(1), "u": jnp.zeros(1)}, None, {"t": 0.0}, {}, None)


def test_programs_say_the_same():
    network = single_neurons(neurons.Neuron(MODEL), 0.0, dt=0.5)
    assert brian2_network(network).tables["MODELS"]["wave"]["refractory"] == MODEL.threshold
    text = nestml(MODEL)
    assert added_states(MODEL) == {"_blocked": 0.0}
    order = ["if not ((", "_blocked = 0.0", "next_v real", "and _blocked < 0.5:", "_blocked = 1.0"]
    places = [text.index(piece, text.index("update:")) for piece in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"threshold": ""}, "crossing requires a threshold"),
        ({"refractory": "tau"}, "exclude each other"),
        ({"equations": MODEL.equations + "(unless refractory)"}, "exclude each other"),
        ({"crossing": 1}, "neither True nor False"),
        ({"dt_default": -1.0}, "dt_default"),
        ({"dt_default": float("inf")}, "dt_default"),
        ({"dt_default": float("nan")}, "dt_default"),
        ({"current": "speed"}, "pA or 1"),
    ],
)
def test_parts_that_do_not_fit(fields, reason):
    parameters = (*MODEL.parameters, Parameter("tau", 2.0, "ms", "Period"))
    with pytest.raises(ParameterError, match=reason):
        replace(MODEL, parameters=parameters, **fields)
