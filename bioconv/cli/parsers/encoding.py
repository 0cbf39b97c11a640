"""Arguments of the commands for signals and spikes."""

from __future__ import annotations

from pathlib import Path

from bioconv.cli.parsers.common import Commands, add_command, add_format


def _encode(commands: Commands) -> None:
    parser = add_command(
        commands,
        "encode",
        "Encode a signal as spikes, and show what is decoded from them; or read the events of a "
        "camera.",
        "bioconv encode ecg.npz --encoder bsa --option interval=2 -o spikes.npz --plot figures",
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="an .npz file with x (samples, or time, first), a named dataset, or a file of events "
        "(N-MNIST .bin, Prophesee .dat)",
    )
    parser.add_argument(
        "--encoder", metavar="NAME", help="see bioconv encoders; not for files of events"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the encoder, e.g. interval=2 (ms) or threshold=0.9",
    )
    parser.add_argument("--samples", type=int, metavar="N", help="use the first N samples")
    parser.add_argument("-o", "--output", type=Path, metavar="SPIKES.npz")
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="DIR",
        help="draw signal, spikes, reconstruction and the error by length in this folder",
    )
    add_format(parser)


def _encoders(commands: Commands) -> None:
    parser = add_command(
        commands,
        "encoders",
        "List the encoders of signals and which can carry a conversion, or show one: law, error, "
        "options, sources.",
        "bioconv encoders step_forward",
    )
    parser.add_argument(
        "encoder", nargs="?", metavar="NAME", help="if omitted, all encoders are listed"
    )


COMMANDS = {
    "encode": _encode,
    "encoders": _encoders,
}
