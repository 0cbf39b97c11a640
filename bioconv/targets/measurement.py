"""Accuracy of a network, unrestricted and as a target will see it, from the array simulator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import evaluate
from bioconv.encoders.networks import encoder_of, unpacked
from bioconv.ground.errors import DataError
from bioconv.measures import analog_classes, first_decision
from bioconv.network import SpikingNetwork
from bioconv.simulators import simulate
from bioconv.targets.findings import Finding, Verdict
from bioconv.targets.fit import Exporter, Fit, Samples

#: number of samples from which on separate samples are used for fitting and for measuring
_ENOUGH = 40
#: samples whose spikes are unpacked together
_AT_ONCE = 64


@dataclass(frozen=True)
class Measured:
    """Results of one form of a network on some samples.

    Parameters
    ----------
    network : str
        "unrestricted", "restricted to TARGET", "on N chips of TARGET".
    n_images, n_steps : int
    agreement : float
        Share of decisions (classes, labels or values) that are those of the analog network.
    accuracy : float or None
        Share of decisions that are right; None without labels.
    deviation : float
        Standard deviation between chips of the accuracy, or of the agreement without labels.
    """

    network: str
    n_images: int
    n_steps: int
    agreement: float
    accuracy: float | None = None
    deviation: float = 0.0

    def row(self) -> dict[str, str]:
        """Return the results as a row of a table for display."""
        shown = {"accuracy": self.accuracy, "agreement with the analog network": self.agreement}
        shares = {name: share for name, share in shown.items() if share is not None}
        spread = f" +- {100 * self.deviation:.2f}" if self.deviation else ""
        row = {
            "network": self.network,
            "images": f"{self.n_images:,}",
            "steps": f"{self.n_steps:,}",
        }
        for number, (name, share) in enumerate(shares.items()):
            row[name] = f"{100 * share:.2f}{'' if number else spread} %"
        return row


def split(
    network: SpikingNetwork, exporter: Exporter, samples: Samples, labels: NDArray | None
) -> tuple[Samples, Samples, NDArray | None, tuple[Finding, ...]]:
    """Return samples for fitting, samples and labels for measuring, and findings on the split.

    Parameters
    ----------
    network : SpikingNetwork
    exporter : Exporter
    samples : mapping of str to ndarray
    labels : ndarray of int, shape (n_images,), or None
    """
    if not exporter.fits_samples:
        return samples, samples, labels, ()
    n_samples = len(next(iter(samples.values())))
    if n_samples < _ENOUGH:
        text = (
            f"the same {n_samples} samples are used for fitting and for measuring, so that the "
            "accuracy on other samples may be lower."
        )
        advice = f"Give at least {_ENOUGH}: half of them are then used only for measuring."
        finding = Finding(network.name, "samples", Verdict.APPROXIMATED, text, advice=advice)
        return samples, samples, labels, (finding,)
    half = n_samples // 2
    first = {name: values[:half] for name, values in samples.items()}
    second = {name: values[half:] for name, values in samples.items()}
    return first, second, None if labels is None else labels[half:], ()


def measure(
    network: SpikingNetwork,
    exporter: Exporter,
    fit: Fit,
    samples: Samples,
    y: NDArray | None,
    *,
    chips: int,
    seed: int,
    progress: bool,
) -> tuple[Measured, ...]:
    """Simulate the network unrestricted, as its target will see it, and on some simulated chips.

    Parameters
    ----------
    network : SpikingNetwork
    exporter : Exporter
    fit : Fit
    samples : mapping of str to ndarray
    y : ndarray of int, shape (n_images,), or None
    chips : int
        Number of machines to draw if those of the target differ from one another.
    seed : int
    progress : bool
    """
    title = exporter.target.title
    forms: dict[str, Iterable[SpikingNetwork]] = {"unrestricted": [network]}
    if fit.network is not network:
        forms[f"restricted to {title}"] = [fit.network]
    if exporter.chip is not None:
        make = exporter.chip
        forms[f"on {chips} chip{'s' if chips > 1 else ''} of {title}"] = (
            make(fit.network, seed + number) for number in range(chips)
        )
    classes = _reference(network, samples)
    return tuple(
        _measured(name, form, samples, y, classes, seed, progress) for name, form in forms.items()
    )


def _reference(network: SpikingNetwork, samples: Samples) -> NDArray:
    """Return what the analog network decides, of samples or of the rasters that replace them."""
    packed = [entry.name for entry in network.inputs if entry.encoder == "raster"]
    if not packed:
        return analog_classes(network, samples)
    graph, decision = network.analog, first_decision(network)
    parts = {name: part for name in packed if (part := encoder_of(network, name)) is not None}
    unknown = [name for name in packed if name not in parts]
    if unknown:
        raise DataError(
            f"{network.name}: the analog network takes no spikes, so that the accuracy cannot be "
            f"compared with it for rasters of {', '.join(map(repr, unknown))}. Give samples, or "
            "omit x for a report without accuracy."
        )
    found = []
    for first in range(0, len(samples[packed[0]]), _AT_ONCE):
        given = {name: values[first : first + _AT_ONCE] for name, values in samples.items()}
        spikes = {}
        for name, part in parts.items():
            spikes[part.outputs[0]] = unpacked(given[name], *part.layers[0].shape)
            # Nothing is computed of them, as the spikes are given.
            given[name] = np.zeros((len(given[name]), *part.inputs[0].shape))
        output = graph.outputs[0]
        found.append(evaluate(graph, given, replace=spikes, names=(output,))[output])
    return decision.of(np.concatenate(found))


def _measured(
    name: str,
    networks: Iterable[SpikingNetwork],
    samples: Samples,
    y: NDArray | None,
    classes: NDArray,
    seed: int,
    progress: bool,
) -> Measured:
    agreements, accuracies, n_steps = [], [], 0
    for network in networks:
        recording = simulate(network, samples, seed=seed, progress=progress)
        agreements.append(recording.agreement(classes))
        n_steps = recording.n_steps
        if y is not None:
            accuracies.append(recording.accuracy(y))
    return Measured(
        network=name,
        n_images=len(classes),
        n_steps=n_steps,
        agreement=float(np.mean(agreements)),
        accuracy=float(np.mean(accuracies)) if accuracies else None,
        deviation=float(np.std(accuracies or agreements)),
    )
