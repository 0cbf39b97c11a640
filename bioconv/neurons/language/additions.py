"""Unused names for parts that are added to a model."""

from __future__ import annotations

from bioconv.ground import naming
from bioconv.neurons.language import roles
from bioconv.neurons.language.grammar import MOST_LETTERS
from bioconv.neurons.language.model import NeuronModel


def free_name(model: NeuronModel, wanted: str) -> str:
    """Return the wanted name, with a number appended if the model already uses it."""
    return naming.free_name(wanted, model.names)


def free_names(model: NeuronModel, *wanted: str) -> tuple[str, ...]:
    """Return unused names for several parts that are added together; see `free_name`."""
    return tuple(free_name(model, name) for name in wanted)


def name_of(model: NeuronModel, addition: str) -> str:
    """Return the name of an extended model: its own name and a word, cut to the maximum length."""
    own = model.name[: MOST_LETTERS - len(addition) - 1].rstrip("_")
    return f"{own}_{addition}"


def membrane_of(model: NeuronModel) -> str:
    """Return the name of the only membrane potential in mV, or an empty string."""
    found = model.states_of(roles.MEMBRANE_POTENTIAL)
    return found[0] if len(found) == 1 and model.state(found[0]).unit == "mV" else ""
