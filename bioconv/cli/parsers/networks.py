"""Arguments of the commands that create and run networks."""

from __future__ import annotations

from pathlib import Path

from bioconv.cli.parsers.common import (
    DATA_HELP,
    Commands,
    Names,
    add_command,
    add_conversion,
    add_decision,
    add_duration,
    add_format,
    add_input_shape,
    add_metric,
    add_pixels,
    add_report,
    simulators,
)


def _convert(commands: Commands) -> None:
    parser = add_command(
        commands,
        "convert",
        "Convert a trained Keras network into a spiking network.",
        "bioconv convert lenet.keras --calibration mnist --option percentile=99.9 -o lenet.h5",
    )
    add_conversion(parser)
    add_duration(parser)
    parser.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help="calibration samples whose activations are in memory at once (default: at most 256, "
        "and fewer of a large network)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NET.h5")
    add_report(parser)


def _simulate(commands: Commands) -> None:
    parser = add_command(
        commands,
        "simulate",
        "Simulate a spiking network.",
        "bioconv simulate lenet.h5 --data mnist --images 100 --simulator nest --plot figures",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5")
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--rasters",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="spikes that the sources of the network emit in place of their own: files of bioconv "
        "encode, or event files of cameras; one raster for each sample of --data, which are "
        "compared with the analog network",
    )
    parser.add_argument(
        "--images", type=int, metavar="N", help="use N samples (default: all from --first on)"
    )
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        metavar="N",
        help="begin with sample N, counted from 0; its random numbers depend on --seed and N only, "
        "so that samples can be split over several calls with the same result",
    )
    add_duration(parser)
    parser.add_argument(
        "--simulator",
        default="array",
        choices=simulators(),
        metavar="NAME",
        help="one of %(choices)s",
    )
    parser.add_argument(
        "--engine",
        default="auto",
        choices=Names("bioconv.simulators.settings", "ENGINES"),
        metavar="NAME",
        help="engine of the array simulator, one of %(choices)s: dense (XLA), events (Numba, CPU "
        "only), or events where it is known to be faster (auto, the default)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help="samples per batch (array and event only); the same for all parts of a split data "
        "set gives the same bytes",
    )
    parser.add_argument(
        "--dtype",
        default="float32",
        choices=("float32", "float64"),
        help="floating-point precision (array and event only)",
    )
    parser.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="POPULATION=VARIABLE",
        help="record counts, spikes or a state variable of a population",
    )
    parser.add_argument(
        "--diagnose", action="store_true", help="show layer by layer where accuracy is lost"
    )
    add_decision(parser)
    add_metric(parser)
    parser.add_argument(
        "--checkpoints",
        type=int,
        metavar="N",
        help="steps at which outputs are decoded (default: 20 with --metric, else at most 256, and "
        "fewer of a network with many labels, positions or values)",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="RESULT.h5")
    parser.add_argument(
        "--plot", type=Path, metavar="DIR", help="draw the recording in this folder"
    )
    add_format(parser)
    add_report(parser)
    add_pixels(parser)


def _estimate(commands: Commands) -> None:
    parser = add_command(
        commands,
        "estimate",
        "Estimate the accuracy for several percentiles without simulating (ReLU clipped at 1), "
        "or search for the best percentile on uniform noise.",
        "bioconv estimate lenet.keras --calibration mnist --data mnist --percentiles 99 99.9 100",
    )
    add_conversion(parser)
    parser.add_argument("--data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--images", type=int, metavar="N", help="use the first N samples")
    parser.add_argument(
        "--percentiles", type=float, nargs="+", default=[99.0, 99.9, 99.99, 100.0], metavar="P"
    )
    add_metric(parser)
    parser.add_argument(
        "--search",
        action="store_true",
        help="simulate uniform noise and report the percentile with the best agreement",
    )
    add_duration(parser)


def _inspect(commands: Commands) -> None:
    parser = add_command(
        commands,
        "inspect",
        "Show the layers of a model, or the populations of a network.",
        "bioconv inspect lenet.h5 --data mnist",
    )
    parser.add_argument("source", type=Path, metavar="MODEL|NET.h5")
    add_input_shape(parser)
    parser.add_argument(
        "--data", metavar="DATA", help="simulate these samples to find what saturates; " + DATA_HELP
    )
    parser.add_argument("--images", type=int, default=20, metavar="N")
    add_pixels(parser)


def _demo(commands: Commands) -> None:
    parser = add_command(
        commands,
        "demo",
        "Convert and simulate a small digits network with the array simulator and Brian2.",
        "bioconv demo -o bioconv-demo",
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("bioconv-demo"), metavar="DIR")
    parser.add_argument("--images", type=int, default=100, metavar="N")
    parser.add_argument("--brian2-images", type=int, default=10, metavar="N")


COMMANDS = {
    "convert": _convert,
    "simulate": _simulate,
    "estimate": _estimate,
    "inspect": _inspect,
    "demo": _demo,
}
