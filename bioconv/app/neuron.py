"""A neuron by itself: its response to a current, and its f-I curve, with sliders."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import panel as pn

from bioconv.app.charts import curve_chart
from bioconv.app.forms import Form, neuron_form
from bioconv.ground.errors import BioconvError
from bioconv.ground.tables import words
from bioconv.neurons import make
from bioconv.plots import voltage_traces
from bioconv.plots.neuron_models import working_range


class NeuronView:
    """Choose a neuron, change its parameters, and see what it does.

    Parameters
    ----------
    names : mapping of str to str
        Words, and names for `bioconv.neurons.make`.
    """

    def __init__(self, names: Mapping[str, str]):
        self.name = pn.widgets.Select(
            label="Neuron", options=dict(names), value="leaky_integrate_and_fire", width=300
        )
        self.share = pn.widgets.FloatSlider(
            label="Current (% of that for the largest rate)", start=0, end=100, value=50, width=300
        )
        self.button = pn.widgets.Button(label="Show", color="primary", width=110)
        self._form_place = pn.Column()
        self._shown = pn.Column(sizing_mode="stretch_width")
        self.name.param.watch(lambda _: self._choose(), "value")
        self.button.on_click(lambda _: self._show())
        self.form: Form
        self._choose()
        self.view = pn.Column(
            self.name,
            self._form_place,
            pn.Row(self.share, self.button),
            self._shown,
            sizing_mode="stretch_width",
        )

    def _choose(self) -> None:
        self.form = neuron_form(make(self.name.value))
        self._form_place[:] = [self.form.view]

    def _show(self) -> None:
        try:
            neuron = make(self.name.value, self.form.values())
            curve = working_range(neuron)
            current = float(np.max(curve.currents)) * float(self.share.value or 0) / 100
            traces = voltage_traces(neuron, [current])
        except BioconvError as error:
            self._shown[:] = [pn.pane.Alert(str(error), alert_type="danger")]
            return
        traces.suptitle("")
        unit = neuron.model.parameter(neuron.model.current).unit
        title = f"f-I curve of {words(neuron.model.name)}"
        chart: Any = curve_chart(title, curve.currents, curve.rates, unit)
        self._shown[:] = [
            pn.pane.Matplotlib(
                traces,
                tight=False,
                sizing_mode="scale_width",
                max_width=640,
                alt_text="Potential under a constant current",
            ),
            pn.pane.Bokeh(chart, sizing_mode="stretch_width"),
            pn.pane.HTML(f"<pre>{escape(neuron.model.equations.strip())}</pre>"),
        ]
