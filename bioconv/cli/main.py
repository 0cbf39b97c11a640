"""Entry point: parse, run the command, and turn errors into a message and an exit code."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any

#: exit code after Ctrl-C: 128 and the number of the signal
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``bioconv`` with the given arguments (those of the process by default).

    Returns
    -------
    int
        0, 2 if the input was not valid (the message is on standard error), or 130 if the user
        interrupted it.
    """
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("bioconv: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    # Ctrl-C may come while these are imported.
    from bioconv.cli.parsers import build_parser
    from bioconv.ground.errors import BioconvError

    options = build_parser().parse_args(arguments)
    try:
        commands = importlib.import_module(f"bioconv.cli.commands.{options.room}")
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            getattr(commands, options.command)(options)
    except BioconvError as error:
        print(f"bioconv: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        # A folder that cannot be written or a full disk: print the system's message, no traceback.
        print(f"bioconv: {error}", file=sys.stderr)
        return 2
    return 0


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one line, without its location in the code."""
    print(f"bioconv: warning: {message}", file=sys.stderr)
