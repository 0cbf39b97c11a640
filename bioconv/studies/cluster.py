"""Runs of a study on the workers of a Dask cluster, on one machine or many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

from bioconv.ground.errors import BioconvError, ParameterError, SimulatorMissingError

if TYPE_CHECKING:
    from distributed import Client

Key = TypeVar("Key", bound=Hashable)

#: seconds in which a scheduler must answer
_TIMEOUT = 15.0
#: runs of one process follow each other, as their warnings are recorded for the whole process
_ONE_AT_A_TIME = threading.Lock()


def on_cluster(
    work: Callable[..., Any], jobs: Mapping[Key, tuple[Any, ...]], cluster: str | Client
) -> Iterator[tuple[Key, Any]]:
    """Yield results as they finish; runs that were not finished are cancelled with the iterator.

    Dask repeats the runs of a worker that is lost on another one.  Arguments that several runs
    share are sent once.

    Parameters
    ----------
    work : callable
        A function at module level of a package that workers can import, or a ``partial`` of one.
    jobs : mapping of hashable to tuple
        Arguments by the name of the run.
    cluster : str or distributed.Client
        Address of the scheduler, such as ``"tcp://host:8786"``, or a client that is connected.

    Yields
    ------
    key, result

    Raises
    ------
    SimulatorMissingError
        If Dask is not installed.
    ParameterError
        If no scheduler answers at the address.
    BioconvError
        If the scheduler is lost, or if workers end whenever they run a certain job.
    """
    distributed = _distributed()
    with _connected(cluster) as client:
        shared = _shared(jobs, client)
        futures = {
            client.submit(
                _in_worker,
                work,
                metadata.version("bioconv"),
                *(shared.get(id(argument), argument) for argument in arguments),
                pure=False,
            ): key
            for key, arguments in jobs.items()
        }
        try:
            for future in distributed.as_completed(futures, loop=client.loop, raise_errors=False):
                yield futures[future], _result(future)
        finally:
            client.cancel(list(futures))


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise SimulatorMissingError(
            'Dask is not installed. Install it with: pip install "bioconv[distributed]"'
        ) from error
    return distributed


@contextmanager
def _connected(cluster: str | Client) -> Iterator[Client]:
    if not isinstance(cluster, str):
        yield cluster
        return
    try:
        client = _distributed().Client(cluster, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"no Dask scheduler answers at {cluster!r}. Start one with dask-scheduler, and workers "
            f"with dask-worker {cluster}, or check the address."
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=1)


def _shared(jobs: Mapping[Key, tuple[Any, ...]], client: Client) -> dict[int, Any]:
    """Return results of the cluster for objects that are arguments of several jobs, by identity.

    They are results, which are computed again if they are lost, rather than scattered data.
    """
    seen: dict[int, int] = {}
    values = {id(argument): argument for arguments in jobs.values() for argument in arguments}
    for arguments in jobs.values():
        for argument in arguments:
            seen[id(argument)] = seen.get(id(argument), 0) + 1
    return {
        place: client.submit(_itself, values[place], pure=False)
        for place, count in seen.items()
        if count > 1
    }


def _itself(value: Any) -> Any:
    return value


def _in_worker(work: Callable[..., Any], version: str, *arguments: Any) -> Any:
    """Run a job, unless the worker has another version of bioconv than the caller."""
    found = metadata.version("bioconv")
    if found != version:
        raise BioconvError(
            f"a worker has bioconv {found}, the caller {version}. Install the same version in both."
        )
    with _ONE_AT_A_TIME:
        return work(*arguments)


def _result(future: Any) -> Any:
    if future.status == "finished":
        return future.result()
    if future.status == "error":
        error = future.exception()
        if isinstance(error, BioconvError):
            raise error
        raise BioconvError(
            f"a run could not be completed on the cluster: {error}. Finished runs are kept."
        ) from error
    raise BioconvError(
        "the connection to the Dask scheduler was lost. Finished runs are kept: start the "
        "scheduler and the workers again, and repeat the call."
    )
