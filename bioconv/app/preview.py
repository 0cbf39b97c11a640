"""What becomes of each layer, and what a target loses, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import panel as pn

import bioconv as bc
from bioconv.app.background import Later, in_background
from bioconv.app.experiment import Experiment, converted, losses
from bioconv.app.message import Message
from bioconv.app.tables import table
from bioconv.app.worker import CancelledError, Note, Worker
from bioconv.ground.errors import BioconvError, ConversionError, Problem
from bioconv.ground.tables import words
from bioconv.network import SpikingNetwork
from bioconv.reading.describe import describe


class Preview:
    """Converts the network of the forms, and says which layers spike and which cannot.

    Parameters
    ----------
    experiment : callable
        Returns what the forms describe; may raise a `BioconvError`.
    worker : Worker
        The process that computes.
    """

    def __init__(self, experiment: Callable[[], Experiment], worker: Worker):
        self._experiment, self._worker = experiment, worker
        self._converted: tuple[Experiment, SpikingNetwork] | None = None
        self.check = pn.widgets.Button(label="What can spike", color="primary", width=150)
        self.target = pn.widgets.Select(
            label="Target",
            options=[row["target"] for row in bc.list_targets()],
            value="brian2",
            width=150,
        )
        self.examine = pn.widgets.Button(label="What this target loses", width=190)
        self.cancel = pn.widgets.Button(label="Stop", width=110, disabled=True)
        self.message = Message()
        self.layers = pn.Column(sizing_mode="stretch_width")
        self.losses = pn.pane.HTML("", visible=False, sizing_mode="stretch_width")
        self.check.on_click(lambda _: self._start(""))
        self.examine.on_click(lambda _: self._start(self.target.value))
        self.cancel.on_click(lambda _: self._worker.cancel())
        self.view = pn.Column(
            pn.FlexBox(self.check, self.target, self.examine, self.cancel, align_items="end"),
            self.message.view,
            self.layers,
            self.losses,
            sizing_mode="stretch_width",
        )

    def network_of(self, experiment: Experiment) -> SpikingNetwork | None:
        """Return the network of an experiment if it was converted last, else None."""
        if self._converted is not None and self._converted[0] == _without_samples(experiment):
            return self._converted[1]
        return None

    def _start(self, target: str) -> None:
        self.layers[:], self.losses.visible = [], False
        try:
            experiment = self._experiment()
        except BioconvError as error:
            self.message.say(str(error), "danger")
            return
        self.check.disabled = self.examine.disabled = True
        self.cancel.disabled = False
        self.message.say("Converting the network.", "light")
        in_background(self._compute, experiment, target)

    def _compute(self, later: Later, experiment: Experiment, target: str) -> None:
        notes: list[str] = []
        network = self.network_of(experiment)
        try:
            if network is None:
                for message in self._worker.ask(converted, experiment):
                    if isinstance(message, Note):
                        notes.append(message.text)
                    else:
                        network = message
            if network is None:
                return
            self._converted = _without_samples(experiment), network
            text = f"Converted: {network.n_neurons:,} neurons."
            kind = "warning" if notes else "success"
            later(partial(self.message.say, "\n\n".join([text, *notes]), kind))
            later(partial(self._show, layer_rows(experiment.graph, network)))
            if target:
                for message in self._worker.ask(losses, network, target):
                    if not isinstance(message, Note):
                        later(partial(self._show_losses, message))
        except ConversionError as error:
            later(partial(self.message.say, str(error).partition("\n")[0], "danger"))
            later(partial(self._show, refused_rows(experiment.graph, error.problems)))
        except BioconvError as error:
            kind = "warning" if isinstance(error, CancelledError) else "danger"
            later(partial(self.message.say, str(error), kind))
        finally:
            later(self._ready)

    def _show(self, rows: list[dict[str, Any]]) -> None:
        self.layers[:] = [table(rows)]

    def _show_losses(self, text: str) -> None:
        self.losses.object, self.losses.visible = f"<pre>{escape(text)}</pre>", True

    def _ready(self) -> None:
        self.check.disabled = self.examine.disabled = False
        self.cancel.disabled = True


def layer_rows(graph: Any, network: SpikingNetwork) -> list[dict[str, Any]]:
    """Return what became of the layers: a row for each population and each analog stage.

    Parameters
    ----------
    graph : AnalogGraph
    network : SpikingNetwork
        The converted graph.
    """
    rows = [
        {
            "layer": p.layer or p.name,
            "becomes": f"{p.n_neurons:,} spiking neurons",
            "population": p.name,
            "neuron": words(p.model.name),
        }
        for p in network.populations
    ]
    rows += [
        {"layer": stage.layer, "becomes": "stays analog, computed from the spikes so far"}
        for stage in network.stages
    ]
    order = {row.name: place for place, row in enumerate(describe(graph))}
    return sorted(rows, key=lambda row: order.get(row["layer"], len(order)))


def refused_rows(graph: Any, problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return the layers with the reasons for which the conversion refused them.

    Parameters
    ----------
    graph : AnalogGraph
    problems : iterable of Problem
        Those of the `ConversionError`.  If one of them is not that of a layer but, for example, of
        the neuron, nothing is known of the layers without problems.
    """
    problems = list(problems)
    names = [row.name for row in describe(graph)]
    other = "yes" if all(problem.where in names for problem in problems) else None
    places = dict.fromkeys([*names, *(problem.where for problem in problems)])
    return [
        {
            "layer": name,
            "can spike": "no" if found else other,
            "why not": " ".join(f"{p.reason} {p.advice}".strip() for p in found) or None,
        }
        for name in places
        for found in [[p for p in problems if p.where == name]]
    ]


def _without_samples(experiment: Experiment) -> Experiment:
    """Return the experiment without what its network does not depend on."""
    return replace(experiment, n_images=1)
