"""Declarations of what targets can represent, every number with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bioconv.network import SpikingNetwork
from bioconv.network.restating import in_words_of
from bioconv.neurons import NeuronModel
from bioconv.targets.findings import Verdict


@dataclass(frozen=True)
class Limit:
    """A number, range or term that describes a target, with its source.

    Parameters
    ----------
    value : any
        A number, a pair (smallest, largest), or a text.
    unit : str
    source : str
        Reference: a file of the target's software with its version, or a publication.
    """

    value: Any
    unit: str
    source: str

    def __str__(self) -> str:
        value = " to ".join(map(str, self.value)) if isinstance(self.value, tuple) else self.value
        return f"{value} {self.unit}".strip()


@dataclass(frozen=True)
class Loss:
    """Consequence for a network that uses a feature the target lacks.

    Parameters
    ----------
    verdict : Verdict
    text : str
        What happens instead, or why the feature cannot be replaced.
    source : str
    advice : str
        How to avoid or reduce the problem.
    """

    verdict: Verdict
    text: str
    source: str
    advice: str = ""


@dataclass(frozen=True)
class Cell:
    """A neuron model of the target.

    Parameters
    ----------
    name : str
        Name of the cell on the target.
    model : NeuronModel
        Its equations.
    source : str
    stands_for : tuple of (NeuronModel, str)
        Equations that the cell may replace, whatever they are called, and what then differs.
    bounds : mapping of str to Limit
        Parameter of the model -> (smallest, largest) value on the target, in the model's unit.
    """

    name: str
    model: NeuronModel
    source: str
    stands_for: tuple[tuple[NeuronModel, str], ...] = ()
    bounds: Mapping[str, Limit] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A machine, a simulator or a format that networks are exported to.

    Parameters
    ----------
    name : str
        Name used on the command line.
    title : str
        Title shown to users.
    summary : str
        One line on what is written and which software reads it.
    tested : str
        How the export is checked, in plain words: with the tool chain, against a substitute, ...
    conversion : str
        Advice for users on the arguments of `bioconv.convert` that lead to a network that fits.
    cells : tuple of Cell
    any_model : bool
        Whether the target takes equations as they are; ``cells`` is then empty.
    losses : mapping of str to Loss
        Feature of a network (see `bioconv.targets.validator`) that the target lacks -> the
        consequence.
    delay_steps : Limit or None
        (smallest, largest) delay in steps; None if any delay of at least 1 is allowed.
    fan_in : Limit or None
        Largest number of synapses of a neuron, in synapses of ``fan_in_each``.
    neurons : Limit or None
        Largest number of neurons of a network.
    operators : tuple of str or None
        Names of the operators that a projection may consist of; None if synapses are listed.
    facts : mapping of str to Limit
        Further useful facts: weights, time scale, recordable variables, sizes of cores.
    """

    name: str
    title: str
    summary: str
    tested: str
    conversion: str = ""
    cells: tuple[Cell, ...] = ()
    any_model: bool = False
    losses: Mapping[str, Loss] = field(default_factory=dict)
    delay_steps: Limit | None = None
    fan_in: Limit | None = None
    neurons: Limit | None = None
    operators: tuple[str, ...] | None = None
    facts: Mapping[str, Limit] = field(default_factory=dict)

    def restated(self, network: SpikingNetwork) -> SpikingNetwork:
        """Return the network with the names of the cells, which fits and writers can then rely on.

        Neurons with the equations of a cell, or with equations that a cell stands for, take over
        its names for their parts; see `bioconv.network.restating.in_words_of`.
        """
        models = [cell.model for cell in self.cells]
        models += [model for cell in self.cells for model, _ in cell.stands_for]
        return in_words_of(network, models)

    def rows(self) -> list[dict[str, str]]:
        """Return the declaration as rows of a table: what, value, source."""
        rows = [
            {"what": f"cell {c.name}", "value": c.model.name, "source": c.source}
            for c in self.cells
        ]
        for cell in self.cells:
            rows += [
                {"what": f"{cell.name}: {name}", "value": str(limit), "source": limit.source}
                for name, limit in cell.bounds.items()
            ]
        numbers = {
            "delay": self.delay_steps,
            "synapses per neuron": self.fan_in,
            "neurons": self.neurons,
            **self.facts,
        }
        rows += [
            {"what": name, "value": str(limit), "source": limit.source}
            for name, limit in numbers.items()
            if limit is not None
        ]
        return rows + [
            {"what": name, "value": f"{loss.verdict}: {loss.text}", "source": loss.source}
            for name, loss in self.losses.items()
        ]
