"""What the page runs: a description, from which it is run and its script is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import evaluate
from bioconv.cli.parsers.common import CALIBRATION_IMAGES
from bioconv.data import fit_shape
from bioconv.ground.tables import words
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording

#: samples that are simulated together; accuracy is drawn after each such batch
BATCH = 20


@dataclass(frozen=True)
class Experiment:
    """A network, data, a code, a neuron and imperfections.

    Parameters
    ----------
    model : str
        One of `bioconv.models.names`, or the path of a Keras model.
    data : str
        The name of a dataset, or the path of an ``.npz`` file.  Named datasets are calibrated
        with their training part, and files with themselves.
    n_images : int
        Number of samples to simulate.
    code, neuron : str
        Names for `bioconv.codes.make` and `bioconv.neurons.make`.
    code_options, neuron_options : mapping of str
        What differs from the defaults.
    noise : mapping of str to float
        Amplitudes of imperfections by their names in `bioconv.noise.LIBRARY`.
    seed : int
    """

    model: str = "digits_cnn"
    data: str = "digits"
    n_images: int = 100
    code: str = "rate"
    code_options: Mapping[str, Any] = field(default_factory=dict)
    neuron: str = "if"
    neuron_options: Mapping[str, Any] = field(default_factory=dict)
    noise: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def title(self) -> str:
        """The experiment in a line."""
        parts = [self.model.rpartition("/")[2], f"{self.code} code", self.neuron]
        parts += [f"{name} {amplitude:g}" for name, amplitude in self._noise()]
        parts += [f"{name} {value}" for name, value in self.code_options.items()]
        parts += [f"{name} {value}" for name, value in self.neuron_options.items()]
        return words(", ".join(parts))

    @cached_property
    def graph(self) -> Any:
        """The analog network."""
        return bc.read(bc.models.load(self.model) if self._ours else self.model)

    def samples(self) -> tuple[NDArray, NDArray | None]:
        """Return the samples to simulate, in the shape of the network's input, and labels."""
        x, y = bc.load_data(self.data, n_images=self.n_images)
        return fit_shape(x, self.graph.inputs[0].shape), y

    def network(self) -> SpikingNetwork:
        """Convert the model, and add the imperfections."""
        calibration, _ = bc.load_data(self.data, split="train", n_images=CALIBRATION_IMAGES)
        network = bc.convert(
            self.graph,
            calibration=fit_shape(calibration, self.graph.inputs[0].shape),
            code=bc.codes.make(self.code, self.code_options),
            neuron=bc.neurons.make(self.neuron, self.neuron_options),
            seed=self.seed,
            progress=False,
        )
        found = [bc.noise.LIBRARY[name](amplitude) for name, amplitude in self._noise()]
        return bc.noise.disturb(network, *found, seed=self.seed) if found else network

    def batches(self, network: SpikingNetwork, x: NDArray) -> Iterator[Recording]:
        """Simulate the samples batch by batch; the parts are those of one simulation."""
        for first in range(0, len(x), BATCH):
            yield bc.simulate(
                network,
                x[first : first + BATCH],
                first=first,
                batch_size=BATCH,
                seed=self.seed,
                progress=False,
            )

    def script(self) -> str:
        """Return a Python program that does the same."""
        model = f"bc.models.load({self.model!r})" if self._ours else repr(self.model)
        code = _made("bc.codes.make", self.code, self.code_options)
        neuron = _made("bc.neurons.make", self.neuron, self.neuron_options)
        lines = [
            f'"""{self.title}."""',
            "",
            "import bioconv as bc",
            "from bioconv.data import fit_shape",
            "",
            f"graph = bc.read({model})",
            "shape = graph.inputs[0].shape",
            f"calibration, _ = bc.load_data({self.data!r}, split='train', "
            f"n_images={CALIBRATION_IMAGES})",
            f"x, y = bc.load_data({self.data!r}, n_images={self.n_images})",
            "x = fit_shape(x, shape)",
            "",
            "network = bc.convert(",
            "    graph,",
            "    calibration=fit_shape(calibration, shape),",
            f"    code={code},",
            f"    neuron={neuron},",
            f"    seed={self.seed},",
            ")",
        ]
        noise = [f"bc.noise.LIBRARY[{name!r}]({value!r})" for name, value in self._noise()]
        if noise:
            lines.append(
                f"network = bc.noise.disturb(network, {', '.join(noise)}, seed={self.seed})"
            )
        lines += [
            f"recording = bc.simulate(network, x, batch_size={BATCH}, seed={self.seed})",
            "if y is None:",
            "    print(recording.predictions())",
            "else:",
            '    print(f"accuracy {recording.accuracy(y):.4f}")',
        ]
        return "\n".join(lines) + "\n"

    @property
    def _ours(self) -> bool:
        return self.model in bc.models.names()

    def _noise(self) -> list[tuple[str, float]]:
        return [(name, float(amplitude)) for name, amplitude in self.noise.items() if amplitude]


