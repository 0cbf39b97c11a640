"""Arguments of the command that serves the page."""

from __future__ import annotations

from pathlib import Path

from bioconv.cli.parsers.common import Commands, add_command


def _app(commands: Commands) -> None:
    parser = add_command(
        commands,
        "app",
        "Convert and simulate networks on a page in the browser, on this machine only.",
        "bioconv app --folder my_models",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="models and data are looked for in this folder and those below it, and nothing "
        "outside of it can be opened (default: the current folder)",
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port of the server (default: a free one)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address, but open no browser"
    )


COMMANDS = {"app": _app}
