"""Arguments of all commands.  Imports no large modules, so that ``--help`` is fast."""

from __future__ import annotations

import argparse

from bioconv.cli.parsers import app, catalogues, encoding, networks, studies, targets, training
from bioconv.cli.parsers.common import Formatter

_ROOMS = (networks, training, targets, catalogues, encoding, studies, app)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of ``bioconv`` with all its commands.

    In the parsed options, ``room`` is the name of the command's module in `bioconv.cli.commands`.
    """
    from importlib.metadata import version

    parser = argparse.ArgumentParser(
        prog="bioconv",
        description="Convert trained Keras networks to spiking networks, simulate and export them.",
        epilog="example:\n  bioconv demo",
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action="version", version=f"bioconv {version('bioconv')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for room in _ROOMS:
        for name, add in room.COMMANDS.items():
            add(commands)
            commands.choices[name].set_defaults(room=room.__name__.rpartition(".")[2])
    return parser
