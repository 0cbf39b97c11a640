"""The command line of the model zoo: ``python -m models``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bioconv import models

_EXAMPLE = """\
example:
  python -m models list
  python -m models train digits_cnn --seed 1 -o my_networks
  python -m models card lenet5
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments; by default those of the process.

    Returns
    -------
    int
        Exit status.
    """
    options = _parser().parse_args(arguments)
    if options.verb == "list":
        _list()
    elif options.verb == "card":
        print(json.dumps(models.card(options.name), indent=2, ensure_ascii=False))
    else:
        return _train(options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models",
        description="List and train the Keras networks of the papers, and print their cards.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="list the networks")
    card = verbs.add_parser("card", help="print origin, data, training and accuracy of a network")
    train = verbs.add_parser(
        "train",
        help="train a network by its recipe",
        epilog="example: python -m models train lenet5 --seed 0 -o my_networks",
    )
    for verb in (card, train):
        verb.add_argument("name", metavar="NAME", choices=models.names(), help="see: list")
    train.add_argument("--seed", type=int, default=0, help="seed of all random numbers (0)")
    train.add_argument("--epochs", type=_positive, help="number of epochs in place of the recipe's")
    train.add_argument(
        "--data",
        metavar="DIR",
        help="an .npz file of the images or a folder that contains one; by default, they are read "
        "from Keras's folder (KERAS_HOME) or downloaded",
    )
    train.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        default=".",
        help="folder for weights/NAME.keras and cards/NAME.json (the current one)",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1. Received: {number}")
    return number


def _list() -> None:
    for name in models.names():
        card = models.card(name)
        if card["weights"] is None:
            note = "no weights shipped"
        else:
            score = card["score"]
            note = f"{score['metric'].replace('_', ' ')} {score['test']:.4f}"
        print(f"{name:16} {card['recipe']['dataset']:8} {note:28} {card['description']}")


def _train(options: argparse.Namespace) -> int:
    from bioconv.models.training import train

    network = models.network(options.name)
    try:
        card = train(
            network,
            options.output,
            seed=options.seed,
            epochs=options.epochs,
            data_path=options.data,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    data, score = card["data"], card["score"]
    print(
        f"{network.name}: trained on {data['n_train']} samples of {data['name']}, "
        f"{score['metric'].replace('_', ' ')} {score['test']:.4f} on {data['n_test']} test "
        f"samples; wrote {options.output}/weights/{card['weights']['file']} and its card"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
