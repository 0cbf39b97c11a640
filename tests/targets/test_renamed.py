"""What a target makes of a network depends on equations and declarations, on no name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from renaming import content, renamed
from sample_networks import images, spiking_network
from some_variants import some

import bioconv as bc
from bioconv.analog.functions import Softmax
from bioconv.export.cells import GENERATED, SIMULATORS, cell_for, standard_cell_of, standard_cells
from bioconv.export.pynn import pynn_network
from bioconv.export.tables import model_names
from bioconv.ground.errors import ExportError, Problem
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons import (
    IntegrateAndFire,
    Integrator,
    Izhikevich,
    LeakyIntegrateAndFire,
    Neuron,
    NeuronModel,
)
from bioconv.simulators.stimulation import default_step, single_neurons
from bioconv.targets import Report, Verdict
from bioconv.targets.validator import check


def of(neuron: Neuron, readout: str = "count", encoder: str = "current") -> SpikingNetwork:
    """The sample with other neurons; synapses of both signs where the receptors say so."""
    network = spiking_network(encoder, changes=())
    receptors = neuron.model.receptors
    current = {"i_offset": 300.0, **neuron.parameters}
    populations = [replace(p, model=neuron.model, parameters=current) for p in network.populations]
    populations = [replace(p, initial={}) for p in populations]
    projections = []
    for projection in network.projections:
        for receptor in receptors:
            sign = receptor.sign
            part = projection.operator.map_weights(
                lambda w, sign=sign: 40.0 * (np.maximum(sign * w, 0.0) if sign else w)
            )
            projections.append(replace(projection, operator=part, receptor=receptor.name))
    if readout != "count":
        populations[1] = replace(
            populations[1], model=Integrator("delta").model, parameters={"i_offset": 0.1}
        )
        projections[-1] = replace(
            projections[-1],
            operator=network.projections[-1].operator,
            receptor=populations[1].model.receptors[0].name,
        )
    return network.replace(
        populations=tuple(populations),
        projections=tuple(projections),
        readouts=(replace(network.readouts[0], kind=readout),),
    )


def chip_network(encoder: str = "regular") -> SpikingNetwork:
    """Leaky neurons whose softmax outputs fire without input, as the rate code makes them."""
    network = of(LeakyIntegrateAndFire(tau_m=10.0, c_m=250.0), encoder=encoder)
    hidden, out = network.populations
    out = replace(
        out, offset=np.full(3, -0.2), scale=np.array(0.7), activation_current=150.0, start_step=2
    )
    readout = replace(network.readouts[0], function=Softmax())
    delays = tuple(replace(p, delay_steps=1) for p in network.projections)
    return network.replace(populations=(hidden, out), projections=delays, readouts=(readout,))


def held() -> SpikingNetwork:
    """Populations that wait with a threshold out of reach."""
    network = spiking_network(changes=())
    late = replace(network.populations[1], parameters={"v_th": 1e9}, start_step=3)
    change = replace(spiking_network().changes[0], step=3, variable="v_th", value=1.0)
    return network.replace(populations=(network.populations[0], late), changes=(change,))


CASES: dict[str, tuple[str, Callable[[], SpikingNetwork]]] = {
    "spinnaker integrators": ("spinnaker", lambda: spiking_network(changes=())),
    "spinnaker held": ("spinnaker", held),
    "spinnaker leaky": ("spinnaker", lambda: of(LeakyIntegrateAndFire())),
    "spinnaker conductances": (
        "spinnaker",
        lambda: of(LeakyIntegrateAndFire(synapse="conductance")),
    ),
    "spinnaker izhikevich": ("spinnaker", lambda: of(Izhikevich())),
    "spinnaker potential": ("spinnaker", lambda: of(IntegrateAndFire(), "potential")),
    "brainscales2": ("brainscales2", chip_network),
    "brainscales2 currents": ("brainscales2", lambda: chip_network("current")),
    "nir integrators": ("nir", lambda: spiking_network(changes=())),
    "nir held": ("nir", held),
    "nir leaky": ("nir", lambda: of(LeakyIntegrateAndFire("subtraction"))),
    "nir pulses": ("nir", lambda: of(LeakyIntegrateAndFire(synapse="delta", t_ref=2.0))),
    "nir potential": ("nir", lambda: of(IntegrateAndFire(), "potential")),
    "brian2": ("brian2", lambda: of(LeakyIntegrateAndFire())),
    "brian2 potential": ("brian2", lambda: of(IntegrateAndFire(), "potential")),
    "pynn": ("pynn", lambda: of(LeakyIntegrateAndFire())),
    "pynn conductances": ("pynn", lambda: of(LeakyIntegrateAndFire(synapse="conductance"))),
}


def found(report: Report) -> list[Any]:
    """What a report says, without names."""
    fit = report.fit
    assert fit is not None
    findings = [(f.aspect, f.verdict, f.error, f.unit) for f in report.findings]
    return [findings, fit.resources, report.measured, content(fit.network)]


def emitted(report: Report, path: Path) -> list[Any]:
    """Everything numeric that is written, in the order in which it is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report.emit(path)
    if path.is_file():
        return content(bc.read_nir(path, extras=True))
    with np.load(path / "weights.npz") as arrays:
        return sorted((a.dtype.str, a.shape, a.tobytes()) for a in arrays.values())


