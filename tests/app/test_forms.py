"""Forms contain what is declared, and return what was changed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from later import later

from bioconv import codes, neurons
from bioconv.ground.errors import ParameterError

pytestmark = pytest.mark.skipif(not find_spec("panel"), reason="panel is not installed")
forms = later("bioconv.app.forms")


@pytest.mark.parametrize("name", codes.converting())
def test_every_option_of_a_code_has_a_field_with_an_explanation(name: str) -> None:
    form = forms.code_form(name)
    assert set(form.widgets) == set(codes.option_names(name))
    assert form.values() == {}
    for widget in form.widgets.values():
        assert widget.label
        assert "_" not in widget.label
        assert len(widget.description) > 20


@pytest.mark.parametrize("name", sorted(neurons.library()))
def test_every_parameter_of_a_neuron_has_a_field_with_its_unit(name: str) -> None:
    neuron = neurons.make(name)
    form = forms.neuron_form(neuron)
    assert form.values() == {}
    for parameter in neuron.model.parameters:
        if parameter.name in form.widgets:
            unit = "" if parameter.unit == "1" else f" ({parameter.unit})"
            assert form.widgets[parameter.name].label == f"{parameter.meaning}{unit}"


def test_what_was_changed_makes_a_code() -> None:
    form = forms.code_form("rate")
    form.widgets["percentile"].value = 98.0
    form.widgets["noise"].value = "12.5"
    form.widgets["balance_delays"].value = False
    assert form.values() == {"percentile": 98.0, "noise": 12.5, "balance_delays": False}
    assert "noise=12.5" in repr(codes.make("rate", form.values()))
    form.widgets["percentile"].value = 200.0
    with pytest.raises(ParameterError, match="percentile"):
        codes.make("rate", form.values())
