"""The robustness study: tolerance of the codes to imperfections of hardware.

It measures the accuracy of all codes as a function of the amplitude of each imperfection, for
several chips (seeds).  Every run writes one JSON record, so that an interrupted study can be
resumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog.decisions import Choice
from bioconv.codes import Code
from bioconv.conversion import as_graph
from bioconv.data import fit_shape
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.ground.files import write_json, write_text
from bioconv.ground.frames import data_frame
from bioconv.ground.tables import format_table, html_table
from bioconv.network import SpikingNetwork
from bioconv.simulators import SIMULATORS
from bioconv.studies.robustness_plan import Study, Sweep, networks_of, points_of
from bioconv.studies.runs import Workers, to_csv

#: tolerated loss of accuracy by hardware, in points
TOLERATED = 1.0


@dataclass(frozen=True)
class Robustness:
    """Results of a robustness study.

    Parameters
    ----------
    records : list of dict
        One record for each code, imperfection and amplitude, in the requested order with
        amplitude 0 first.  The keys are ``code``, ``noise``, ``amplitude``, ``unit``,
        ``accuracies`` (share, one per chip), ``ideal`` (the accuracy without the imperfection),
        ``keras_accuracy``, ``measure``, ``spikes`` (per image), ``seconds`` (per chip),
        ``simulator`` and ``imperfections``.
    refused : dict of str to str
        Incompatible codes and imperfections, and failed runs, with the reason.
    files : list of Path
        Table (CSV), records (JSON) and picture (PNG).
    """

    records: list[dict[str, Any]]
    refused: dict[str, str]
    files: list[Path]

    def __repr__(self) -> str:
        return f"<Robustness: {len(self.records)} points, {len(self.refused)} refused>"

    def _repr_html_(self) -> str:
        return html_table(repr(self), self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Return the table of accuracies in %, with mean and spread over the chips."""
        return [_row(record) for record in self.records]

    def to_frame(self) -> Any:
        """Return a ``pandas.DataFrame`` with one row for each chip of each point.

        Columns: ``code``, ``noise``, ``amplitude``, ``unit``, ``seed``, ``accuracy`` (share; or
        the agreement without labels), ``ideal`` (without the imperfection), ``analog`` and
        ``simulator``.
        """
        return data_frame(
            [
                {
                    **{name: record[name] for name in ("code", "noise", "amplitude", "unit")},
                    "seed": seed,
                    "accuracy": accuracy,
                    "ideal": record["ideal"],
                    "analog": record["keras_accuracy"],
                    "simulator": record["simulator"],
                }
                for record in self.records
                for seed, accuracy in zip(record["seeds"], record["accuracies"], strict=True)
            ]
        )

    def tolerated(self, points: float = TOLERATED) -> dict[str, dict[str, float]]:
        """Return the amplitude of each imperfection that each code tolerates.

        Parameters
        ----------
        points : float
            Loss of accuracy, relative to the same code without the imperfection.

        Returns
        -------
        dict of str to dict of str to float
            Code -> imperfection -> amplitude at which the mean loss reaches ``points``, with linear
            interpolation between amplitudes; inf if the loss is smaller for all amplitudes.  For
            amplitudes of both signs, the result closer to 0.
        """
        return tolerated(self.records, points)

    def __str__(self) -> str:
        """Return the table and the tolerated amplitudes as text."""
        why = [f"{name}: {reason}" for name, reason in self.refused.items()]
        if not self.records:
            return "\n".join(why)
        summary = [
            {"code": code, **{noise: _limit(value) for noise, value in by_noise.items()}}
            for code, by_noise in self.tolerated().items()
        ]
        head = f"amplitude that costs {TOLERATED:g} point of accuracy (-: none that was tested)"
        return "\n".join([format_table(self.rows()), "", head, format_table(summary), *why])


