"""Commands that create and run networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

import bioconv as bc
from bioconv.cli.commands.common import (
    Options,
    check_folder,
    check_report,
    figures_text,
    finish,
    make_code,
    make_neuron,
    read_calibration,
    read_data,
    read_model,
    read_network,
    steps_of,
    write_report,
)
from bioconv.encoders import SpikeRaster
from bioconv.encoders.raster import n_steps_of
from bioconv.encoders.sources import sample_rasters, warn_of_rates
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.tables import format_table
from bioconv.network.agreement import DEVIATION, without_expectation
from bioconv.reports.networks import (
    decision_texts,
    describe_decisions,
    describe_expectation,
    describe_stages,
    describe_transfer,
    expectation_of,
)

#: checkpoints of a metric over time, for which all outputs are kept
_METRICS_OVER_TIME = 20


def convert(options: Options) -> None:
    """Run ``bioconv convert``."""
    check_folder(options.output)
    check_report(options)
    graph = read_model(options)
    calibration = read_calibration(options, graph)
    network = bc.convert(
        graph,
        calibration=calibration,
        code=make_code(options),
        neuron=make_neuron(options),
        dt=options.dt,
        n_steps=options.steps,
        duration=options.duration,
        seed=options.seed,
        decision=options.decision,
        batch_size=options.batch,
        progress=not options.quiet,
    )
    network.save(options.output)
    write_report(options, network, x=calibration)
    rows = bc.inspect(network)
    agreement, weakest = expectation_of(network)
    finish(
        options,
        {
            "network": network.name,
            "file": str(options.output),
            "n_neurons": network.n_neurons,
            "n_synapses": network.n_synapses,
            "n_steps": network.n_steps,
            "dt": network.dt,
            "expected_agreement": agreement,
            "expected_deviation": network.code.get(DEVIATION),
            "weakest_layer": weakest,
            "code": dict(network.code),
            "decisions": decision_texts(network),
            "populations": rows,
        },
        "\n".join(
            [
                format_table(rows),
                *describe_stages(network),
                *describe_transfer(network),
                *describe_expectation(network),
                *describe_decisions(network),
                f"{network.n_neurons:,} neurons, {network.n_synapses:,} synapses -> "
                f"{options.output}",
            ]
        ),
    )


def simulate(options: Options) -> None:
    """Run ``bioconv simulate``."""
    for path in filter(None, (options.output, options.json)):
        check_folder(path)
    check_report(options)
    network = read_network(options.network)
    if options.decision or options.metric:
        # a metric is one of all values of the outputs
        network = network.with_decision(options.decision or "value")
        network = network.replace(code=without_expectation(network.code))
    x, y = read_data(options, network.inputs[0].shape, options.images, options.first)
    if options.metric and y is None:
        raise ParameterError(f"--metric needs labels: {options.data} has none.")
    record = _record(options, network)
    extra: dict[str, Any] = {}
    if options.simulator in ("array", "event"):
        extra = {"batch_size": options.batch, "dtype": options.dtype}
    if options.simulator == "array":
        extra["engine"] = options.engine
    elif options.engine != "auto":
        raise ParameterError(
            f"--engine is an option of the simulator array. Received: {options.simulator}."
        )
    settings: dict[str, Any] = {
        "simulator": options.simulator,
        "steps": steps_of(options, network.dt),
        "seed": options.seed,
        "progress": not options.quiet,
        "first": options.first,
        "checkpoints": options.checkpoints or (_METRICS_OVER_TIME if options.metric else None),
        **extra,
    }
    given = x if options.rasters is None else _rasters(options, network, x)
    recording = bc.simulate(network, given, record=record, **settings)
    result = bc.summarize(network, recording, x, y, metric=options.metric)
    text = [figures_text(result)]
    labels = None if options.metric else y
    if options.diagnose:
        result["diagnosis"] = [vars(row) for row in bc.diagnose(network, recording, x, labels)]
        text.append(format_table(result["diagnosis"]))
    if options.output:
        recording.save(options.output)
    if options.plot:
        files = bc.plots.plot_recording(
            network,
            recording,
            options.plot,
            y=y,
            x=x,
            analog_accuracy=result["analog_accuracy"],
            format=options.format,
            metric=options.metric,
        )
        text.append("\n".join(str(file) for file in files))
    # before the report, so that a report that fails does not take the result with it
    finish(options, result, "\n".join(text))
    if options.report:
        from bioconv.reports.html import detail_of

        detail = detail_of(network, given, **settings)
        write_report(
            options, recording, network=network, x=x, y=labels, detail=detail, first=options.first
        )


def estimate(options: Options) -> None:
    """Run ``bioconv estimate``."""
    if options.search == bool(options.data):
        raise ParameterError(
            "Give exactly one of --data (estimate on samples) and --search (simulate noise)."
        )
    if options.search and options.metric:
        raise ParameterError("--metric needs --data: noise has no labels.")
    graph = read_model(options)
    calibration = read_calibration(options, graph)
    table: Sequence[Any]
    if options.search:
        table = bc.search_percentile(
            graph,
            calibration=calibration,
            code=make_code(options),
            neuron=make_neuron(options),
            percentiles=options.percentiles,
            dt=options.dt,
            n_steps=options.steps,
            duration=options.duration,
            seed=options.seed,
            decision=options.decision,
        )
    else:
        x, y = read_data(options, graph.inputs[0].shape, options.images)
        table = bc.estimate(
            graph,
            x,
            y,
            calibration=calibration,
            code=make_code(options),
            percentiles=options.percentiles,
            n_steps=steps_of(options, options.dt or 1.0),
            decision=options.decision,
            metric=options.metric,
        )
    unused = set() if options.metric else {"metric", "analog_metric"}
    rows = [{k: v for k, v in vars(row).items() if k not in unused} for row in table]
    finish(options, {"estimates": rows}, format_table(rows))


def inspect(options: Options) -> None:
    """Run ``bioconv inspect``."""
    from bioconv.reports.networks import open_any

    source = open_any(options.source, options.input_shape)
    x = None
    if options.data:
        x, _ = read_data(options, source.inputs[0].shape, options.images)
    rows = bc.inspect(source, x, n_images=options.images)
    stages = describe_stages(source) if isinstance(source, bc.SpikingNetwork) else []
    text = "\n".join([format_table(rows), *stages, *describe_decisions(source)])
    finish(options, {"rows": rows, "decisions": decision_texts(source)}, text)


def demo(options: Options) -> None:
    """Run ``bioconv demo``."""
    result = bc.demo(
        options.output,
        n_images=options.images,
        n_brian2_images=options.brian2_images,
        seed=options.seed,
        progress=not options.quiet,
    )
    text = [
        f"{name}: {result[name]['n_images']} images\n{figures_text(result[name])}"
        for name in ("array", "brian2")
    ]
    same = "the same" if result["same_classes"] else "DIFFERENT"
    text.append(f"The two simulators assigned {same} classes. Files:")
    finish(options, result, "\n".join([*text, *result["files"]]))


def _rasters(options: Options, network: bc.SpikingNetwork, x: NDArray) -> list[SpikeRaster]:
    """Return the rasters of --rasters, one for each sample that is simulated."""
    if len(network.inputs) > 1:
        raise ParameterError(
            f"--rasters: {network.name} has {len(network.inputs)} inputs. Give their rasters with "
            "bc.simulate(network, {input: rasters})."
        )
    found = [raster for path in options.rasters for raster in sample_rasters(network, path)]
    last = options.first + len(x)
    if len(found) < last or (options.images is None and len(found) > last):
        raise DataError(
            f"--rasters: there are {len(found):,} rasters for {last:,} samples of {options.data}. "
            "Give one raster for each sample, or fewer samples with --images."
        )
    rasters = found[options.first : last]
    n_steps = steps_of(options, network.dt) or network.n_steps
    end = max((float(raster.time.max(initial=0.0)) for raster in rasters), default=0.0)
    if n_steps_of(end, network.dt) > n_steps:
        raise DataError(
            f"--rasters: there are spikes until {end:g} ms, after the {n_steps:,} steps of "
            f"{network.dt:g} ms that are simulated. Use --steps {n_steps_of(end, network.dt)}."
        )
    warn_of_rates(network, rasters, x, n_steps)
    return rasters


def _record(options: Options, network: bc.SpikingNetwork) -> dict[str, tuple[str, ...]]:
    record: dict[str, tuple[str, ...]] = {}
    for entry in options.record:
        population, separator, variable = entry.partition("=")
        if not separator:
            raise ParameterError(f"--record expects POPULATION=VARIABLE. Received: {entry!r}.")
        record[population] = (*record.get(population, ()), variable)
    if options.diagnose or options.plot or options.report:
        for population in network.populations:
            known = record.get(population.name, ())
            record[population.name] = tuple(dict.fromkeys((*known, population.decoded_from)))
    return record
