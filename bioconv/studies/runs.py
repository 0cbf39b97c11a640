"""Parallel runs of a study, each of which writes one record, so that no run is repeated.

A study defines its runs by a function whose arguments can be sent to another process and which
returns plain values.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bioconv.ground import errors
from bioconv.ground.errors import BioconvError, BioconvWarning, ParameterError
from bioconv.ground.options import Rule
from bioconv.ground.processes import n_cores
from bioconv.ground.progress import Progress
from bioconv.studies.cluster import on_cluster
from bioconv.studies.records import Record, read_record, write_record
from bioconv.studies.workers import DeadWorkerError, in_processes

if TYPE_CHECKING:
    from distributed import Client

#: number of processes, or the scheduler of a Dask cluster
Workers: TypeAlias = "int | str | Client | None"
Key = TypeVar("Key", bound=Hashable)
#: class and text of each warning of a run
Said = list[dict[str, str]]

#: key of a record for the warnings of its run
_WARNINGS = "warnings"


@dataclass(frozen=True, eq=False)
class Job:
    """One run.

    Parameters
    ----------
    path : Path
        Path of its record, named after everything that the run depends on (see `digest_of`).
    arguments : tuple
        Arguments of the function that runs it.
    """

    path: Path
    arguments: tuple[Any, ...]


def run_all(
    work: Callable[..., Record],
    jobs: Mapping[Key, Job],
    schema: Mapping[str, Rule],
    *,
    verb: str,
    workers: Workers = None,
    progress: bool = True,
) -> Iterator[tuple[Key, Record | str]]:
    """Yield the record of every run, or the reason why it failed; finished runs come first.

    Parameters
    ----------
    work : callable
        A function at module level, or a ``partial`` of one.  The keys ``workers``, the number of
        runs that shared the cores, and ``warnings`` are added to its result.
    jobs : mapping
        Runs by name.
    schema : mapping of str to Rule
        Values that a valid record must have.
    verb : str
        Name of the public function for messages.
    workers : int, str or distributed.Client, optional
        Number of processes, by default one per core, but not more than runs; or the address of a
        Dask scheduler, or a client of it.
    progress : bool

    Yields
    ------
    key, record or str

    Raises
    ------
    ParameterError
        If ``workers`` is neither.
    BioconvError
        If a process ended before its run was finished, and so did that which repeated the run, or
        if the connection to the scheduler was lost.

    Warns
    -----
    BioconvWarning
        The warnings of all runs, each one once, also those of finished runs.
    """
    said: Said = []
    found = {key: record for key, job in jobs.items() if (record := read_record(job.path, schema))}
    for key, record in found.items():
        _repeat(record.get(_WARNINGS, []), said)
        yield key, record
    missing = {key: job for key, job in jobs.items() if key not in found}
    bar = Progress(verb, total=len(jobs), initial=len(found), units="runs", shown=progress)
    with bar:
        for key, (result, new) in _results(work, missing, verb, workers):
            if not isinstance(result, str):
                result = write_record(jobs[key].path, {**result, _WARNINGS: new})
            bar.update()
            _repeat(new, said)
            yield key, result


def _repeat(new: Said, said: Said) -> None:
    """Give the warnings of a run in this process, except those that were already given."""
    for entry in new:
        if entry not in said:
            said.append(entry)
            warnings.warn(entry["text"], _category(entry["category"]), stacklevel=3)


def _category(name: str) -> type[BioconvWarning]:
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, BioconvWarning):
        return found
    return BioconvWarning


def _results(
    work: Callable[..., Record], jobs: Mapping[Key, Job], verb: str, workers: Workers
) -> Iterator[tuple[Key, tuple[Record | str, Said]]]:
    """Yield runs as they finish: the record or the reason of the failure, and the warnings."""
    if isinstance(workers, bool) or (isinstance(workers, int) and workers < 1):
        raise ParameterError(
            "workers must be a number of processes of at least 1, the address of a Dask scheduler, "
            f"or a client of it. Received: {workers!r}."
        )
    arguments = {key: job.arguments for key, job in jobs.items()}
    if workers is not None and not isinstance(workers, int):
        if jobs:
            yield from on_cluster(partial(_attempt, work, 1), arguments, workers)
        return
    n_workers = min(len(jobs), workers or n_cores())
    if n_workers <= 1:
        for key, job in jobs.items():
            yield key, _attempt(work, 1, *job.arguments)
        return
    try:
        yield from in_processes(partial(_attempt, work, n_workers), arguments, n_workers)
    except DeadWorkerError as error:
        raise BioconvError(
            f"{error}. In a script, call {verb} under if __name__ == '__main__':, because every "
            "process imports the script, or use workers=1, which also needs less memory. Finished "
            "runs are kept."
        ) from error


def _attempt(
    work: Callable[..., Record], n_workers: int, *arguments: Any
) -> tuple[Record | str, Said]:
    """Return the result of a run, and the warnings of bioconv, which only the caller can show."""
    with warnings.catch_warnings(record=True) as caught:
        # A record is kept, and must not depend on which warnings somebody wanted to see.
        warnings.simplefilter("always", BioconvWarning)
        result = _result(work, n_workers, *arguments)
    said: Said = []
    for entry in caught:
        if issubclass(entry.category, BioconvWarning):
            said.append({"category": entry.category.__name__, "text": str(entry.message)})
        else:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)
    return result, said


def _result(work: Callable[..., Record], n_workers: int, *arguments: Any) -> Record | str:
    """Return the record of a run with the number of parallel runs, or the reason of a failure."""
    try:
        return {**work(*arguments), "workers": n_workers}
    except BioconvError as error:
        return str(error)
    except Exception as error:  # an error in one run must not abort hours of other runs
        return f"failed: {type(error).__name__}: {error}"


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as comma-separated values with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def named_options(text: str) -> tuple[str, dict[str, str]]:
    """Parse ``NAME`` or ``NAME:OPTION=VALUE:OPTION=VALUE`` to a name and its options.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> named_options("rate:percentile=99.9")
    ('rate', {'percentile': '99.9'})
    """
    name, *entries = text.split(":")
    options = {}
    for entry in entries:
        key, separator, value = entry.partition("=")
        if not separator:
            raise ParameterError(f"expected OPTION=VALUE in {text!r}. Received: {entry!r}.")
        options[key.strip()] = value.strip()
    return name.strip(), options


def value_of(text: str) -> Any:
    """Return the value that a word of the command line represents.

    Examples
    --------
    >>> value_of("true"), value_of("3"), value_of("0.5"), value_of("held"), value_of("0,1")
    (True, 3, 0.5, 'held', (0, 1))
    """
    if "," in text:
        parts = tuple(value_of(part.strip()) for part in text.strip("()[]").split(","))
        return text if any(isinstance(part, str) for part in parts) else parts
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