SAMPLED = ("spinnaker integrators", "brainscales2", "nir leaky")


@pytest.mark.parametrize(
    ("case", "sampled"), [*((case, False) for case in CASES), *((case, True) for case in SAMPLED)]
)
def test_a_renamed_network_is_the_same_for_every_target(
    case: str, sampled: bool, tmp_path: Path
) -> None:
    target, make = CASES[case]
    # Chips are drawn by names of populations.
    network, other = make(), renamed(make(), populations=not sampled)
    x = images(6) if sampled else None
    y = None if x is None else {other.inputs[0].name: x}
    one = bc.examine(network, target, x, chips=1, progress=False)
    two = bc.examine(other, target, y, chips=1, progress=False)
    assert one.verdict != Verdict.IMPOSSIBLE, one
    assert found(one) == found(two)
    assert emitted(one, tmp_path / "one") == emitted(two, tmp_path / "two")


def test_softmax_outputs_lose_their_current_by_the_field_alone() -> None:
    network = chip_network()
    bare = network.replace(code={})
    aspects = [f.aspect for f in bc.examine(bare, "brainscales2").findings]
    assert "outputs" in aspects
    without = [replace(p, activation_current=0.0) for p in network.populations]
    recorded = network.replace(populations=tuple(without), code={"drive_gain": 150.0})
    aspects = [f.aspect for f in bc.examine(recorded, "brainscales2").findings]
    assert "outputs" not in aspects


def edits(model: NeuronModel) -> dict[str, NeuronModel]:
    """The model with one thing changed each time, under its old name."""
    state = model.receptors[0].variable
    return {
        "equation": replace(model, equations=model.equations.replace("/ tau_m", "/ (2 * tau_m)")),
        "threshold": replace(model, threshold="v >= 2 * v_th"),
        "reset": replace(model, reset="v = v_reset - 1 * mV"),
        "receptor": replace(
            model, receptors=(*model.receptors, replace(model.receptors[0], name="also_here"))
        ),
        "jump": replace(model, receptors=tuple(replace(r, also=(state,)) for r in model.receptors)),
        "start": replace(
            model, states=(replace(model.states[0], initial=-65.0), *model.states[1:])
        ),
        "method": replace(model, method="exponential_euler"),
        "after": replace(model, after="v = clip(v, -70 * mV, 0 * mV)"),
    }


@pytest.mark.parametrize("edit", edits(LeakyIntegrateAndFire().model))
@pytest.mark.parametrize("target", ["spinnaker", "brainscales2", "nir"])
def test_an_edited_model_has_no_cell(target: str, edit: str) -> None:
    network = chip_network()
    assert bc.examine(network, target).verdict != Verdict.IMPOSSIBLE
    model = edits(network.populations[0].model)[edit]
    populations = tuple(replace(p, model=model) for p in network.populations)
    changed = network.replace(populations=populations)
    declared = bc.targets.exporter(target).target
    verdicts = {f.part: f.verdict for f in check(changed, declared) if f.aspect == "neuron"}
    assert verdicts == dict.fromkeys(("conv", "out"), Verdict.IMPOSSIBLE)
    with pytest.raises(ExportError, match="no cell with the equations"):
        bc.emit(changed, "nowhere", target)


