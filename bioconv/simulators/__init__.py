"""One function for every simulator: the same network, the same `Recording`.

A simulator is a module with a function ``run(network, data, settings, **options) -> Recording``;
it is imported when it is asked for.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from bioconv.ground.errors import ParameterError, SimulatorMissingError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators.settings import Settings, check_data, settings_of

__all__ = ["SIMULATORS", "Settings", "simulate"]

#: simulator -> (module with ``run``, what to install where it cannot be imported)
SIMULATORS: dict[str, tuple[str, str]] = {
    "array": ("bioconv.simulators.array", "pip install jax"),
    "event": ("bioconv.simulators.event", "pip install jax"),
    "brian2": ("bioconv.simulators.brian2", "pip install brian2"),
    "nest": ("bioconv.simulators.pynn", "pip install 'bioconv[pynn]'"),
    "neuron": ("bioconv.simulators.pynn", "pip install 'bioconv[pynn]'"),
    "pynn.brian2": ("bioconv.simulators.pynn", "pip install 'bioconv[pynn]'"),
}


def simulate(
    network: SpikingNetwork,
    x: ArrayLike | Mapping[str, ArrayLike],
    *,
    simulator: str = "array",
    steps: int | None = None,
    duration: float | None = None,
    record: Mapping[str, Sequence[str]] | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
    seed: int = 0,
    progress: bool = True,
    **options: Any,
) -> Recording:
    """Show samples to a spiking network, one after the other or many at once.

    Parameters
    ----------
    network : SpikingNetwork
    x : ndarray of shape (n_images, *input shape), or mapping of input names to such arrays
    simulator : str
        A key of `SIMULATORS`.
    steps : int, optional
        Steps a sample; default: ``network.n_steps``.
    duration : float, optional
        The same in ms.
    record : mapping of population names to names of what to record, optional
        "counts" (spikes of each neuron and sample), "spikes" (every spike), or state variables.
        Spikes of each sample, and of each neuron over all samples, are always counted.
    batch_size : int, optional
        Samples simulated together; default: at most 64, fewer where their state would not fit
        the caches of a CPU.  Results do not depend on it.
    dtype : {"float32", "float64"}
        Of the array simulator, and of sums over synapses in the event simulator; all else, and
        the other simulators, compute in float64.
    seed : int
        Of Poisson input and of the softmax readout.
    progress : bool
        Show a progress bar where the output is a terminal.
    **options
        Of the simulator: see its module.

    Returns
    -------
    Recording

    Raises
    ------
    DataError
        Samples that cannot be used.
    ParameterError
        Arguments that cannot be used.
    SimulatorMissingError
        The simulator is not installed.
    SimulationError
        The simulator failed.
    """
    if simulator not in SIMULATORS:
        raise ParameterError(
            f"Unknown simulator {simulator!r}. Simulators: {', '.join(SIMULATORS)}."
        )
    data = check_data(network, x)
    settings = settings_of(
        network,
        simulator=simulator,
        steps=steps,
        duration=duration,
        record=record,
        batch_size=batch_size,
        dtype=dtype,
        seed=seed,
        progress=progress,
    )
    module, advice = SIMULATORS[simulator]
    try:
        run = importlib.import_module(module).run
    except ImportError as error:
        raise SimulatorMissingError(
            f"The simulator {simulator!r} cannot be imported: {error}. Install it: {advice}"
        ) from error
    _check_options(simulator, run, options)
    return run(network, data, settings, **options)


def _check_options(
    simulator: str, run: Callable[..., Recording], options: Mapping[str, Any]
) -> None:
    keywords = {
        name
        for function in (simulate, run)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    unknown = sorted(options.keys() - keywords)
    if unknown:
        raise ParameterError(
            f"simulate has no option {', '.join(unknown)} for the simulator {simulator!r}. "
            f"Options: {', '.join(sorted(keywords))}."
        )
