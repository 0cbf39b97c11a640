"""What SpiNNaker with sPyNNaker 7.4 can hold."""

from __future__ import annotations

from bioconv.neurons import (
    IntegrateAndFire,
    Integrator,
    Izhikevich,
    LeakyIntegrateAndFire,
    NeuronModel,
)
from bioconv.targets.findings import Verdict
from bioconv.targets.spinnaker.cells import izhikevich_model
from bioconv.targets.target import Cell, Limit, Loss, Target

_TOOLS = "sPyNNaker 7.4.1"
_RESET = "resets to a value, what goes beyond the threshold is lost"
_NO_LEAK = "leaks with a time constant of 1,024 steps"
_SILENT = "a threshold out of reach, and a leak of 1,024 steps"


def _stands_for(synapse: str) -> tuple[tuple[NeuronModel, str], ...]:
    return (
        (IntegrateAndFire("subtraction", synapse).model, f"{_RESET}; {_NO_LEAK}"),
        (IntegrateAndFire("value", synapse).model, _NO_LEAK),
        (Integrator(synapse).model, _SILENT),
        (LeakyIntegrateAndFire("subtraction", synapse).model, _RESET),
    )


def _leaky(name: str, synapse: str) -> Cell:
    return Cell(
        name,
        LeakyIntegrateAndFire(synapse=synapse).model,
        f"{_TOOLS}, models/neuron/builds",
        _stands_for(synapse),
    )


SPINNAKER = Target(
    name="spinnaker",
    title="SpiNNaker",
    summary="A PyNN program for sPyNNaker 7.4.",
    tested="Mapped, placed and routed by sPyNNaker itself on a virtual board; the same program "
    "runs on NEST. Not run on hardware.",
    conversion="Convert with the neuron IntegrateAndFire() in steps of 1 ms, or with "
    "LeakyIntegrateAndFire() and code=RateCode(noise='none').",
    cells=(
        _leaky("IF_curr_delta", "delta"),
        _leaky("IF_curr_exp", "exponential"),
        _leaky("IF_cond_exp", "conductance"),
        Cell(
            "Izhikevich",
            izhikevich_model(Izhikevich().model),
            f"{_TOOLS}, models/neuron/builds/izk_curr_exp_base.py",
            (
                (
                    Izhikevich().model,
                    "integrated by midpoint steps, the step after a spike 1.85 times as long "
                    "(neuron_model_izh_impl.h)",
                ),
            ),
            {"v_peak": Limit((30.0, 30.0), "mV", "izk_curr_exp_base.py, _IZK_THRESHOLD")},
        ),
    ),
    losses={
        "random numbers": Loss(
            Verdict.IMPOSSIBLE,
            "no cell has noise in its equations.",
            f"{_TOOLS}, models/neuron/builds",
            "Convert with RateCode(noise='none').",
        ),
        "random release": Loss(
            Verdict.IMPOSSIBLE,
            "synapses of these cells do not fail at random.",
            f"{_TOOLS}, synapse_dynamics_static.py",
        ),
        "statements after a step": Loss(
            Verdict.IMPOSSIBLE,
            "the cells cannot run statements of their own.",
            f"{_TOOLS}, models/neuron/builds",
        ),
    },
    # A step less than a core of 256 neurons can hold, because some cells take a step more; what is
    # held back longer goes through cores whose delays the tool chain gives back changed.
    delay_steps=Limit((1, 30), "steps", f"{_TOOLS}, population_vertex.py, MAX_RING_BUFFER_BITS"),
    facts={
        "state": Limit("s16.15", "", f"{_TOOLS}, DataType.S1615"),
        "weights": Limit(
            "16 bits without a sign, a power-of-two scale for each population and receptor",
            "",
            f"{_TOOLS}, population_vertex.py and synapse_dynamics_static.py",
        ),
        "signs": Limit("of the receptor", "", f"{_TOOLS}, synapse_dynamics_static.py"),
        "neurons a core": Limit(256, "", f"{_TOOLS}, utilities/constants.py"),
        "recordables": Limit(
            "spikes, v, gsyn_exc, gsyn_inh", "", f"{_TOOLS}, population_vertex.py"
        ),
        "time": Limit("real time, in steps of 1 ms", "", f"{_TOOLS}, spinnaker.py"),
        "convolutions": Limit(
            "odd square kernels, stride 1, square images, a population a channel, IF_curr_exp",
            "",
            f"{_TOOLS}, local_only_conv_impl.c, model_binaries",
        ),
    },
)
