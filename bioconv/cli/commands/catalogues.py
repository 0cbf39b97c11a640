"""Commands that list codes, neurons and imperfections."""

from __future__ import annotations

import bioconv as bc
from bioconv.cli.commands.common import Options, check_folder, finish, pairs_of
from bioconv.ground.errors import ParameterError
from bioconv.ground.tables import format_table


def codes(options: Options) -> None:
    """Run ``bioconv codes``."""
    if options.code is None:
        rows = bc.list_codes()
        shown = [{"code": row["code"], "": row["summary"]} for row in rows]
        finish(options, {"codes": rows}, format_table(shown))
        return
    description = bc.describe_code(options.code)
    finish(options, dict(vars(description)), str(description))


def noise(options: Options) -> None:
    """Run ``bioconv noise``."""
    if options.noise is None:
        rows = bc.list_noise()
        shown = [
            {"noise": r["noise"], "python": r["python"], "unit": r.get("unit"), "": r["summary"]}
            for r in rows
        ]
        finish(options, {"noise": rows}, format_table(shown))
        return
    found = bc.describe_noise(options.noise)
    head = f"{found['noise']} ({found['python']})"
    source = [f"Source: {found['source']}"] if found["source"] else []
    finish(options, found, "\n\n".join([head, found["text"], *source]))


def neurons(options: Options) -> None:
    """Run ``bioconv neurons``."""
    if options.neuron is None:
        if options.plot or options.option:
            raise ParameterError("--plot and --option require a neuron: bioconv neurons NAME.")
        rows = bc.list_neurons()
        shown = [{"neuron": r["neuron"], "short": r["short"], "": r["summary"]} for r in rows]
        finish(options, {"neurons": rows}, format_table(shown))
        return
    pairs = pairs_of(options.option, "--option")
    description = bc.describe_neuron(options.neuron, pairs)
    result, text = dict(vars(description)), [str(description)]
    if options.plot:
        check_folder(options.plot)
        neuron = bc.neurons.make(options.neuron, pairs)
        found = bc.plots.plot_neuron(neuron, options.plot, seed=options.seed, format=options.format)
        files = [str(f) for f in found]
        result["files"] = files
        text += ["", *files]
    finish(options, result, "\n".join(text))
