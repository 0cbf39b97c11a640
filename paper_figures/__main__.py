"""``python -m paper_figures list | run NAME | all | judge NAME | report | keep``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioconv.ground.errors import BioconvError, ParameterError
from bioconv.paper_figures import frame, records, several

_KEPT = Path(__file__).parent / "kept"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m paper_figures",
        description="Reproduce figures and tables of the papers.",
        epilog="example:\n  python -m paper_figures run mueller_fig_4_3 -o results",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names, titles, cost")
    for name, text in (("run", "one figure"), ("all", "every figure")):
        command = commands.add_parser(name, help=text)
        if name == "run":
            command.add_argument("name")
        else:
            _add_places(command)
        command.add_argument("--quick", action="store_true", help="a smoke run: few samples")
        command.add_argument("--data", help="folder of the real datasets and models")
        command.add_argument("--seed", type=int, default=0)
        command.add_argument(
            "--images",
            type=int,
            default=0,
            metavar="N",
            help="test images of the figures on deep networks, fewer or more than they use",
        )
        command.add_argument("--quiet", action="store_true")
        command.add_argument("-o", "--output", default="results", metavar="DIR")
    command = commands.add_parser("judge", help="measure and plot a figure again, as it was run")
    command.add_argument("name")
    command.add_argument("-o", "--output", default="results", metavar="DIR")
    command = commands.add_parser("report", help="Markdown table of what was run")
    command.add_argument("-o", "--output", default="results", metavar="DIR")
    command = commands.add_parser(
        "keep", help="keep the records of full runs with their verdicts in the repository"
    )
    command.add_argument("-o", "--output", default="results", metavar="DIR")
    command.add_argument(
        "--to", metavar="DIR", help="folder of kept records; by default that of this checkout"
    )
    return parser


def _add_places(command: argparse.ArgumentParser) -> None:
    """Add the options for several figures."""
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes, each of which runs one figure at a time "
        "(default: one figure after the other, on all cores)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run on the workers of a Dask scheduler, e.g. tcp://host:8786",
    )
    command.add_argument(
        "--missing",
        action="store_true",
        help="only figures that the folder does not have from the same code, seed and data",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return 0, or print a message and return 2 if the input is invalid."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except BioconvError as error:
        print(f"paper_figures: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.command == "list":
        for name in frame.names():
            manifest = frame.figure(name).MANIFEST
            print(f"{name:24} {manifest.title} (about {manifest.minutes:g} min)")
        return
    if options.command == "report":
        print(records.report(options.output), end="")
        return
    if options.command == "judge":
        _print(frame.judge(options.name, options.output))
        return
    if options.command == "keep":
        if not options.to and not (_KEPT.parents[1] / "setup.cfg").is_file():
            raise ParameterError("this is no checkout. Name a folder for kept records: --to DIR.")
        for path in records.keep(options.output, options.to or _KEPT):
            print(path)
        return
    data = frame.data_folder(options.data)
    if options.quick and options.data:
        raise ParameterError("--quick uses small substitutes, not --data. Omit one of them.")
    frame.use_data(data)
    if options.images < 0:
        raise ParameterError(f"--images must be at least 1. Received: {options.images}.")
    context = frame.Context(
        quick=options.quick,
        data=data,
        seed=options.seed,
        images=options.images,
        progress=not options.quiet,
    )
    for record in _records(options, context):
        if not options.quiet:
            _print(record)


def _records(options: argparse.Namespace, context: frame.Context) -> Iterator[dict[str, Any]]:
    """Yield the records of the figures that were asked for."""
    if options.command == "run":
        yield frame.run(options.name, options.output, context)
        return
    if options.workers is not None and options.workers < 1:
        raise ParameterError(f"--workers must be at least 1. Received: {options.workers}.")
    names = frame.names()
    chosen = several.missing(names, options.output, context) if options.missing else names
    workers = options.scheduler or options.workers
    yield from several.run_all(chosen, options.output, context, workers=workers)


def _print(record: Mapping[str, Any]) -> None:
    why = f" ({record['why']})" if record["why"] else ""
    seconds, used = record["seconds"], record["used"]
    print(f"{record['name']}: {record['status']}{why}; {seconds} s; on {used}")


if __name__ == "__main__":
    sys.exit(main())
