"""Capabilities and limits of the format NIR."""

from __future__ import annotations

from bioconv.targets.findings import Verdict
from bioconv.targets.nir.cells import families
from bioconv.targets.target import Cell, Limit, Loss, Target

_NODES = "nir 1.0.8, nir/ir/neuron.py"
_DOCUMENTS = "NIR documentation, docs/source/primitives.md"
_CARRIED = "stored only in the metadata, which readers may ignore"


def _lost(verdict: Verdict, text: str, source: str = _NODES, advice: str = "") -> Loss:
    return Loss(verdict, text, source, advice)


def _cells() -> tuple[Cell, ...]:
    return tuple(
        Cell(
            entry.kind,
            entry.model,
            f"{_NODES}, {entry.kind}",
            tuple((model, text) for text, models in entry.others.items() for model in models),
        )
        for entry in families()
    )


TARGET = Target(
    name="nir",
    title="NIR",
    summary="A file in the neuromorphic intermediate representation, for the platforms that read "
    "it.",
    tested="Read back by bioconv with the same spikes, read by the package nir, and run by Spyx, a "
    "simulator by other authors (Spyx flattens with the channels last, so that weights after a "
    "Flatten of several channels have to be reordered first).",
    cells=_cells(),
    losses={
        "initial state": _lost(
            Verdict.APPROXIMATED,
            f"NIR has no start values: neurons start at rest, and the values are {_CARRIED}.",
            advice="Convert with RateCode(initial='zero').",
        ),
        "random numbers": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's neurons have no noise.",
            advice="Export the network without it.",
        ),
        "refractory period": _lost(
            Verdict.APPROXIMATED, f"NIR's neurons have no refractory period; it is {_CARRIED}."
        ),
        "scheduled changes": _lost(
            Verdict.APPROXIMATED,
            "NIR has no time steps: every layer starts at once, with the values after its changes.",
            advice="Convert with RateCode(clamp=0).",
        ),
        "statements after a step": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's neurons cannot run such statements.",
            advice="Export the network without them.",
        ),
        "random release": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's synapses transmit every spike.",
            advice="Export the network without it.",
        ),
        "analog stage": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's nodes are neurons and linear maps: the platform's host would have to decode the "
            "spikes in every step, compute the function, and send its value as a current.",
            advice="Run it with simulator='array', or export the network without such layers.",
        ),
        "current input": _lost(
            Verdict.EXACT, "the reader passes the image to the input node, unchanged in every step"
        ),
        "regular input": _lost(
            Verdict.EXACT, "the reader passes the spikes of the encoder to the input node"
        ),
        "poisson input": _lost(
            Verdict.EXACT, "the reader passes the spikes of the encoder to the input node"
        ),
        "raster input": _lost(
            Verdict.EXACT, "the reader passes the spikes of the raster to the input node"
        ),
        "readout count": _lost(Verdict.EXACT, "the reader counts the spikes of the output node"),
        "readout first_spike": _lost(
            Verdict.EXACT, "the reader takes the first spike of the output node"
        ),
        **{
            f"readout {kind}": _lost(
                Verdict.EXACT, "the reader compares the spikes of the output node with the patterns"
            )
            for kind in ("pattern", "pattern_absolute")
        },
        "readout potential": _lost(
            Verdict.EXACT, "the reader takes the potential of the node before the output"
        ),
        "readout level": _lost(
            Verdict.EXACT, "the reader takes the potential of the node before the output"
        ),
        **{
            f"readout {kind}": _lost(
                Verdict.APPROXIMATED,
                "NIR has no spike generator: the reader takes the potentials.",
            )
            for kind in ("accumulated_softmax", "softmax")
        },
    },
    delay_steps=Limit((1, 100_000), "steps", "nir 1.0.8, nir/ir/delay.py; bioconv"),
    facts={
        "step": Limit("not part of the format", "", _DOCUMENTS),
        # The documentation states ms, but platforms write and read seconds by default.
        "time": Limit("seconds", "", "files in the NIR repository, paper/; snnTorch, Norse, Lava"),
        "spikes": Limit(
            "pulses of height 1 for one step", "", "snnTorch and Spyx 1.0: R = tau / dt, w_in alike"
        ),
        "threshold": Limit("v > v_threshold", "", _NODES),
        "metadata": Limit("readers may ignore it", "", _DOCUMENTS),
    },
)
