"""Commands that compare many networks."""

from __future__ import annotations

import bioconv as bc
from bioconv.cli.commands.common import (
    Options,
    check_folder,
    check_report,
    finish,
    pairs_of,
    read_calibration,
    read_data,
    read_model,
    twice_in,
    write_report,
)
from bioconv.ground.errors import ParameterError
from bioconv.ground.tables import format_table


def populations(options: Options) -> None:
    """Run ``bioconv populations``."""
    graph = read_model(options)
    x, y = read_data(options, graph.inputs[0].shape, options.images)
    chosen = bc.recurrent.placement_of(pairs_of(options.option, "--option"), options.place)
    found = bc.recurrent.compare(
        graph,
        x,
        y,
        placement=chosen,
        runs=options.runs,
        seed=options.seed,
        decision=options.decision,
    )
    text = "\n".join([format_table(found.rows()), format_table(found.table())])
    finish(options, found.record(), text)


def plausibility(options: Options) -> None:
    """Run ``bioconv plausibility``."""
    check_folder(options.output)
    check_report(options)
    graph = read_model(options)
    options.calibration = options.calibration or options.data
    x, y = read_data(options, graph.inputs[0].shape, options.images)
    names = options.neurons.split(",") if options.neurons != "all" else list(bc.neurons.library())
    study = bc.plausibility(
        graph,
        x,
        y,
        calibration=read_calibration(options, graph),
        neurons=names,
        folder=options.output,
        rates=options.rates,
        tau_syn=options.tau_syn,
        durations=options.duration,
        weight_bits=options.weight_bits,
        code=bc.codes.make("rate", pairs_of(options.option, "--option")),
        seed=options.seed,
        workers=options.scheduler or options.workers,
        progress=not options.quiet,
        decision=options.decision,
        format=options.format,
    )
    write_report(options, study)
    result = {"records": study.records, "refused": study.refused, "files": study.files}
    finish(options, result, "\n".join([str(study), *map(str, study.files)]))


def robustness(options: Options) -> None:
    """Run ``bioconv robustness``."""
    from bioconv.studies.robustness_plan import parse_sweep

    check_folder(options.output)
    check_report(options)
    sweeps = [parse_sweep(entry) for entry in options.noise]
    twice = twice_in(name for name, _ in sweeps)
    if twice:
        raise ParameterError(
            " ".join(
                f"--noise gives {name} more than once: join its amplitudes with commas."
                for name in twice
            )
        )
    graph = read_model(options)
    options.calibration = options.calibration or options.data
    x, y = read_data(options, graph.inputs[0].shape, options.images)
    study = bc.robustness(
        graph,
        x,
        y,
        calibration=read_calibration(options, graph),
        noise=dict(sweeps),
        codes=options.codes,
        folder=options.output,
        seeds=options.seeds,
        seed=options.seed,
        simulator=options.simulator,
        workers=options.scheduler or options.workers,
        progress=not options.quiet,
        decision=options.decision,
        format=options.format,
    )
    write_report(options, study)
    result = {
        "records": study.records,
        "tolerated": study.tolerated(),
        "refused": study.refused,
        "files": study.files,
    }
    finish(options, result, "\n".join([str(study), *map(str, study.files)]))
