"""The command that serves the page."""

from __future__ import annotations

from bioconv.cli.commands.common import Options
from bioconv.ground.extras import required


def app(options: Options) -> None:
    """Run ``bioconv app``."""
    for package in ("panel", "pandas"):
        required(package, "app")
    from bioconv.app.server import serve

    serve(options.folder, port=options.port, show=not options.no_browser)
