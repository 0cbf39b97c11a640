"""What must hold in a neuron model beyond its grammar."""

from __future__ import annotations

from bioconv.errors import Problem
from bioconv.neurons.model import UNITS, NeuronModel
from bioconv.validation.checks import identifier_problems, listed, repeated, text_problems


def model_problems(model: NeuronModel) -> list[Problem]:
    """References inside a neuron model that lead nowhere, and texts unfit for a program."""
    parameters = {p.name for p in model.parameters}
    states = {s.name for s in model.states}
    where = f"neuron model {model.name!r}"
    wanted: list[tuple[str, str, set[str]]] = [
        ("refractory", model.refractory, parameters),
        ("current", model.current, parameters),
    ]
    for receptor in model.receptors:
        wanted.append((f"variable of receptor {receptor.name!r}", receptor.variable, states))
        wanted.append((f"tau of receptor {receptor.name!r}", receptor.tau, parameters))
    for state in model.states:
        if isinstance(state.initial, str):
            wanted.append((f"initial value of {state.name!r}", state.initial, parameters))
    problems = [
        Problem(where, what, f"names {name!r}, which is not declared.", f"Valid: {listed(valid)}.")
        for what, name, valid in wanted
        if name and name not in valid
    ]
    for item in (*model.parameters, *model.states, *model.receptors):
        if item.unit not in UNITS:
            reason = f"has the unknown unit {item.unit!r}."
            problems.append(Problem(where, item.name, reason, f"Valid: {listed(UNITS)}."))
    for what in ("method", "standard_cell"):
        if getattr(model, what):
            problems.extend(identifier_problems(where, what, getattr(model, what)))
    texts = [item.meaning for item in (*model.parameters, *model.states)]
    for text in (model.source, *texts):
        problems.extend(text_problems(where, "documentation", text))
    problems.extend(repeated(where, (i.name for i in (*model.parameters, *model.states))))
    return problems
