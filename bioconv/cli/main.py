"""Entry point: parse, run the command, and turn errors into a message and exit code 2."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from bioconv.cli.parsers import build_parser
from bioconv.ground.errors import BioconvError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``bioconv`` with the given arguments (those of the process by default).

    Returns
    -------
    int
        0, or 2 if the input was not valid (the message is on standard error).
    """
    options = build_parser().parse_args(arguments)
    options.warnings = []
    commands = importlib.import_module(f"bioconv.cli.commands.{options.room}")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_show_warning, options.warnings)
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
    except KeyboardInterrupt:
        print("bioconv: interrupted", file=sys.stderr)
        return 130
    return 0


def _show_warning(shown: list[str], message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one line, without its location in the code, and keep it for the JSON."""
    shown.append(str(message))
    print(f"bioconv: warning: {message}", file=sys.stderr)
