"""Commands that transfer networks to other machines."""

from __future__ import annotations

import bioconv as bc
from bioconv.cli.commands.common import (
    Options,
    check_folder,
    finish,
    imperfections_of,
    read_data,
    read_network,
)
from bioconv.ground.errors import ExportError, ParameterError
from bioconv.ground.folders import check_free
from bioconv.ground.tables import format_table


def export(options: Options) -> None:
    """Run ``bioconv export``."""
    for path in filter(None, (options.output, options.report, options.json)):
        check_folder(path)
    if options.output and not bc.targets.exporter(options.to).file:
        check_free(options.output, ExportError, overwrite=options.force)
    network = read_network(options.network)
    x, y = None, None
    if options.data:
        x, y = read_data(options, network.inputs[0].shape, options.images)
    report = bc.examine(
        network,
        options.to,
        x,
        y,
        chips=options.chips,
        seed=options.seed,
        progress=not options.quiet,
    )
    if options.report:
        report.save(options.report)
    _ = report.network  # raises if anything is impossible, also without -o
    files = []
    if options.output:
        files = [str(file) for file in report.emit(options.output, overwrite=options.force)]
    finish(options, {**report.record(), "files": files}, "\n".join([str(report), "", *files]))


def targets(options: Options) -> None:
    """Run ``bioconv targets``."""
    if options.target is None:
        rows = bc.list_targets()
        shown = [{"target": row["target"], "": row["summary"]} for row in rows]
        finish(options, {"targets": rows}, format_table(shown))
        return
    found = bc.describe_target(options.target)
    head = [f"{found['title']}: {found['summary']}", found["tested"], found["conversion"]]
    finish(options, found, "\n".join([*filter(None, head), "", format_table(found["limits"])]))


def nir(options: Options) -> None:
    """Run ``bioconv nir``."""
    check_folder(options.output)
    network = bc.read_nir(
        options.file,
        dt=options.dt,
        n_steps=options.steps,
        encoder=options.encoder,
        unit=options.unit,
        extras=options.extras,
    )
    network.save(options.output)
    rows = bc.inspect(network)
    record = {
        "network": network.name,
        "file": str(options.output),
        "n_neurons": network.n_neurons,
        "n_synapses": network.n_synapses,
        "populations": rows,
    }
    words = f"{network.n_neurons:,} neurons, {network.n_synapses:,} synapses -> {options.output}"
    finish(options, record, "\n".join([format_table(rows), words]))


def disturb(options: Options) -> None:
    """Run ``bioconv disturb``."""
    check_folder(options.output)
    network = read_network(options.network)
    wanted = [] if options.profile is None else list(bc.noise.profile(options.profile))
    wanted += imperfections_of(options)
    if not wanted:
        raise ParameterError(
            "No imperfection is given. Use --noise NAME=AMPLITUDE, --profile NAME, or both."
        )
    disturbed = bc.noise.disturb(network, *wanted, seed=options.seed)
    disturbed.save(options.output)
    finish(
        options,
        {"network": disturbed.name, "file": str(options.output), "noise": list(map(str, wanted))},
        "\n".join([*map(str, wanted), f"seed {options.seed} -> {options.output}"]),
    )
