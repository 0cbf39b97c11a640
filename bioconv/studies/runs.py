"""Many runs of a study, on all cores: each leaves one record, so that none is done twice.

What a run is, is the study's: a function of arguments that can be sent to another process, which
returns plain values.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import multiprocessing
import os
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from bioconv.ground.errors import BioconvError, ParameterError
from bioconv.ground.files import read_json, write_json

Record = dict[str, Any]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Job:
    """One run.

    Parameters
    ----------
    path : Path
        Of its record, named after all that the run depends on (see `digest_of`).
    arguments : tuple
        Of the function that runs it.
    """

    path: Path
    arguments: tuple[Any, ...]


def run_all(
    work: Callable[..., Record],
    jobs: Mapping[Key, Job],
    needed: Collection[str],
    *,
    verb: str,
    workers: int | None = None,
    progress: bool = True,
) -> Iterator[tuple[Key, Record | str]]:
    """Every run: its record, or why there is none; finished runs are read, and come first.

    Parameters
    ----------
    work : callable
        A function of a module, or ``partial`` of one.  What it returns gets the key ``workers``:
        how many runs shared the cores.
    jobs : mapping
        What a run is called -> the run.
    needed : collection of str
        Keys without which a file is no record.
    verb : str
        The public function, for messages.
    workers : int, optional
        Processes; default: one a core, at most one a run.
    progress : bool

    Yields
    ------
    key, record or str

    Raises
    ------
    BioconvError
        A process ended before its run did.
    """
    found = {key: record for key, job in jobs.items() if (record := _read(job.path, needed))}
    yield from found.items()
    missing = {key: job for key, job in jobs.items() if key not in found}
    bar = tqdm(total=len(jobs), initial=len(found), unit="run", disable=None if progress else True)
    with bar:
        for key, result in _results(work, missing, verb, workers):
            if not isinstance(result, str):
                write_json(jobs[key].path, result)
            bar.update()
            yield key, result


def _read(path: Path, needed: Collection[str]) -> Record | None:
    """A record; None if there is none, or the file is damaged or something else."""
    record = read_json(path)
    return record if record is not None and record.keys() >= set(needed) else None


def _results(
    work: Callable[..., Record], jobs: Mapping[Key, Job], verb: str, workers: int | None
) -> Iterator[tuple[Key, Record | str]]:
    """Runs as they finish: the record, or why there is none."""
    n_workers = min(len(jobs), workers or os.cpu_count() or 1)
    if n_workers <= 1:
        for key, job in jobs.items():
            yield key, _attempt(work, job.arguments, 1)
        return
    # Spawned, as forking a process in which JAX has started threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, context) as pool:
        try:
            waiting = {
                pool.submit(_attempt, work, job.arguments, n_workers): key
                for key, job in jobs.items()
            }
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool as error:
            raise BioconvError(
                f"a process of the study ended before its run did. In a script, call {verb} "
                "under if __name__ == '__main__':, as every process reads the script; or give "
                "workers=1, which also takes less memory. Finished runs are kept."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _attempt(
    work: Callable[..., Record], arguments: tuple[Any, ...], n_workers: int
) -> Record | str:
    """The record of a run, with how many ran at once; or why there is none."""
    try:
        return {**work(*arguments), "workers": n_workers}
    except BioconvError as error:
        return str(error)
    except Exception as error:  # whatever goes wrong in one run, hours of others must not end
        return f"failed: {type(error).__name__}: {error}"


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as comma-separated values with a line of heads."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def named_options(text: str) -> tuple[str, dict[str, str]]:
    """A name and its options from ``NAME`` or ``NAME:OPTION=VALUE:OPTION=VALUE``.

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
    """What a word of the command line stands for.

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


def digest_of(value: Any) -> str:
    """SHA-256 of nested plain values, arrays and frozen dataclasses."""
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray) or hasattr(value, "__jax_array__"):
        array = np.ascontiguousarray(value)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    elif is_dataclass(value):
        digest.update(type(value).__name__.encode())
        for field in fields(value):
            digest.update(field.name.encode())
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            digest.update(f"{key}:".encode())
            _feed(digest, value[key])
    elif isinstance(value, list | tuple):
        digest.update(f"[{len(value)}".encode())
        for item in value:
            _feed(digest, item)
    else:
        digest.update(json.dumps(value, default=str).encode())
