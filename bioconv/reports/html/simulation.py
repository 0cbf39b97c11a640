"""The report on a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.measures import activity, analog_classes, diagnose, energy_of, intervals, work_of
from bioconv.measures.diagnosis import LayerDiagnosis, first_decision
from bioconv.measures.energy import NOT_FOUND, Energy, EnergyProfile
from bioconv.measures.physiology import FEWEST_INTERVALS, RATES, VARIATION
from bioconv.measures.shares import interval_of
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.plots.accuracy import accuracy_by_layer, accuracy_over_time, confusion_matrix
from bioconv.plots.costs import energy_per_sample, rates_and_intervals
from bioconv.plots.layers import carried_populations, rate_against_activation, spikes_and_operations
from bioconv.plots.neurons import membrane_traces, raster
from bioconv.plots.samples import channels_text, feature_maps, sample_figure
from bioconv.reports.html.networks import (
    headline,
    network_section,
    neurons_section,
    targets_section,
)
from bioconv.reports.html.page import Facts, Page, Part, Picture, Section, Table, Text
from bioconv.reports.html.words import joules, percent, with_interval
from bioconv.reports.networks import summarize

#: populations whose potentials and channels are drawn
_DRAWN = 3
#: what coefficients of variation are determined from
_FEW = (
    f"Coefficients of variation are those of trains with at least {FEWEST_INTERVALS} intervals "
    "between spikes; those of few intervals are too small (in the mean 0.88 for ten exponential "
    "ones, instead of 1)."
)
#: points of accuracy that a layer must cost to be named
_LOSS = 0.005


def simulation_page(
    recording: Recording,
    network: SpikingNetwork,
    x: NDArray,
    y: ArrayLike | None,
    detail: Recording | None,
    image: int,
    first: int,
) -> Page:
    """Return the report on a simulation; see `bioconv.report`."""
    detail = recording if detail is None else detail
    found = summarize(network, recording, x, y)
    return Page(
        title=f"Simulation of {headline(network)}",
        summary=_summary(found, first),
        sections=[
            _result(network, recording, found, x, y),
            _losses(network, recording, x, y),
            _confusion(network, recording, y),
            _physiology(network, recording, detail),
            _activations(network, detail, x[: detail.n_images]),
            _sample(network, detail, x, y, image),
            _operations(network, recording),
            energy_section(network, energy_of(work_of(network, recording))),
            targets_section(network),
            network_section(network),
            neurons_section(network),
        ],
        versions=found["versions"],
    )


def _summary(found: Mapping[str, Any], first: int) -> str:
    counted = f" Sample 0 is number {first:,} of the data." if first else ""
    engine = f", engine {found['engine']}" if found["engine"] else ""
    return (
        f"{found['n_images']:,} samples of {found['duration_ms']:g} ms "
        f"({found['n_steps']:,} steps), simulator {found['simulator']}{engine}, "
        f"{sum(found['seconds'].values()):.1f} s.{counted}"
    )


def _result(
    network: SpikingNetwork,
    recording: Recording,
    found: Mapping[str, Any],
    x: NDArray,
    y: ArrayLike | None,
) -> Section:
    shares = {
        "Accuracy": found["accuracy"],
        "Accuracy of the analog network": found["analog_accuracy"],
        "Agreement with the analog network": found["agreement"],
    }
    facts = {
        name: with_interval(share, interval_of(recording, share))
        for name, share in shares.items()
        if share is not None
    }
    if found["expected_agreement"] is not None:
        facts["Agreement expected at conversion"] = percent(found["expected_agreement"])
    facts["Samples with an output at the end"] = percent(found["answered"])
    facts["Largest error of an output"] = f"{100 * found['output_error']:.3g} % of their range"
    facts["Decision"] = found["decision"]
    target = analog_classes(network, x) if y is None else np.asarray(y)
    label = "agreement" if y is None else "accuracy"
    start = found["first_output_step"] * recording.dt
    caption = (
        f"{label.capitalize()} over simulated time. Before the first output, which is shaded, "
        f"there is no {label}; outputs of this network are read from {start:g} ms on."
    )
    text = (
        "Brackets: 95 % interval of Wilson for independent samples."
        if interval_of(recording, 0.5)
        else "There are several decisions for each sample, which depend on one another, so that no "
        "interval is given."
    )
    parts: list[Part] = [Facts(facts), Text([text])]
    if recording.checkpoints.size > 1:
        figure = accuracy_over_time(
            recording,
            target,
            analog_accuracy=found["analog_accuracy"],
            label=label,
            network=network,
        )
        parts.append(Picture(figure, caption))
    return Section("Result", parts)


def _losses(
    network: SpikingNetwork, recording: Recording, x: NDArray, y: ArrayLike | None
) -> Section:
    title = "Where accuracy is lost"
    missing = _missing(network, recording)
    if missing:
        return Section(title, [Text([missing])])
    rows = diagnose(network, recording, x, y)
    caption = (
        "Layer by layer: the layers up to this one spike, and the others compute as in the analog "
        "network. A drop from one row to the next belongs to that layer."
    )
    table = [
        {
            "layer": row.layer,
            "neurons": row.neurons,
            "correlation with analog": row.correlation,
            "saturated (%)": _hundred(row.saturated),
            "above scale (%)": _hundred(row.above_scale),
            "silent though positive (%)": _hundred(row.silent),
            "never spike (%)": _hundred(row.never),
            "agreement (%)": _hundred(row.agreement),
            "accuracy (%)": _hundred(row.accuracy),
            "error of the output (%)": _hundred(row.output_error),
        }
        for row in rows
    ]
    return Section(
        title,
        [
            Text([_verdict(rows)]),
            Picture(accuracy_by_layer(rows), caption),
            Table(table, "The same in numbers, with what may be the cause."),
        ],
    )


def _verdict(rows: Sequence[LayerDiagnosis]) -> str:
    """Say which layer loses most."""
    kept = np.array([1.0, *(row.agreement for row in rows)])
    drops = kept[:-1] - kept[1:]
    worst = int(np.argmax(drops))
    if drops[worst] < _LOSS:
        return "No layer costs more than half a point of agreement with the analog network."
    row = rows[worst]
    causes = {
        "activations above the scale": row.above_scale,
        "positive activations for which no neuron spikes": row.silent,
        "saturated neurons": row.saturated,
    }
    known = {name: share for name, share in causes.items() if share}
    most = max(known, key=lambda name: known[name]) if known else ""
    why = f" Most frequent there: {most} ({percent(known[most])})." if most else ""
    return (
        f"The layer {row.layer} loses most: {100 * drops[worst]:.1f} points of agreement with the "
        f"analog network.{why}"
    )


def _missing(network: SpikingNetwork, recording: Recording) -> str:
    """Say what was not recorded that values of layers are decoded from; empty if nothing."""
    kept = {"counts": recording.counts, "spikes": recording.rasters}
    read = {readout.population for readout in network.readouts}
    absent = [
        f"{p.decoded_from} of {p.name}"
        for p in network.populations
        if p.layer and p.name not in read and p.name not in kept[p.decoded_from]
    ]
    return (
        f"Not determined, because these were not recorded: {', '.join(absent)}." if absent else ""
    )


def _confusion(network: SpikingNetwork, recording: Recording, y: ArrayLike | None) -> Section:
    if y is None or not first_decision(network).of_classes:
        return Section("Confusion of classes", [])
    caption = (
        "Decisions for each label: numbers of decisions, and as colors their share of the label."
    )
    return Section(
        "Confusion of classes",
        [Picture(confusion_matrix(network, recording, y), caption)],
    )


def _physiology(network: SpikingNetwork, recording: Recording, detail: Recording) -> Section:
    varied = {entry.population: entry for entry in intervals(detail)}
    rows = []
    able = {source.name for source in network.spiking_inputs}
    able |= {population.name for population in network.firing}
    for entry in activity(network, recording):
        if entry.population not in able:
            continue
        mine = varied.get(entry.population)
        rows.append(
            {
                "population": entry.population,
                "mean rate (Hz)": entry.mean_rate,
                "highest rate (Hz)": entry.max_rate,
                "rates": RATES.judge(entry.max_rate or None),
                "silent (%)": 100 * entry.silent,
                "shortest interval (ms)": mine.shortest if mine else None,
                "median interval (ms)": mine.median if mine else None,
                "trains": mine.trains if mine else None,
                "CV of intervals": mine.variation if mine else None,
                "CV": VARIATION.judge(mine.variation) if mine else "",
            }
        )
    spikes = "of all samples" if detail is recording else f"of {detail.n_images} samples"
    parts: list[Part] = [
        Table(
            rows,
            "Rates are those of neurons over the whole duration, averaged over samples; intervals "
            f"and their coefficients of variation (CV) are {spikes}. {_FEW}",
        ),
        Facts(
            {f"{known.what} in cortex": f"{known} ({known.source})" for known in (RATES, VARIATION)}
        ),
    ]
    if any(np.any(spikes) for spikes in detail.spikes_per_neuron.values()):
        caption = (
            "Rates and coefficients of variation by population: a bar spans 90 % of the neurons "
            "or spike trains, and the point is the median. Shaded: observed in cortex. "
            f"{_FEW}"
        )
        parts.insert(0, Picture(rates_and_intervals(network, detail), caption))
    return Section("Rates and intervals", parts)


def _activations(network: SpikingNetwork, detail: Recording, x: NDArray) -> Section:
    activations = network.analog.activations(x)
    if not carried_populations(network, detail, activations):
        return Section("Activations", [])
    caption = (
        "What the spikes of each population represent, against the activation of the analog "
        f"network, for {len(x)} samples. The darker, the more neurons and samples."
    )
    return Section(
        "Activations",
        [Picture(rate_against_activation(network, detail, activations), caption)],
    )


def _sample(
    network: SpikingNetwork, detail: Recording, x: NDArray, y: ArrayLike | None, image: int
) -> Section:
    label = "" if y is None else f" with the label {np.asarray(y)[image]}"
    decided = detail.predictions()[image]
    silent = np.any(detail.classes[detail.readout][image, -1] < 0)
    answer = "without an output" if silent else f"decided as {decided}"
    parts: list[Part] = [
        Picture(
            sample_figure(np.asarray(x)[image], f"sample {image}"),
            f"Sample {image}{label}, {answer}.",
        )
    ]
    if any(r.step.size for r in detail.rasters.values()):
        caption = f"Spikes of sample {image}: one point is one spike of one neuron."
        parts.append(Picture(raster(network, detail, image), caption))
    for population, variable in list(detail.traces)[:_DRAWN]:
        figure = membrane_traces(network, detail, population, variable=variable, image=image)
        caption = f"{variable} of neurons of {population} in sample {image}."
        parts.append(Picture(figure, caption))
    maps = [
        p
        for p in carried_populations(network, detail, network.analog.activations(x[:1]))
        if len(p.shape) == 3
    ]
    for shown in maps[:_DRAWN]:
        what = channels_text(shown)
        caption = f"{what[0].upper()}{what[1:]}: what they represent in sample {image}."
        parts.append(Picture(feature_maps(network, detail, shown.name, image), caption))
    return Section("One sample", parts)


def _operations(network: SpikingNetwork, recording: Recording) -> Section:
    rows = [
        {
            "population": entry.population,
            "neurons": entry.neurons,
            "spikes per sample": entry.spikes_per_image,
            "spikes per neuron": entry.spikes_per_neuron,
            "synaptic operations caused": entry.synaptic_operations,
        }
        for entry in activity(network, recording)
    ]
    caption = (
        "Spikes sent and synaptic operations received by each population for one sample, beside "
        "the multiply-accumulates of the analog network."
    )
    return Section(
        "Spikes and synaptic operations",
        [
            Picture(spikes_and_operations(network, recording), caption),
            Table(rows, "Means over samples. A synaptic operation is a spike at one synapse."),
        ],
    )


def energy_section(network: SpikingNetwork, found: Sequence[Energy]) -> Section:
    """Return the section on energy, with the source of every number."""
    rows = [
        {
            "hardware": entry.profile.title,
            "spiking network": joules(entry.spiking, _missing_number(entry.profile)),
            "of which synapses": joules(entry.synapses),
            "of which neurons": joules(entry.neurons),
            "of which input currents": joules(entry.inputs),
            "analog network": joules(entry.analog),
        }
        for entry in found
    ]
    sources = [
        {
            "hardware": entry.profile.title,
            "synaptic event": joules(entry.profile.synaptic, _missing_number(entry.profile)),
            "update of a neuron": joules(entry.profile.update),
            "multiply-accumulate": joules(entry.profile.multiply),
            "source": entry.profile.source or "-",
            "contains": entry.profile.note,
        }
        for entry in found
    ]
    text = (
        "Estimates: the numbers of operations of one sample times published energies of one "
        "operation. They contain what the publications contain, which differs; compare hardware "
        "only within the limits stated below. Transfers of data between machines are not counted"
        + (", nor are the functions of analog stages." if network.stages else ".")
    )
    caption = "Estimated energy of one sample on each hardware; bars are logarithmic."
    return Section(
        "Energy",
        [
            Text([text]),
            Picture(energy_per_sample(network, found), caption),
            Table(rows, "Estimated energy of one sample."),
            Table(sources, "Published energy of one operation, and what it contains."),
        ],
    )


def _missing_number(profile: EnergyProfile) -> str:
    """Return what stands for the energy of a synaptic event of which there is no number."""
    return "-" if profile.multiply else NOT_FOUND


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share
