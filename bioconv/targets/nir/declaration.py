"""Capabilities and limits of the format NIR."""

from __future__ import annotations

from bioconv.targets.findings import Verdict
from bioconv.targets.nir.cells import families
from bioconv.targets.target import Cell, Limit, Loss, Target

_NODES = "nir 1.0.8, nir/ir/neuron.py"
_DOCUMENTS = "NIR documentation, docs/source/primitives.md"
_CARRIED = "it is carried in the metadata, which no reader has to look at"


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
    tested="Read back by bioconv with the same spikes, by nir itself, and run by Spyx, which "
    "others wrote (it flattens with the channels last: weights behind a Flatten of several "
    "channels have to be put in its order first).",
    cells=_cells(),
    losses={
        "initial state": _lost(
            Verdict.APPROXIMATED,
            f"NIR has no start values, neurons start at rest; {_CARRIED}.",
            advice="Convert with RateCode(initial='zero').",
        ),
        "random numbers": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's neurons have no noise.",
            advice="Export the network without it.",
        ),
        "refractory period": _lost(
            Verdict.APPROXIMATED, f"NIR's neurons have no refractory period; {_CARRIED}."
        ),
        "scheduled changes": _lost(
            Verdict.APPROXIMATED,
            "NIR knows no steps: every layer starts at once, with what it becomes.",
            advice="Convert with RateCode(clamp=0).",
        ),
        "statements after a step": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's neurons have no registers.",
            advice="Export the network without them.",
        ),
        "random release": _lost(
            Verdict.IMPOSSIBLE,
            "NIR's synapses always pass a spike on.",
            advice="Export the network without it.",
        ),
        "current input": _lost(
            Verdict.EXACT, "the reader gives the image to the input node, the same in every step"
        ),
        "regular input": _lost(
            Verdict.EXACT, "the reader gives the spikes of the encoder to the input node"
        ),
        "poisson input": _lost(
            Verdict.EXACT, "the reader gives the spikes of the encoder to the input node"
        ),
        "readout count": _lost(Verdict.EXACT, "the reader counts the spikes of the output node"),
        "readout first_spike": _lost(
            Verdict.EXACT, "the reader takes the first spike of the output node"
        ),
        "readout potential": _lost(
            Verdict.EXACT, "the reader takes the potential of the node before the output"
        ),
        "readout level": _lost(
            Verdict.EXACT, "the reader takes the potential of the node before the output"
        ),
        **{
            f"readout {kind}": _lost(
                Verdict.APPROXIMATED,
                "NIR has no generator: the reader takes the potentials.",
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
        "metadata": Limit("not to be relied on", "", _DOCUMENTS),
    },
)
