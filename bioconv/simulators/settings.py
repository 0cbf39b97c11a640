"""Settings and data of a simulation, validated in one place for all simulators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.samples import Data as Samples
from bioconv.analog.samples import check_samples
from bioconv.encoders.networks import encoder_of, list_problems, with_rasters
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.options import is_whole
from bioconv.ground.progress import Progress
from bioconv.network import SpikingNetwork
from bioconv.timing import whole_steps, wrong_number_of_steps

#: largest number of a sample, because random number generators take 32 bits of it
LAST_SAMPLE = 10**9

#: values of the option ``engine`` of the array simulator
ENGINES = ("auto", "dense", "events")

#: attribute of the function of a simulator, see `without_states`
_STATES = "records_states"

Data = dict[str, NDArray[np.float64]]
Run = TypeVar("Run", bound=Callable[..., Any])


@dataclass(frozen=True)
class Settings:
    """Settings of a simulation, common to all simulators.

    Parameters
    ----------
    simulator : str
        A key of `bioconv.simulators.SIMULATORS`.
    n_steps : int
    record : dict of str to tuple of str
        By population, the quantities to record: "counts", "spikes" or names of state variables.
    batch_size : int or None
        Number of samples simulated together by simulators that can do so.  None leaves the choice
        to the simulator.
    dtype : str
        "float32" or "float64".
    seed : int
    progress : bool
    first : int
        Number of the first sample in its data set.  The random numbers of a sample depend on the
        seed and on its number only.
    checkpoints : int or None
        Number of steps at which outputs are decoded; None leaves the choice to the simulator.
    """

    simulator: str
    n_steps: int
    record: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    batch_size: int | None = None
    dtype: str = "float32"
    seed: int = 0
    progress: bool = False
    first: int = 0
    checkpoints: int | None = None

    def records(self, population: str, what: str) -> bool:
        """Whether ``what`` of ``population`` is to be recorded."""
        return what in self.record.get(population, ())


def without_states(run: Run) -> Run:
    """Declare that a simulator has no time steps in which it could record state variables."""
    run.__dict__[_STATES] = False
    return run


def records_states(run: Callable[..., Any]) -> bool:
    """Whether the simulator with this function can record state variables."""
    return bool(getattr(run, _STATES, True))


def n_steps_of(network: SpikingNetwork, steps: int | None, duration: float | None) -> int:
    """Return the number of steps for the arguments ``steps`` and ``duration`` (in ms)."""
    if duration is not None:
        return whole_steps(duration, network.dt)
    return network.n_steps if steps is None else steps


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
    first: int = 0,
    checkpoints: int | None = None,
) -> Settings:
    """Make settings from the arguments of `bioconv.simulate`.

    Raises
    ------
    ParameterError
        If arguments are invalid.  The message lists all of them.
    """
    problems = []
    if steps is not None and duration is not None:
        problems.append("give steps or duration, not both")
    n_steps = n_steps_of(network, steps, duration)
    wrong_steps = wrong_number_of_steps(n_steps)
    if wrong_steps:
        problems.append(f"steps {wrong_steps}")
    for name, value, least in (
        ("batch_size", 1 if batch_size is None else batch_size, 1),
        ("seed", seed, 0),
        ("first", first, 0),
        ("checkpoints", 1 if checkpoints is None else checkpoints, 1),
    ):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            problems.append(f"{name} must be an integer of at least {least}, received {value!r}")
    if is_whole(first) and first > LAST_SAMPLE:
        problems.append(f"first must be at most {LAST_SAMPLE}, received {first}")
    if dtype not in ("float32", "float64"):
        problems.append(f"dtype must be float32 or float64, received {dtype!r}")
    wanted, wrong = _recorded(network, record or {})
    problems.extend(wrong)
    if problems:
        raise ParameterError("simulate: " + "; ".join(problems) + ".")
    size = None if batch_size is None else int(batch_size)
    points = None if checkpoints is None else int(checkpoints)
    return Settings(
        simulator, int(n_steps), wanted, size, dtype, int(seed), progress, int(first), points
    )


def simulating(name: str, n_images: int, settings: Settings) -> Progress:
    """Return the progress of a simulation of the network called ``name``."""
    what = f"simulating {name} ({settings.simulator})"
    return Progress(what, total=n_images, units="images", shown=settings.progress)


def _recorded(
    network: SpikingNetwork, record: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    valid: dict[str, tuple[str, ...]] = {
        entry.name: ("counts", "spikes") for entry in network.spiking_inputs
    }
    for population in network.populations:
        states = tuple(state.name for state in population.model.states)
        valid[population.name] = ("counts", "spikes", *states)
    if not isinstance(record, Mapping):
        first = next(iter(valid))
        reason = "record must be a mapping from populations to what is recorded, such as "
        return {}, [f'{reason}{{"{first}": ("counts",)}}, received {record!r}']
    wanted, problems = {}, []
    for name, what in record.items():
        if not isinstance(what, Iterable):
            problems.append(f"record[{name!r}] must be a list of names, received {what!r}")
            continue
        names = (what,) if isinstance(what, str) else tuple(what)
        wanted[name] = names
        if name not in valid:
            problems.append(f"record has no population {name!r} (valid names: {', '.join(valid)})")
            continue
        for entry in names:
            if entry not in valid[name]:
                problems.append(
                    f"record[{name!r}] takes {', '.join(valid[name])}, received {entry!r}"
                )
    return wanted, problems


def check_data(network: SpikingNetwork, x: Samples) -> Data:
    """Return the samples as float64 arrays, one for each input.

    Parameters
    ----------
    network : SpikingNetwork
    x : ndarray, or a sequence or mapping of ndarrays
        Arrays of shape (n_images, *input.shape): a plain array for a single input, or a sequence in
        the order of the inputs or a mapping by name.  An input that replays rasters takes lists of
        spikes instead (`bioconv.encoders.networks.pack`).

    Raises
    ------
    DataError
        If inputs are missing or unknown, if shapes are wrong, if values are not finite, or if there
        are no samples.
    """
    try:
        lists = {entry.name: entry for entry in network.inputs if entry.encoder == "raster"}
        samples = check_samples(
            x, {e.name: None if e.name in lists else e.shape for e in network.inputs}
        )
        for name, entry in lists.items():
            part = encoder_of(network, name)
            shape = None if part is None else part.inputs[0].shape
            for problem in list_problems(samples[name], entry.n_neurons, shape):
                raise DataError(f"input {name!r}: {problem}")
    except DataError as error:
        raise DataError(f"{network.name}: {error}") from None
    return {name: np.asarray(array, np.float64) for name, array in samples.items()}


def prepared(network: SpikingNetwork, x: Any) -> tuple[SpikingNetwork, Data]:
    """Return the network and its data, of samples or rasters.

    Parameters
    ----------
    network : SpikingNetwork
    x : as in `bioconv.encoders.networks.with_rasters`

    Returns
    -------
    network : SpikingNetwork
        With inputs that replay spikes, where rasters were given.
    data : dict of str to ndarray
        See `check_data`, also for the errors.
    """
    network, samples = with_rasters(network, x)
    return network, check_data(network, samples)
