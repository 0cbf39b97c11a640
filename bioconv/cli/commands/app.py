"""The command that serves the page."""

from __future__ import annotations

from bioconv.cli.commands.common import Options
from bioconv.ground.errors import SimulatorMissingError


def app(options: Options) -> None:
    """Run ``bioconv app``."""
    try:
        from bioconv.app.server import serve
    except ModuleNotFoundError as error:
        if error.name not in ("panel", "bokeh", "pandas"):
            raise
        raise SimulatorMissingError(
            f"{error.name} is not installed. Install it: pip install 'bioconv[app]'"
        ) from None
    serve(options.folder, port=options.port, show=not options.no_browser)
