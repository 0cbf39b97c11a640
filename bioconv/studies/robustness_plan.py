"""The runs of a robustness study: networks, points and results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.decisions import Choice
from bioconv.codes import Code, make
from bioconv.conversion import calibration_of, convert
from bioconv.ground.digests import digest_of
from bioconv.ground.errors import BioconvError, ConversionError, DataError, ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.measures import analog_classes, first_decision, labels_of
from bioconv.network import SpikingNetwork
from bioconv.noise import LIBRARY, Imperfection, disturb
from bioconv.studies.robustness_runs import (
    SCHEMA,
    Bench,
    Point,
    fastest_simulator,
    is_random,
    run_chip,
    run_key,
)
from bioconv.studies.runs import Job, Workers, named_options, run_all, value_of

#: amplitudes as numbers (for `bioconv.noise.LIBRARY`), imperfections, or imperfections by amplitude
Sweep: TypeAlias = (
    Sequence[float | Imperfection] | Mapping[float, Imperfection | Sequence[Imperfection]]
)
#: options after the name of a code that are arguments of `bioconv.convert`
_ARGUMENTS = ("dt", "duration", "n_steps", "neuron")
#: name of the runs without imperfection
_IDEAL = Point("", 0.0)


class Study:
    """All runs of a study and their results.

    Parameters
    ----------
    x : ndarray, shape (n_images, ...)
    y : array_like of int or None, shape (n_images, ...)
        Labels, or values.
    networks : mapping of str to SpikingNetwork
        Networks by code.
    sweeps : mapping of str to sequence of Point
        Points by imperfection, without amplitude 0.
    seeds : range
    simulator : str
    """

    def __init__(
        self,
        x: NDArray,
        y: ArrayLike | None,
        networks: Mapping[str, SpikingNetwork],
        sweeps: Mapping[str, Sequence[Point]],
        seeds: range,
        simulator: str,
    ):
        self.x, self.networks, self.sweeps = x, networks, sweeps
        #: labels by code; none if there are no labels
        self.y = {} if y is None else {k: labels_of(n, y, len(x)) for k, n in networks.items()}
        self.seeds, self.simulator = seeds, simulator
        #: (code, simulator, point, seed) -> record
        self.results: dict[tuple[str, str, Point, int], dict[str, Any]] = {}
        self.keras: dict[str, float] = {}
        #: (code, imperfection) -> simulator
        self.chosen: dict[tuple[str, str], str] = {}

    def run(self, folder: Path, refused: dict[str, str], workers: Workers, progress: bool) -> None:
        """Run everything that has not been run before."""
        jobs: dict[tuple[str, str, Point, int], Job] = {}
        for code, network in self.networks.items():
            classes = analog_classes(network, self.x)
            target = self.y.get(code, classes)
            self.keras[code] = first_decision(network).share(classes, target)
            wanted: dict[str, list[tuple[Point, Sequence[int]]]] = {}
            for noise, points in self.sweeps.items():
                try:
                    simulator, seeds = self._how(network, points)
                except BioconvError as error:
                    refused[f"{code}, {noise}"] = str(error)
                    continue
                self.chosen[code, noise] = simulator
                ideal = (_IDEAL, self.seeds if is_random(network) else self.seeds[:1])
                wanted.setdefault(simulator, [ideal]).extend((point, seeds) for point in points)
            for simulator, runs in wanted.items():
                bench = Bench(network, self.x, target, simulator)
                digest = bench.digest()
                for point, seeds in runs:
                    for seed in seeds:
                        path = folder / f"{run_key(digest, point, seed)}.json"
                        jobs[code, simulator, point, seed] = Job(path, (bench, point, seed))
        done = run_all(
            run_chip, jobs, SCHEMA, verb="robustness", workers=workers, progress=progress
        )
        for key, result in done:
            if isinstance(result, str):
                code, _, point, seed = key
                refused[f"{code}, {point.noise} {point.amplitude:g}, seed {seed}"] = result
            else:
                self.results[key] = result

    def _how(self, network: SpikingNetwork, points: Sequence[Point]) -> tuple[str, Sequence[int]]:
        """Return the simulator for all points of a sweep, and the seeds.

        Raises
        ------
        ConversionError
            If the imperfection with its worst amplitude cannot be applied to the network.
        """
        worst = disturb(network, *points[-1].imperfections, seed=self.seeds[0])
        simulator = self.simulator
        if simulator == "auto":
            simulator = fastest_simulator([network, worst])
        # Without random numbers all chips are the same, so that one run is sufficient.
        drawn = any(self._drawn(network, point) for point in reversed(points))
        return simulator, self.seeds if drawn else self.seeds[:1]

    def _drawn(self, network: SpikingNetwork, point: Point) -> bool:
        """Whether the chips of this point, or runs of the same chip, may differ."""
        try:
            chips = [disturb(network, *point.imperfections, seed=s) for s in self.seeds[:2]]
        except ConversionError:  # its runs will report the reason
            return False
        bare = [chip.replace(code={}, imperfections=()) for chip in chips]
        return is_random(bare[0]) or len(set(map(digest_of, bare))) > 1

    def records(self) -> list[dict[str, Any]]:
        """Return one record for each code, imperfection and amplitude that has been run."""
        found = []
        for (code, noise), simulator in self.chosen.items():
            ideal = self._of(code, simulator, _IDEAL)
            points = self.sweeps[noise]
            disturbed = [(p, r) for p in points if (r := self._of(code, simulator, p))]
            if not disturbed or not ideal:
                continue
            axis = disturbed[0][0].axis
            for point, results in [(Point(noise, 0.0), ideal), *disturbed]:
                found.append({**self._record(code, point, results, ideal), **axis})
        return found

    def _of(self, code: str, simulator: str, point: Point) -> list[dict[str, Any]]:
        """Return the results of the chips of one point."""
        keys = [(code, simulator, point, seed) for seed in self.seeds]
        return [self.results[key] for key in keys if key in self.results]

    def _record(
        self,
        code: str,
        point: Point,
        results: Sequence[Mapping[str, Any]],
        ideal: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        return {
            "code": code,
            "noise": point.noise,
            "amplitude": point.amplitude,
            "accuracies": [r["accuracy"] for r in results],
            "ideal": float(np.mean([r["accuracy"] for r in ideal])),
            "keras_accuracy": self.keras[code],
            "measure": "accuracy" if self.y else "agreement",
            "spikes": float(np.mean([r["spikes"] for r in results])),
            "seconds": float(np.mean([r["seconds"] for r in results])),
            "simulator": results[0]["simulator"],
            "images": len(self.x),
            "imperfections": [str(entry) for entry in point.imperfections],
            "seeds": [r["seed"] for r in results],
        }


def parse_code(text: str) -> tuple[Code, dict[str, Any]]:
    """Parse ``NAME:OPTION=VALUE:OPTION=VALUE`` to a code and arguments of `bioconv.convert`.

    Valid options are those of the code, and dt, duration, n_steps and neuron.

    Raises
    ------
    ParameterError
        If a code or option is unknown.

    Examples
    --------
    >>> code, arguments = parse_code("rate:percentile=99.9:n_steps=60")
    >>> code.percentile, arguments
    (99.9, {'n_steps': 60})
    """
    name, texts = named_options(text)
    options = {key: value_of(value) for key, value in texts.items()}
    arguments = {key: options.pop(key) for key in _ARGUMENTS if key in options}
    return make(name, options), arguments


def parse_sweep(text: str) -> tuple[str, tuple[float, ...]]:
    """Parse ``NAME=LOW:HIGH:N`` or ``NAME=A,B,C`` to the name of an imperfection and amplitudes.

    Without N there are six amplitudes.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> parse_sweep("threshold=0:0.3:4")
    ('threshold', (0.0, 0.1, 0.2, 0.3))
    """
    name, _, values = text.partition("=")
    try:
        if ":" in values:
            low, high, *n = values.split(":")
            (count,) = n or ("6",)
            found = np.round(np.linspace(float(low), float(high), int(count)), 12).tolist()
        else:
            found = [float(value) for value in values.split(",")]
        if not name or not found or not np.all(np.isfinite(found)):
            raise ValueError
    except ValueError:
        raise ParameterError(
            f"expected NAME=LOW:HIGH, NAME=LOW:HIGH:N or NAME=A,B,C. Received: {text!r}."
        ) from None
    return name.strip(), tuple(found)


def points_of(name: str, sweep: Sweep) -> list[Point]:
    """Return the different nonzero amplitudes of one imperfection, with the worst last.

    Raises
    ------
    ParameterError
    """
    if isinstance(sweep, Mapping):
        given = list(sweep.items())
    else:
        made = [e if isinstance(e, Imperfection) else _made(name, e) for e in sweep]
        given = [(entry.amplitude, entry) for entry in made]
    points: list[Point] = []
    for amplitude, entry in given:
        parts = (entry,) if isinstance(entry, Imperfection) else tuple(entry)
        wrong = [repr(part) for part in parts if not isinstance(part, Imperfection)]
        if wrong:
            raise ParameterError(f"{name}: expected imperfections. Received: {', '.join(wrong)}.")
        if any(part.amplitude for part in parts):
            points.append(Point(name, float(amplitude), parts))
    if not points:
        raise ParameterError(f"{name}: at least one amplitude must not be 0.")
    return sorted(dict.fromkeys(points), key=lambda point: point.severity)


def _made(name: str, amplitude: float) -> Imperfection:
    if name not in LIBRARY:
        raise ParameterError(
            f"there is no imperfection {name!r}. Valid: {', '.join(sorted(LIBRARY))}; or give "
            "imperfections in place of amplitudes." + did_you_mean(name, LIBRARY)
        )
    factory: Callable[[float], Imperfection] = LIBRARY[name]
    return factory(amplitude)


def networks_of(
    graph: AnalogGraph,
    codes: Iterable[str] | Mapping[str, str | Code | SpikingNetwork],
    calibration: Any,
    seed: int,
    refused: dict[str, str],
    decision: Choice = None,
) -> dict[str, SpikingNetwork]:
    """Return the network of each code; conversions that fail are added to ``refused``.

    Raises
    ------
    DataError, ParameterError
    """
    if not isinstance(codes, Mapping):
        names = codes.split(",") if isinstance(codes, str) else codes
        codes = {name.strip(): name.strip() for name in names}
    if not codes:
        raise ParameterError("give at least one code.")
    samples = None
    networks: dict[str, SpikingNetwork] = {}
    for label, given in codes.items():
        if isinstance(given, SpikingNetwork):
            networks[label] = given if decision is None else given.with_decision(decision)
            continue
        code, arguments = parse_code(given) if isinstance(given, str) else (given, {})
        if samples is None:
            if calibration is None:
                raise DataError(
                    "conversion with a code requires calibration data: pass calibration."
                )
            samples = calibration_of(graph, calibration)
        try:
            networks[label] = convert(
                graph,
                calibration=samples,
                code=code,
                seed=seed,
                decision=decision,
                progress=False,
                **arguments,
            )
        except ConversionError as error:
            refused[label] = str(error)
    return networks
