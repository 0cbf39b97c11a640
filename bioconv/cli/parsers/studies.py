"""Arguments of the commands that compare many networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from bioconv.cli.parsers.common import (
    CALIBRATION_IMAGES,
    DATA_HELP,
    Commands,
    add_command,
    add_decision,
    add_format,
    add_model,
    add_pixels,
    add_report,
    simulators,
)


def _plausibility(commands: Commands) -> None:
    parser = add_command(
        commands,
        "plausibility",
        "Run one network with many neurons, and compare accuracy, time, rates, work and cost.",
        "bioconv plausibility lenet.keras --data mnist --images 200 "
        "--neurons lif,adex,izhikevich:kind=fast_spiking,hodgkin_huxley -o study",
    )
    _study_data(parser)
    parser.add_argument(
        "--neurons",
        required=True,
        metavar="NAMES",
        help="names, separated by commas; options as NAME:OPTION=VALUE; all: the whole library",
    )
    for name, unit, what in (
        ("rates", "HZ", "rates of the largest activation"),
        ("tau-syn", "MS", "synaptic time constants"),
        ("duration", "MS", "durations of a sample"),
    ):
        parser.add_argument(
            f"--{name}",
            type=float,
            nargs="+",
            default=[0.0],
            metavar=unit,
            help=f"{what}; the first is the baseline, the others are varied one at a time; "
            "0: the neuron's own value",
        )
    parser.add_argument(
        "--weight-bits",
        type=int,
        nargs="+",
        default=[0],
        metavar="N",
        help="bits of a synaptic weight; 0: not rounded",
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="option of the code"
    )
    _study_runs(parser)


def _populations(commands: Commands) -> None:
    parser = add_command(
        commands,
        "populations",
        "Compare a network that has sigmoid, tanh, LSTM or GRU layers with one in which spike "
        "counts of populations represent these functions.",
        "bioconv populations lstm.keras --data digits --option n=200 --option placement=random",
    )
    add_model(parser)
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--images", type=int, metavar="N", help="use the first N samples")
    option = "one of n, placement, curve, sigma, inhibition"
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help=option)
    place = "convert only this part, such as lstm/input; may be repeated"
    parser.add_argument("--place", action="append", default=[], metavar="NAME", help=place)
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="random draws of the thresholds"
    )
    add_decision(parser)
    add_pixels(parser)


def _study_data(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the network and the samples of a study."""
    add_model(parser)
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--calibration",
        metavar="DATA",
        help="samples that set the scales (default: those of --data)",
    )
    parser.add_argument(
        "--calibration-images",
        type=int,
        default=CALIBRATION_IMAGES,
        metavar="N",
        help="use the first N calibration samples",
    )
    parser.add_argument(
        "--images", type=int, default=100, metavar="N", help="use the first N samples"
    )


def _study_runs(parser: argparse.ArgumentParser) -> None:
    """Add the options for the runs of a study."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes (default: one per core)")
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run on the workers of a Dask scheduler, e.g. tcp://host:8786",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the table, figure and records; runs completed there are not repeated",
    )
    add_format(parser)
    add_report(parser)
    add_decision(parser)
    add_pixels(parser)


def _robustness(commands: Commands) -> None:
    parser = add_command(
        commands,
        "robustness",
        "Compare how well codes tolerate imperfections of hardware: accuracy against amplitude.",
        "bioconv robustness lenet.keras --data mnist --images 200 --noise threshold=0:0.3 "
        "--noise weight_bits=8,4,3,2 --codes rate:n_steps=100,first_spike_exact -o study",
    )
    _study_data(parser)
    parser.add_argument(
        "--noise",
        required=True,
        action="append",
        metavar="NAME=LOW:HIGH",
        help="an imperfection and its amplitudes: LOW:HIGH (6 values), LOW:HIGH:N, or A,B,C; "
        "see bioconv noise for the names",
    )
    parser.add_argument(
        "--codes",
        default="rate,first_spike_exact,few_spikes",
        metavar="NAMES",
        help="names, separated by commas; options as NAME:OPTION=VALUE, including n_steps, "
        "duration and dt",
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="chips per amplitude")
    parser.add_argument(
        "--simulator",
        default="auto",
        choices=simulators("auto"),
        metavar="NAME",
        help="one of %(choices)s; auto: event if it has a closed form for all chips of a "
        "code, otherwise array",
    )
    _study_runs(parser)


COMMANDS = {
    "plausibility": _plausibility,
    "populations": _populations,
    "robustness": _robustness,
}
