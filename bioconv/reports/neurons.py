"""Descriptions of neurons as plain data, as shown by ``bioconv neurons``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioconv.export.cells import GENERATED, cell_for
from bioconv.export.cells import SIMULATORS as PYNN_SIMULATORS
from bioconv.ground.errors import Problem
from bioconv.ground.tables import format_table
from bioconv.neurons import ALIASES, Neuron, NeuronModel, library, make
from bioconv.simulators.event import solution_of
from bioconv.simulators.stimulation import default_step, single_neurons

Row = dict[str, Any]


@dataclass(frozen=True)
class NeuronDescription:
    """Description of a neuron; everything is taken from its declaration.

    Parameters
    ----------
    name : str
        Name of the model.
    options : str
        Text on what can be chosen besides parameters; empty for a neuron without a name.
    equations, threshold, reset, method, source : str
        As in `bioconv.neurons.NeuronModel`.
    spikes : str
        Text on when the neuron fires.
    dt : float or None
        Recommended step in ms; None if any is suitable.
    parameters : tuple of dict
        ``name``, ``value``, ``unit``, ``lowest``, ``highest``, ``meaning``.
    states : tuple of dict
        ``name``, ``start``, ``unit``, ``meaning``.
    receptors : tuple of dict
        ``name``, ``acts on``, ``weights in``, ``decay``.
    simulators : tuple of dict
        ``simulator``, ``how`` (or why the neuron cannot be simulated).
    citation : str
        The publications from which it is taken, in BibTeX.
    """

    name: str
    options: str
    equations: str
    threshold: str
    reset: str
    method: str
    source: str
    spikes: str
    dt: float | None
    parameters: tuple[Row, ...]
    states: tuple[Row, ...]
    receptors: tuple[Row, ...]
    simulators: tuple[Row, ...]
    citation: str

    def __str__(self) -> str:
        """Return the description as text for a terminal."""
        step = "any" if self.dt is None else f"{self.dt:g} ms"
        parts = [
            self.name,
            f"  {self.source}\n",
            "equations\n" + _indented(self.equations),
            f"spike: {self.spikes}",
            "reset\n" + _indented(self.reset) if self.reset else "no reset",
            f"integration: {self.method}; recommended step: {step}\n",
            *([f"options\n{_indented(self.options)}\n"] if self.options else []),
            *(
                f"{title}\n{format_table(rows)}\n"
                for title, rows in (
                    ("parameters", self.parameters),
                    ("state variables", self.states),
                    ("receptors", self.receptors),
                )
                if rows
            ),
            f"simulators\n{format_table(self.simulators)}",
            *([f"\n{self.citation}"] if self.citation else []),
        ]
        return "\n".join(parts)


def list_neurons() -> list[Row]:
    """Return one row for each neuron of the library.

    Returns
    -------
    list of dict
        ``neuron`` (the name for `bioconv.neurons.make` and ``--neuron``), ``short`` (other names
        for it), ``states`` (number of state variables), ``summary``, ``source``.

    Examples
    --------
    >>> [row["neuron"] for row in list_neurons()][:1]
    ['integrate_and_fire']
    """
    rows = []
    for name, constructor in library().items():
        model = constructor().model
        summary = (inspect.getdoc(constructor) or "").split("\n", maxsplit=1)[0]
        rows.append(
            {
                "neuron": name,
                "short": ", ".join(short for short, meant in ALIASES.items() if meant == name),
                "states": len(model.states),
                "summary": summary.replace("``", ""),
                "source": model.source.split(";")[0],
            }
        )
    return rows


def describe_neuron(
    neuron: str | Neuron, options: Mapping[str, Any] | None = None
) -> NeuronDescription:
    """Describe the equations, parameters, states, source and simulators of a neuron.

    Parameters
    ----------
    neuron : str or Neuron
        The name of a neuron of the library, or a neuron.
    options : mapping, optional
        Options and parameters; only together with a name.

    Returns
    -------
    NeuronDescription
        ``print`` shows it as text, ``vars`` gives plain data.

    Raises
    ------
    ParameterError
        If there is no such neuron, option or parameter.

    Examples
    --------
    >>> description = describe_neuron("leaky_integrate_and_fire", {"tau_m": 10.0})
    >>> next(row["value"] for row in description.parameters if row["name"] == "tau_m")
    10.0
    """
    choices = ""
    if not isinstance(neuron, Neuron):
        name, neuron = neuron, make(neuron, options)
        choices = _options(library()[ALIASES.get(name, name)])
    model = neuron.model
    return NeuronDescription(
        name=model.name,
        options=choices,
        equations=model.equations,
        threshold=model.threshold,
        reset=model.reset,
        method=model.method,
        source=model.source,
        spikes=_when_it_spikes(model),
        dt=model.dt_default or None,
        parameters=tuple(_parameter_rows(neuron)),
        states=tuple(
            {"name": s.name, "start": s.initial, "unit": s.unit, "meaning": s.meaning}
            for s in model.states
        ),
        receptors=tuple(
            {
                "name": r.name,
                "acts on": ", ".join(r.variables),
                "weights in": r.unit,
                "decay": r.tau or None,
            }
            for r in model.receptors
        ),
        simulators=tuple(
            {"simulator": name, "how": how} for name, how in simulators_of(neuron).items()
        ),
        citation=neuron.citation(),
    )


def simulators_of(neuron: Neuron) -> dict[str, str]:
    """Return how each simulator runs a neuron, or why it cannot."""
    how = {
        "array": "its equations, compiled by XLA (the reference)",
        "event": (
            "spike times from closed forms"
            if solution_of(neuron.model)
            else "no: there is no closed form for its spike times."
        ),
        "brian2": "its equations, as a NeuronGroup",
    }
    network = single_neurons(neuron, dt=default_step(neuron))
    for name in PYNN_SIMULATORS:
        cell = cell_for(network.populations[0], network, name)
        shown = name if name != "brian2" else "pynn.brian2"
        if isinstance(cell, Problem):
            how[shown] = f"no: {cell.reason}"
        elif cell == GENERATED:
            how[shown] = "generated model (NESTML)"
        else:
            how[shown] = f"standard cell {cell}"
    return how


def _options(constructor: Callable[..., Neuron]) -> str:
    """Return what a constructor's docstring states on its arguments other than parameters."""
    text = (inspect.getdoc(constructor) or "").partition("----------\n")[2]
    return text.partition("**parameters")[0].strip().replace("`", "")


def _when_it_spikes(model: NeuronModel) -> str:
    if not model.threshold:
        return "never"
    verb = "becomes true" if model.crossing else "holds at the end of a step"
    text = f"when {model.threshold} {verb}"
    return f"{text}; then refractory for {model.refractory}" if model.refractory else text


def _parameter_rows(neuron: Neuron) -> list[Row]:
    rows = []
    for parameter in neuron.model.parameters:
        value = np.asarray(neuron.value(parameter.name))
        low, high = parameter.bounds
        rows.append(
            {
                "name": parameter.name,
                "value": float(value) if value.ndim == 0 else tuple(value.ravel().tolist()),
                "unit": parameter.unit,
                "lowest": low if np.isfinite(low) else None,
                "highest": high if np.isfinite(high) else None,
                "meaning": parameter.meaning,
            }
        )
    return rows


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
