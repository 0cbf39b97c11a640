"""Capabilities and limits of SpiNNaker with sPyNNaker 7.4."""

from __future__ import annotations

from bioconv.targets.findings import Verdict
from bioconv.targets.spinnaker.kinds import kinds
from bioconv.targets.target import Cell, Limit, Loss, Target

_TOOLS = "sPyNNaker 7.4.1"


def _cell(name: str, source: str, **bounds: Limit) -> Cell:
    """Return a cell of the board, with all equations that it stands for."""
    kinds_of = [kind for kind in kinds() if kind.cell == name]
    (exact,) = (kind.model for kind in kinds_of if not kind.difference)
    others = tuple((kind.model, kind.difference) for kind in kinds_of if kind.difference)
    return Cell(name, exact, f"{_TOOLS}, models/neuron/builds{source}", others, bounds)


SPINNAKER = Target(
    name="spinnaker",
    title="SpiNNaker",
    summary="A PyNN program for sPyNNaker 7.4.",
    tested="Mapped, placed and routed by sPyNNaker itself on a virtual board; the same program "
    "runs on NEST. Not run on hardware.",
    conversion="Convert with the neuron IntegrateAndFire() in steps of 1 ms, or with "
    "LeakyIntegrateAndFire() and code=RateCode(noise='none').",
    cells=(
        *(_cell(name, "") for name in ("IF_curr_delta", "IF_curr_exp", "IF_cond_exp")),
        _cell(
            "Izhikevich",
            "/izk_curr_exp_base.py",
            v_peak=Limit((30.0, 30.0), "mV", "izk_curr_exp_base.py, _IZK_THRESHOLD"),
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
        "analog stage": Loss(
            Verdict.IMPOSSIBLE,
            "cores simulate neurons and synapses: the host would have to count the spikes in every "
            "step, compute the function, and set the currents of its targets.",
            f"{_TOOLS}, models/neuron/builds",
            "Run it with simulator='array', or export the network without such layers.",
        ),
        "statements after a step": Loss(
            Verdict.IMPOSSIBLE,
            "the cells cannot run additional statements.",
            f"{_TOOLS}, models/neuron/builds",
        ),
    },
    # A step less than a core of 256 neurons can hold, because some cells add a step.  Longer delays
    # pass through extension cores, whose delays the tool chain returns changed.
    delay_steps=Limit((1, 30), "steps", f"{_TOOLS}, population_vertex.py, MAX_RING_BUFFER_BITS"),
    facts={
        "state": Limit("s16.15", "", f"{_TOOLS}, DataType.S1615"),
        "weights": Limit(
            "16 bits without a sign, a power-of-two scale for each population and receptor",
            "",
            f"{_TOOLS}, population_vertex.py and synapse_dynamics_static.py",
        ),
        "signs": Limit("determined by the receptor", "", f"{_TOOLS}, synapse_dynamics_static.py"),
        "neurons per core": Limit(256, "", f"{_TOOLS}, utilities/constants.py"),
        "recordables": Limit(
            "spikes, v, gsyn_exc, gsyn_inh", "", f"{_TOOLS}, population_vertex.py"
        ),
        "time": Limit("real time, in steps of 1 ms", "", f"{_TOOLS}, spinnaker.py"),
        "convolutions": Limit(
            "odd square kernels, stride 1, square images, a population per channel, IF_curr_exp",
            "",
            f"{_TOOLS}, local_only_conv_impl.c, model_binaries",
        ),
    },
)
