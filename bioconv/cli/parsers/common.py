"""Arguments that several commands share.  Imports no large modules."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

#: calibration samples, unless another number is given
CALIBRATION_IMAGES = 1000
DATA_HELP = (
    "an .npz file with x and, optionally, y, or one of digits, digits_canvas, mnist, "
    "fashion_mnist, cifar10, imdb"
)
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Names:
    """Names that a module registers, which are read only on demand to avoid slow imports.

    Parameters
    ----------
    module, attribute : str
        Where they are.
    *more : str
        Further names to choose from.
    """

    def __init__(self, module: str, attribute: str, *more: str):
        self._place, self._more = (module, attribute), more

    def __iter__(self) -> Iterator[str]:
        module, attribute = self._place
        return iter((*self._more, *getattr(import_module(module), attribute)))


def simulators(*more: str) -> Names:
    """Return the names of the simulators, and further ones to choose from."""
    return Names("bioconv.simulators", "SIMULATORS", *more)


class Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keep the lines of the example, and show defaults if there are any."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or action.default == []:
            return action.help
        return super()._get_help_string(action)


def add_command(commands: Commands, name: str, text: str, example: str) -> argparse.ArgumentParser:
    """Add a command with the options that all commands have."""
    parser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"example:\n  {example}",
        formatter_class=Formatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result as JSON")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives identical files")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--quiet", action="store_true", help="print nothing but errors")
    amount.add_argument("-v", "--verbose", action="store_true", help="say what is being done")
    return parser


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the option for a report in HTML."""
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.html",
        help="also write a report with tables and pictures as one HTML file",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the option for the file format of pictures."""
    parser.add_argument(
        "--format",
        default="png",
        choices=Names("bioconv.plots.style", "FORMATS"),
        metavar="NAME",
        help="file format of pictures, one of %(choices)s",
    )


def add_pixels(parser: argparse.ArgumentParser) -> None:
    """Add the options for converting stored data to samples."""
    parser.add_argument(
        "--scale",
        type=float,
        help="factor for the stored values (default: files are used as they are, and named "
        "datasets are scaled as their networks expect)",
    )
    parser.add_argument("--offset", type=float, default=0.0, help="added to the scaled values")


def add_model(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the model file, which may be optional, and the shape of its input."""
    parser.add_argument(
        "model",
        type=Path,
        nargs="?" if optional else None,
        metavar="MODEL",
        help=".keras, .h5 or .hdf5 file",
    )
    add_input_shape(parser)


def add_input_shape(parser: argparse.ArgumentParser) -> None:
    """Add the shape of an input whose size the model leaves free."""
    parser.add_argument(
        "--input-shape",
        type=int,
        nargs="+",
        metavar="N",
        help="shape of one sample if the model leaves its size free, e.g. 28 28 1",
    )


def add_conversion(parser: argparse.ArgumentParser) -> None:
    """Add the options of a conversion."""
    add_model(parser)
    parser.add_argument("--calibration", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--calibration-images",
        type=int,
        default=CALIBRATION_IMAGES,
        metavar="N",
        help="use the first N calibration samples",
    )
    parser.add_argument(
        "--code", default="rate", help="how spikes represent activations: see bioconv codes"
    )
    parser.add_argument(
        "--neuron", default="integrate_and_fire", help="neuron model: see bioconv neurons"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="option of the code"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option or parameter of the neuron (ms, mV, pF, pA), e.g. reset=value or t_ref=2",
    )
    parser.add_argument("--dt", type=float, help="time step in ms (default: that of the neuron)")
    add_decision(parser)
    add_pixels(parser)


def add_decision(parser: argparse.ArgumentParser) -> None:
    """Add the option for what the outputs stand for."""
    parser.add_argument(
        "--decision",
        metavar="KIND[:NUMBER]",
        help="what the outputs stand for: largest (class of the largest output), "
        "threshold:NUMBER (class 1 above it, e.g. threshold:0 for a logit; a label for each of "
        "several outputs) or value:TOLERANCE (values; tolerance as a share of their range). "
        "Default: what the output functions suggest",
    )


def add_metric(parser: argparse.ArgumentParser) -> None:
    """Add the option for a metric in place of the accuracy."""
    parser.add_argument(
        "--metric",
        metavar="NAME",
        help="measure this in place of the accuracy: a metric of Keras, such as "
        "mean_absolute_error, or map, the mean average precision of a detector",
    )


def add_duration(parser: argparse.ArgumentParser) -> None:
    """Add the options for the duration of a sample."""
    duration = parser.add_mutually_exclusive_group()
    duration.add_argument("--steps", type=int, metavar="N", help="steps per sample")
    duration.add_argument("--duration", type=float, metavar="MS", help="duration of a sample in ms")
