"""Run benchmarks by ``python -m benchmarks NAME ...``, and append one JSON record each."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

BENCHMARKS = (
    "array",
    "engines",
    "simulators",
    "synapses",
    "growth",
    "neurons",
    "events",
    "chips",
    "constants",
    "encoders",
    "startup",
    "conversion",
)


def main() -> None:
    """Run the benchmarks that are named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed and memory, and what the tuned constants are worth.",
        epilog="example:\n  python -m benchmarks array -o benchmarks.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--quick", action="store_true", help="run smaller versions as a test")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks.jsonl"))
    options = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    for name in options.names or BENCHMARKS:
        from benchmarks.record import write

        results = _run(name)(options.quick)
        write(options.output, name, results)
        print(name, json.dumps(results, indent=2))


def _run(name: str) -> Callable[[bool], Any]:
    from benchmarks import (
        chips,
        constants,
        conversion,
        encoders,
        engines,
        events,
        lenet,
        neurons,
        scaling,
    )
    from benchmarks import startup as start

    sizes = (10**5, 10**6, 10**7)
    table: dict[str, Callable[[bool], Any]] = {
        "array": lambda quick: lenet.array(n_steps=20 if quick else 100),
        "engines": engines.compared,
        "simulators": lambda quick: {
            name: lenet.others(name, 2 if quick else 20) for name in ("brian2", "nest")
        },
        "synapses": lambda quick: [
            scaling.synapses(size, kind)
            for size in (sizes[:1] if quick else sizes)
            for kind in ("dense", "convolution")
        ],
        "growth": scaling.growth,
        "events": events.first_spikes,
        "chips": chips.mismatch,
        "encoders": encoders.speed,
        "startup": start.commands,
        "conversion": conversion.cost,
        "constants": lambda quick: list(constants.sensitivity(quick)),
        "neurons": lambda quick: [neurons.speed(name, quick) for name in neurons.CURRENTS],
    }
    return table[name]


if __name__ == "__main__":
    main()
