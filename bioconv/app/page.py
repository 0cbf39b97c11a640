"""The page: a model and data, a code, a neuron, imperfections, runs, and a neuron by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import panel as pn

import bioconv as bc
from bioconv.app.experiment import Experiment
from bioconv.app.folder import DATA, MODELS, Folder
from bioconv.app.forms import Form, code_form, converting_codes, neuron_form
from bioconv.app.neuron import NeuronView
from bioconv.app.preview import Preview
from bioconv.app.runs import Runs
from bioconv.app.tables import table
from bioconv.app.worker import Worker
from bioconv.data import NAMES
from bioconv.ground.errors import BioconvError, WeightsNotFoundError
from bioconv.ground.tables import sizes, words
from bioconv.neurons import ALIASES, library, make
from bioconv.noise import LIBRARY


class App:
    """The whole page; `view` can also be shown in a notebook.

    Parameters
    ----------
    folder : str or Path
        Only files in it can be opened.
    """

    def __init__(self, folder: str | Path = "."):
        self.folder = Folder(folder)
        self.model = pn.widgets.Select(
            label="Model", options=self._models(), value="digits_cnn", width=300
        )
        self.data = pn.widgets.Select(label="Data", options=self._data(), value="digits", width=300)
        self.n_images = pn.widgets.IntInput(label="Samples", value=100, start=1, width=110)
        self.seed = pn.widgets.IntInput(label="Seed", value=0, start=0, width=110)
        self.code = pn.widgets.Select(
            label="Code", options=converting_codes(), value="rate", width=300
        )
        self.neuron = pn.widgets.Select(
            label="Neuron", options=_neurons(), value="integrate_and_fire", width=300
        )
        self.noise = _noise_form()
        self.layers = pn.Column(sizing_mode="stretch_width")
        self._code_place, self._neuron_place = pn.Column(), pn.Column()
        self.code.param.watch(lambda _: self._show_code(), "value")
        self.neuron.param.watch(lambda _: self._show_neuron(), "value")
        self.model.param.watch(lambda _: self._show_layers(), "value")
        self._show_code()
        self._show_neuron()
        self._show_layers()
        self.worker = Worker()
        self.preview = Preview(self.experiment, self.worker)
        self.runs = Runs(self.experiment, self.worker, self.preview.network_of)
        if pn.state.curdoc:
            pn.state.on_session_destroyed(lambda _: self.worker.close())
        self.view = self._view()

    def experiment(self) -> Experiment:
        """Return what the forms describe."""
        return Experiment(
            model=self._file(self.model.value, bc.models.names()),
            data=self._file(self.data.value, NAMES),
            n_images=int(self.n_images.value or 1),
            code=self.code.value,
            code_options=self.code_options.values(),
            neuron=self.neuron.value,
            neuron_options=self.neuron_options.values(),
            noise=self.noise.values(),
            seed=int(self.seed.value or 0),
        )

    def _view(self) -> Any:
        setup = pn.Column(
            pn.FlexBox(self.model, self.data, self.n_images, self.seed),
            pn.pane.Markdown("### Layers"),
            self.layers,
            pn.pane.Markdown("### Code"),
            self.code,
            self._code_place,
            pn.pane.Markdown("### Neuron"),
            self.neuron,
            self._neuron_place,
            pn.Card(self.noise.view, title="Imperfections of hardware (0: none)", collapsed=True),
            pn.pane.Markdown("### Before it runs"),
            self.preview.view,
            sizing_mode="stretch_width",
        )
        return pn.Column(
            pn.pane.HTML("<h1>bioconv</h1>"),
            pn.Tabs(
                ("Network", setup),
                ("Run", self.runs.view),
                ("Neurons", NeuronView(_neurons()).view),
                dynamic=True,
                sizing_mode="stretch_width",
            ),
            sizing_mode="stretch_width",
            max_width=1200,
        )

    def _models(self) -> dict[str, str]:
        ours = {words(name): name for name in bc.models.names() if _ships(name)}
        return {**ours, **{name: name for name in self.folder.files(MODELS)}}

    def _data(self) -> dict[str, str]:
        return {**{words(n): n for n in NAMES}, **{n: n for n in self.folder.files(DATA)}}

    def _file(self, name: str, known: Any) -> str:
        return name if name in known else self.folder.path_of(name)

    def _show_code(self) -> None:
        self.code_options: Form = code_form(self.code.value)
        summary = next(r["summary"] for r in bc.list_codes() if r["code"] == self.code.value)
        self._code_place[:] = [pn.pane.Markdown(summary), self.code_options.view]

    def _show_neuron(self) -> None:
        neuron = make(self.neuron.value)
        self.neuron_options: Form = neuron_form(neuron)
        self._neuron_place[:] = [
            pn.pane.Markdown(neuron.model.source),
            self.neuron_options.view,
        ]

    def _show_layers(self) -> None:
        try:
            experiment = Experiment(model=self._file(self.model.value, bc.models.names()))
            rows = bc.inspect(experiment.graph)
        except BioconvError as error:
            self.layers[:] = [pn.pane.Alert(str(error), alert_type="danger")]
            return
        self.layers[:] = [
            table(
                [
                    {
                        "layer": row["name"],
                        "function": row["function"],
                        "shape": sizes(row["shape"]),
                        "values": f"{row['n_values']:,}",
                        "parameters": f"{row['n_parameters']:,}",
                    }
                    for row in rows
                ]
            )
        ]


def _ships(name: str) -> bool:
    """Whether the weights of a network of ours are here."""
    try:
        return bc.models.weights_path(name).is_file()
    except WeightsNotFoundError:
        return False


def _neurons() -> dict[str, str]:
    long = {name for name in library() if name not in ALIASES}
    return {words(name): name for name in sorted(long)}


def _noise_form() -> Form:
    rows = {row["noise"]: row for row in bc.list_noise()}
    widgets = {
        name: pn.widgets.FloatInput(
            label=words(name),
            value=0.0,
            start=0.0,
            width=150,
            description=f"{rows[name]['summary']} Amplitude: {rows[name]['unit']}.",
        )
        for name in LIBRARY
    }
    return Form(widgets, dict.fromkeys(widgets, 0.0))
