"""Every figure runs; what follows from equations comes out as the equations say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from degenerate import constants, indifferent, shuffles

from bioconv.ground.errors import DataError, ParameterError
from bioconv.paper_figures import frame, records
from bioconv.paper_figures.__main__ import main

QUICK = frame.Context(quick=True, progress=False)
#: folder in which all figures have been run already, with --quick
_SMOKE = "BIOCONV_SMOKE_FIGURES"
#: minutes of a full run, from which on the short one takes seconds
_LONG = 0.3
_BOUND = "a bound of an error or of a loss, which no error at all keeps"
_NONE = "that something never happens, as in a result in which nothing does"
_COUNT = "a number of spikes, which other times of the spikes leave as it is"
#: claims that results without any effect would meet, and why they stay
INDIFFERENT: dict[str, dict[str, str]] = {
    "bioconv_fig_1": {"loss": _BOUND},
    "bioconv_fig_2": {"gain": _BOUND},
    "bioconv_fig_3": {"cells": "what the figure ran, not what came out", "ideal_loss": _BOUND},
    "bioconv_fig_4": {"training": "a gain of at least nothing, which equal accuracies keep"},
    "stanojevic_fig_3_5": dict.fromkeys(("steps_64", "tuned_16", "tuned_6"), _BOUND),
    "mueller_table_4_1": {"loss_9999": _BOUND},
    "mueller_fig_2_4": {"LIF_2": _NONE},
    "mueller_fig_2_5": {
        "spikes_a": _NONE,
        **dict.fromkeys(("spikes_b", "spikes_c", "spikes_d"), _COUNT),
    },
    "mueller_fig_3_12": {"over_best": _BOUND},
    "mueller_fig_4_6": dict.fromkeys(("loss", "relu1_loss", "predicted", "best"), _BOUND),
    "mueller_fig_4_8": {"loss": _BOUND, "later_gain": _BOUND},
    "mueller_fig_4_10": {"loss": _BOUND, "later_gain": _BOUND},
    "mueller_fig_4_3": {"biased_bound": _BOUND, "unbiased_bound": _BOUND},
    "mueller_fig_5_3": {"within_bound": _BOUND, "quantile_error": _BOUND},
    "mueller_fig_5_4": {"within_bound": _BOUND, "quantile_error": _BOUND},
    "mueller_fig_6_2": {"grid_lag": _BOUND},
    "mueller_fig_6_4": {"highest": _BOUND, "silent": _NONE},
    "stanojevic_fig_2_3": {"spikes_before_opening": _NONE},
    "stanojevic_fig_2_5a": {"loss_from_zero": _BOUND, "loss_at_half": _BOUND},
    "stanojevic_fig_3_6": {
        "lost_at_bound": _BOUND,
        "recovered": "a comparison of two arrays that constants do not make alike",
    },
    "stanojevic_fig_a_2d": {"relu_loss": _BOUND},
    "stanojevic_fig_a_5e": {"additions": _BOUND, "integers": _BOUND},
    "stanojevic_fig_a_6e": {"relu": _BOUND, "additions": _BOUND},
    "stanojevic_fig_a_8e": dict.fromkeys(("extended", "relu", "additions"), _BOUND),
    "stanojevic_fig_a_2e": {"relu_loss": _BOUND},
    "stanojevic_table_2_1": {"loss": _BOUND},
    "stoeckl_fig_5": {"loss_10": _BOUND},
    "stoeckl_table_1": {"resnet8_loss": _BOUND, "resnet20_loss": _BOUND},
    "stoeckl_fig_3": {"error": _BOUND},
    "stoeckl_fig_4": {"silu_inside": _BOUND, "relu_error": _BOUND},
    "yousefzadeh_fig_1": {"largest_error": _BOUND},
}


@pytest.mark.parametrize("name", frame.names())
def test_figure_runs_and_says_what_it_was_computed_on(
    name: str, tmp_path: Path, slow: Callable[[], None]
) -> None:
    folder = Path(os.environ.get(_SMOKE, tmp_path))
    if folder == tmp_path:
        if frame.figure(name).MANIFEST.minutes >= _LONG:
            slow()
        frame.run(name, folder, QUICK)
    record = json.loads((folder / f"{name}.json").read_text())
    assert record["quick"]
    assert (folder / f"{name}.png").stat().st_size > 10_000
    assert record["status"] == "no verdict"
    assert all(np.isfinite(claim["measured"]) for claim in record["claims"])
    assert record["used"]
    assert record["why"]
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        nothing = set(indifferent(frame.figure(name), dict(file)))
    assert nothing <= set(INDIFFERENT.get(name, ())), "claims that constant results would meet"


def test_figures_are_found_inside_the_package() -> None:
    """An installation has no top-level package of figures, and a user may have one."""
    for name in frame.names():
        assert frame.figure(name).__name__ == f"bioconv.paper_figures.{name}"  # type: ignore[attr-defined]


class _Figure:
    """Accuracy before and after, with claims of every kind."""

    MANIFEST = frame.Manifest(
        "bioconv",
        "Fig 0",
        "",
        (
            frame.Claim("no_loss", "", 0.0, tolerance=0.05),
            frame.Claim("gain", "", 0.0, kind="at least"),
            frame.Claim("big_gain", "", 0.2, kind="at least"),
            frame.Claim("any", "", 0.5, tolerance=100.0),
            frame.Claim("good", "", 0.9, kind="at least"),
        ),
        data="",
    )

    def measure(self, result: frame.Result) -> dict[str, float]:
        before, after = result["accuracy"][:2]
        change = float(after - before)
        return {
            "no_loss": float(result["accuracy"][3] - result["accuracy"][2]),
            "gain": change,
            "big_gain": change,
            "any": change,
            "good": float(before),
        }


def test_claims_that_cannot_fail_are_found() -> None:
    result = {
        "accuracy": np.array([0.5, 0.9, 0.9, 0.9]),
        "n": np.array([3, 4]),
        "used": np.array("nothing"),
    }
    assert indifferent(_Figure(), result) == ["gain", "any"]
    for changed in (*constants(result), *shuffles(result)):
        assert changed.keys() == result.keys()
        np.testing.assert_array_equal(changed["n"], result["n"])
    assert all(np.ptp(changed["accuracy"]) == 0 for changed in constants(result))
    assert all(
        set(changed["accuracy"]) <= set(result["accuracy"]) for changed in shuffles(result)[:2]
    )


def test_a_figure_with_other_data_is_reproduced_in_part_at_most() -> None:
    manifest = frame.Manifest(
        "bioconv", "Fig 0", "", (frame.Claim("a", "", 1.0),), data="", partly="other data"
    )
    used = {"used": np.array("digits")}
    record = frame._record("fig_0", manifest, {"a": 1.0}, used, frame.Context())
    assert (record["status"], record["why"]) == ("partly", "other data")


def test_a_quick_run_has_no_verdict() -> None:
    manifest = frame.Manifest("bioconv", "Fig 0", "", (frame.Claim("a", "", 1.0),), data="")
    used = {"used": np.array("digits")}
    record = frame._record("fig_0", manifest, {"a": 1.0}, used, QUICK)
    assert record["status"] == "no verdict"
    assert "too few samples" in record["why"]


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [("within", "0.75 to 1.25"), ("at least", "at least 0.75"), ("at most", "at most 1.25")],
)
def test_the_numbers_that_a_claim_accepts_are_named(kind: str, accepted: str) -> None:
    claim = frame.Claim("a", "", 1.0, tolerance=0.25, kind=kind)
    assert claim.accepted() == accepted


def test_numbers_of_numpy_are_written_as_json() -> None:
    manifest = frame.Manifest("bioconv", "Fig 0", "", (frame.Claim("a", "", 1.0),), data="")
    used = {"used": np.array("digits")}
    record = frame._record("fig_0", manifest, {"a": np.float32(1.0)}, used, QUICK)
    assert json.loads(json.dumps(record))["claims"][0]["holds"] is True


def test_quantisation_follows_the_equations() -> None:
    record = frame.figure("mueller_fig_4_3")
    measured = record.measure(record.compute(QUICK))
    # Eqs 4.7 and 4.8: the error stays below 1/t, and below half of it when it is centred.
    assert 0.9 < measured["biased_bound"] <= 1
    assert 0.4 < measured["unbiased_bound"] <= 0.5 + 1e-6
    assert measured["biased_mean"] == pytest.approx(0.5, abs=0.01)
    assert measured["unbiased_mean"] == pytest.approx(0.0, abs=0.01)


def test_centring_helps_the_regression() -> None:
    figure = frame.figure("mueller_fig_4_2a")
    assert figure.measure(figure.compute(QUICK))["error_ratio"] < 1


@pytest.mark.slow
def test_same_seed_same_arrays(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        frame.run("rueckauer_fig_2b", tmp_path / folder, QUICK)
    first, second = (
        dict(np.load(tmp_path / folder / "rueckauer_fig_2b.npz")) for folder in ("a", "b")
    )
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rueckauer_fig_1a", "partly"),  # another network: its largest activation is less far out
        ("rueckauer_fig_1b", "reproduced"),
        ("mueller_fig_3_12", "reproduced"),
    ],
)
def test_figure_on_real_data(name: str, status: str, shared_data: Path, tmp_path: Path) -> None:
    record = frame.run(name, tmp_path, frame.Context(data=shared_data, progress=False))
    assert record["status"] == status, record["why"]


_DEEP = [f"deep{n}_" for n in (20, 32, 44, 56)]


def _constant_curves(codes: Iterable[str], networks: Iterable[str]) -> dict[str, np.ndarray]:
    """Curves that stay below the analog accuracy."""
    found = {f"{network}{code}": np.full(9, 0.5) for network in networks for code in codes}
    found |= {f"{network}analog": np.full((), 0.55) for network in networks}
    return {**found, "steps": np.arange(1, 10)}


_CLAIMS_THAT_CAN_FAIL = {
    "rueckauer_fig_1a": {
        "count": np.ones(2),
        "edges": np.arange(3.0),
        "percentile": np.ones(()),
        "maximum": np.ones(()),
        "n_values": np.full((), 100_000),
    },
    "rueckauer_fig_2a": {"accuracy": np.full(5, 0.5), "analog": np.full((), 0.9)},
    "rueckauer_fig_2b": {
        **{name: np.full(9, 0.5) for name in ("p97", "p99", "p99.9", "p100")},
        "steps": np.arange(1, 10),
        "analog": np.full((), 0.55),
    },
    "mueller_fig_3_12": {
        "percentiles": np.array([80.0, 96.5, 100.0]),
        "noise_loss": np.full(3, 0.1),
        "test_loss": np.full(3, 0.1),
    },
    "mueller_fig_4_2b": _constant_curves(("baseline", "centred"), [""]),
    "mueller_fig_4_4": _constant_curves(
        ("baseline", "unbiased", "channel", "clamp1", "clamp2", "clamp3"), ["deep20_", "deep56_"]
    ),
    "mueller_fig_4_5": _constant_curves(("basic", "extended"), ["deep20_", "deep56_"]),
    "mueller_table_4_1": {
        **_constant_curves(("p99", "p99.9", "p99.99", "p99.999", "p100"), _DEEP),
        **{f"{name}relu1": np.full(5, 0.52) for name in _DEEP},
        **{f"{name}relu1_all": np.full(5, 0.5) for name in _DEEP},
        **{f"{name}analog_all": np.full((), 0.6) for name in _DEEP},
    },
    "mueller_table_4_2": _constant_curves(("basic", "extended"), _DEEP),
}


@pytest.mark.parametrize("name", _CLAIMS_THAT_CAN_FAIL)
def test_constant_results_fail_nearly_every_claim(name: str) -> None:
    """But for what compares a result with itself."""
    figure = frame.figure(name)
    measured = figure.measure(_CLAIMS_THAT_CAN_FAIL[name])
    held = [claim.name for claim in figure.MANIFEST.claims if claim.holds(measured[claim.name])]
    assert held == (["over_best"] if name == "mueller_fig_3_12" else [])


def test_claims() -> None:
    assert frame.Claim("a", "", 1.0, tolerance=0.1).holds(1.05)
    assert not frame.Claim("a", "", 1.0, tolerance=0.1).holds(1.2)
    assert frame.Claim("a", "", 1.0, kind="at least").holds(2.0)
    assert not frame.Claim("a", "", 1.0, kind="at most").holds(2.0)
    assert not frame.Claim("a", "", 1.0, kind="at least").holds(float("nan"))


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "mueller_fig_4_5" in capsys.readouterr().out
    arguments = ["run", "mueller_fig_4_3", "--quick", "-o", str(tmp_path)]
    assert main(arguments) == 0
    assert "no verdict" in capsys.readouterr().out
    assert main(["report", "-o", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "| mueller Fig 4.3 | no verdict |" in table
    assert "not judged" in table


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "fig_42"],
        ["report", "-o", "nowhere"],
        ["all", "--data", "no/such/folder"],
        ["all", "--quick", "--data", "."],
    ],
)
def test_bad_input_ends_in_a_message(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("paper_figures: ")


def test_errors_are_builtin_too() -> None:
    with pytest.raises(ValueError, match="no figure"):
        frame.figure("fig_42")
    assert issubclass(ParameterError, ValueError)
    assert issubclass(DataError, ValueError)


def test_records_of_full_runs_are_kept_with_a_table(tmp_path: Path, capsys) -> None:
    full, kept = tmp_path / "full", tmp_path / "kept"
    frame.run("rueckauer_fig_1a", full, frame.Context(progress=False))
    quick = tmp_path / "quick"
    frame.run("rueckauer_fig_1a", quick, QUICK)
    assert main(["keep", "-o", str(quick), "--to", str(kept)]) == 2
    assert "no records of full runs" in capsys.readouterr().err
    assert main(["keep", "-o", str(full), "--to", str(kept)]) == 0
    written = sorted(path.name for path in kept.iterdir())
    assert written == ["README.md", "rueckauer_fig_1a.json", "rueckauer_fig_1a.png"]
    assert 1_000 < (kept / "rueckauer_fig_1a.png").stat().st_size <= records.PICTURE_BYTES
    assert "| rueckauer Fig 1a |" in (kept / "README.md").read_text()


def test_kept_pictures_are_small_and_belong_to_a_record() -> None:
    folder = Path(frame.__file__).parent / "kept"
    for path in folder.glob("*.png"):
        assert path.with_suffix(".json").is_file()
        assert path.stat().st_size <= records.PICTURE_BYTES


def test_kept_records_are_those_of_the_claims_of_today() -> None:
    folder = Path(frame.__file__).parent / "kept"
    for path in folder.glob("*.json"):
        record = json.loads(path.read_text())
        claims = {claim.name: claim for claim in frame.figure(path.stem).MANIFEST.claims}
        assert not record["quick"]
        assert [entry["name"] for entry in record["claims"]] == list(claims)
        for entry in record["claims"]:
            assert entry["holds"] == claims[entry["name"]].holds(entry["measured"])


def test_a_figure_is_judged_again_by_its_arrays(tmp_path: Path, capsys) -> None:
    first = frame.run("mueller_fig_4_3", tmp_path, frame.Context(progress=False))
    (tmp_path / "mueller_fig_4_3.png").unlink()
    assert main(["judge", "mueller_fig_4_3", "-o", str(tmp_path)]) == 0
    assert "mueller_fig_4_3: reproduced" in capsys.readouterr().out
    assert json.loads((tmp_path / "mueller_fig_4_3.json").read_text()) == json.loads(
        json.dumps(first)
    )
    assert (tmp_path / "mueller_fig_4_3.png").exists()
    assert main(["judge", "mueller_fig_4_2a", "-o", str(tmp_path)]) == 2
    assert "no earlier run" in capsys.readouterr().err
