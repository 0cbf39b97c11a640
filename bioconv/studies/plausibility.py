"""The plausibility study: one trained network with many neuron models, and the resulting costs.

Every run writes one JSON record, so that an interrupted study can be resumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bioconv.analog.decisions import Choice, decisions_of
from bioconv.codes import Code, RateCode
from bioconv.conversion import as_graph, calibration_of
from bioconv.data import fit_shape
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.ground.files import write_json, write_text
from bioconv.ground.frames import data_frame
from bioconv.ground.tables import format_table, html_table
from bioconv.measures.physiology import RATES
from bioconv.neurons import Neuron, make
from bioconv.studies.plausibility_runs import SCHEMA, Setting, Task, run, run_key
from bioconv.studies.runs import Job, Workers, named_options, run_all, to_csv

#: Hz: few cortical cells have a higher sustained rate while an image is presented
PHYSIOLOGICAL = RATES.high
#: keys of a record -> column headers of the table
COLUMNS = {
    "neuron": "neuron",
    "max_rate": "rate ceiling (Hz)",
    "tau_syn": "tau_syn (ms)",
    "weight_bits": "weight bits",
    "duration": "duration (ms)",
    "accuracy": "accuracy (%)",
    "loss": "loss (points)",
    "reached_ms": "reached (ms)",
    "waits_ms": "output waits (ms)",
    "mean_hz": "mean (Hz)",
    "highest_hz": "highest (Hz)",
    "physiological": f"<= {PHYSIOLOGICAL:g} Hz",
    "spikes": "spikes/image",
    "operations": "syn. ops/image",
    "mixed_signs": "both signs (%)",
    "seconds": "cost (s/image)",
    "workers": "workers",
}


@dataclass(frozen=True)
class Study:
    """Results of a plausibility study.

    Parameters
    ----------
    records : list of dict
        One record per run, in the requested order; see `bioconv.studies.plausibility_runs.run`.
    refused : dict of str to str
        Runs that could not be converted or failed, with the reason.
    files : list of Path
    """

    records: list[dict[str, Any]]
    refused: dict[str, str]
    files: list[Path]

    def __repr__(self) -> str:
        return f"<Study: {len(self.records)} runs, {len(self.refused)} refused>"

    def _repr_html_(self) -> str:
        return html_table(repr(self), self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Return the table, with one row per run and the headers of `COLUMNS`."""
        return [table_row(record) for record in self.records]

    def to_frame(self) -> Any:
        """Return the table as a ``pandas.DataFrame``, see `rows`."""
        return data_frame(self.rows())

    def __str__(self) -> str:
        """Return the table as text."""
        head = COLUMNS["workers"]
        rows = self.rows()
        text = format_table([{h: v for h, v in row.items() if h != head} for row in rows])
        numbers = ", ".join(map(str, sorted({row[head] for row in rows})))
        # Runs share the cores, so that a run takes longer when others run at the same time.
        cost = f"{COLUMNS['seconds']}: measured with {head} = {numbers}"
        wait = (
            f"{COLUMNS['reached_ms']}: if outputs are read from the start; "
            f"{COLUMNS['waits_ms']}: how long they wait for their inputs to settle (option settle)"
        )
        why = [f"{name}: {reason}" for name, reason in self.refused.items()]
        return "\n".join([text, wait, cost, *why] if text else why)


def plausibility(
    model: Any,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    calibration: Any,
    neurons: Iterable[str] | Mapping[str, Neuron],
    folder: str | Path,
    rates: Sequence[float] = (0.0,),
    tau_syn: Sequence[float] = (0.0,),
    durations: Sequence[float] = (0.0,),
    weight_bits: Sequence[int] = (0,),
    code: Code | None = None,
    seed: int = 0,
    workers: Workers = None,
    progress: bool = True,
    decision: Choice = None,
    format: str = "png",
) -> Study:
    """Study the accuracy of a trained network with biologically plausible neurons.

    Every neuron is run with the first value of each of the four sweeps; every further value of a
    sweep is run with the first values of the others.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
    x : ndarray, shape (n_images, ...)
    y : ndarray of int, shape (n_images,), optional
        Labels; without them, agreement with the analog network is used instead of accuracy.
    calibration : array, or a sequence or mapping of arrays
    neurons : iterable of str, or mapping of str to Neuron
        Names in the format of `parse_neuron`, or neurons by label.
    folder : str or Path
        Folder for the records (``runs/``), ``plausibility.csv``, ``.json`` and the
        picture.  Existing records of the same run are reused.
    rates : sequence of float
        Rate in Hz of the largest activation; 0 for the default of the code for the neuron.
    tau_syn : sequence of float
        Synaptic time constant in ms; 0 for that of the neuron.
    durations : sequence of float
        Duration of a sample in ms; 0 for the default of the code for the neuron.
    weight_bits : sequence of int
        Bits of a synaptic weight; 0 for no rounding.
    code : Code, optional
        ``RateCode()`` by default, currently the only code that supports every neuron.
    seed : int
    workers : int, str or distributed.Client, optional
        Number of processes; by default one per core, but not more than runs.  With 1, no process
        is started; with more, a script must make this call under ``if __name__ == "__main__":``.
        Or a Dask scheduler, by its address (``"tcp://host:8786"``) or a client of it.
    progress : bool
        Whether to show progress: a bar on a terminal or in a notebook, else a line every 30 s.
    decision : Decision or str, or mapping of output names to these, optional
        What the outputs stand for; see `bioconv.convert`.
    format : {"png", "pdf", "svg"}
        Of the picture.

    Returns
    -------
    Study

    Raises
    ------
    ReadError, DataError, ParameterError
        If arguments are not valid.
    ConversionError
        If no run succeeded; the message states the reason for each.
    BioconvError
        If a process ended before its run was finished.
    """
    from bioconv.plots.study import plot_study
    from bioconv.plots.style import check_format

    check_format(format)
    graph = as_graph(model)
    samples = fit_shape(np.asarray(x), graph.inputs[0].shape)
    decisions = decisions_of(graph, decision)
    labels = None
    if y is not None:
        output = graph.outputs[0]
        labels = decisions[output].labels(y, graph.shapes()[output], len(samples))
    if not isinstance(code, RateCode | None):
        raise ParameterError(f"a plausibility study requires the rate code. Received: {code!r}.")
    task = Task(
        graph,
        calibration_of(graph, calibration),
        samples,
        labels,
        code or RateCode(),
        seed,
        decisions,
    )
    chosen = _neurons(neurons)
    settings = _settings(chosen, rates, tau_syn, durations, weight_bits)
    folder = Path(folder)
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    files = [folder / f"plausibility.{ending}" for ending in ("csv", "json", format)]
    records: dict[Setting, dict[str, Any]] = {}
    refused: dict[str, str] = {}
    try:
        for setting, result in _run_all(task, settings, chosen, folder / "runs", workers, progress):
            if isinstance(result, str):
                refused[_name(setting)] = result
            else:
                records[setting] = result
    finally:  # also after an interruption, because the existing records are usable
        study = Study([records[s] for s in settings if s in records], refused, files)
        _write_tables(study)
    if not records:
        raise ConversionError(f"no run of the study succeeded.\n{study}")
    plot_study(study.records, files[2])
    return study


