"""Results of simulations as plain data, for the JSON of the command line and for ``inspect``."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph, evaluate
from bioconv.analog.decisions import decisions_of
from bioconv.ground.tables import sizes
from bioconv.ground.versions import version
from bioconv.network import SpikingNetwork
from bioconv.network.agreement import AGREEMENT, DEVIATION, ENOUGH, MOST_DEVIATION, RUN, WEAKEST
from bioconv.network.recording import Recording
from bioconv.network.stages import layer_of, list_stages

if TYPE_CHECKING:
    from bioconv.measures.metrics import Metric

Row = dict[str, Any]


def summarize(
    network: SpikingNetwork,
    recording: Recording,
    x: NDArray,
    y: ArrayLike | None = None,
    metric: Metric | None = None,
) -> dict[str, Any]:
    """Return the results of one simulation as plain data for JSON.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network.
    x : ndarray, shape (n_images, ...)
        The samples that were simulated.
    y : array_like of int, shape (n_images, ...), optional
        Labels, or values; with a metric, whatever the metric takes.
    metric : function, `keras.metrics.Metric` or str, optional
        Measured in place of the accuracy; see `bioconv.measures.metric_over_time`.

    Returns
    -------
    dict
        ``simulator``, ``engine`` (of the array simulator, else empty), ``decision`` (what the
        output stands for, as text), ``accuracy``, ``analog_accuracy`` (None
        without labels), ``agreement`` (share of the analog network's decisions that the network
        makes too), ``output_error`` (largest difference to the analog output, as a share of the
        range of that output), ``answered`` (share of samples with an output at the end; without
        any, accuracy and agreement are None), ``first_output_step`` (step in which outputs start),
        ``n_images``, ``n_steps``, ``duration_ms``, ``spikes_per_image``, ``spikes_per_neuron``,
        ``synaptic_operations_per_image``, ``accuracy_over_time`` (pairs of step and accuracy,
        agreement without labels; None while no sample has an output), ``seconds``, ``versions``.
        With a metric also ``metric_name``, ``metric``, ``analog_metric`` and ``metric_over_time``.
    """
    from bioconv.measures import first_decision, labels_of, spikes_per_image, spikes_per_neuron

    output = network.analog.outputs[0]
    reference = np.asarray(evaluate(network.analog, x, names=(output,))[output])
    spiking = np.asarray(recording.outputs[network.readouts[0].name])
    decision = first_decision(network)
    classes = decision.of(reference)
    labels = None if y is None or metric else labels_of(network, y, len(reference))
    answered = float(recording.answered()[-1])
    return {
        "network": network.name,
        "simulator": recording.simulator,
        "engine": recording.engine,
        "decision": str(decision),
        "accuracy": float(recording.accuracy(labels)) if answered and labels is not None else None,
        "analog_accuracy": None if labels is None else decision.share(classes, labels),
        "agreement": float(recording.agreement(classes)) if answered else None,
        "expected_agreement": expectation_of(network)[0]
        if recording.n_steps == network.n_steps
        else None,
        "answered": answered,
        "first_output_step": network.population(network.readouts[0].population).start_step,
        "output_error": float(np.abs(spiking - reference).max() / (np.ptp(reference) or 1.0)),
        "n_images": recording.n_images,
        "n_steps": recording.n_steps,
        "duration_ms": recording.n_steps * recording.dt,
        "n_neurons": network.n_neurons,
        "n_synapses": network.n_synapses,
        "spikes_per_image": spikes_per_image(recording, network),
        "spikes_per_neuron": spikes_per_neuron(network, recording),
        "synaptic_operations_per_image": float(np.mean(recording.synaptic_operations)),
        "accuracy_over_time": _over_time(recording, classes if labels is None else labels),
        **({} if metric is None else _metrics(network, recording, x, y, metric)),
        "seconds": dict(recording.seconds),
        "versions": {**versions(), **recording.versions},
    }


def _metrics(
    network: SpikingNetwork, recording: Recording, x: NDArray, y: Any, metric: Metric
) -> dict[str, Any]:
    """Return a metric at the end, of the analog network, and over time."""
    from bioconv.measures import analog_metric, metric_over_time
    from bioconv.measures.metrics import name_of

    found = metric_over_time(network, recording, y, metric)
    known = [None if np.isnan(value) else float(value) for value in found]
    return {
        "metric_name": name_of(metric),
        "metric": known[-1],
        "analog_metric": analog_metric(network, x, y, metric),
        "metric_over_time": [
            [int(step), value] for step, value in zip(recording.checkpoints, known, strict=True)
        ],
    }


def _over_time(recording: Recording, target: NDArray) -> list[list[float | None]]:
    accuracy, answered = recording.accuracy_over_time(target), recording.answered()
    rows = zip(recording.checkpoints, accuracy, answered, strict=True)
    return [[int(step), float(share) if known else None] for step, share, known in rows]


def decision_texts(source: AnalogGraph | SpikingNetwork) -> dict[str, str]:
    """Return what each output stands for, as text; see `bioconv.analog.decisions`."""
    decisions = source.decisions() if isinstance(source, SpikingNetwork) else decisions_of(source)
    return {name: str(decision) for name, decision in decisions.items()}


def describe_decisions(source: AnalogGraph | SpikingNetwork) -> list[str]:
    """Return a line on what each output stands for."""
    return [f"decision by {name}: {text}" for name, text in decision_texts(source).items()]


def versions() -> dict[str, str]:
    """Return the versions of Python, bioconv and the numerical packages."""
    names = ("bioconv", "numpy", "scipy", "jax", "h5py", "brian2")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def inspect(
    source: str | Path | AnalogGraph | SpikingNetwork | Any,
    x: NDArray | None = None,
    *,
    n_images: int = 20,
) -> list[Row]:
    """List the layers of a model, or the analog stages and populations of a network.

    Parameters
    ----------
    source : str, Path, AnalogGraph, SpikingNetwork or keras.Model
        A model file, a network file, or anything that `bioconv.read` accepts.
    x : ndarray, optional
        Samples.  If they are given, a network is simulated on the first ``n_images`` of them (array
        simulator) to find the neurons that saturate and those that are silent.
    n_images : int

    Returns
    -------
    list of dict
        One row per layer, or per analog stage and population, in order.
    """
    if isinstance(source, (str, Path)):
        source = open_any(source)
    if isinstance(source, SpikingNetwork):
        return _inspect_network(source, None if x is None else x[:n_images])
    # Imported where a model is read only, as `open_any` does: a network needs none of it.
    from bioconv.reading import read
    from bioconv.reading.describe import describe

    graph = source if isinstance(source, AnalogGraph) else read(source)
    return [vars(row) for row in describe(graph)]


def describe_transfer(network: SpikingNetwork) -> list[str]:
    """Describe how well the neurons of a converted network can approximate the rectification.

    Parameters
    ----------
    network : SpikingNetwork

    Returns
    -------
    list of str
        One line per fact; empty for perfect integrators, whose rates equal the activations, and
        for codes without a calibrated drive.
    """
    found = network.code
    if "drive_rms" not in found and "trained_with_curve" not in found:
        return []
    lines = [
        f"drive for an activation a: {found['drive_current']:.4g} + {found['drive_gain']:.4g} a, "
        f"for a rate of a x {found['max_rate']:.4g} Hz",
    ]
    if "trained_with_curve" in found:
        lines.append(
            "the network was trained with the neuron's f-I curve, which thus causes no loss"
        )
    else:
        rms, most = (100 * float(found[name]) for name in ("drive_rms", "drive_residual"))
        lines.append(
            f"deviation of the rates from the straight line: {rms:.1f} % of the largest rate "
            f"(rms), {most:.1f} % at most"
        )
    if "drive_rms_spikes" in found:
        share = 100 * float(found["drive_rms_spikes"])
        lines.append(
            f"the same with input as spikes: {share:.1f} % (rms), "
            f"with a synaptic time constant of {found['synaptic_time']:.3g} ms"
        )
    if float(found.get("adaptation_time", 0.0)) > 0:
        lines.append(
            f"adaptation: the neuron initially fires {found['adaptation_ratio']:.2f} times as "
            f"fast, with a time constant of {found['adaptation_time']:.3g} ms"
        )
    if "adaptation_drift" in found:
        from bioconv.codes.common.adaptation import drifts

        drift = float(found["adaptation_drift"])
        lost = ", which layers after the first do not bear" if drifts(found) else ""
        lines.append(
            f"rates change by {100 * drift:.1f} % (rms) within the time that is read, under "
            f"constant currents{lost}"
        )
    if "noise_sigma" in found:
        lines.append(
            f"current noise: {found['noise_sigma']:.4g} (standard deviation of the mean over 1 ms)"
        )
    if "mean_potential" in found:
        lines.append(
            "conductance synapses: the weights are calculated for the mean potential of "
            f"{found['mean_potential']:.4g} mV, which is an approximation"
        )
    if "expected_error" in found:
        same = found.get("expected_agreement")
        percent = "" if same is None else f"{100 * float(same):.1f} % of the samples"
        agreement = f", the same decision for {percent}" if percent else ""
        lines.append(
            "with the gain and bias of every channel fitted to the curve: error of the outputs for "
            f"the calibration samples {100 * float(found['expected_error']):.1f} %{agreement}"
        )
    return lines


def describe_stages(network: SpikingNetwork) -> list[str]:
    """Describe which layers of a network spike and which stay analog.

    Parameters
    ----------
    network : SpikingNetwork

    Returns
    -------
    list of str
        One line; none if there are no analog stages.
    """
    if not network.stages:
        return []
    spiking = {p.layer for p in network.populations if p.layer}
    total = len(spiking | {stage.layer for stage in network.stages})
    return [f"{len(spiking)} of {total} layers spike; analog: {list_stages(network)}"]


def describe_expectation(network: SpikingNetwork) -> list[str]:
    """Describe how well a network is expected to agree with the analog one.

    Parameters
    ----------
    network : SpikingNetwork

    Returns
    -------
    list of str
        One line; none for networks of older versions, which do not say.
    """
    agreement, weakest = expectation_of(network)
    if agreement is None:
        if network.code.get(RUN) == 0:
            return [
                "expected agreement with the analog network: not known, because a run on a few "
                "calibration samples would take minutes; simulate the network to measure it"
            ]
        return []
    where = f"; the layer {weakest!r} loses most" if weakest else ""
    n, deviation = network.code.get(RUN), network.code.get(DEVIATION)
    source = f"a run on {n} calibration samples" if n else "calibration data"
    off = f"; outputs off by {100 * float(deviation):.1f} % of their range" if deviation else ""
    return [
        f"expected agreement with the analog network, from {source}: "
        f"{100 * agreement:.1f} %{off}{where}"
    ]


def expectation_of(network: SpikingNetwork) -> tuple[float | None, str]:
    """Return the expected agreement of a network, None if unknown, and its weakest layer.

    No layer is named if a conversion gives no warning.
    """
    if network.imperfections:  # it was determined before they were added
        return None, ""
    agreement = network.code.get(AGREEMENT)
    if agreement is None:
        return None, ""
    deviation = float(network.code.get(DEVIATION, 0.0))
    enough = float(agreement) >= ENOUGH and deviation <= MOST_DEVIATION
    return float(agreement), "" if enough else str(network.code.get(WEAKEST, ""))


def open_any(
    path: str | Path, input_shape: Sequence[int] | None = None
) -> AnalogGraph | SpikingNetwork:
    """Open a network file of bioconv, or read a Keras model file.

    Parameters
    ----------
    path : str or Path
    input_shape : sequence of int, optional
        Shape of one sample, if a model leaves its size free.

    Raises
    ------
    NetworkFileError, ReadError
        If the file is neither of these, or is damaged.
    """
    from bioconv.network.storage import is_network_file, load_network

    if is_network_file(path):
        return load_network(path)
    from bioconv.reading import read

    return read(path, input_shape=input_shape)


def _inspect_network(network: SpikingNetwork, x: NDArray | None) -> list[Row]:
    shares = {} if x is None else _activity(network, x)
    stages = [
        {
            "population": stage.name,
            "layer": stage.layer,
            "neuron": f"none: {type(layer.function).__name__}",
            "shape": sizes(layer.shape),
            "neurons": 0,
            "synapses in": 0,
            "scale": "",
        }
        for stage in network.stages
        for layer in [layer_of(network, stage)]
    ]
    return stages + [
        {
            "population": population.name,
            "layer": population.layer,
            "neuron": population.model.name,
            "shape": sizes(population.shape),
            "neurons": int(np.prod(population.shape)),
            "synapses in": network.n_synapses_to(population.name),
            "scale": _range(population.scale),
            **shares.get(population.name, {}),
        }
        for population in network.populations
    ]


def _activity(network: SpikingNetwork, x: NDArray) -> dict[str, Row]:
    from bioconv.measures.diagnosis import SATURATION, relative_values
    from bioconv.simulators import simulate

    record: dict[str, Sequence[str]] = {
        p.name: ("counts", p.decoded_from) for p in network.populations
    }
    recording = simulate(network, x, record=record, progress=False)
    return {
        population.name: {
            "mean rate (Hz)": float(recording.rates(population.name).mean()),
            "saturated": float(np.mean(relative_values(recording, population) >= SATURATION)),
            "silent": float(np.mean(recording.spikes_per_neuron[population.name] == 0)),
        }
        for population in network.populations
    }


def _range(values: NDArray) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:.4g}" if low == high else f"{low:.4g} ... {high:.4g}"