@pytest.mark.parametrize("edit", edits(LeakyIntegrateAndFire().model))
def test_an_edited_model_is_no_standard_cell(edit: str) -> None:
    network = of(LeakyIntegrateAndFire())
    model = edits(network.populations[0].model)[edit]
    assert model.standard_cell == "IF_curr_exp"
    populations = tuple(replace(p, model=model) for p in network.populations)
    changed = network.replace(populations=populations)
    first = changed.populations[0]
    assert cell_for(first, changed, "nest") == GENERATED
    for simulator in ("neuron", "brian2"):
        problem = cell_for(first, changed, simulator)
        assert isinstance(problem, Problem) and "no standard cell" in problem.reason
    assert not pynn_network(changed).tables["STANDARD_CELLS"]


@pytest.mark.parametrize("name", sorted(standard_cells()))
def test_standard_cells_are_found_by_equations_and_get_the_same_numbers(name: str) -> None:
    neuron = Neuron(replace(standard_cells()[name].model, standard_cell=""), {})
    for dt in (default_step(neuron), 1.0):  # too large a step for NEURON in two of the cells
        network = single_neurons(neuron, dt=dt)
        other = renamed(network)
        pairs = list(zip(network.populations, other.populations, strict=True))
        for simulator in SIMULATORS:
            for one, two in pairs:
                cells = cell_for(one, network, simulator), cell_for(two, other, simulator)
                assert [type(cell) for cell in cells] in ([str, str], [Problem, Problem])
                if isinstance(cells[0], str):
                    assert cells[0] == cells[1]
                    assert cells[0] in (name, GENERATED)
    told = [
        {
            theirs: factor * np.max(population.value(ours))
            for ours, (names, factor) in cell.parameters.items()
            for theirs in names
        }
        for population in pairs[0]
        for cell in [_cell(population)]
    ]
    assert told[0] == told[1]
    starts = [
        {theirs: factor * np.max(p.start(ours)) for ours, (theirs, factor) in cell.states.items()}
        for p in pairs[0]
        for cell in [_cell(p)]
    ]
    assert starts[0] == starts[1]
    assert [*_cell(pairs[0][0]).receptors.values()] == [*_cell(pairs[0][1]).receptors.values()]


def _cell(population: Population) -> Any:
    cell = standard_cell_of(population.model)
    assert cell is not None
    return cell[1]


@pytest.mark.parametrize("simulator", some(["pynn.brian2", "brian2"], every=2))
def test_programs_of_a_renamed_network_give_the_same_spikes(simulator: str) -> None:
    if simulator == "pynn.brian2":
        pytest.importorskip("pyNN.brian2")
    neuron = LeakyIntegrateAndFire(synapse="conductance", tau_m=10.0, i_offset=2500.0)
    network = of(neuron)
    network = network.replace(n_steps=25)
    other = renamed(network)
    counts = []
    for each in (network, other):
        states = {p.name: ("counts", p.model.states[1].name) for p in each.populations}
        run = bc.simulate(each, images(1), simulator=simulator, record=states, progress=False)
        traces = [run.traces[p.name, p.model.states[1].name] for p in each.populations]
        counts.append([*(run.counts[p.name] for p in each.populations), *traces])
    for one, two in zip(*counts, strict=True):
        np.testing.assert_array_equal(one, two)
    assert counts[0][0].sum() > 0


def test_models_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    models = [IntegrateAndFire().model, LeakyIntegrateAndFire().model, Izhikevich().model]
    network = of(LeakyIntegrateAndFire())
    names = ("twin", "twin", "twin_2")
    three = [replace(model, name=name) for model, name in zip(models, names, strict=True)]
    populations = [Population(f"p{n}", (2,), model) for n, model in enumerate(three)]
    network = network.replace(
        inputs=(), drives=(), projections=(), readouts=(), populations=tuple(populations)
    )
    assert list(model_names(network).values()) == three
    assert list(model_names(network)) == ["twin", "twin_3", "twin_2"]
    for target in ("brian2", "pynn"):
        bc.emit(network, tmp_path / target, target)
    files = {path.name: path.read_text() for path in (tmp_path / "pynn").glob("*.nestml")}
    assert {f"{name}.nestml" for name in model_names(network)} == files.keys()
    for name, text in files.items():
        assert f"model {name.removesuffix('.nestml')}:" in text
