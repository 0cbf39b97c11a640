"""The one check of all targets, the report, and what is written or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_networks import images, spiking_network

import bioconv as bc
from bioconv.analog.functions import UnitNormalization
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.ground.errors import DataError, ExportError, ParameterError
from bioconv.network import AnalogStage, Population, Projection, SpikingNetwork
from bioconv.neurons import (
    HodgkinHuxley,
    IntegrateAndFire,
    LeakyIntegrateAndFire,
    with_noise,
)
from bioconv.noise import FixedPointState, SynapticFailure, disturb
from bioconv.operators import Chain, Dense, Reshape, identity
from bioconv.targets import Cell, Exporter, Fit, Limit, Loss, Report, Target, Verdict
from bioconv.targets.fit import Samples
from bioconv.targets.validator import FEATURES, check, find_cell

LOSS = Loss(Verdict.IMPOSSIBLE, "the toy has none", "this file", "Leave it out.")
LEAKY = LeakyIntegrateAndFire(synapse="delta")
TOY = Target(
    name="toy",
    title="Toy",
    summary="nothing",
    tested="here",
    cells=(
        Cell(
            "toy_leaky",
            LEAKY.model,
            "this file",
            ((IntegrateAndFire().model, "leaks and forgets the rest at reset"),),
            {"tau_m": Limit((1.0, 50.0), "ms", "this file")},
        ),
    ),
)


def of(model, **parameters) -> SpikingNetwork:
    """The sample with another model in its hidden population, and nothing else special."""
    plain = Population("conv", (4, 4, 2), model, parameters)
    network = spiking_network(changes=())
    return network.replace(populations=(plain, network.populations[1]))


def noisy() -> SpikingNetwork:
    return of(with_noise(LEAKY, 1.0).model)


def with_stage() -> SpikingNetwork:
    """The sample with a stage that normalizes its hidden population."""
    network = spiking_network()
    same = Affine((Term("conv2d/relu", identity((4, 4, 2))),), np.zeros((1, 1, 1)), (4, 4, 2))
    layer = Layer("norm", UnitNormalization(), (same,), (4, 4, 2))
    graph = replace(network.analog, layers=(*network.analog.layers, layer))
    decoded = replace(same, terms=(Term("conv", identity((4, 4, 2))),))
    return network.replace(analog=graph, stages=(AnalogStage("norm", "norm", (decoded,)),))


USES: dict[str, Callable[[], SpikingNetwork]] = {
    "constant current": spiking_network,
    "initial state": spiking_network,
    "random numbers": noisy,
    "refractory period": lambda: of(LEAKY.model, t_ref=2.0),
    "scheduled changes": spiking_network,
    "statements after a step": lambda: disturb(spiking_network(), FixedPointState()),
    "mixed signs": spiking_network,
    "random release": lambda: disturb(spiking_network(), SynapticFailure(0.1)),
    "current input": spiking_network,
    "regular input": lambda: spiking_network("regular"),
    "poisson input": lambda: spiking_network("poisson"),
    "raster input": lambda: spiking_network("raster"),
    "analog stage": with_stage,
    "readout count": spiking_network,
    **{
        f"readout {kind}": lambda kind=kind: spiking_network(  # type: ignore[misc]
            readouts=(replace(spiking_network().readouts[0], kind=kind, rate=100.0),)
        )
        for kind in ("first_spike", "potential", "level", "accumulated_softmax", "softmax")
    },
    **{
        f"readout {kind}": lambda kind=kind: spiking_network(  # type: ignore[misc]
            readouts=(
                replace(
                    spiking_network().readouts[0],
                    kind=kind,
                    patterns=np.ones((2, 5, 3), bool),
                    decay=0.9,
                ),
            )
        )
        for kind in ("pattern", "pattern_absolute")
    },
}


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_is_found_where_it_is_used_and_nowhere_else(feature: str) -> None:
    target = replace(TOY, any_model=True, losses={feature: LOSS})
    found = [f for f in check(USES[feature](), target) if f.aspect == feature]
    assert found and all(f.verdict is Verdict.IMPOSSIBLE for f in found)
    assert {f.advice for f in found} == {"Leave it out."}
    bare = Population("out", (3,), IntegrateAndFire().model)
    without = spiking_network(
        inputs=(),
        populations=(bare,),
        projections=(),
        drives=(),
        changes=(),
        readouts=() if feature.startswith("readout") else spiking_network().readouts,
    )
    assert not [f for f in check(without, target) if f.aspect == feature]


def test_cells_are_exact_stand_ins_or_missing() -> None:
    verdicts = {
        name: check(of(model), TOY)
        for name, model in {
            "exact": LEAKY.model,
            "approximated": IntegrateAndFire().model,
            "impossible": HodgkinHuxley().model,
        }.items()
    }
    for expected, findings in verdicts.items():
        (neuron,) = [f for f in findings if (f.part, f.aspect) == ("conv", "neuron")]
        assert neuron.verdict == expected
    assert (
        "toy_leaky" in str(verdicts["impossible"][0].problem()) + verdicts["impossible"][0].advice
    )


def test_stand_ins_are_chosen_by_their_equations() -> None:
    """A name says nothing: neither the same name with a leak, nor another without."""
    integrator = IntegrateAndFire().model
    leak = integrator.equations.replace("= (", "= (-v * c_m / (10 * ms) + ")
    leaking = replace(integrator, equations=leak)
    renamed = replace(integrator, name="mine")
    assert find_cell(TOY, Population("p", (2,), leaking)) is None
    for name in ("spinnaker", "nir"):
        target = bc.targets.exporter(name).target
        assert find_cell(target, Population("p", (2,), leaking)) is None
        cells = [find_cell(target, Population("p", (2,), m)) for m in (integrator, renamed)]
        assert cells[0] is not None and cells[0] == cells[1] and cells[0][1]


def test_parameters_out_of_range_are_named() -> None:
    found = check(of(LEAKY.model, tau_m=np.linspace(20.0, 60.0, 32).reshape(4, 4, 2)), TOY)
    (neuron,) = [f for f in found if (f.part, f.aspect) == ("conv", "neuron")]
    assert neuron.verdict is Verdict.IMPOSSIBLE
    assert "tau_m is 20 to 60 ms, but the cell allows 1.0 to 50.0 ms" in neuron.text


def test_numbers_are_held_to_the_limits() -> None:
    narrow = replace(
        TOY,
        any_model=True,
        delay_steps=Limit((1, 1), "steps", "here"),
        fan_in=Limit(31, "synapses", "here"),
        neurons=Limit(34, "neurons", "here"),
        operators=("Dense",),
    )
    aspects = {f.aspect: f.text for f in check(spiking_network(), narrow) if f.verdict != "exact"}
    assert "2 steps (2 ms), but the target allows 1 to 1 steps" in aspects["delay"]
    assert "32 synapses" in aspects["fan-in"]
    assert "35 neurons" in aspects["size"]
    assert "Reshape" in aspects["operator"]
    wide = replace(
        narrow,
        delay_steps=Limit((1, 2), "steps", "here"),
        fan_in=Limit(32, "synapses", "here"),
        neurons=Limit(35, "neurons", "here"),
        operators=("Dense", "Reshape"),
    )
    assert all(f.verdict == "exact" for f in check(spiking_network(), wide))


def test_a_declaration_with_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ParameterError, match="teleportation"):
        check(spiking_network(), replace(TOY, losses={"teleportation": LOSS}))


def report(target: Target, write) -> Report:
    network = spiking_network()
    exporter = Exporter(target, lambda net, x: Fit(net), write)
    findings = check(network, target)
    return Report(network, exporter, findings, Fit(network))


@pytest.mark.parametrize("n_images", [40, 39])
def test_what_is_fitted_on_samples_is_measured_on_others(
    n_images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[np.ndarray] = []

    def fit(network: SpikingNetwork, samples: Samples | None) -> Fit:
        assert samples is not None
        fitted.extend(samples.values())
        return Fit(network)

    exporter = Exporter(replace(TOY, any_model=True), fit, lambda fit, path: None)
    x, y = images(n_images), np.arange(n_images) % 3
    for fits_samples in (True, False):
        fitting = replace(exporter, fits_samples=fits_samples)
        monkeypatch.setattr(bc.targets, "exporter", lambda name, fitting=fitting: fitting)
        found = bc.examine(spiking_network(), "toy", x, y, progress=False)
        parted = fits_samples and n_images == 40
        np.testing.assert_array_equal(fitted.pop(), x[:20] if parted else x)
        measured = x[20:] if parted else x
        accuracy = bc.simulate(spiking_network(), measured, progress=False).accuracy(
            y[-len(measured) :]
        )
        assert (found.measured[0].n_images, found.measured[0].accuracy) == (len(measured), accuracy)
        said = [f.text for f in found.findings if f.aspect == "samples"]
        assert any("the same 39 samples" in text for text in said) == (fits_samples and not parted)
        with pytest.raises(DataError, match=f"expected {n_images} labels, .* Received: 3"):
            bc.examine(spiking_network(), "toy", x, y[:3], progress=False)


def test_impossible_writes_nothing_and_lists_everything(tmp_path: Path) -> None:
    losses = {"mixed signs": LOSS, "scheduled changes": LOSS}
    refused = report(
        replace(TOY, any_model=True, losses=losses), lambda fit, folder: pytest.fail("written")
    )
    assert refused.verdict is Verdict.IMPOSSIBLE
    with pytest.raises(ExportError, match="Toy cannot represent sample") as caught:
        refused.emit(tmp_path / "net")
    assert {p.what for p in caught.value.problems} == set(losses)
    assert not list(tmp_path.iterdir())


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def write(fit: Fit, folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        report(replace(TOY, any_model=True), write).emit(tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_the_report_is_text_and_json(tmp_path: Path) -> None:
    found = bc.examine(spiking_network(), "brian2", images(4), np.arange(4) % 3, progress=False)
    found.save(tmp_path / "lost.json")
    found.save(tmp_path / "lost.txt")
    record = json.loads((tmp_path / "lost.json").read_text())
    assert record == json.loads(json.dumps(found.record()))
    assert record["verdict"] == "exact" and record["measured"][0]["n_images"] == 4
    text = (tmp_path / "lost.txt").read_text()
    assert text == f"{found}\n"
    for part in ("conv", "out", "conv -> out (syn)", "unrestricted", found.exporter.target.tested):
        assert part in text
    for finding in record["findings"]:
        assert set(finding) >= {"part", "aspect", "verdict", "text", "error", "unit", "advice"}


def test_the_files_for_brian2_are_those_that_its_simulator_runs(tmp_path: Path) -> None:
    files = bc.emit(spiking_network(), tmp_path / "net")
    assert files[0].name == "program.py" and all(file.is_file() for file in files)


@pytest.mark.parametrize("name", bc.targets.TARGETS)
def test_every_declaration_is_whole(name: str) -> None:
    target = bc.targets.exporter(name).target
    assert target.name == name and target.title and target.summary and target.tested
    assert target.any_model or target.cells
    assert target.losses.keys() <= FEATURES.keys()
    rows = bc.describe_target(name)["limits"]
    assert rows and all(row["source"] and row["value"] for row in rows)
    for cell in target.cells:
        assert cell.bounds.keys() <= {p.name for p in cell.model.parameters}


@pytest.mark.parametrize("name", bc.targets.TARGETS)
def test_every_target_takes_or_refuses_whole(name: str, tmp_path: Path) -> None:
    """A network with a bit of everything: it is written, or every reason is given."""
    found = bc.examine(spiking_network(), name)
    place = tmp_path / "net"
    if found.verdict is Verdict.IMPOSSIBLE:
        with pytest.raises(ExportError) as caught:
            found.emit(place)
        assert caught.value.problems and not list(tmp_path.iterdir())
    else:
        assert all(file.is_file() for file in found.emit(place))


def test_unknown_targets_are_refused() -> None:
    with pytest.raises(ParameterError, match="Valid: brainscales2, brian2, nir, pynn"):
        bc.examine(spiking_network(), "loihi")


def test_a_step_that_nest_cannot_have_is_in_the_report() -> None:
    cells = {f.text for f in bc.examine(of(LEAKY.model), "pynn").findings if f.aspect == "cells"}
    assert all("nest: none" not in text for text in cells)
    odd = of(LEAKY.model).replace(dt=0.3337)
    cells = {f.text for f in bc.examine(odd, "pynn").findings if f.aspect == "cells"}
    assert cells and all(
        "nest: none (NEST counts time in units of 0.001 ms" in text for text in cells
    )


def test_a_report_says_on_which_simulators_of_pynn_a_network_runs() -> None:
    leaky = LeakyIntegrateAndFire().model
    network = of(leaky)
    both = (network.populations[0], Population("out", network.populations[1].shape, leaky))
    everywhere = bc.examine(network.replace(populations=both), "pynn")
    assert not everywhere.only and "exact\n" in str(everywhere)
    report = bc.examine(of(LEAKY.model), "pynn")
    assert report.only == ("nest",) and report.record()["only"] == ["nest"]
    for text in (str(report), repr(report)):
        assert "exact on nest only" in text
    nowhere = bc.examine(of(LEAKY.model).replace(dt=0.3337), "pynn")
    assert nowhere.verdict is Verdict.IMPOSSIBLE
    with pytest.raises(ExportError, match="none of PyNN's simulators has cells"):
        nowhere.emit("never")


def test_recurrent_networks_are_examined_but_not_measured() -> None:
    network = spiking_network(changes=())
    back = Projection(
        "out", "conv", Chain((Dense((3,), np.ones((3, 32))), Reshape((32,), (4, 4, 2)))), "syn"
    )
    circle = network.replace(projections=(*network.projections, back))
    found = bc.examine(circle, "pynn", images(3), progress=False)
    assert not found.measured and "does not run recurrent networks" in str(found)
    assert bc.examine(network, "pynn", images(3), progress=False).measured
