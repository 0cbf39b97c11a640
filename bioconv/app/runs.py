"""Running experiments while the page stays usable: progress, cancelling, and results."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import panel as pn

import bioconv as bc
from bioconv.app.background import Later, in_background
from bioconv.app.charts import AccuracyChart, raster_chart, trace_chart
from bioconv.app.experiment import Experiment, Outcome, steps
from bioconv.app.message import Message
from bioconv.app.tables import table
from bioconv.app.worker import CancelledError, Note, Worker
from bioconv.ground.errors import BioconvError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots import sample_figure


class Runs:
    """The part of the page in which experiments run, one at a time.

    Parameters
    ----------
    experiment : callable
        Returns what the forms describe; may raise a `BioconvError`.
    worker : Worker
        The process that computes.
    known : callable
        Returns the network of an experiment if it was converted before, else None.
    """

    def __init__(
        self,
        experiment: Callable[[], Experiment],
        worker: Worker,
        known: Callable[[Experiment], SpikingNetwork | None],
    ):
        self._experiment, self._worker, self._known = experiment, worker, known
        self.outcomes: list[Outcome] = []
        self.chart = AccuracyChart()
        self.start = pn.widgets.Button(label="Run", color="primary", width=110)
        self.cancel = pn.widgets.Button(label="Cancel", width=110, disabled=True)
        self.bar = pn.indicators.Progress(label="Progress", value=0, max=100, width=300)
        self.message = Message()
        self.table = pn.Column(sizing_mode="stretch_width")
        self.both = pn.widgets.Checkbox(label="Show the two latest runs side by side", value=False)
        self.details = pn.Row(sizing_mode="stretch_width")
        self._shown: list[Details] = []
        self.start.on_click(self._start)
        self.cancel.on_click(lambda _: self._worker.cancel())
        self.both.param.watch(lambda _: self._show_details(), "value")
        self.view = pn.Column(
            pn.Row(self.start, self.cancel, self.bar),
            self.message.view,
            pn.pane.Bokeh(self.chart.view, sizing_mode="stretch_width"),
            self.table,
            self.both,
            self.details,
            sizing_mode="stretch_width",
        )

    def _start(self, _: Any) -> None:
        try:
            experiment = self._experiment()
        except BioconvError as error:
            self.message.say(str(error), "danger")
            return
        self.start.disabled, self.cancel.disabled = True, False
        self.bar.value = 0
        network = self._known(experiment)
        self.message.say("Converting the network." if network is None else "Starting.", "light")
        in_background(self._run, experiment, network)

    def _run(self, later: Later, experiment: Experiment, network: SpikingNetwork | None) -> None:
        outcome: Outcome | None = None
        detail: Recording | None = None
        notes: list[str] = []
        try:
            for message in self._worker.ask(steps, experiment, network):
                if isinstance(message, Note):
                    notes.append(message.text)
                elif outcome is None:
                    outcome, number = message, len(self.outcomes)
                    self.outcomes.append(outcome)
                    later(partial(self.chart.mark, number, outcome.analog))
                elif outcome.n_done < len(outcome.x):
                    outcome.add(message)
                    later(partial(self._progress, number, outcome))
                else:
                    detail = message
            if outcome is not None and detail is not None:
                later(partial(self._finish, outcome, detail, notes))
        except CancelledError:
            done = 0 if outcome is None else outcome.n_done
            text = "Cancelled before the first sample."
            if outcome is not None and done:
                text = f"Cancelled after {done} of {len(outcome.x)} samples."
            later(partial(self.message.say, text, "warning"))
        except BioconvError as error:
            later(partial(self.message.say, str(error), "danger"))
        finally:
            later(self._ready)

    def _progress(self, number: int, outcome: Outcome) -> None:
        n = len(outcome.x)
        self.bar.value = round(100 * outcome.n_done / n)
        self.chart.show(number, outcome.experiment.title, outcome.time, outcome.accuracy)
        self.message.say(f"Simulating: {outcome.n_done} of {n} samples.", "light")
        self.table[:] = [_results(self.outcomes)]

    def _finish(self, outcome: Outcome, detail: Recording, notes: list[str]) -> None:
        n = len(outcome.x)
        text = f"Finished: {outcome.n_done} of {n} samples."
        self.message.say("\n\n".join([text, *notes]), "warning" if notes else "success")
        self._shown = [*self._shown[-1:], Details(outcome, detail)]
        self._show_details()

    def _show_details(self) -> None:
        self.details[:] = [entry.view for entry in self._shown[-2 if self.both.value else -1 :]]

    def _ready(self) -> None:
        self.start.disabled, self.cancel.disabled = False, True


class Details:
    """What can be seen of a network that has run, and what can be taken away."""

    def __init__(self, outcome: Outcome, detail: Recording):
        self.outcome, self.detail = outcome, detail
        n = detail.n_images
        self.sample = pn.widgets.IntSlider(label="Sample", start=0, end=max(n - 1, 1), width=250)
        self.sample.disabled = n == 1
        shown = pn.Column(sizing_mode="stretch_width")

        def show(_: Any = None) -> None:
            shown[:] = self._shown(int(self.sample.value or 0))

        self.sample.param.watch(show, "value_throttled")
        show()
        self.view = pn.Column(
            pn.pane.Markdown(f"## {self.outcome.experiment.title}: one sample"),
            self.sample,
            shown,
            pn.pane.Markdown("## Where the accuracy goes"),
            self._diagnosis(),
            pn.pane.Markdown("## Take it with you"),
            self._downloads(),
            sizing_mode="stretch_width",
        )

    def _shown(self, sample: int) -> list[Any]:
        network, detail = self.outcome.network, self.detail
        decided = detail.predictions()[sample]
        units = {(p.name, s.name): s.unit for p in network.populations for s in p.model.states}
        title = f"sample {sample}: decision {decided}"
        if self.outcome.y is not None:
            title += f", label {self.outcome.y[sample]}"
        picture = sample_figure(self.outcome.x[sample], title)
        charts = [
            pn.pane.Bokeh(raster_chart(network, detail, sample), sizing_mode="stretch_width"),
            *(
                pn.pane.Bokeh(
                    trace_chart(detail, name, sample, units[name]), sizing_mode="stretch_width"
                )
                for name in detail.traces
            ),
        ]
        alt = f"Picture of {title}"
        return [pn.pane.Matplotlib(picture, tight=False, height=240, alt_text=alt), *charts]

    def _diagnosis(self) -> Any:
        n = self.detail.n_images
        y = None if self.outcome.y is None else self.outcome.y[:n]
        rows = bc.diagnose(self.outcome.network, self.detail, self.outcome.x[:n], y)
        return table([vars(row) for row in rows])

    def _downloads(self) -> Any:
        network = self.outcome.network
        experiment = replace(self.outcome.experiment, n_images=self.outcome.n_done)
        name = experiment.model.rpartition("/")[2].partition(".")[0]

        def script() -> io.StringIO:
            return io.StringIO(experiment.script())

        def saved() -> io.BytesIO:
            return _written("network.h5", network.save)

        def report() -> io.BytesIO:
            n = self.detail.n_images
            y = None if self.outcome.y is None else self.outcome.y[:n]
            return _written(
                "report.html",
                lambda path: bc.report(
                    self.detail, path, network=network, x=self.outcome.x[:n], y=y
                ),
            )

        files = {
            "Python script": (script, f"{name}.py"),
            "Network": (saved, f"{name}_network.h5"),
            "Report": (report, f"{name}_report.html"),
        }
        target = pn.widgets.Select(
            label="Target", options=[row["target"] for row in bc.list_targets()], value="brian2"
        )
        refused = pn.pane.Alert("", alert_type="danger", visible=False)
        losses = pn.pane.HTML("", visible=False)
        examine = pn.widgets.Button(label="What the target loses")

        def examined(_: Any) -> None:
            report = bc.examine(network, target.value, progress=False)
            losses.object, losses.visible = f"<pre>{escape(str(report))}</pre>", True

        examine.on_click(examined)

        def program() -> io.BytesIO:
            refused.visible = False
            try:
                return _program(network, target.value)
            except BioconvError as error:
                refused.object, refused.visible = str(error), True
                return io.BytesIO()

        buttons = [
            pn.widgets.FileDownload(callback=make, filename=file, label=label, auto=True)
            for label, (make, file) in files.items()
        ]
        programs = pn.widgets.FileDownload(
            callback=program, filename=f"{name}_program.zip", label="Program for the target"
        )
        return pn.Column(pn.FlexBox(*buttons), pn.Row(target, examine, programs), refused, losses)


def _program(network: SpikingNetwork, target: str) -> io.BytesIO:
    """Return what is exported to a target as a zip file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "program").mkdir()
        bc.emit(network, Path(folder) / "program" / "network", target)
        packed = shutil.make_archive(str(Path(folder) / "packed"), "zip", Path(folder) / "program")
        return io.BytesIO(Path(packed).read_bytes())


def _written(name: str, write: Callable[[Path], Any]) -> io.BytesIO:
    """Return the content of a file that ``write`` makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return io.BytesIO(path.read_bytes())


def _results(outcomes: list[Outcome]) -> Any:
    return table(
        [
            {
                "experiment": outcome.experiment.title,
                "samples": outcome.n_done,
                "accuracy (%)": f"{100 * outcome.accuracy[-1]:.1f}" if outcome.n_done else None,
                "analog network (%)": f"{100 * outcome.analog:.1f}",
                "spikes per sample": f"{outcome.spikes_per_image:,.0f}",
                "neurons": f"{outcome.network.n_neurons:,}",
                "time per sample (ms)": f"{outcome.network.n_steps * outcome.network.dt:g}",
            }
            for outcome in outcomes
        ]
    )
