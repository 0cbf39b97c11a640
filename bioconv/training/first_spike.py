"""Training of networks of exact first spikes in spike times (stanojevic 2023, thesis, chapter 3).

What is trained are the synapses and thresholds of the spiking network itself, as a function of
leads (`bioconv.codes.first_spike_exact.leads`): the result is the network that is exported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph, check_samples
from bioconv.analog.samples import Data
from bioconv.codes import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.leads import Leads, Parameters
from bioconv.codes.first_spike_exact.reading import leads_of
from bioconv.codes.first_spike_exact.writing import network_with
from bioconv.conversion import as_graph, convert
from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.noise import Imperfection
from bioconv.operators import Array
from bioconv.training.forward import forward, largest_leads, output_of, samples_of
from bioconv.training.imperfections import Hardware
from bioconv.training.loop import fit
from bioconv.training.losses import check_loss, check_targets, loss_and_measures
from bioconv.training.options import Training

#: options of the code with which training follows the ReLU network
LIKE_RELU: Mapping[str, Any] = MappingProxyType(
    {"slope": "identical", "ramp": "own", "normalization": "none"}
)
#: samples that determine scales and windows, if no calibration data are given
_CALIBRATION = 1000


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Parameters
    ----------
    network : SpikingNetwork
        Its field ``analog`` is the ReLU network that it computes.
    history : dict of str to ndarray, shape (epochs,)
        Mean loss and measures of every epoch, on the training data.
    """

    network: SpikingNetwork
    history: dict[str, NDArray[np.float64]]


