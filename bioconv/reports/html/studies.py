"""The reports on studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bioconv.ground.tables import words
from bioconv.measures.energy import PROFILES, Work, energy_of
from bioconv.measures.physiology import RATES
from bioconv.measures.shares import wilson_interval
from bioconv.plots.robustness import robustness_figure
from bioconv.plots.study import base_and_sweeps, study_figure
from bioconv.reports.html.page import Facts, Page, Part, Picture, Section, Table, Text
from bioconv.reports.html.words import joules, percent, with_interval
from bioconv.reports.networks import versions
from bioconv.studies.plausibility import Study
from bioconv.studies.robustness import TOLERATED, Robustness

Record = Mapping[str, Any]


def plausibility_page(study: Study) -> Page:
    """Return the report on a plausibility study; see `bioconv.report`."""
    base, _ = base_and_sweeps(study.records)
    measure = str(base[0]["measure"])
    best = max(base, key=lambda record: record["accuracy"])
    rows = [_neuron_row(record, measure) for record in base]
    caption = (
        "Accuracy over biological time, firing rates, operations and cost of each neuron, and the "
        "settings that were varied. No line: no output yet."
    )
    return Page(
        title="How biological can the network get?",
        summary=(
            f"{len(base)} neurons, {len(study.records)} runs on {base[0]['images']:,} samples. "
            f"Best: {best['neuron']}, {measure} {percent(best['accuracy'])}; "
            f"Keras {percent(best['keras_accuracy'])}."
        ),
        sections=[
            Section(
                "Result",
                [
                    Picture(study_figure(study.records), caption),
                    Table(rows, f"Each neuron with the first settings. {_INTERVAL}"),
                    Facts({f"{RATES.what} in cortex": f"{RATES} ({RATES.source})"}),
                ],
            ),
            _study_energy(base),
            Section(
                "All runs",
                [
                    Table(
                        study.rows(),
                        "Reached: latency if outputs are read from the start. Output waits: how "
                        "long outputs wait for their inputs to settle.",
                    )
                ],
            ),
            _refused(study.refused),
        ],
        versions=versions(),
    )


_INTERVAL = (
    "Brackets: 95 % interval of Wilson for independent samples; there is none if a sample has "
    "several decisions."
)


def _neuron_row(record: Record, measure: str) -> dict[str, Any]:
    share, single = record["accuracy"], record["decisions"] == 1
    return {
        "neuron": record["neuron"],
        measure: with_interval(share, wilson_interval(share, record["images"]) if single else None),
        "reached after (ms)": record["reached_ms"],
        "mean rate (Hz)": record["mean_hz"],
        "highest rate (Hz)": record["highest_hz"],
        "rates": RATES.judge(record["highest_hz"]),
        "neurons with weights of both signs (%)": 100.0 * record["mixed_signs"],
    }


def _study_energy(base: Sequence[Record]) -> Section:
    """Return the energy of one sample by neuron, on hardware for spiking networks."""
    names = [name for name, profile in PROFILES.items() if profile.synaptic is not None]
    rows = []
    for record in base:
        steps = record["duration"] / record["dt"]
        found = energy_of(Work(record["operations"], record["neurons"] * steps), names)
        rows.append(
            {
                "neuron": record["neuron"],
                **{entry.profile.title: joules(entry.spiking) for entry in found},
            }
        )
    sources = [
        {
            "hardware": PROFILES[name].title,
            "source": PROFILES[name].source,
            "contains": PROFILES[name].note,
        }
        for name in names
    ]
    text = (
        "Estimates from synaptic operations and updates of neurons, without input currents. An "
        "update costs the same for every neuron here, although complex ones cost more, and not "
        "every machine can run every neuron."
    )
    return Section(
        "Energy",
        [
            Text([text]),
            Table(rows, "Estimated energy of one sample."),
            Table(sources, "Sources."),
        ],
    )


def robustness_page(study: Robustness) -> Page:
    """Return the report on a robustness study; see `bioconv.report`."""
    first = study.records[0]
    codes = list(dict.fromkeys(record["code"] for record in study.records))
    noises = list(dict.fromkeys(record["noise"] for record in study.records))
    measure = str(first["measure"])
    ideal = {
        record["code"]: f"{percent(record['ideal'])} (Keras {percent(record['keras_accuracy'])})"
        for record in study.records
    }
    limits = [
        {
            "code": code,
            **{
                words(noise): None if np.isinf(limit) else limit
                for noise, limit in by_noise.items()
            },
        }
        for code, by_noise in study.tolerated().items()
    ]
    points = [{**row, "noise": words(row["noise"])} for row in study.rows()]
    caption = (
        f"{measure.capitalize()} against the amplitude of each imperfection. Lines are means over "
        "simulated chips, and bands one standard deviation on either side."
    )
    parts: list[Part] = [
        Facts(
            {
                f"{measure.capitalize()} of {code} without imperfections": text
                for code, text in ideal.items()
            }
        ),
        Picture(robustness_figure(study.records, columns=2), caption),
        Table(
            limits,
            f"Amplitude that costs {TOLERATED:g} point of {measure}; -: none that was tested.",
        ),
    ]
    return Page(
        title="How much imperfection do the codes tolerate?",
        summary=(
            f"{len(codes)} codes, {len(noises)} imperfections, {first['images']:,} samples, "
            f"up to {max(len(record['accuracies']) for record in study.records)} chips each."
        ),
        sections=[
            Section("Result", parts),
            Section("All points", [Table(points, "Mean, spread and loss over the chips.")]),
            _refused(study.refused),
        ],
        versions=versions(),
    )


def _refused(refused: Mapping[str, str]) -> Section:
    rows = [{"run": name, "why": reason} for name, reason in refused.items()]
    return Section("Refused", [Table(rows, "Runs that were not possible.")] if rows else [])
