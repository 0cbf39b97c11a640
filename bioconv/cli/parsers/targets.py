"""Arguments of the commands that transfer networks to other machines."""

from __future__ import annotations

from pathlib import Path

from bioconv.cli.parsers.common import DATA_HELP, Commands, add_command, add_pixels


def _export(commands: Commands) -> None:
    parser = add_command(
        commands,
        "export",
        "Export a network to a simulator, a machine or a file format, and report what is lost.",
        "bioconv export lenet.h5 --to spinnaker --data mnist --report lost.txt -o program",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5")
    parser.add_argument(
        "--to", required=True, metavar="TARGET", help="name of a target: see bioconv targets"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="folder or file to write, which replaces what bioconv wrote there before; if "
        "omitted, only report",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="also replace a folder with files that bioconv did not write",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the report, as JSON if the name ends in .json, with tables as HTML if it ends "
        "in .html, else as text",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="measure on these samples what is lost and how strong inputs become; " + DATA_HELP,
    )
    parser.add_argument(
        "--images", type=int, default=100, metavar="N", help="use the first N samples"
    )
    parser.add_argument(
        "--chips",
        type=int,
        default=5,
        metavar="N",
        help="machines to simulate, for targets whose machines differ from one another",
    )
    add_pixels(parser)


def _nir(commands: Commands) -> None:
    parser = add_command(
        commands,
        "nir",
        "Read a network from a NIR file, of bioconv or of another tool, to simulate or export it.",
        "bioconv nir lenet.nir -o lenet.h5",
    )
    parser.add_argument("file", type=Path, metavar="GRAPH.nir")
    parser.add_argument(
        "--dt", type=float, metavar="MS", help="time step in ms (default: that of the file)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="steps per sample")
    parser.add_argument(
        "--unit", choices=("s", "ms"), help="unit of time in the file; by default what it implies"
    )
    parser.add_argument(
        "--encoder",
        default="current",
        metavar="NAME",
        help="how samples are encoded: as current, or as regular or poisson spikes",
    )
    parser.add_argument(
        "--extras",
        action="store_true",
        help="also read the metadata that bioconv stored with the graph and other readers ignore",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NET.h5")


def _targets(commands: Commands) -> None:
    parser = add_command(
        commands,
        "targets",
        "List the targets of export, or show one: its limits and their sources.",
        "bioconv targets spinnaker",
    )
    parser.add_argument(
        "target", nargs="?", metavar="NAME", help="if omitted, all targets are listed"
    )


def _disturb(commands: Commands) -> None:
    parser = add_command(
        commands,
        "disturb",
        "Add imperfections of hardware to a converted network. The result is a network file that "
        "can be simulated and exported like any other. Each --seed stands for a different chip.",
        "bioconv disturb lenet.h5 --noise threshold=0.1 --noise jitter=0.5 --seed 3 -o chip_3.h5",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5", help="a converted network")
    parser.add_argument(
        "--noise",
        action="append",
        default=[],
        metavar="NAME=AMPLITUDE",
        help="an imperfection; see bioconv noise for names and units.  Several are applied in the "
        "given order: give those of stored values (weight_bits, fan_in) first, then those of "
        "analog circuits, with membrane noise and rails before the mismatch of thresholds",
    )
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="imperfections reported for a chip, applied before those of --noise",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="NET.h5", help="the disturbed network"
    )


COMMANDS = {
    "export": _export,
    "targets": _targets,
    "nir": _nir,
    "disturb": _disturb,
}