def train(
    model: Any | str | Path | AnalogGraph,
    x: Data,
    y: ArrayLike,
    *,
    code: FirstSpikeExactCode | None = None,
    options: Training | None = None,
    calibration: Data | None = None,
    loss: str = "cross_entropy",
    activity: float = 0.0,
    gamma: float = 10.0,
    dt: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Trained:
    """Train a network in spike times, from the weights of a Keras model.

    The model is converted to a network of exact first spikes, whose synapses and thresholds are
    then trained by gradient descent on the times of its spikes.  Windows grow with the activity
    during training (Eq 3.3), and are finally set to the largest activation on the training data
    and the margin ``zeta`` of the code.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        A model that `bioconv.read` accepts, trained or freshly initialised.
    x : ndarray, shape (n_samples, ...); mapping or sequence of ndarray for several inputs
    y : array_like
        Class numbers of shape (n_samples,), one-hot labels, or values for the mean squared error.
    code : FirstSpikeExactCode, optional
        Default: the linearly mappable condition (Eq 3.9), with ``slope="identical"``,
        ``ramp="own"`` and ``normalization="none"``, which trains like the ReLU network.  Scaled
        layers (``normalization="layer"``) have other parameters and thus other learning rates.
        With ``slope="constant"`` (alpha = 1), gradients may vanish or explode in deep networks,
        as the thesis shows.
    options : Training, optional
        Default: ``Training()``.
    calibration : like ``x``, optional
        Samples that determine scales and first windows.  Default: the first 1,000 of ``x``.
    loss : {"cross_entropy", "mean_squared_error"}
    activity : float
        Weight of the mean lead of all neurons in the loss, which makes activity sparse (L1
        regularisation, thesis Table 2.1).
    gamma : float
        Factor between the length of a window and the largest lead of a batch (Eq 3.3).
    dt : float, optional
        Step of the network in ms.
    checkpoint : str or Path, optional
        File from which an interrupted run continues; see `bioconv.training.fit`.
    progress : bool

    Returns
    -------
    Trained

    Raises
    ------
    ReadError, ConversionError
        If the model cannot be read or converted.
    DataError
        If the data do not fit the model.
    ParameterError
        If options are invalid.
    TrainingError
        If training diverges.

    Examples
    --------
    >>> import bioconv as bc
    >>> from bioconv.models import weights_path
    >>> x, y = bc.load_data("digits", split="train")
    >>> options = bc.training.Training(epochs=1, learning_rate=1e-4)
    >>> done = bc.train(weights_path("digits_mlp"), x[:80], y[:80], options=options, progress=False)
    >>> done.history["accuracy"].shape
    (1,)
    """
    code = FirstSpikeExactCode(**LIKE_RELU) if code is None else code
    _check_code(code)
    graph = as_graph(model)
    samples = check_samples(x, {entry.name: entry.shape for entry in graph.inputs})
    if calibration is None:
        calibration = {name: values[:_CALIBRATION] for name, values in samples.items()}
    network = convert(graph, calibration=calibration, code=code, dt=dt, progress=progress)
    return finetune(
        network,
        samples,
        y,
        options=options,
        slope=code.slope,
        loss=loss,
        activity=activity,
        gamma=gamma,
        zeta=code.zeta,
        checkpoint=checkpoint,
        progress=progress,
    )


def _check_code(code: Any) -> None:
    if not isinstance(code, FirstSpikeExactCode):
        raise ParameterError(f"code must be a FirstSpikeExactCode. Received: {code!r}.")
    if code.slope == "positive":
        raise ParameterError(
            'slope="positive" scales layers before the conversion, which does not hold while '
            'weights change. Use slope="identical" or slope="constant".'
        )


def finetune(
    network: SpikingNetwork,
    x: Data,
    y: ArrayLike,
    *,
    options: Training | None = None,
    imperfections: Iterable[Imperfection] = (),
    time_grid: bool = False,
    slope: str = "identical",
    loss: str = "cross_entropy",
    activity: float = 0.0,
    gamma: float = 0.0,
    zeta: float = 0.0,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Trained:
    """Fine-tune a network of exact first spikes for the hardware on which it will run.

    Parameters
    ----------
    network : SpikingNetwork
        Converted with `bioconv.FirstSpikeExactCode`, without imperfections.
    x : ndarray, shape (n_samples, ...); mapping or sequence of ndarray for several inputs
    y : array_like
        As in `train`.
    options : Training, optional
        Default: ``Training()``.
    imperfections : iterable of Imperfection
        Imperfections of `bioconv.noise` in the forward pass: `SpikeJitter`, `Mismatch` of weights
        (drawn anew for every batch, and for every entry of a shared kernel), and
        `WeightQuantization`.  The result has rounded weights, and neither jitter nor mismatch.
    time_grid : bool
        Whether spikes are rounded to the time steps of the network, as in simulators with steps.
    slope : {"identical", "constant"}
        The slope of the code with which the network was converted.
    loss : {"cross_entropy", "mean_squared_error"}
    activity : float
        Weight of the mean lead of all neurons in the loss.
    gamma : float
        With 0, windows keep their length, and larger activations are clipped, which limits the
        latency (thesis 3.6.3 (iv)).  Otherwise as in `train`.
    zeta : float
        Margin of the windows after a training with ``gamma``, as a share of the largest lead.
    checkpoint : str or Path, optional
    progress : bool

    Returns
    -------
    Trained

    Raises
    ------
    ConversionError
        If the network is not one of exact first spikes.
    DataError
        If the data do not fit the network.
    ParameterError
        If options are invalid, or if training does not support an imperfection.
    TrainingError
        If training diverges.
    """
    options = Training() if options is None else options
    check_loss(loss)
    _check_numbers(activity=activity, gamma=gamma, zeta=zeta)
    leads = leads_of(network, slope)
    if gamma and leads.decay is not None:
        raise ParameterError(
            "windows cannot grow while neurons with double-exponential responses are trained, "
            "because their time constants are chosen for the windows. Use finetune with gamma=0, "
            "after training with linear responses."
        )
    samples = samples_of(leads, x)
    output = output_of(leads)
    targets = check_targets(y, len(next(iter(samples.values()))), output.shape, loss)
    schedule = leads.schedule
    hardware = Hardware.of(
        imperfections, schedule.unit, schedule.dt / schedule.unit if time_grid else 0.0
    )
    objective = partial(_objective, leads, hardware, loss, activity, gamma)
    record = {
        "slope": slope,
        "loss": loss,
        "activity": activity,
        "gamma": gamma,
        "hardware": asdict(hardware),
    }
    fitted = fit(
        objective,
        leads.parameters(),
        leads.lengths(),
        samples,
        targets,
        options,
        checkpoint=checkpoint,
        record=record,
        progress=progress,
    )
    parameters = _rounded(fitted.parameters, hardware)
    lengths = fitted.state
    if gamma:
        lengths = {
            name: (1.0 + zeta) * value
            for name, value in largest_leads(leads, parameters, samples).items()
        }
    return Trained(network_with(leads, parameters, lengths), fitted.history)


def _check_numbers(**values: float) -> None:
    wrong = [f"{name} must be a number from 0" for name, v in values.items() if not v >= 0]
    if wrong:
        raise ParameterError(f"{'; '.join(wrong)}. Received: {values}.")


def _objective(
    leads: Leads,
    hardware: Hardware,
    loss: str,
    activity: float,
    gamma: float,
    parameters: Parameters,
    lengths: Mapping[str, Array],
    x: Mapping[str, Array],
    y: Array,
    key: Array,
) -> tuple[Array, tuple[dict[str, Array], Mapping[str, Array]]]:
    """Return the loss of a batch, the windows after it, and the accuracy; see `fit`."""
    outputs, found = forward(leads, hardware, parameters, lengths, x, key)
    value, measures = loss_and_measures(loss, outputs[output_of(leads).name], y)
    hidden = {stage.name: found[stage.name] for stage in leads.rectifiers}
    if activity:
        value = value + activity * sum(jnp.sum(lead) / len(lead) for lead in hidden.values())
    if gamma:
        lengths = {name: _longer(lengths[name], lead, gamma) for name, lead in hidden.items()}
    return value, (dict(lengths), measures)


def _longer(length: Array, lead: Array, gamma: float) -> Array:
    """Return the length of a window after a batch with these leads (Eq 3.3)."""
    return jnp.maximum(length, gamma * jnp.max(lead))


def _rounded(parameters: Parameters, hardware: Hardware) -> Parameters:
    return {
        name: {**own, "kernels": hardware.rounded(own["kernels"])}
        for name, own in parameters.items()
    }
