"""The table of PyNN's standard cells, and the text of generated models."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bioconv import neurons
from bioconv.export.cells import choose_cells, from_pynn, standard_cells, to_pynn
from bioconv.export.nestml import nestml
from bioconv.ground.errors import ExportError

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402


@pytest.mark.parametrize("name", sorted(standard_cells()))
def test_translation_is_reversible(name: str) -> None:
    cell = standard_cells()[name]
    random = np.random.default_rng(0)
    starts = {state.initial for state in cell.model.states}
    values = {p.name: random.random(4) for p in cell.model.parameters if p.name not in starts}
    values |= {p: random.random(4) for p in cell.parameters} | dict(cell.fixed)
    back = from_pynn(cell, to_pynn(cell, values))
    assert back.keys() == values.keys()
    for key, value in values.items():
        np.testing.assert_allclose(back[key], value, rtol=1e-15)


UNITS = {
    "pF": ("nF", 1e-3),
    "pA": ("nA", 1e-3),
    "nS": ("uS", 1e-3),
    **{unit: (unit, 1.0) for unit in ("mV", "ms", "mV/ms")},
}


def test_names_and_units_are_pynns() -> None:
    """Checked against PyNN's own description of the cells."""
    cells = pytest.importorskip("pyNN.standardmodels.cells")
    for name, cell in standard_cells().items():
        theirs = getattr(cells, name)
        units = {p.name: p.unit for p in (*cell.model.parameters, *cell.model.states)}
        translated = [(n, names, factor) for n, (names, factor) in cell.parameters.items()]
        translated += [(n, (own,), factor) for n, (own, factor) in cell.states.items()]
        for ours, names, factor in translated:
            for pynn_name in names:
                expected = (
                    ("nS", 1.0) if (ours, name[:3]) == ("a", "EIF") else UNITS.get(units[ours])
                )
                if units[ours] == "1":  # a rate in Izhikevich's cell, a gate in HH_cond_exp
                    expected = ("/ms" if ours in ("a", "b") else "", 1.0)
                assert (theirs.units[pynn_name], factor) == expected, (name, ours)
        ours = {n for names, _ in cell.parameters.values() for n in names}
        assert ours == set(theirs.default_parameters)
        assert {own for own, _ in cell.states.values()} <= set(theirs.default_initial_values)


@pytest.mark.parametrize(
    "name", ["HH_cond_exp", "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista"]
)
def test_defaults_are_pynns(name: str) -> None:
    """Library and PyNN follow the same publication; these two are choices of the library."""
    theirs = getattr(pytest.importorskip("pyNN.standardmodels.cells"), name).default_parameters
    cell = standard_cells()[name]
    ours = to_pynn(cell, {p.name: p.default for p in cell.model.parameters})
    own_choice = {"v_spike", "tau_refrac"}
    for key in theirs.keys() - own_choice:
        assert ours[key] == pytest.approx(theirs[key]), key


def test_two_different_receptors_have_no_way_back() -> None:
    cell = standard_cells()["IF_curr_exp"]
    values = to_pynn(cell, {p.name: p.default for p in cell.model.parameters})
    with pytest.raises(ExportError, match="tau_syn_E and tau_syn_I differ"):
        from_pynn(cell, {**values, "tau_syn_I": 99.0})


def test_a_cell_with_other_equations_is_not_believed() -> None:
    network = networks.leaky()
    model = network.populations[0].model
    slower = replace(model, equations=model.equations.replace("/ tau_m", "/ (2 * tau_m)"))
    populations = tuple(replace(p, model=slower) for p in network.populations)
    assert set(choose_cells(network, "nest").values()) == {"IF_curr_exp"}
    changed = network.replace(populations=populations)
    assert set(choose_cells(changed, "nest").values()) == {"generated"}
    with pytest.raises(ExportError, match="no standard cell"):
        choose_cells(changed, "brian2")


def test_delta_cells_and_their_reasons() -> None:
    network = networks.leaky(synapse="delta")
    assert set(choose_cells(network, "brian2").values()) == {"IF_curr_delta"}
    assert set(choose_cells(network, "nest").values()) == {"generated"}


def test_generated_models_keep_the_order_of_a_step() -> None:
    text = nestml(neurons.IntegrateAndFire().model)
    update = text[text.index("update:") :]
    order = ["_active = 1.0", "next_v real", "v = next_v", "v + syn", "v >= v_th", "emit_spike()"]
    places = [update.index(piece) for piece in order]
    assert places == sorted(places)


def test_reset_statements_see_what_the_one_before_has_set() -> None:
    model = neurons.IntegrateAndFire().model
    equations = f"{model.equations}\nhalf = v / 2 : volt"
    text = nestml(replace(model, equations=equations, reset="v = half\nv = half"))
    assert "_half_2 real" in text and "_half_3 real" in text
    assert text.index("v = _half_2") < text.index("_half_3 real") < text.index("v = _half_3")
