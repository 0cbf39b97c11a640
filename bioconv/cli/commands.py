"""What each command does: one call of the Python interface, then print and write."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bioconv as bc
from bioconv.data import fit_shape
from bioconv.errors import NetworkFileError, ParameterError
from bioconv.measures import format_table
from bioconv.records import write_json
from bioconv.reports.networks import describe_transfer
from bioconv.studies.runs import value_of
from bioconv.timing import whole_steps

Options = argparse.Namespace


def convert(options: Options) -> None:
    """``bioconv convert``."""
    _check_folder(options.output)
    graph = bc.read(options.model)
    calibration = _calibration(options, graph)
    network = bc.convert(
        graph,
        calibration=calibration,
        code=_code(options),
        neuron=_neuron(options),
        dt=options.dt,
        n_steps=options.steps,
        duration=options.duration,
        seed=options.seed,
    )
    network.save(options.output)
    rows = bc.inspect(network)
    _finish(
        options,
        {
            "network": network.name,
            "file": str(options.output),
            "n_neurons": network.n_neurons,
            "n_synapses": network.n_synapses,
            "n_steps": network.n_steps,
            "dt": network.dt,
            "code": dict(network.code),
            "populations": rows,
        },
        "\n".join(
            [
                format_table(rows),
                *describe_transfer(network),
                f"{network.n_neurons:,} neurons, {network.n_synapses:,} synapses -> "
                f"{options.output}",
            ]
        ),
    )


def simulate(options: Options) -> None:
    """``bioconv simulate``."""
    for path in filter(None, (options.output, options.json)):
        _check_folder(path)
    network = _network(options.network)
    x, y = _data(options, network.inputs[0].shape, options.images)
    record = _record(options, network)
    extra = {"batch_size": options.batch, "dtype": options.dtype}
    recording = bc.simulate(
        network,
        x,
        simulator=options.simulator,
        steps=_steps(options, network.dt),
        record=record,
        seed=options.seed,
        progress=not options.quiet,
        **(extra if options.simulator in ("array", "event") else {}),
    )
    result = bc.summarize(network, recording, x, y)
    text = [_figures(result)]
    if options.diagnose:
        result["diagnosis"] = [vars(row) for row in bc.diagnose(network, recording, x, y)]
        text.append(format_table(result["diagnosis"]))
    if options.output:
        recording.save(options.output)
    if options.plot:
        files = bc.plots.plot_recording(
            network, recording, options.plot, y=y, x=x, analog_accuracy=result["analog_accuracy"]
        )
        text.append("\n".join(str(file) for file in files))
    _finish(options, result, "\n".join(text))


def estimate(options: Options) -> None:
    """``bioconv estimate``."""
    if options.search == bool(options.data):
        raise ParameterError("give either --data (estimate on these samples) or --search (noise)")
    graph = bc.read(options.model)
    calibration = _calibration(options, graph)
    table: Sequence[Any]
    if options.search:
        table = bc.search_percentile(
            graph,
            calibration=calibration,
            code=_code(options),
            neuron=_neuron(options),
            percentiles=options.percentiles,
            dt=options.dt,
            n_steps=options.steps,
            duration=options.duration,
            seed=options.seed,
        )
    else:
        x, y = _data(options, graph.inputs[0].shape, options.images)
        table = bc.estimate(
            graph,
            x,
            y,
            calibration=calibration,
            percentiles=options.percentiles,
            normalization=_code(options).normalization,
            n_steps=_steps(options, options.dt or 1.0),
        )
    rows = [vars(row) for row in table]
    _finish(options, {"estimates": rows}, format_table(rows))


def populations(options: Options) -> None:
    """``bioconv populations``."""
    graph = bc.read(options.model)
    x, y = _data(options, graph.inputs[0].shape, options.images)
    chosen = bc.populations.placement_of(_pairs(options.option, "--option"), options.place)
    found = bc.populations.compare(
        graph, x, y, placement=chosen, runs=options.runs, seed=options.seed
    )
    text = "\n".join([format_table(found.rows()), format_table(found.table())])
    _finish(options, found.record(), text)


def export(options: Options) -> None:
    """``bioconv export``."""
    network = _network(options.network)
    files = bc.emit(network, options.output, target=options.to)
    names = [str(file) for file in files]
    _finish(options, {"files": names}, "\n".join(names))


def inspect(options: Options) -> None:
    """``bioconv inspect``."""
    from bioconv.reports.networks import open_any

    source = open_any(options.source)
    x = None
    if options.data:
        x, _ = _data(options, source.inputs[0].shape, options.images)
    rows = bc.inspect(source, x, n_images=options.images)
    _finish(options, {"rows": rows}, format_table(rows))


def codes(options: Options) -> None:
    """``bioconv codes``."""
    if options.code is None:
        rows = bc.list_codes()
        shown = [{"code": row["code"], "": row["summary"]} for row in rows]
        _finish(options, {"codes": rows}, format_table(shown))
        return
    description = bc.describe_code(options.code)
    _finish(options, dict(vars(description)), str(description))


def noise(options: Options) -> None:
    """``bioconv noise``."""
    if options.noise is None:
        rows = bc.list_noise()
        shown = [
            {"noise": r["noise"], "python": r["python"], "unit": r.get("unit"), "": r["summary"]}
            for r in rows
        ]
        _finish(options, {"noise": rows}, format_table(shown))
        return
    found = bc.describe_noise(options.noise)
    head = f"{found['noise']} ({found['python']})"
    source = [f"Source: {found['source']}"] if found["source"] else []
    _finish(options, found, "\n\n".join([head, found["text"], *source]))


def disturb(options: Options) -> None:
    """``bioconv disturb``."""
    _check_folder(options.output)
    network = _network(options.network)
    wanted = [] if options.profile is None else list(bc.noise.profile(options.profile))
    for name, amplitude in _pairs(options.noise, "--noise").items():
        if name not in bc.noise.LIBRARY:
            valid = ", ".join(bc.noise.LIBRARY)
            raise ParameterError(f"There is no imperfection {name!r}. Valid names: {valid}.")
        if not isinstance(amplitude, int | float):
            raise ParameterError(f"The amplitude of {name} must be a number, not {amplitude!r}.")
        wanted.append(bc.noise.LIBRARY[name](amplitude))
    if not wanted:
        raise ParameterError("Say what the hardware is like: --noise NAME=AMPLITUDE, or --profile.")
    disturbed = bc.noise.disturb(network, *wanted, seed=options.seed)
    disturbed.save(options.output)
    _finish(
        options,
        {"network": disturbed.name, "file": str(options.output), "noise": list(map(str, wanted))},
        "\n".join([*map(str, wanted), f"seed {options.seed} -> {options.output}"]),
    )


def neurons(options: Options) -> None:
    """``bioconv neurons``."""
    if options.neuron is None:
        if options.plot or options.option:
            raise ParameterError("--plot and --option need the name of a neuron.")
        rows = bc.list_neurons()
        shown = [{"neuron": r["neuron"], "short": r["short"], "": r["summary"]} for r in rows]
        _finish(options, {"neurons": rows}, format_table(shown))
        return
    pairs = _pairs(options.option, "--option")
    description = bc.describe_neuron(options.neuron, pairs)
    result, text = dict(vars(description)), [str(description)]
    if options.plot:
        _check_folder(options.plot)
        neuron = bc.neurons.make(options.neuron, pairs)
        files = [str(f) for f in bc.plots.plot_neuron(neuron, options.plot, seed=options.seed)]
        result["files"] = files
        text += ["", *files]
    _finish(options, result, "\n".join(text))


def plausibility(options: Options) -> None:
    """``bioconv plausibility``."""
    _check_folder(options.output)
    graph = bc.read(options.model)
    options.calibration = options.calibration or options.data
    x, y = _data(options, graph.inputs[0].shape, options.images)
    names = options.neurons.split(",") if options.neurons != "all" else list(bc.neurons.library())
    study = bc.plausibility(
        graph,
        x,
        y,
        calibration=_calibration(options, graph),
        neurons=names,
        folder=options.output,
        rates=options.rates,
        tau_syn=options.tau_syn,
        durations=options.duration,
        weight_bits=options.weight_bits,
        code=bc.codes.make("rate", _pairs(options.option, "--option")),
        seed=options.seed,
        workers=options.workers,
        progress=not options.quiet,
    )
    result = {"records": study.records, "refused": study.refused, "files": study.files}
    _finish(options, result, "\n".join([str(study), *map(str, study.files)]))


def robustness(options: Options) -> None:
    """``bioconv robustness``."""
    from bioconv.studies.robustness_plan import parse_sweep

    _check_folder(options.output)
    graph = bc.read(options.model)
    options.calibration = options.calibration or options.data
    x, y = _data(options, graph.inputs[0].shape, options.images)
    study = bc.robustness(
        graph,
        x,
        y,
        calibration=_calibration(options, graph),
        noise=dict(parse_sweep(entry) for entry in options.noise),
        codes=options.codes,
        folder=options.output,
        seeds=options.seeds,
        seed=options.seed,
        simulator=options.simulator,
        workers=options.workers,
        progress=not options.quiet,
    )
    result = {
        "records": study.records,
        "tolerated": study.tolerated(),
        "refused": study.refused,
        "files": study.files,
    }
    _finish(options, result, "\n".join([str(study), *map(str, study.files)]))


def demo(options: Options) -> None:
    """``bioconv demo``."""
    result = bc.demo(
        options.output,
        n_images=options.images,
        n_brian2_images=options.brian2_images,
        seed=options.seed,
        progress=not options.quiet,
    )
    text = [
        f"{name}: {result[name]['n_images']} images\n{_figures(result[name])}"
        for name in ("array", "brian2")
    ]
    same = "the same" if result["same_classes"] else "DIFFERENT"
    text.append(f"Both simulators gave {same} classes. Files:")
    _finish(options, result, "\n".join([*text, *result["files"]]))


def _network(path: Path) -> bc.SpikingNetwork:
    network = bc.load(path)
    if not isinstance(network, bc.SpikingNetwork):
        raise NetworkFileError(f"{path} holds a recording, not a network.")
    return network


def _code(options: Options) -> Any:
    return bc.codes.make(options.code, _pairs(options.option, "--option"))


def _neuron(options: Options) -> Any:
    return bc.neurons.make(options.neuron, _pairs(options.parameter, "--parameter"))


def _steps(options: Options, dt: float) -> int | None:
    return options.steps if options.duration is None else whole_steps(options.duration, dt)


def _calibration(options: Options, graph: Any) -> Any:
    x, _ = bc.load_data(
        options.calibration,
        split="train",
        scale=options.scale,
        offset=options.offset,
        n_images=options.calibration_images,
    )
    return fit_shape(x, graph.inputs[0].shape)


def _data(options: Options, shape: tuple[int, ...], n_images: int | None) -> tuple[Any, Any]:
    x, y = bc.load_data(options.data, scale=options.scale, offset=options.offset, n_images=n_images)
    return fit_shape(x, shape), y


def _record(options: Options, network: bc.SpikingNetwork) -> dict[str, tuple[str, ...]]:
    record: dict[str, tuple[str, ...]] = {}
    for entry in options.record:
        population, separator, variable = entry.partition("=")
        if not separator:
            raise ParameterError(f"--record takes POPULATION=VARIABLE. Received: {entry!r}.")
        record[population] = (*record.get(population, ()), variable)
    if options.diagnose or options.plot:
        for population in network.populations:
            known = record.get(population.name, ())
            record[population.name] = tuple(dict.fromkeys((*known, population.decoded_from)))
    return record


def _pairs(entries: list[str], option: str) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for entry in entries:
        name, separator, value = entry.partition("=")
        if not separator or not name:
            raise ParameterError(f"{option} takes NAME=VALUE. Received: {entry!r}.")
        pairs[name.strip()] = value_of(value.strip())
    return pairs


def _check_folder(path: Path) -> None:
    """Complain about a missing folder before the long part, not after it."""
    if not path.absolute().parent.is_dir():
        raise ParameterError(f"{path}: the folder {str(path.absolute().parent)!r} does not exist.")


def _figures(result: Mapping[str, Any]) -> str:
    percent = {
        "accuracy": result["accuracy"],
        "analog accuracy": result["analog_accuracy"],
        "agreement with the analog network": result["agreement"],
    }
    lines = [
        f"  {name}: {100 * value:.2f} %" for name, value in percent.items() if value is not None
    ]
    lines.append(f"  spikes an image: {result['spikes_per_image']:,.0f}")
    lines.append(f"  synaptic operations an image: {result['synaptic_operations_per_image']:,.0f}")
    lines.append(
        f"  {result['n_steps']} steps ({result['duration_ms']:g} ms) an image, "
        f"{sum(result['seconds'].values()):.1f} s in all"
    )
    return "\n".join(lines)


def _finish(options: Options, result: Mapping[str, Any], text: str) -> None:
    """Write the JSON (whole or not at all) and print the text."""
    if options.json:
        _check_folder(options.json)
        write_json(options.json, result)
    if not options.quiet:
        print(text, file=sys.stdout)