def robustness(
    model: Any,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    calibration: Any = None,
    noise: Mapping[str, Sweep],
    codes: Iterable[str] | Mapping[str, str | Code | SpikingNetwork],
    folder: str | Path,
    seeds: int = 5,
    seed: int = 0,
    simulator: str = "auto",
    workers: Workers = None,
    progress: bool = True,
    decision: Choice = None,
    format: str = "png",
) -> Robustness:
    """Study the tolerance of codes to imperfections of hardware.

    The network is converted once with each code.  Each amplitude of each imperfection is applied
    separately with ``seeds`` different seeds.  Amplitude 0 is always included.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
    x : ndarray, shape (n_images, ...)
    y : ndarray of int, shape (n_images,), optional
        Labels; without them, agreement with the analog network is used instead of accuracy.
    calibration : array, or a sequence or mapping of arrays
        Not needed if all ``codes`` are networks.
    noise : mapping of str to sweep
        Amplitudes by name of the imperfection: numbers for names in `bioconv.noise.LIBRARY`,
        imperfections, or a mapping from amplitudes to one or several imperfections that are
        applied together.
    codes : iterable of str, or mapping of str to str, Code or SpikingNetwork
        Names in the format of `bioconv.studies.robustness_plan.parse_code`, or codes or converted
        networks by label.
    folder : str or Path
        Folder for the records (``runs/``), ``robustness.csv``, ``.json`` and the
        picture.  Existing records of the same run are reused.
    seeds : int
        Number of chips for each amplitude, with consecutive seeds from ``seed`` on.
    seed : int
    simulator : str
        As in `bioconv.simulate`.  With "auto", it is the event simulator if this has one closed
        form for all chips of a code, else the array simulator.
    workers : int, str or distributed.Client, optional
        Number of processes; by default one per core, but not more than runs.  With 1, no process
        is started; with more, a script must make this call under ``if __name__ == "__main__":``.
        Or a Dask scheduler, by its address (``"tcp://host:8786"``) or a client of it.
    progress : bool
        Whether to show a progress bar if the output is a terminal.
    decision : Decision or str, or mapping of output names to these, optional
        What the outputs stand for; see `bioconv.convert`.  Default: as the networks say, if
        ``codes`` are networks.
    format : {"png", "pdf", "svg"}
        Of the picture.

    Returns
    -------
    Robustness

    Raises
    ------
    ReadError, DataError, ParameterError
        If arguments are not valid.
    ConversionError
        If no run succeeded; the message states the reason for each.
    BioconvError
        If a process ended before its run was finished.
    """
    from bioconv.plots.robustness import plot_robustness
    from bioconv.plots.style import check_format

    check_format(format)
    _check(seeds, seed, simulator)
    graph = as_graph(model)
    samples = fit_shape(np.asarray(x), graph.inputs[0].shape)
    sweeps = {name: points_of(name, sweep) for name, sweep in noise.items()}
    refused: dict[str, str] = {}
    networks = networks_of(graph, codes, calibration, seed, refused, decision)
    study = Study(samples, y, networks, sweeps, range(seed, seed + seeds), simulator)
    folder = Path(folder)
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    files = [folder / f"robustness.{ending}" for ending in ("csv", "json", format)]
    try:
        study.run(folder / "runs", refused, workers, progress)
    finally:  # also after an interruption, because the existing records are usable
        found = Robustness(study.records(), refused, files)
        _write_tables(found)
    if not found.records:
        raise ConversionError(f"no run of the study succeeded.\n{found}")
    plot_robustness(found.records, files[2])
    return found


def tolerated(
    records: Sequence[Mapping[str, Any]], points: float = TOLERATED
) -> dict[str, dict[str, float]]:
    """Return the tolerated amplitude of each imperfection and code; see `Robustness.tolerated`."""
    curves = curves_of(records)
    scarce = {record["noise"] for record in records if record["fewer_is_worse"]}
    return {
        code: {
            noise: min(
                (_crossing(side, points, between=noise not in scarce) for side in _sides(curve)),
                key=abs,
            )
            for noise, curve in by_noise.items()
        }
        for code, by_noise in curves.items()
    }


def curves_of(
    records: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return amplitudes, means and standard deviations in % by code and imperfection, (3, n).

    They are in the order of the records, from no imperfection to the most severe.
    """
    points: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for r in records:
        accuracies = 100.0 * np.asarray(r["accuracies"])
        point = (float(r["amplitude"]), float(accuracies.mean()), float(accuracies.std()))
        points.setdefault(r["code"], {}).setdefault(r["noise"], []).append(point)
    return {
        code: {noise: np.array(found).T for noise, found in by_noise.items()}
        for code, by_noise in points.items()
    }


def _check(seeds: int, seed: int, simulator: str) -> None:
    problems = [
        f"{name} must be an integer of at least {least}. Received: {value!r}."
        for name, value, least in (("seeds", seeds, 1), ("seed", seed, 0))
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least
    ]
    if simulator != "auto" and simulator not in SIMULATORS:
        valid = ", ".join(["auto", *SIMULATORS])
        problems.append(f"simulator must be one of {valid}. Received: {simulator!r}.")
    if problems:
        raise ParameterError("robustness: " + " ".join(problems))


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a record to a row of the table."""
    accuracies = 100.0 * np.asarray(record["accuracies"])
    return {
        "code": record["code"],
        "noise": record["noise"],
        "amplitude": record["amplitude"],
        "accuracy (%)": float(accuracies.mean()),
        "sd (points)": float(accuracies.std()),
        "lowest (%)": float(accuracies.min()),
        "loss (points)": 100.0 * record["ideal"] - float(accuracies.mean()),
        "chips": len(accuracies),
        "spikes/image": record["spikes"],
        "simulator": record["simulator"],
        "cost (s/chip)": record["seconds"],
    }


def _sides(curve: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the curves of the amplitudes above and below 0, both starting at 0."""
    return [curve[:, curve[0] >= 0], curve[:, curve[0] <= 0]]


def _crossing(curve: NDArray[np.float64], points: float, *, between: bool) -> float:
    """Return the amplitude at which the loss relative to the first reaches ``points``, or inf."""
    amplitude, mean, _ = curve
    loss = mean[0] - mean
    beyond = np.flatnonzero(loss >= points)
    if not beyond.size:
        return float("inf")
    i = int(beyond[0])
    if not between:
        return float(amplitude[i])
    share = (points - loss[i - 1]) / (loss[i] - loss[i - 1])
    return float(amplitude[i - 1] + share * (amplitude[i] - amplitude[i - 1]))


def _limit(value: float) -> float | None:
    return None if np.isinf(value) else value


def _write_tables(study: Robustness) -> None:
    if study.records:
        write_text(study.files[0], to_csv(study.rows()))
        write_json(study.files[1], {"records": study.records, "refused": study.refused})
