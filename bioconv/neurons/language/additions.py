"""Names for what is added to a model, none of which the model uses already."""

from __future__ import annotations

from itertools import count

from bioconv.neurons.language import roles
from bioconv.neurons.language.grammar import MOST_LETTERS
from bioconv.neurons.language.model import NeuronModel


def free_name(model: NeuronModel, wanted: str) -> str:
    """The name that is wanted, with a number behind it if the model uses it for something else."""
    if wanted not in model.names:
        return wanted
    numbered = (f"{wanted}_{number}" for number in count(2))
    return next(name for name in numbered if name not in model.names)


def free_names(model: NeuronModel, *wanted: str) -> tuple[str, ...]:
    """Names for several things that are added together; see `free_name`."""
    return tuple(free_name(model, name) for name in wanted)


def name_of(model: NeuronModel, addition: str) -> str:
    """A name for the model with something added: its own and a word, cut to what a name may be."""
    own = model.name[: MOST_LETTERS - len(addition) - 1].rstrip("_")
    return f"{own}_{addition}"


def membrane_of(model: NeuronModel) -> str:
    """Name of the membrane potential in mV; nothing for a model without one, or with several."""
    found = model.states_of(roles.MEMBRANE_POTENTIAL)
    return found[0] if len(found) == 1 and model.state(found[0]).unit == "mV" else ""
