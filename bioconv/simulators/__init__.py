"""A common interface to all simulators: the same network in, the same `Recording` out.

A simulator is a module with a function ``run(network, data, settings, **options) -> Recording``.
It is imported only when it is used.  One that cannot record state variables declares it
(`bioconv.simulators.settings.without_states`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bioconv.analog.belonging import warn_of_samples
from bioconv.analog.samples import Data
from bioconv.analog.tokens import check_tokens
from bioconv.encoders.raster import SpikeRaster
from bioconv.ground.compiled import keep_compiled, release_compiled
from bioconv.ground.errors import ParameterError, SimulatorMissingError
from bioconv.ground.registry import Registry
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.simulators.settings import Settings, prepared, settings_of

__all__ = ["SIMULATORS", "Settings", "simulate"]

_PYNN = "pip install 'bioconv[pynn]'"
#: simulator -> the function that runs a network on it
SIMULATORS: Registry[Callable[..., Recording]] = Registry(
    "simulator",
    {
        "array": ".array:run",
        "event": ".event:run",
        "brian2": ".brian2:run",
        "nest": ".pynn:run",
        "neuron": ".pynn:run",
        "pynn.brian2": ".pynn:run",
    },
    package=__name__,
    install={
        "array": "pip install jax",
        "event": "pip install jax",
        "brian2": "pip install brian2",
        **dict.fromkeys(("nest", "neuron", "pynn.brian2"), _PYNN),
    },
)


def simulate(
    network: SpikingNetwork,
    x: Data | SpikeRaster | Sequence[SpikeRaster] | Mapping[str, Any],
    *,
    simulator: str = "array",
    steps: int | None = None,
    duration: float | None = None,
    record: Mapping[str, Sequence[str]] | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
    seed: int = 0,
    progress: bool = True,
    first: int = 0,
    checkpoints: int | None = None,
    **options: Any,
) -> Recording:
    """Simulate the response of a spiking network to samples.

    Parameters
    ----------
    network : SpikingNetwork
    x : ndarray of shape (n_images, *input shape); mapping of input names to such arrays; or list
        of such arrays in the order of the inputs.  Instead of an array, an input with spike sources
        takes rasters (`bioconv.encoders.SpikeRaster`), one for each sample, which its sources
        replay: times in ms become steps of ``network.dt``
    simulator : str
        A key of `SIMULATORS`.
    steps : int, optional
        Number of steps per sample; by default ``network.n_steps``.
    duration : float, optional
        Simulated time per sample in ms, instead of ``steps``.
    record : mapping of str to sequence of str, optional
        By population, the quantities to record: "counts" (spike counts of each neuron for each
        sample), "spikes" (every spike), or names of state variables.  The spikes of each sample,
        and of each neuron over all samples, are always counted.
    batch_size : int, optional
        Number of samples simulated together.  By default at most 64, and fewer if their state
        would not fit into the caches of a CPU.  Results do not depend on it, except that sums over
        synapses may be rounded differently.  A call with fewer samples is filled up to a given
        size, so that a sample has the same bytes in all calls with the same ``batch_size``.
    dtype : {"float32", "float64"}
        Precision of the array simulator, and of sums over synapses in the event simulator.
        Everything else, including the other simulators, is computed in float64.
    seed : int
        Seed of Poisson inputs, of noise and failing synapses, and of the softmax readout.  The
        random numbers of a sample depend on the seed and on the sample's number only, not on the
        other samples of a call or batch.
    progress : bool
        Whether to show progress: a bar on a terminal or in a notebook, else a line every 30 s.
    first : int
        Number of the first sample of ``x``; the others have the following numbers.  A test set can
        thus be split over calls and machines with the same result: ``x[100:]`` with ``first=100``
        gives the same random numbers as the samples from 100 on in a call with all of ``x``, and
        with the same ``batch_size`` the same bytes.
    checkpoints : int, optional
        Number of evenly spaced steps at which outputs are decoded, the last of which is always one.
        By default 256 or, of a network with many labels, positions or values, fewer, because all
        of them are kept.  The event simulator decodes at the end only.
    **options
        Further options of the simulator, described in its module.

    Returns
    -------
    Recording

    Raises
    ------
    DataError
        If samples cannot be used.
    ParameterError
        If arguments are invalid.
    SimulatorMissingError
        If the simulator is not installed.
    SimulationError
        If the simulator fails.

    Warns
    -----
    DataWarning
        If the samples have another range than the calibration data of the network.
    """
    keep_compiled()
    release_compiled()
    simulator = SIMULATORS.full_name(simulator)
    network, data = prepared(network, x)
    if network.stages:
        names = (entry.name for entry in network.analog.inputs)
        check_tokens(network.analog, dict(zip(names, data.values(), strict=True)))
    warn_of_samples(data, {entry.name: entry.calibrated for entry in network.inputs})
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
        first=first,
        checkpoints=checkpoints,
    )
    try:
        run = SIMULATORS[simulator]
    except ImportError as error:
        raise SimulatorMissingError(
            f"The simulator {simulator!r} cannot be imported: {error}. "
            f"Install it: {SIMULATORS.install[simulator]}"
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
