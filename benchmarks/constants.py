"""What the tuned constants of the rate code are worth: each one halved and doubled.

The numbers of docs/rate_code_on_any_neuron.md: a small network is converted with each constant
halved and doubled, and compared with Keras.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

import bioconv as bc
from bioconv.codes.rate import RateCode

#: the modules that put a rate on any neuron
MODULES = (
    "bioconv.codes.rate.code",
    "bioconv.codes.rate.correction",
    "bioconv.codes.rate.curve",
    "bioconv.codes.rate.network",
    "bioconv.codes.rate.populations",
    "bioconv.codes.common.calibration",
    "bioconv.codes.common.choices",
    "bioconv.codes.common.driving",
    "bioconv.codes.common.membrane",
    "bioconv.codes.common.suitability",
    "bioconv.neurons.response.curves",
    "bioconv.neurons.response.integrators",
    "bioconv.neurons.response.transfer",
    "bioconv.neurons.language.noise",
)
NEURONS = ("leaky_integrate_and_fire", "izhikevich", "traub_miles")
N_IMAGES = 60
#: no quantity that could be more or less: the number of a format, and a sign for "by default"
NOT_TUNED = ("_VERSION", "max_rate")
#: constants that are compared with 1 (or 100): their distance from it is halved and doubled
_RATIOS = ("_BURST", "_ADAPTS", "_NEARLY", "_BLOCKED", "_HEADROOM", "_LATEST", "percentile")


@dataclass(frozen=True)
class Constant:
    """A constant of a module, or the default of an option of the rate code."""

    module: str
    name: str
    value: Any
    option: bool = False

    def scaled(self, factor: float) -> Any:
        """The value, halved or doubled; of an array of currents or guesses their number."""
        value, name = self.value, self.name
        if name == "_SOURCES":  # quantiles in the middles of equal parts
            n = round(len(value) * factor)
            return (np.arange(n) + 0.5) / n
        if isinstance(value, np.ndarray):
            places = np.arange(0, len(value) - 1 + 0.5 / factor, 1 / factor)
            columns = value.reshape(len(value), -1).T
            found = [np.interp(places, np.arange(len(value)), column) for column in columns]
            return np.stack(found, axis=-1).reshape(-1, *value.shape[1:])
        if name == "_GAINS":
            return tuple(float(entry**factor) for entry in value)
        if name in _RATIOS:
            whole = 100.0 if name == "percentile" else 1.0
            return whole + (value - whole) * factor
        if isinstance(value, tuple):
            return tuple(entry * factor for entry in value)
        scaled = value * factor
        return max(round(scaled), 1) if isinstance(value, int) else scaled


def constants() -> list[Constant]:
    """Every number that stands at the top of a module, and every numeric default of `RateCode`."""
    found = [entry for module in MODULES for entry in _of_module(import_module(module))]
    code = RateCode.__module__
    options = [Constant(code, f.name, f.default, True) for f in fields(RateCode)]
    return found + [entry for entry in options if _is_numeric(entry.value)]


def _of_module(module: ModuleType) -> Iterator[Constant]:
    """In the order in which they are assigned."""
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    value = getattr(module, node.id, None)
                    if _is_numeric(value):
                        yield Constant(module.__name__, node.id, value)


def _is_numeric(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except ValueError:
        return False
    return array.size > 0 and array.dtype.kind in "if"


@contextmanager
def replaced(constant: Constant, value: Any) -> Iterator[None]:
    """The constant with another value, wherever it has been imported."""
    from bioconv.codes.rate import correction
    from bioconv.neurons.response import curves

    holders = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("bioconv.") and vars(module).get(constant.name) is constant.value
    ]
    version = curves._VERSION
    try:
        for module in holders:
            setattr(module, constant.name, value)
        if constant.name == "_BURST":  # the one constant that remembered curves do not know
            curves._VERSION = f"{constant.name} {value}"  # type: ignore[assignment]
        correction._levenberg.clear_cache()
        yield
    finally:
        curves._VERSION = version
        for module in holders:
            setattr(module, constant.name, constant.value)
        correction._levenberg.clear_cache()


def sensitivity(quick: bool = False) -> Iterator[Mapping[str, Any]]:
    """Agreement with Keras, and distance of the outputs, for each constant and neuron.

    Parameters
    ----------
    quick : bool
        One neuron, and the first three constants only.

    Yields
    ------
    dict
        ``agreement``: share of the 60 digits with Keras's class.  ``error``: root mean squared
        distance of the outputs, which are probabilities.  ``drive_rms``: that of the f-I curve from
        a straight line.  ``factor`` is 1 for the constants as they are, and ``refused`` says why a
        conversion was not possible.
    """
    x_train, _ = bc.load_data("digits", split="train")
    x_test, _ = bc.load_data("digits")
    model = bc.models.load("digits_mlp")
    exact = model.predict(x_test[:N_IMAGES], verbose=0)

    def measured(neuron: str, options: Mapping[str, Any]) -> dict[str, Any]:
        try:
            code = RateCode(**options)
            network = bc.convert(model, calibration=x_train, neuron=neuron, code=code)
            recording = bc.simulate(network, x_test[:N_IMAGES], progress=False)
        except (ValueError, RuntimeError) as error:
            return {"refused": str(error)}
        (output,) = recording.outputs.values()
        return {
            "agreement": recording.agreement(recording.decision().of(exact)),
            "error": float(np.sqrt(np.mean((output - exact) ** 2))),
            "drive_rms": float(network.code["drive_rms"]),
        }

    names = NEURONS[: 1 if quick else None]
    for neuron in names:
        yield {"constant": "", "neuron": neuron, "factor": 1.0, **measured(neuron, {})}
    tuned = [entry for entry in constants() if entry.name not in NOT_TUNED]
    for constant, neuron, factor in product(tuned[: 3 if quick else None], names, (0.5, 2.0)):
        value = constant.scaled(factor)
        row = {"module": constant.module, "constant": constant.name, "neuron": neuron}
        if constant.option:
            yield {**row, "factor": factor, **measured(neuron, {constant.name: value})}
            continue
        options = {"settle": value} if constant.name == "SETTLE" else {}
        with replaced(constant, value):
            yield {**row, "factor": factor, **measured(neuron, options)}
