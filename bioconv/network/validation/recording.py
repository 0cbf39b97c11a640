"""Validation of recordings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.options import is_number
from bioconv.network.parts import NetworkParts
from bioconv.network.recording_parts import Raster, RecordingParts
from bioconv.network.validation.checks import is_whole


def recording_problems(recording: RecordingParts) -> list[str]:
    """Yield all inconsistencies between the arrays and the numbers of a recording."""
    problems = list(_number_problems(recording))
    if problems:
        return problems
    n, steps = recording.n_images, recording.n_steps
    points = recording.checkpoints
    if points.ndim != 1 or np.any(np.diff(points, prepend=0) < 1) or np.any(points > steps):
        problems.append(f"checkpoints must increase, from at least 1 to at most {steps}")
    expected: list[tuple[str, NDArray, tuple[int | None, ...]]] = [
        ("synaptic_operations", recording.synaptic_operations, (n,)),
        *(
            (f"{what}[{k!r}]", v, (n, points.size, *v.shape[2:]))
            for what, entries in (("classes", recording.classes), ("values", recording.values))
            for k, v in entries.items()
        ),
        *((f"spikes_per_image[{k!r}]", v, (n,)) for k, v in recording.spikes_per_image.items()),
        *(
            (f"spikes_per_neuron[{k!r}]", v, (None,))
            for k, v in recording.spikes_per_neuron.items()
        ),
        *((f"counts[{k!r}]", v, (n, None)) for k, v in recording.counts.items()),
        *((f"traces[{k!r}]", v, (n, steps, None)) for k, v in recording.traces.items()),
        *((f"outputs[{k!r}]", v, (n, *v.shape[1:])) for k, v in recording.outputs.items()),
    ]
    for name, array, shape in expected:
        if not _matches(array.shape, shape):
            wanted = tuple("any" if size is None else size for size in shape)
            problems.append(f"{name} has the shape {array.shape}, expected {wanted}")
    problems.extend(_decision_problems(recording))
    for name, raster in recording.rasters.items():
        problems.extend(_raster_problems(name, raster, recording))
    return problems


def belonging_problems(recording: RecordingParts, network: NetworkParts) -> list[str]:
    """Return in what a recording differs from those of a network; empty for one of its own."""
    sizes = {entry.name: entry.n_neurons for entry in network.spiking_inputs}
    sizes |= {entry.name: entry.n_neurons for entry in network.populations}
    found = {name: len(spikes) for name, spikes in recording.spikes_per_neuron.items()}
    problems = []
    if sizes != found:
        problems.append(f"expected neurons by population {sizes}, received {found}")
    populations = {entry.name: entry for entry in network.populations}
    wanted = {r.name: r.shape(populations[r.population]) for r in network.readouts}
    outputs = {name: values.shape[1:] for name, values in recording.outputs.items()}
    if wanted != outputs:
        problems.append(f"expected outputs of the shapes {wanted}, received {outputs}")
    if recording.dt != network.dt:
        problems.append(f"expected steps of {network.dt:g} ms, received {recording.dt:g} ms")
    return problems


def _decision_problems(recording: RecordingParts) -> Iterator[str]:
    for name, decision in recording.decisions.items():
        decided = recording.classes if decision.of_classes else recording.values
        if not all(name in found for found in (decided, recording.classes, recording.outputs)):
            yield f"there are no results of the readout {name!r}, for which there is a decision"
            continue
        shape = recording.outputs[name].shape[1:]
        if not decision.fits(shape) or decided[name].shape[2:] != decision.positions(shape):
            yield f"the decision of {name!r} does not fit outputs of the shape {shape}"


def _number_problems(recording: RecordingParts) -> Iterator[str]:
    if not (is_number(recording.dt) and recording.dt > 0):
        yield f"dt must be above 0 ms, received {recording.dt!r}"
    for name in ("n_steps", "n_images"):
        if not is_whole(getattr(recording, name), 1):
            value = getattr(recording, name)
            yield f"{name} must be an integer of at least 1, received {value!r}"


def _matches(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, expected, strict=True)
    )


def _raster_problems(name: str, raster: Raster, recording: RecordingParts) -> Iterator[str]:
    sizes = {raster.image.shape, raster.step.shape, raster.neuron.shape}
    if raster.time is not None:
        sizes |= {raster.time.shape}
    if len(sizes) > 1 or raster.image.ndim != 1:
        yield f"rasters[{name!r}] has lists of different lengths"
        return
    limits = (
        ("image", raster.image, recording.n_images),
        ("step", raster.step, recording.n_steps),
        ("neuron", raster.neuron, None),
    )
    for what, values, limit in limits:
        if values.size and (values.min() < 0 or (limit is not None and values.max() >= limit)):
            yield f"rasters[{name!r}] has {what} numbers outside the recording"
    if raster.time is not None and not np.all(np.isfinite(raster.time) & (raster.time >= 0)):
        yield f"rasters[{name!r}] has times that are negative or not finite"
