"""The command line of bioconv: every command is one call of the Python interface."""

from bioconv.cli.main import main

__all__ = ["main"]
