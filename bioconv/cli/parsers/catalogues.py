"""Arguments of the commands that list codes, neurons and imperfections."""

from __future__ import annotations

from pathlib import Path

from bioconv.cli.parsers.common import Commands, add_command, add_format


def _codes(commands: Commands) -> None:
    parser = add_command(
        commands,
        "codes",
        "List the codes, or show one: what it does, its options and their defaults.",
        "bioconv codes first_spike_exact",
    )
    parser.add_argument("code", nargs="?", metavar="NAME", help="if omitted, all codes are listed")


def _neurons(commands: Commands) -> None:
    parser = add_command(
        commands,
        "neurons",
        "List the neurons of the library, or show one: equations, parameters, source, simulators.",
        "bioconv neurons izhikevich --option kind=fast_spiking --plot figures",
    )
    parser.add_argument(
        "neuron", nargs="?", metavar="NAME", help="if omitted, all neurons are listed"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option or parameter of the neuron (ms, mV, pF, pA), e.g. synapse=delta or tau_m=10",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="DIR",
        help="draw potentials under a few currents and the f-I curve in this folder",
    )
    add_format(parser)


def _noise(commands: Commands) -> None:
    parser = add_command(
        commands,
        "noise",
        "List hardware imperfections and profiles of chips, or show one with its sources.",
        "bioconv noise threshold",
    )
    parser.add_argument(
        "noise",
        nargs="?",
        metavar="NAME",
        help="if omitted, all imperfections and profiles are listed",
    )


COMMANDS = {
    "codes": _codes,
    "neurons": _neurons,
    "noise": _noise,
}
