"""Arguments of the commands that transfer networks to other machines."""

from __future__ import annotations

from pathlib import Path

from bioconv.cli.parsers.common import DATA_HELP, Commands, add_command, add_pixels


def _export(commands: Commands) -> None:
    parser = add_command(
        commands,
        "export",
        "Write the network for a simulator, a machine or a format, and report what is lost on it.",
        "bioconv export lenet.h5 --to spinnaker --data mnist --report lost.txt -o program",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5")
    parser.add_argument("--to", required=True, metavar="TARGET", help="see bioconv targets")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PATH", help="a folder, or a file; none: only report"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the report, as JSON if so named"
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="measure what is lost on these samples, and how strong inputs get; " + DATA_HELP,
    )
    parser.add_argument("--images", type=int, default=100, metavar="N", help="the first N samples")
    parser.add_argument(
        "--chips", type=int, default=5, metavar="N", help="machines to draw, where they differ"
    )
    add_pixels(parser)


def _nir(commands: Commands) -> None:
    parser = add_command(
        commands,
        "nir",
        "Read a network from a NIR file, of bioconv or of others, to simulate and export it.",
        "bioconv nir lenet.nir -o lenet.h5",
    )
    parser.add_argument("file", type=Path, metavar="GRAPH.nir")
    parser.add_argument("--dt", type=float, metavar="MS", help="step (default: what the file says)")
    parser.add_argument("--steps", type=int, metavar="N", help="steps a sample is shown")
    parser.add_argument("--unit", choices=("s", "ms"), default="s", help="of times in the file")
    parser.add_argument(
        "--encoder",
        default="current",
        metavar="NAME",
        help="how samples enter: as current, or as regular or poisson spikes (default: current)",
    )
    parser.add_argument(
        "--extras",
        action="store_true",
        help="also take what bioconv wrote beside the graph, which other readers do not see",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NET.h5")


def _targets(commands: Commands) -> None:
    parser = add_command(
        commands,
        "targets",
        "List what networks are exported to, or show one: its limits and where they are written.",
        "bioconv targets spinnaker",
    )
    parser.add_argument("target", nargs="?", metavar="NAME", help="leave out for the list")


def _disturb(commands: Commands) -> None:
    parser = add_command(
        commands,
        "disturb",
        "Put a converted network on imperfect hardware: another network file, simulated and "
        "exported like any. Another --seed is another chip.",
        "bioconv disturb lenet.h5 --noise threshold=0.1 --noise jitter=0.5 --seed 3 -o chip_3.h5",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5", help="a converted network")
    parser.add_argument(
        "--noise",
        action="append",
        default=[],
        metavar="NAME=AMPLITUDE",
        help="an imperfection; names and units: bioconv noise.  Several are applied in the given "
        "order: what is stored (weight_bits, fan_in) first, what analog circuits make of it "
        "afterwards, membrane noise and rails before the mismatch of thresholds",
    )
    parser.add_argument("--profile", metavar="NAME", help="what is reported of a chip, before them")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="NET.h5", help="the disturbed network"
    )


COMMANDS = {
    "export": _export,
    "targets": _targets,
    "nir": _nir,
    "disturb": _disturb,
}
