"""The arguments of every command.  Imports nothing heavy, so ``--help`` is quick."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

SIMULATORS = ("array", "event", "brian2", "nest", "neuron", "pynn.brian2")
DATA_HELP = "an .npz file with x and optionally y, or digits, mnist, fashion_mnist, cifar10, imdb"


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keep the example's lines, show defaults where there are any."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or action.default == []:
            return action.help
        return super()._get_help_string(action)


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``bioconv`` with all its commands."""
    from importlib.metadata import version

    parser = argparse.ArgumentParser(
        prog="bioconv",
        description="Trained Keras networks become spiking networks.",
        epilog="example:\n  bioconv demo",
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"bioconv {version('bioconv')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _convert,
        _simulate,
        _estimate,
        _export,
        _inspect,
        _codes,
        _neurons,
        _plausibility,
        _populations,
        _robustness,
        _noise,
        _disturb,
        _demo,
    ):
        add(commands)
    return parser


def _command(commands: Commands, name: str, text: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"example:\n  {example}",
        formatter_class=_Formatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result as JSON")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same bytes")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _pixels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scale",
        type=float,
        help="multiply the data as they are stored (default: named data come ready to use)",
    )
    parser.add_argument("--offset", type=float, default=0.0, help="add to the data, after scaling")


def _conversion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=".keras, .h5 or .hdf5 file")
    parser.add_argument("--calibration", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--calibration-images", type=int, default=1000, metavar="N", help="use the first N samples"
    )
    parser.add_argument(
        "--code", default="rate", help="how activations become spikes: see bioconv codes"
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
    parser.add_argument("--dt", type=float, help="time step in ms (default: what the neuron needs)")
    _pixels(parser)


def _convert(commands: Commands) -> None:
    parser = _command(
        commands,
        "convert",
        "Convert a trained Keras network into a spiking network.",
        "bioconv convert lenet.keras --calibration mnist --option percentile=99.9 -o lenet.h5",
    )
    _conversion(parser)
    _duration(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NET.h5")


def _duration(parser: argparse.ArgumentParser) -> None:
    duration = parser.add_mutually_exclusive_group()
    duration.add_argument("--steps", type=int, metavar="N", help="steps a sample is shown")
    duration.add_argument("--duration", type=float, metavar="MS", help="the same in ms")


def _simulate(commands: Commands) -> None:
    parser = _command(
        commands,
        "simulate",
        "Simulate a spiking network.",
        "bioconv simulate lenet.h5 --data mnist --images 100 --simulator nest --plot figures",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5")
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--images", type=int, metavar="N", help="only the first N samples")
    _duration(parser)
    parser.add_argument("--simulator", default="array", choices=SIMULATORS)
    parser.add_argument("--batch", type=int, metavar="N", help="samples at once (array, event)")
    parser.add_argument(
        "--dtype",
        default="float32",
        choices=("float32", "float64"),
        help="precision (array, event)",
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
    parser.add_argument("-o", "--output", type=Path, metavar="RESULT.h5")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw what was recorded")
    _pixels(parser)


def _estimate(commands: Commands) -> None:
    parser = _command(
        commands,
        "estimate",
        "Estimate the accuracy for several percentiles without simulating (ReLU clipped at 1), "
        "or search the percentile on uniform noise.",
        "bioconv estimate lenet.keras --calibration mnist --data mnist --percentiles 99 99.9 100",
    )
    _conversion(parser)
    parser.add_argument("--data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--images", type=int, metavar="N", help="only the first N samples")
    parser.add_argument(
        "--percentiles", type=float, nargs="+", default=[99.0, 99.9, 99.99, 100.0], metavar="P"
    )
    parser.add_argument(
        "--search",
        action="store_true",
        help="simulate on uniform noise and name the percentile that agrees best",
    )
    _duration(parser)


def _export(commands: Commands) -> None:
    parser = _command(
        commands,
        "export",
        "Write the network as a program that runs without bioconv.",
        "bioconv export lenet.h5 --to brian2 -o lenet_brian2",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5")
    parser.add_argument("--to", required=True, choices=("brian2", "pynn"))
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")


def _inspect(commands: Commands) -> None:
    parser = _command(
        commands,
        "inspect",
        "Show the layers of a model, or the populations of a network.",
        "bioconv inspect lenet.h5 --data mnist",
    )
    parser.add_argument("source", type=Path, metavar="MODEL|NET.h5")
    parser.add_argument(
        "--data", metavar="DATA", help="simulate these samples to see what saturates; " + DATA_HELP
    )
    parser.add_argument("--images", type=int, default=20, metavar="N")
    _pixels(parser)


def _codes(commands: Commands) -> None:
    parser = _command(
        commands,
        "codes",
        "List the codes, or show one: what it does, its options and their defaults.",
        "bioconv codes first_spike_exact",
    )
    parser.add_argument("code", nargs="?", metavar="NAME", help="leave out for the list")


def _neurons(commands: Commands) -> None:
    parser = _command(
        commands,
        "neurons",
        "List the neurons of the library, or show one: equations, parameters, source, simulators.",
        "bioconv neurons izhikevich --option kind=fast_spiking --plot figures",
    )
    parser.add_argument("neuron", nargs="?", metavar="NAME", help="leave out for the list")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option or parameter of the neuron (ms, mV, pF, pA), e.g. synapse=delta or tau_m=10",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="DIR", help="draw potentials under a few currents, f-I curve"
    )


def _plausibility(commands: Commands) -> None:
    parser = _command(
        commands,
        "plausibility",
        "Run one network on many neurons: accuracy, time, rates, work and cost of each.",
        "bioconv plausibility lenet.keras --data mnist --images 200 "
        "--neurons lif,adex,izhikevich:kind=fast_spiking,hodgkin_huxley -o study",
    )
    _study_data(parser)
    parser.add_argument(
        "--neurons",
        required=True,
        metavar="NAMES",
        help="names with commas between; options as NAME:OPTION=VALUE; all: the whole library",
    )
    for name, unit, what in (
        ("rates", "HZ", "rates of the largest activation"),
        ("tau-syn", "MS", "synaptic time constants"),
        ("duration", "MS", "how long a sample is shown"),
    ):
        parser.add_argument(
            f"--{name}",
            type=float,
            nargs="+",
            default=[0.0],
            metavar=unit,
            help=f"{what}; the first is the base, the others are tried alone; 0: the neuron's own",
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
    parser = _command(
        commands,
        "populations",
        "Compare a network with sigmoids, tanhs, LSTMs or GRUs with one of counted populations.",
        "bioconv populations lstm.keras --data digits --option n=200 --option placement=random",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help=".keras, .h5 or .hdf5 file")
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--images", type=int, metavar="N", help="only the first N samples")
    option = "n, placement, curve, sigma"
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help=option)
    place = "only these parts, such as lstm/input"
    parser.add_argument("--place", action="append", default=[], metavar="NAME", help=place)
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="draws of thresholds")
    _pixels(parser)


def _study_data(parser: argparse.ArgumentParser) -> None:
    """The network and the samples of a study."""
    parser.add_argument("model", type=Path, metavar="MODEL", help=".keras, .h5 or .hdf5 file")
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--calibration", metavar="DATA", help="samples that set the scales (default: as --data)"
    )
    parser.add_argument(
        "--calibration-images", type=int, default=1000, metavar="N", help="use the first N samples"
    )
    parser.add_argument("--images", type=int, default=100, metavar="N", help="the first N samples")


def _study_runs(parser: argparse.ArgumentParser) -> None:
    """How the runs of a study are done."""
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="table, picture, records; finished runs found there are not repeated",
    )
    _pixels(parser)


def _robustness(commands: Commands) -> None:
    parser = _command(
        commands,
        "robustness",
        "Which code survives which imperfection of hardware: accuracy against amplitude.",
        "bioconv robustness lenet.keras --data mnist --images 200 --noise threshold=0:0.3 "
        "--noise weight_bits=8,4,3,2 --codes rate:n_steps=100,first_spike_exact -o study",
    )
    _study_data(parser)
    parser.add_argument(
        "--noise",
        required=True,
        action="append",
        metavar="NAME=LOW:HIGH",
        help="an imperfection and its amplitudes: LOW:HIGH (6 of them), LOW:HIGH:N, or A,B,C; "
        "names: see bioconv noise",
    )
    parser.add_argument(
        "--codes",
        default="rate,first_spike_exact,few_spikes",
        metavar="NAMES",
        help="names with commas between; options as NAME:OPTION=VALUE, also n_steps, duration "
        "and dt",
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="chips an amplitude")
    parser.add_argument(
        "--simulator",
        default="auto",
        choices=("auto", *SIMULATORS),
        help="auto: event where it has one closed form for all chips of a code, else array",
    )
    _study_runs(parser)


def _noise(commands: Commands) -> None:
    parser = _command(
        commands,
        "noise",
        "List the imperfections of hardware and the profiles of chips, or show one with sources.",
        "bioconv noise threshold",
    )
    parser.add_argument("noise", nargs="?", metavar="NAME", help="leave out for the list")


def _disturb(commands: Commands) -> None:
    parser = _command(
        commands,
        "disturb",
        "Put a converted network on imperfect hardware: another network file, simulated and "
        "exported like any. Another --seed is another chip.",
        "bioconv disturb lenet.h5 --noise threshold=0.1 --noise jitter=0.5 --seed 3 -o chip_3.h5",
    )
    parser.add_argument("network", type=Path, metavar="NET.h5", help="a converted network")
    parser.add_argument(
        "--noise",
        action="append",
        default=[],
        metavar="NAME=AMPLITUDE",
        help="an imperfection; names and units: bioconv noise",
    )
    parser.add_argument("--profile", metavar="NAME", help="what is reported of a chip, before them")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="NET.h5", help="the disturbed network"
    )


def _demo(commands: Commands) -> None:
    parser = _command(
        commands,
        "demo",
        "Convert and simulate a small digits network with the array simulator and Brian2.",
        "bioconv demo -o bioconv-demo",
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("bioconv-demo"), metavar="DIR")
    parser.add_argument("--images", type=int, default=100, metavar="N")
    parser.add_argument("--brian2-images", type=int, default=10, metavar="N")