@dataclass
class Outcome:
    """What is known of an experiment while it runs, and afterwards.

    Parameters
    ----------
    experiment : Experiment
    network : SpikingNetwork
    x, y : ndarray
        Samples and labels.
    target : ndarray
        Labels, or the decisions of the analog network if there are none.
    analog : float
        Share of the analog network's decisions that are those of ``target``.
    """

    experiment: Experiment
    network: SpikingNetwork
    x: NDArray
    y: NDArray | None
    target: NDArray
    analog: float
    right: list[NDArray] = field(default_factory=list)
    spikes: list[float] = field(default_factory=list)
    time: NDArray = field(default_factory=lambda: np.zeros(0))
    answered: list[NDArray] = field(default_factory=list)
    n_done: int = 0

    @classmethod
    def start(cls, experiment: Experiment, network: SpikingNetwork | None = None) -> Outcome:
        """Convert unless the network is given, and compute what the analog network decides."""
        x, y = experiment.samples()
        network = experiment.network() if network is None else network
        decision, output = bc.measures.first_decision(network), network.analog.outputs[0]
        decided = decision.of(evaluate(network.analog, x, names=(output,))[output])
        target = decided if y is None else bc.measures.labels_of(network, y, len(x))
        return cls(experiment, network, x, y, target, decision.share(decided, target))

    def add(self, part: Recording) -> None:
        """Add a batch."""
        n = part.n_images
        labels = self.target[self.n_done : self.n_done + n]
        self.right.append(n * part.accuracy_over_time(labels))
        self.answered.append(n * part.answered())
        self.spikes.append(n * bc.measures.spikes_per_image(part, self.network))
        self.time = part.checkpoints * part.dt
        self.n_done += n

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of right decisions of the samples so far, over ``time``; NaN before any answer."""
        if not self.n_done:
            return np.zeros(0)
        answered = np.sum(self.answered, axis=0)
        return np.where(answered > 0, np.sum(self.right, axis=0) / self.n_done, np.nan)

    @property
    def spikes_per_image(self) -> float:
        """Mean number of spikes of a sample so far."""
        return float(np.sum(self.spikes) / max(self.n_done, 1))


def converted(experiment: Experiment) -> Iterator[SpikingNetwork]:
    """Yield the network of an experiment: a task of the page's process."""
    yield experiment.network()


def losses(network: SpikingNetwork, target: str) -> Iterator[str]:
    """Yield what a target loses of a network, as text: a task of the page's process."""
    yield str(bc.examine(network, target, progress=False))


def steps(
    experiment: Experiment, network: SpikingNetwork | None = None
) -> Iterator[Outcome | Recording]:
    """Yield an outcome, its batches, and a recording in detail: a task of the page's process."""
    from bioconv.reports.html import detail_of  # with the library that draws, which takes long

    outcome = Outcome.start(experiment, network)
    yield outcome
    yield from experiment.batches(outcome.network, outcome.x)
    yield detail_of(outcome.network, outcome.x, seed=experiment.seed, progress=False)


def _made(function: str, name: str, options: Mapping[str, Any]) -> str:
    return f"{function}({name!r}, {dict(options)!r})" if options else f"{function}({name!r})"
