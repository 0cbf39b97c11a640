"""A network that got past every check must still not put code into a program."""

from __future__ import annotations

import ast
import copy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bioconv as bc
from bioconv.export.tables import Quantity, Unit, source
from bioconv.ground.errors import ExportError

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402

EVIL = "x'\"\"\"\nimport os; os.system('touch owned')  # "


def forge(item: Any, **fields: Any) -> Any:
    """Change fields of a frozen object, as a crafted file or a careless caller might."""
    for name, value in fields.items():
        object.__setattr__(item, name, value)
    return item


def _model(network: Any, **fields: Any) -> None:
    forge(network.populations[0].model, **fields)


FORGERIES = {
    "network name": lambda n: forge(n, name=EVIL),
    "input name": lambda n: forge(n.inputs[0], name=EVIL),
    "population name": lambda n: forge(n.populations[0], name=EVIL),
    "readout name": lambda n: forge(n.readouts[0], name=EVIL),
    "receptor of a projection": lambda n: forge(n.projections[0], receptor=EVIL),
    "source of a projection": lambda n: forge(n.projections[0], pre=EVIL),
    "changed variable": lambda n: forge(n.changes[0], variable=EVIL),
    "model name": lambda n: _model(n, name=EVIL),
    "equations": lambda n: _model(n, equations=f"dv/dt = {EVIL} : volt"),
    "threshold": lambda n: _model(n, threshold=EVIL),
    "reset": lambda n: _model(n, reset=EVIL),
    "source": lambda n: _model(n, source=EVIL),
    "method": lambda n: _model(n, method=EVIL),
    "refractory": lambda n: _model(n, refractory=EVIL),
    "parameter name": lambda n: forge(n.populations[0].model.parameters[0], name=EVIL),
    "parameter unit": lambda n: forge(n.populations[0].model.parameters[0], unit=EVIL),
    "parameter meaning": lambda n: forge(n.populations[0].model.parameters[0], meaning=EVIL),
    "state name": lambda n: forge(n.populations[0].model.states[0], name=EVIL),
    "receptor name": lambda n: forge(n.populations[0].model.receptors[0], name=EVIL),
}


@pytest.mark.parametrize("target", ["brian2", "pynn"])
@pytest.mark.parametrize("place", FORGERIES)
def test_forged_networks_are_refused(place: str, target: str, tmp_path: Path) -> None:
    network = copy.deepcopy(networks.branches())  # models share their parts
    FORGERIES[place](network)
    with pytest.raises(ExportError, match="cannot be written into a program"):
        bc.emit(network, tmp_path / "net", target=target)
    assert list(tmp_path.iterdir()) == []


def test_text_in_a_table_stays_text() -> None:
    """Even what is not checked goes in through repr."""
    table = {EVIL: [EVIL, (EVIL,), (1.5, None, True)]}
    text = source({"A": table, "B": Quantity(EVIL, "mV")}, with_units=False)
    first, other = ast.parse(text).body
    assert isinstance(first, ast.Assign) and ast.literal_eval(first.value) == table
    assert isinstance(other, ast.Assign) and isinstance(other.value, ast.Subscript)
    assert isinstance(other.value.slice, ast.Constant) and other.value.slice.value == EVIL


def test_only_plain_values_can_be_written() -> None:
    with pytest.raises(TypeError, match="cannot be written into a program"):
        source({"A": object()}, with_units=True)
    with pytest.raises(KeyError):
        source({"A": Unit(EVIL)}, with_units=True)


def test_names_that_the_program_uses_are_refused(tmp_path: Path) -> None:
    network = networks.branches()
    model = network.populations[0].model
    parameter = replace(model.parameters[0], name="change0", role="")
    new = replace(model, parameters=(*model.parameters, parameter))
    populations = [replace(p, model=new) for p in network.populations]
    with pytest.raises(ExportError, match="uses the name 'change0'"):
        bc.emit(network.replace(populations=tuple(populations)), tmp_path / "net")
