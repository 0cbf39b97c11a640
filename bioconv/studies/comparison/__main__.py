"""Measure, and write the page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bioconv.ground.files import write_text
from bioconv.studies.comparison import cases, markdown, survey


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument(
        "--neurons", nargs="+", help="names of neurons in the library (default: all)"
    )
    options = parser.parse_args(arguments)
    write_text(options.page, markdown(survey(cases(options.neurons))))


if __name__ == "__main__":
    main()
