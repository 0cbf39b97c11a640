"""What a target can hold: one declaration each, every number with its source."""

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
    """One number, range or word that is true of a target.

    Parameters
    ----------
    value : any
        A number, a pair (smallest, largest), or a text.
    unit : str
    source : str
        Where that is written: a file of the target's software with its version, a publication.
    """

    value: Any
    unit: str
    source: str

    def __str__(self) -> str:
        value = " to ".join(map(str, self.value)) if isinstance(self.value, tuple) else self.value
        return f"{value} {self.unit}".strip()


@dataclass(frozen=True)
class Loss:
    """What a target does to a network that uses something it does not have.

    Parameters
    ----------
    verdict : Verdict
    text : str
        What happens instead, or why nothing can.
    source : str
    advice : str
        What would help.
    """

    verdict: Verdict
    text: str
    source: str
    advice: str = ""


@dataclass(frozen=True)
class Cell:
    """A neuron of the target.

    Parameters
    ----------
    name : str
        What the target calls it.
    model : NeuronModel
        Its equations.
    source : str
    stands_for : tuple of (NeuronModel, str)
        Equations that the cell may stand for, whatever they are called, and what differs.
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
        As on the command line.
    title : str
        For people.
    summary : str
        One line: what is written, and what reads it.
    tested : str
        How the export is checked, said plainly: on the tool chain, against a stand-in, ...
    conversion : str
        What to ask of `bioconv.convert` for a network that fits, for people.
    cells : tuple of Cell
    any_model : bool
        Takes equations as they are; ``cells`` is empty.
    losses : mapping of str to Loss
        Feature of a network (see `bioconv.targets.validator`) that the target lacks -> what
        becomes of it.
    delay_steps : Limit or None
        (smallest, largest) delay in steps; None: any from 1.
    fan_in : Limit or None
        Largest number of synapses of a neuron, in synapses of ``fan_in_each``.
    neurons : Limit or None
        Largest number of neurons of a network.
    operators : tuple of str or None
        Names of the operators that a projection may be made of; None: synapses are listed.
    facts : mapping of str to Limit
        All that is good to know beside: weights, time scale, recordables, sizes of cores.
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
        """The network in the words of the cells: fits and writers may speak of their parameters.

        Neurons with the equations of a cell, or of what a cell stands for, get its names for
        their parts; see `bioconv.network.restating.in_words_of`.
        """
        models = [cell.model for cell in self.cells]
        models += [model for cell in self.cells for model, _ in cell.stands_for]
        return in_words_of(network, models)

    def rows(self) -> list[dict[str, str]]:
        """The declaration as a table: what, value, source."""
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
            "synapses of a neuron": self.fan_in,
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
