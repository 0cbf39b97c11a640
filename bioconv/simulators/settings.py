"""What a simulation is asked for, checked once for all simulators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import DataError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.timing import whole_steps

Data = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Settings:
    """How to simulate, the same for every simulator.

    Parameters
    ----------
    simulator : str
        Name in the table of simulators.
    n_steps : int
    record : dict of str to tuple of str
        For each population what to record: "counts", "spikes" or names of state variables.
    batch_size : int or None
        Samples that are simulated together, where the simulator can; None: as it thinks best.
    dtype : str
        "float32" or "float64".
    seed : int
    progress : bool
    """

    simulator: str
    n_steps: int
    record: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    batch_size: int | None = None
    dtype: str = "float32"
    seed: int = 0
    progress: bool = False

    def records(self, population: str, what: str) -> bool:
        """Whether ``what`` of ``population`` is to be recorded."""
        return what in self.record.get(population, ())


def settings_of(
    network: SpikingNetwork,
    *,
    simulator: str,
    steps: int | None,
    duration: float | None,
    record: Mapping[str, Sequence[str]] | None,
    batch_size: int | None,
    dtype: str,
    seed: int,
    progress: bool,
) -> Settings:
    """Settings from the arguments of `bioconv.simulate`.

    Raises
    ------
    ParameterError
        With every argument that is wrong.
    """
    problems = []
    if steps is not None and duration is not None:
        problems.append("give steps or duration, not both")
    if duration is not None:
        n_steps = whole_steps(duration, network.dt)
    else:
        n_steps = network.n_steps if steps is None else steps
    for name, value, least in (
        ("steps", n_steps, 1),
        ("batch_size", 1 if batch_size is None else batch_size, 1),
        ("seed", seed, 0),
    ):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            problems.append(f"{name} must be a whole number from {least}, received {value!r}")
    if dtype not in ("float32", "float64"):
        problems.append(f"dtype must be float32 or float64, received {dtype!r}")
    wanted, wrong = _recorded(network, record or {})
    problems.extend(wrong)
    if problems:
        raise ParameterError("simulate: " + "; ".join(problems) + ".")
    size = None if batch_size is None else int(batch_size)
    return Settings(simulator, int(n_steps), wanted, size, dtype, int(seed), progress)


def _recorded(
    network: SpikingNetwork, record: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    valid: dict[str, tuple[str, ...]] = {
        entry.name: ("counts", "spikes") for entry in network.spiking_inputs
    }
    for population in network.populations:
        states = tuple(state.name for state in population.model.states)
        valid[population.name] = ("counts", "spikes", *states)
    wanted, problems = {}, []
    for name, what in record.items():
        names = (what,) if isinstance(what, str) else tuple(what)
        wanted[name] = names
        if name not in valid:
            problems.append(f"record names {name!r}, populations are {', '.join(valid)}")
            continue
        for entry in names:
            if entry not in valid[name]:
                problems.append(f"record[{name!r}] = {entry!r}, valid are {', '.join(valid[name])}")
    return wanted, problems


def check_data(network: SpikingNetwork, x: ArrayLike | Mapping[str, ArrayLike]) -> Data:
    """The samples as float64 arrays, one for each input.

    Parameters
    ----------
    network : SpikingNetwork
    x : ndarray, or mapping of input names to ndarrays
        Samples first: shape (n_images, *input.shape).

    Raises
    ------
    DataError
        Missing or unknown inputs, wrong shapes, values that are not finite, no samples.
    """
    shapes = {entry.name: entry.shape for entry in network.inputs}
    if not isinstance(x, Mapping):
        if len(shapes) != 1:
            raise DataError(
                f"{network.name} has the inputs {', '.join(shapes)}. Give a mapping of these names "
                "to arrays."
            )
        x = {next(iter(shapes)): x}
    problems = [f"there is no input {name!r}" for name in x if name not in shapes]
    problems += [f"input {name!r} is missing" for name in shapes if name not in x]
    data: Data = {}
    for name in shapes.keys() & x.keys():
        problem = _unusable(np.asarray(x[name]), shapes[name])
        if problem:
            problems.append(f"input {name!r} {problem}")
        else:
            data[name] = np.asarray(x[name], np.float64)
    if not problems and len({len(array) for array in data.values()}) != 1:
        problems.append("the inputs have different numbers of samples")
    if problems:
        raise DataError(f"{network.name}: {'; '.join(problems)}.")
    return {name: data[name] for name in shapes}


def _unusable(array: NDArray[Any], shape: tuple[int, ...]) -> str:
    if array.dtype.kind not in "iufb":
        return f"must hold numbers, received {array.dtype}"
    if array.shape[1:] != shape or array.ndim == 0:
        return f"must have the shape (n, {', '.join(map(str, shape))}), received {array.shape}"
    if not len(array):
        return "holds no sample"
    if not np.isfinite(array).all():
        return "holds NaN or infinite values"
    return ""
