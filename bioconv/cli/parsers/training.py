"""Arguments of the commands that train networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from bioconv.cli.parsers.common import (
    DATA_HELP,
    Commands,
    Names,
    add_command,
    add_model,
    add_pixels,
)


def _train(commands: Commands) -> None:
    parser = add_command(
        commands,
        "train",
        "Train a Keras network in spike times, as a network of exact first spikes; or a network of "
        "spike patterns from scratch.",
        "bioconv train lenet.keras --data mnist --epochs 5 -o trained.h5 --keras trained.keras\n"
        "  bioconv train --code correlative --layers 200 --data digits --epochs 30 -o net.h5",
    )
    add_model(parser, optional=True)
    parser.add_argument(
        "--code",
        default="first_spike_exact",
        choices=Names("bioconv.cli.commands.training", "TRAINERS"),
        metavar="NAME",
        help="first_spike_exact trains a Keras model, correlative a stack of dense layers",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the code (default for first_spike_exact: slope=identical, ramp=own, "
        "normalization=none)",
    )
    parser.add_argument(
        "--layers",
        type=int,
        nargs="+",
        metavar="N",
        help="neurons of the hidden layers, for correlative (default: one layer of 200)",
    )
    parser.add_argument(
        "--encoder", metavar="NAME", help="cte or ecte, for correlative (default: ecte)"
    )
    parser.add_argument(
        "--encoder-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the encoder, e.g. n_levels=1; see bioconv encoders ecte",
    )
    parser.add_argument("--dt", type=float, help="time step in ms (default: that of the code)")
    _add_training(parser)


def _finetune(commands: Commands) -> None:
    parser = add_command(
        commands,
        "finetune",
        "Fine-tune a network of exact first spikes for the hardware on which it will run.",
        "bioconv finetune net.h5 --data mnist --noise weight_bits=4 --epochs 3 -o tuned.h5",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5", help="a converted network")
    parser.add_argument(
        "--noise",
        action="append",
        default=[],
        metavar="NAME=AMPLITUDE",
        help="an imperfection during training: weight_bits, jitter (ms) or weight (mismatch)",
    )
    parser.add_argument(
        "--time-grid", action="store_true", help="round spike times to the steps of the network"
    )
    parser.add_argument(
        "--slope",
        default="identical",
        choices=("identical", "constant"),
        help="the slope of the code with which the network was converted",
    )
    _add_training(parser)


def _add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training run."""
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--images", type=int, metavar="N", help="train on the first N samples")
    parser.add_argument(
        "--test", metavar="DATA", help="measure the accuracy on these samples before and after"
    )
    parser.add_argument("--epochs", type=int, default=5, metavar="N")
    parser.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help="samples per update (default: that of the code)",
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="(default: that of the code)"
    )
    parser.add_argument(
        "--activity",
        type=float,
        default=0.0,
        metavar="X",
        help="price of the activity of neurons, which makes it sparse",
    )
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="continue an interrupted run from this file"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NET.h5")
    parser.add_argument(
        "--keras", type=Path, metavar="MODEL.keras", help="also write the ReLU network for Keras"
    )
    add_pixels(parser)


COMMANDS = {"train": _train, "finetune": _finetune}
