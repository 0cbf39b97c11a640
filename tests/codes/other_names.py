"""Neurons under other names: the same equations, and nothing else that is the same."""

from __future__ import annotations

from dataclasses import replace

from bioconv.neurons import Neuron, NeuronModel
from bioconv.neurons.language.identity import Renaming, structure, with_names


def new_names(model: NeuronModel) -> Renaming:
    """Another name for every part of a model.

    The names are in the same alphabetical order as before: exact updates are worked out by sympy,
    which orders sums by names, and rounding follows that order.
    """
    own = structure(model)
    names = {name: f"{name}0" for name in own.names}
    receptors = {name: f"r{place}" for place, name in enumerate(own.receptors)}
    return Renaming(model, names, receptors)


def renamed(neuron: Neuron) -> tuple[Neuron, Renaming]:
    """A neuron under another name, with other names for all its parts."""
    new = new_names(neuron.model)
    model = replace(with_names(neuron.model, new.names, new.receptors), name="other")
    return Neuron(model, {new.names[key]: value for key, value in neuron.parameters.items()}), new
