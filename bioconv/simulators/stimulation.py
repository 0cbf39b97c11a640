"""Inject currents into isolated neurons and record their responses, on any simulator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Linear
from bioconv.ground.errors import ParameterError
from bioconv.network import Change, Input, Population, Readout, SpikingNetwork
from bioconv.neurons import Neuron
from bioconv.neurons.language import roles
from bioconv.operators import identity
from bioconv.simulators import simulate
from bioconv.timing import whole_steps

_NAME = "neurons"
#: ms, for models that do not recommend a step
_STEP = 0.1


@dataclass(frozen=True, eq=False)
class Response:
    """Responses of neurons to injected currents.

    Parameters
    ----------
    dt : float
        Step in ms.
    time : ndarray, shape (n_steps,)
        Ends of the steps in ms, at which the values of ``traces`` are recorded.
    current : ndarray, shape (n_steps, n_neurons)
        Injected current, in the unit of the model's current parameter.
    traces : mapping of str to ndarray, shape (n_steps, n_neurons)
        The recorded state variables, in their units.
    spike_times : tuple of ndarray
        Spike times of each neuron in ms, which are the ends of the steps in which it fired.
    """

    dt: float
    time: NDArray[np.float64]
    current: NDArray[np.float64]
    traces: Mapping[str, NDArray[np.float64]]
    spike_times: tuple[NDArray[np.float64], ...]


def stimulate(
    neuron: Neuron,
    current: ArrayLike,
    *,
    duration: float,
    dt: float | None = None,
    record: Sequence[str] | None = None,
    simulator: str = "array",
    seed: int = 0,
) -> Response:
    """Inject currents into neurons that are not connected.

    Parameters
    ----------
    neuron : Neuron
        Parameters given as distributions are drawn for each neuron.
    current : float or array of float, shape (n_neurons,) or (n_steps, n_neurons)
        Injected current in the unit of the model's current parameter (pA, or 1 in a dimensionless
        model), either constant or with one row for every step.
    duration : float
        Simulated time in ms.
    dt : float, optional
            ms; by default the model's recommended step, 0.1 ms where it recommends none.
    record : sequence of str, optional
        State variables; by default the membrane potential.
        simulator : str
        A key of `bioconv.simulators.SIMULATORS`.
    seed : int
        Seed of noise in the equations and of randomly drawn parameters.

    Returns
    -------
    Response

    Raises
    ------
    ParameterError
        If the model has no parameter for a constant current, or if arguments are invalid.

    Warns
    -----
    RuntimeWarning
        If recorded values are not finite because the step is too long for the current.

    Examples
    --------
    >>> from bioconv import neurons
    >>> response = stimulate(neurons.IntegrateAndFire(v_th=1.0, c_m=1.0), [0.1, 0.2], duration=20)
    >>> [len(times) for times in response.spike_times]
    [2, 4]
    """
    step = default_step(neuron) if dt is None else dt
    n_steps = whole_steps(duration, step)
    rows = np.atleast_1d(np.asarray(current, np.float64))
    if rows.ndim > 2 or (rows.ndim == 2 and len(rows) != n_steps):
        raise ParameterError(
            f"the current of {neuron.model.name} must have one value for each neuron, or {n_steps} "
            f"rows of such values (one for each step). Received: shape {rows.shape}."
        )
    if record is None:
        record = neuron.model.states_of(roles.MEMBRANE_POTENTIAL)[:1]
    _check_record(neuron, record)
    n_neurons = rows.shape[-1]
    drawn = neuron.with_values(**neuron.drawn((n_neurons,), np.random.default_rng(seed)))
    network = single_neurons(drawn, rows, dt=step, n_steps=n_steps)
    recording = simulate(
        network,
        np.zeros((1, 1)),
        simulator=simulator,
        record={_NAME: ("spikes", *record)},
        seed=seed,
        progress=False,
        dtype="float64",
    )
    traces = {name: recording.traces[_NAME, name][0] for name in record}
    _warn_of_lost(neuron, traces, step)
    raster = recording.rasters[_NAME]
    times = (raster.step + 1) * step
    return Response(
        dt=step,
        time=np.arange(1, n_steps + 1, dtype=np.float64) * step,
        current=np.broadcast_to(rows, (n_steps, n_neurons)),
        traces=traces,
        spike_times=tuple(times[raster.neuron == index] for index in range(n_neurons)),
    )


def _check_record(neuron: Neuron, record: Sequence[str]) -> None:
    known = [state.name for state in neuron.model.states]
    wrong = [name for name in record if name not in known]
    if wrong:
        raise ParameterError(
            f"record takes state variables of {neuron.model.name}: {', '.join(known)}. Spikes are "
            f"always recorded. Received: {', '.join(map(repr, wrong))}."
        )


def _warn_of_lost(neuron: Neuron, traces: Mapping[str, NDArray], dt: float) -> None:
    """Warn of values that are not finite.

    This is no error because other neurons of the same call may be valid, as in a scan of currents.
    """
    lost = [name for name, values in traces.items() if not np.all(np.isfinite(values))]
    if lost:
        warnings.warn(
            f"Values of {', '.join(lost)} of {neuron.model.name} are not finite for some "
            f"currents: the step of {dt:g} ms is too long. Use a shorter dt or a smaller current.",
            RuntimeWarning,
            stacklevel=3,
        )


def default_step(neuron: Neuron) -> float:
    """Return the step in ms that the model recommends, or 0.1 ms if it recommends none."""
    return neuron.model.dt_default or _STEP


def single_neurons(
    neuron: Neuron, current: ArrayLike = 0.0, *, dt: float, n_steps: int = 1
) -> SpikingNetwork:
    """Return a network of one population without synapses.

    Parameters
    ----------
    neuron : Neuron
    current : array of float, shape (n_neurons,) or (n_steps, n_neurons)
    dt : float
        Step in ms.
    n_steps : int

    Raises
    ------
    ParameterError
        If the model has no parameter for a constant current.
    """
    model = neuron.model
    if not model.current:
        raise ParameterError(f"{model.name} has no parameter for a constant current.")
    rows = np.atleast_2d(np.asarray(current, np.float64))
    shape = (rows.shape[-1],)
    steps = [0, *(1 + np.flatnonzero(np.any(np.diff(rows, axis=0) != 0, axis=1))).tolist()]
    nothing = Affine((Term("x", identity((1,))),), np.zeros(1), (1,))
    return SpikingNetwork(
        name="stimulation",
        dt=dt,
        n_steps=n_steps,
        inputs=(Input("x", (1,)),),
        populations=(
            Population(_NAME, shape, model, {**neuron.parameters, model.current: rows[0]}),
        ),
        projections=(),
        drives=(),
        changes=tuple(Change(step, _NAME, model.current, rows[step]) for step in steps[1:]),
        # Every network needs a readout; it is not used here.  Spikes of a model without a
        # threshold cannot be counted.
        readouts=(Readout("y", _NAME, "count" if model.threshold else "potential", Linear()),),
        analog=AnalogGraph(
            "stimulation",
            (GraphInput("x", (1,)),),
            (Layer("y", Linear(), (nothing,), (1,)),),
            ("y",),
        ),
    )
