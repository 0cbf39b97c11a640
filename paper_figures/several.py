"""Several figures at once: in processes of this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioconv.ground.progress import Progress
from bioconv.paper_figures.frame import Context, asked, computed, run, stored, use_data
from bioconv.paper_figures.provenance import code_of
from bioconv.studies.cluster import on_cluster
from bioconv.studies.workers import in_processes

if TYPE_CHECKING:
    from distributed import Client


def run_all(
    names: Iterable[str],
    folder: str | Path,
    context: Context,
    *,
    workers: int | str | Client | None = None,
) -> Iterator[dict[str, Any]]:
    """Run figures, and yield the record of each as soon as it is written into ``folder``.

    Parameters
    ----------
    names : iterable of str
    folder : str or Path
        Of the caller; workers elsewhere send it their arrays.
    context : Context
        Workers on other machines need its folder of data at the same path.
    workers : int, str or distributed.Client, optional
        Number of processes, each of which runs one figure at a time, or the address of a Dask
        scheduler (``"tcp://host:8786"``), or a client of it.  By default, figures run one after
        the other in this process and may use all of its cores.

    Yields
    ------
    dict
        See `frame.run`.

    Raises
    ------
    ParameterError
        If no scheduler answers at the address.
    BioconvError
        If a figure cannot be computed, if a process ends twice, or if the scheduler is lost.
        What was written stays; see `missing`.
    """
    if workers is None:
        yield from (run(name, folder, context) for name in names)
        return
    there = replace(context, progress=False, workers=1)
    jobs = {name: (name, there) for name in names}
    results = (
        in_processes(_computed, jobs, workers)
        if isinstance(workers, int)
        else on_cluster(_computed, jobs, workers)
    )
    with Progress("figures", total=len(jobs), units="figures", shown=context.progress) as bar:
        for name, (result, made) in results:
            bar.update()
            yield stored(name, folder, result, context, made)


def _computed(name: str, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    use_data(context.data)
    return computed(name, context)


def missing(names: Iterable[str], folder: str | Path, context: Context) -> list[str]:
    """Return the figures that were not yet run with this context and the code of today.

    Parameters
    ----------
    names : iterable of str
    folder : str or Path
        Of earlier runs.
    context : Context
    """
    return [name for name in names if not _is_there(name, Path(folder), context)]


def _is_there(name: str, folder: Path, context: Context) -> bool:
    try:
        record = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = {"quick": context.quick, "seed": context.seed, "code": code_of(name), **asked(context)}
    made = isinstance(record, dict) and all(record.get(key) == wanted[key] for key in wanted)
    return made and (folder / f"{name}.npz").is_file()