def parse_neuron(text: str) -> Neuron:
    """Parse ``NAME`` or ``NAME:OPTION=VALUE:OPTION=VALUE`` to a neuron.

    Raises
    ------
    ParameterError
        If a neuron, option or parameter is unknown.

    Examples
    --------
    >>> parse_neuron("lif:tau_m=10:synapse=delta").value("tau_m")
    10.0
    """
    name, texts = named_options(text)
    options = {}
    for key, value in texts.items():
        try:
            options[key] = float(value)
        except ValueError:
            options[key] = value  # type: ignore[assignment]
    return make(name, options)


def table_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a record to a row of the table."""
    values = {
        **record,
        "accuracy": 100.0 * record["accuracy"],
        "mixed_signs": 100.0 * record["mixed_signs"],
        "physiological": "yes" if record["highest_hz"] <= PHYSIOLOGICAL else "no",
        "tau_syn": record["tau_syn"] or None,
        "weight_bits": record["weight_bits"] or None,
    }
    return {head: values[key] for key, head in COLUMNS.items()}


def _write_tables(study: Study) -> None:
    if study.records:
        write_text(study.files[0], to_csv(study.rows()))
        write_json(study.files[1], {"records": study.records, "refused": study.refused})


def _neurons(neurons: Iterable[str] | Mapping[str, Neuron]) -> dict[str, Neuron]:
    if isinstance(neurons, str):
        neurons = neurons.split(",")
    if not isinstance(neurons, Mapping):
        neurons = {name.strip(): parse_neuron(name.strip()) for name in neurons}
    wrong = [name for name, neuron in neurons.items() if not isinstance(neuron, Neuron)]
    if not neurons:
        raise ParameterError("give at least one neuron.")
    if wrong:
        raise ParameterError(
            f"neurons must map names to neurons. Received another type for {', '.join(wrong)}."
        )
    return dict(neurons)


def _settings(
    neurons: Iterable[str],
    rates: Sequence[float],
    tau_syn: Sequence[float],
    durations: Sequence[float],
    weight_bits: Sequence[int],
) -> list[Setting]:
    sweeps: dict[str, Sequence[Any]] = {
        "max_rate": rates,
        "tau_syn": tau_syn,
        "duration": durations,
        "weight_bits": weight_bits,
    }
    empty = [name for name, values in sweeps.items() if not len(values)]
    if empty:
        raise ParameterError(f"give at least one value of {', '.join(empty)}.")
    first = {name: values[0] for name, values in sweeps.items()}
    found = []
    for neuron in neurons:
        base = Setting(neuron, **first)
        found += [base]
        found += [replace(base, **{n: v}) for n, values in sweeps.items() for v in values[1:]]
    return list(dict.fromkeys(found))


def _run_all(
    task: Task,
    settings: Sequence[Setting],
    neurons: Mapping[str, Neuron],
    folder: Path,
    workers: Workers,
    progress: bool,
) -> Iterator[tuple[Setting, dict[str, Any] | str]]:
    """Return the record of every run, or the reason why it failed."""
    digest = task.digest()
    jobs = {
        s: Job(
            folder / f"{run_key(digest, s, neurons[s.neuron])}.json", (task, s, neurons[s.neuron])
        )
        for s in settings
    }
    done = run_all(run, jobs, SCHEMA, verb="plausibility", workers=workers, progress=progress)
    for setting, result in done:
        # A record depends on all parts of a run except the label.
        yield setting, result if isinstance(result, str) else {**result, "neuron": setting.neuron}


def _name(setting: Setting) -> str:
    """Return a description of the run."""
    parts = [
        f"{label} {value:g}{unit}"
        for label, value, unit in (
            ("rate ceiling", setting.max_rate, " Hz"),
            ("tau_syn", setting.tau_syn, " ms"),
            ("duration", setting.duration, " ms"),
            ("weight bits", setting.weight_bits, ""),
        )
        if value
    ]
    return " ".join([setting.neuron, *([f"({', '.join(parts)})"] if parts else [])])
