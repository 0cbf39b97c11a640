"""Forms that are generated from declarations of options and of neurons' parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import panel as pn

from bioconv.codes import converting, make, option_names
from bioconv.ground.options import Choice, Flag, Interval, Many, Rule, Unless, rules
from bioconv.ground.tables import words
from bioconv.neurons import Neuron
from bioconv.studies.runs import value_of

#: entries of a numpydoc section: a name at the margin, an indented text
_ENTRY = re.compile(r"^(\w[\w, ]*?) : [^\n]*\n((?:[ \t]+[^\n]*\n?|\n)+)", re.M)


class Form:
    """Widgets for named values, of which only those that were changed are returned.

    Parameters
    ----------
    widgets : mapping of str to widget
    defaults : mapping of str
    """

    def __init__(self, widgets: Mapping[str, Any], defaults: Mapping[str, Any]):
        self.widgets, self.defaults = dict(widgets), dict(defaults)
        self.view = pn.FlexBox(*self.widgets.values())

    def values(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        found = {name: _value(widget, self.defaults[name]) for name, widget in self.widgets.items()}
        return {name: value for name, value in found.items() if value != self.defaults[name]}


def code_form(name: str) -> Form:
    """Return a form for the options of a code."""
    code = make(name)
    texts, declared = texts_of(type(code)), rules(code)
    defaults = {option: getattr(code, option) for option in option_names(name)}
    return Form(
        {
            option: _widget(words(option), default, declared.get(option), texts.get(option, ""))
            for option, default in defaults.items()
            if not isinstance(declared.get(option), Unless | Many)
        },
        defaults,
    )


def neuron_form(neuron: Neuron) -> Form:
    """Return a form for the parameters of a neuron that are single numbers."""
    model, widgets, defaults = neuron.model, {}, {}
    for parameter in model.parameters:
        value = neuron.value(parameter.name)
        if not isinstance(value, int | float) or parameter.name == model.current:
            continue
        unit = "" if parameter.unit == "1" else f" ({parameter.unit})"
        widgets[parameter.name] = pn.widgets.FloatInput(
            label=f"{parameter.meaning}{unit}",
            value=float(value),
            description=f"Parameter {parameter.name}. {_valid(parameter.bounds)}".strip(),
            width=270,
        )
        defaults[parameter.name] = float(value)
    return Form(widgets, defaults)


def texts_of(cls: type) -> dict[str, str]:
    """Return what the docstring of a class of options says about each of them."""
    section = (inspect.getdoc(cls) or "").partition("Parameters\n----------\n")[2]
    section = re.split(r"\n\w+\n-{3,}\n", section)[0] + "\n"
    return {
        name.strip(): re.sub(r"\s+", " ", text).replace("``", "").replace("`", "").strip()
        for names, text in _ENTRY.findall(section)
        for name in names.split(",")
    }


def converting_codes() -> dict[str, str]:
    """Return the codes that convert networks: words, and name."""
    return {words(name): name for name in converting()}


def _widget(label: str, default: Any, rule: Rule | None, text: str) -> Any:
    common = {"label": label, "width": 170, "description": text or str(rule or "")}
    if isinstance(rule, Choice):
        return pn.widgets.Select(value=default, options=list(rule.valid), **common)
    if isinstance(rule, Flag):
        return pn.widgets.Select(value=default, options={"yes": True, "no": False}, **common)
    if isinstance(rule, Interval) and not rule.besides and default is not None:
        cls = pn.widgets.IntInput if rule.whole else pn.widgets.FloatInput
        common["description"] = f"{text} Valid: {rule}."
        if np.isfinite(rule.low) and not rule.above:
            common["start"] = rule.low
        if np.isfinite(rule.high) and not rule.below:
            common["end"] = rule.high
        return cls(value=default, **common)
    return pn.widgets.TextInput(value="" if default is None else str(default), **common)


def _value(widget: Any, default: Any) -> Any:
    value = widget.value
    if isinstance(widget, pn.widgets.TextInput):
        text = value.strip()
        if text == ("" if default is None else str(default)):
            return default
        return text if isinstance(default, str) and not text else value_of(text)
    return value


def _valid(bounds: tuple[float, float]) -> str:
    return f"It must be {Interval(*bounds)}." if np.isfinite(bounds).any() else ""
