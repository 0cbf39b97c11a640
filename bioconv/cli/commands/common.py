"""Functions that several commands share: reading inputs, printing and writing results."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import bioconv as bc
from bioconv.data import fit_shape
from bioconv.ground.compiled import keep_compiled
from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.ground.files import write_json
from bioconv.ground.suggestions import did_you_mean
from bioconv.timing import whole_steps

Options = argparse.Namespace


def read_model(options: Options) -> Any:
    """Return the graph of the model file, with the shape of --input-shape if it is given."""
    keep_compiled()
    return bc.read(options.model, input_shape=options.input_shape)


def read_network(path: Path) -> bc.SpikingNetwork:
    """Return the network in a file, which must not be a recording."""
    if path.suffix == ".keras":
        raise NetworkFileError(
            f"{path} is a Keras model. Convert it first: bioconv convert {path} --calibration DATA "
            "-o NET.h5"
        )
    network = bc.load(path)
    if not isinstance(network, bc.SpikingNetwork):
        raise NetworkFileError(
            f"{path} contains a recording, not a network. Give the file of a network."
        )
    return network


def make_code(options: Options) -> Any:
    """Return the code with the options that were given."""
    return bc.codes.make(options.code, pairs_of(options.option, "--option"))


def make_neuron(options: Options) -> Any:
    """Return the neuron with the options that were given."""
    return bc.neurons.make(options.neuron, pairs_of(options.parameter, "--parameter"))


def steps_of(options: Options, dt: float) -> int | None:
    """Return the steps per sample from --steps or --duration; None if neither is given."""
    return options.steps if options.duration is None else whole_steps(options.duration, dt)


def read_calibration(options: Options, graph: Any) -> Any:
    """Return the samples of --calibration."""
    x, _ = bc.load_data(
        options.calibration,
        split="train",
        scale=options.scale,
        offset=options.offset,
        n_images=options.calibration_images,
    )
    return fit_shape(x, graph.inputs[0].shape)


def read_data(
    options: Options, shape: tuple[int, ...], n_images: int | None, first: int = 0
) -> tuple[Any, Any]:
    """Return samples of --data from ``first`` on in the network's input shape, and the labels."""
    if first < 0:
        raise ParameterError(f"--first must be at least 0. Received: {first}.")
    last = None if n_images is None else first + n_images
    x, y = bc.load_data(options.data, scale=options.scale, offset=options.offset, n_images=last)
    if first >= len(x):
        raise ParameterError(
            f"--first {first}: {options.data} has only {len(x)} samples, which count from 0."
        )
    return fit_shape(x[first:], shape), None if y is None else y[first:]


def pairs_of(entries: list[str], option: str) -> dict[str, Any]:
    """Return ``["a=1", "b=x"]`` as ``{"a": 1, "b": "x"}``; each name may occur only once."""
    pairs = list_of(entries, option)
    twice = twice_in(name for name, _ in pairs)
    if twice:
        raise ParameterError(
            f"{option} gives {', '.join(twice)} more than once. Give one value for each name."
        )
    return dict(pairs)


def list_of(entries: list[str], option: str) -> list[tuple[str, Any]]:
    """Return ``["a=1", "b=x"]`` as ``[("a", 1), ("b", "x")]``."""
    from bioconv.studies.runs import value_of

    pairs = []
    for entry in entries:
        name, separator, value = entry.partition("=")
        if not separator or not name:
            raise ParameterError(f"{option} expects NAME=VALUE. Received: {entry!r}.")
        pairs.append((name.strip(), value_of(value.strip())))
    return pairs


def imperfections_of(options: Options) -> list[Any]:
    """Return the imperfections of --noise."""
    found = []
    for name, amplitude in list_of(options.noise, "--noise"):
        if name not in bc.noise.LIBRARY:
            valid = ", ".join(bc.noise.LIBRARY)
            raise ParameterError(
                f"There is no imperfection {name!r}. Valid names: {valid}."
                + did_you_mean(name, bc.noise.LIBRARY)
            )
        if not isinstance(amplitude, int | float):
            raise ParameterError(
                f"The amplitude of {name} must be a number. Received: {amplitude!r}."
            )
        found.append(bc.noise.LIBRARY[name](amplitude))
    return found


def twice_in(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once."""
    return [name for name, n in Counter(names).items() if n > 1]


def check_folder(path: Path) -> None:
    """Report a missing folder before a long computation rather than after it."""
    if not path.absolute().parent.is_dir():
        folder = str(path.absolute().parent)
        raise ParameterError(f"{path}: the folder {folder!r} does not exist. Create it first.")


def check_report(options: Options) -> None:
    """Report a name or folder in which no report can be written before a long computation."""
    if options.report:
        from bioconv.reports.html import check_name

        check_folder(check_name(options.report))


def write_report(options: Options, subject: Any, **details: Any) -> None:
    """Write the report of --report, if it is wanted."""
    if options.report:
        bc.report(subject, options.report, **details)


def figures_text(result: Mapping[str, Any]) -> str:
    """Return the results of a simulation as text for display."""
    percent = {
        "accuracy": result["accuracy"],
        "analog accuracy": result["analog_accuracy"],
        "agreement with the analog network": result["agreement"],
        "expected agreement": result["expected_agreement"],
    }
    lines = [f"  decision: {result['decision']}"]
    lines += [
        f"  {name}: {100 * value:.2f} %" for name, value in percent.items() if value is not None
    ]
    if "metric" in result:
        lines += [
            f"  {name}: {value:.4f}"
            for name, value in (
                (result["metric_name"], result["metric"]),
                (f"{result['metric_name']} of the analog network", result["analog_metric"]),
            )
            if value is not None
        ]
    if result["answered"] < 1:
        early = result["n_steps"] <= result["first_output_step"]
        why = (
            f"the output starts after step {result['first_output_step']}"
            if early
            else "their output neurons have not fired"
        )
        lines.append(
            f"  no output for {100 * (1 - result['answered']):.0f} % of the images after "
            f"{result['n_steps']} steps: {why}"
        )
    lines.append(f"  spikes per image: {result['spikes_per_image']:,.0f}")
    lines.append(f"  synaptic operations per image: {result['synaptic_operations_per_image']:,.0f}")
    lines.append(
        f"  {result['n_steps']} steps ({result['duration_ms']:g} ms) per image, "
        f"{sum(result['seconds'].values()):.1f} s in total"
        + (f", engine {result['engine']}" if result["engine"] else "")
    )
    return "\n".join(lines)


def finish(options: Options, result: Mapping[str, Any], text: str) -> None:
    """Write the JSON file (completely or not at all), with all warnings, and print the text."""
    if options.json:
        check_folder(options.json)
        write_json(options.json, {**result, "warnings": options.warnings})
    if not options.quiet:
        print(text, file=sys.stdout)
