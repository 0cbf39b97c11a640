"""Commands that train networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import bioconv as bc
from bioconv.analog.decisions import decisions_of
from bioconv.cli.commands.common import (
    Options,
    check_folder,
    finish,
    imperfections_of,
    pairs_of,
    read_model,
    read_network,
)
from bioconv.data import fit_shape
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.tables import format_table
from bioconv.measures import first_decision
from bioconv.training.correlative import OPTIONS as FOR_PATTERNS
from bioconv.training.correlative import converted, train_graph
from bioconv.training.first_spike import LIKE_RELU

#: batches and learning rate for networks of first spikes, unless others are given
_FOR_TIMES = bc.training.Training(batch_size=8, learning_rate=5e-4)
#: neurons of the hidden layer of networks of spike patterns, unless others are given
_N_HIDDEN = 200


def train(options: Options) -> None:
    """Run ``bioconv train``."""
    _check_folders(options)
    TRAINERS[options.code](options)


def _train_times(options: Options) -> None:
    """Train a Keras network in spike times."""
    given = {
        "--layers": "layers",
        "--encoder": "encoder",
        "--encoder-option": "encoder_option",
    }
    _refuse(options, given, "correlative")
    if options.model is None:
        raise ParameterError(
            f"bioconv train needs a MODEL for the code {options.code}. Give a .keras or .h5 file."
        )
    graph = read_model(options)
    shape = graph.inputs[0].shape
    chosen = {**LIKE_RELU, **pairs_of(options.option, "--option")}
    code: Any = bc.codes.make("first_spike_exact", chosen)
    x, y = _samples(options, options.data, shape, "train", options.images)
    before = None
    if options.test:
        images, labels = _test(options, shape)
        decision = next(iter(decisions_of(graph).values()))
        before = _accuracy(decision, graph.predict(images), labels)
    done = bc.train(
        graph,
        x,
        y,
        code=code,
        options=_training(options),
        activity=options.activity,
        dt=options.dt,
        checkpoint=options.checkpoint,
        progress=not options.quiet,
    )
    _finish(options, done, before, slope=code.slope)


def _train_patterns(options: Options) -> None:
    """Train a stack of dense layers to emit spike patterns."""
    given = {"MODEL": "model", "--keras": "keras", "--activity": "activity", "--dt": "dt"}
    _refuse(options, given, "first_spike_exact")
    code: Any = bc.codes.make(options.code, pairs_of(options.option, "--option"))
    settings = pairs_of(options.encoder_option, "--encoder-option")
    encoder = bc.encoders.make(options.encoder or "ecte", settings)
    x, y = _labelled(options, options.data, "train", options.images)
    done = train_graph(
        code,
        encoder,
        tuple(options.layers or (_N_HIDDEN,)),
        x,
        y,
        _training(options, FOR_PATTERNS),
        checkpoint=options.checkpoint,
        progress=not options.quiet,
    )
    network = converted(code, done, x[:1])
    network.save(options.output)
    epochs = _epochs(done.history, options.epochs)
    result: dict[str, Any] = {"file": str(options.output), "epochs": epochs}
    text = [format_table(epochs)]
    if options.test:
        images, labels = _test(options, done.graph.inputs[0].shape)
        decision = first_decision(network)
        result["accuracy"] = _accuracy(decision, done.graph.predict(images), labels)
        share = 100 * result["accuracy"]
        text.append(f"accuracy on {len(images):,} test samples: {share:.2f} %")
    text.append(f"spiking network -> {options.output}")
    finish(options, result, "\n".join(text))


#: code -> what trains its networks
TRAINERS = {"first_spike_exact": _train_times, "correlative": _train_patterns}


def _refuse(options: Options, names: dict[str, str], code: str) -> None:
    """Refuse options that only another code has."""
    given = [option for option, name in names.items() if getattr(options, name)]
    if given:
        raise ParameterError(f"{', '.join(given)} is for the code {code}, not {options.code}.")


def finetune(options: Options) -> None:
    """Run ``bioconv finetune``."""
    _check_folders(options)
    network = read_network(options.network)
    shape = network.analog.inputs[0].shape
    x, y = _samples(options, options.data, shape, "train", options.images)
    imperfections = imperfections_of(options)
    settings: dict[str, Any] = {"slope": options.slope, "time_grid": options.time_grid}
    before = None
    if options.test:
        images, labels = _test(options, shape)
        found = bc.training.evaluate(
            network, images, imperfections=imperfections, seed=options.seed, **settings
        )
        before = _accuracy(first_decision(network), found, labels)
    done = bc.finetune(
        network,
        x,
        y,
        options=_training(options),
        imperfections=imperfections,
        activity=options.activity,
        checkpoint=options.checkpoint,
        progress=not options.quiet,
        **settings,
    )
    _finish(options, done, before, imperfections=imperfections, **settings)


def _check_folders(options: Options) -> None:
    for path in filter(None, (options.output, options.keras, options.json, options.checkpoint)):
        check_folder(path)


def _samples(
    options: Options, source: str, shape: tuple[int, ...], split: str, n_images: int | None
) -> tuple[Any, Any]:
    x, y = _labelled(options, source, split, n_images)
    return fit_shape(x, shape), y


def _labelled(options: Options, source: str, split: str, n_images: int | None) -> tuple[Any, Any]:
    x, y = bc.load_data(
        source, split=split, scale=options.scale, offset=options.offset, n_images=n_images
    )
    if y is None:
        raise DataError(f"{source} has no labels y, which training and tests require.")
    return x, y


def _test(options: Options, shape: tuple[int, ...]) -> tuple[Any, Any]:
    return _samples(options, options.test, shape, "test", None)


def _accuracy(decision: Any, outputs: Any, labels: Any) -> float:
    found = np.asarray(outputs)
    return decision.share(decision.of(found), decision.labels(labels, found.shape[1:], len(found)))


def _training(options: Options, usual: bc.training.Training = _FOR_TIMES) -> Any:
    given = {"batch_size": options.batch, "learning_rate": options.learning_rate}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(usual, epochs=options.epochs, seed=options.seed, **chosen)


def _epochs(history: dict[str, Any], n: int) -> list[dict[str, Any]]:
    return [
        {"epoch": number + 1, **{name: float(v[number]) for name, v in history.items()}}
        for number in range(n)
    ]


def _finish(options: Options, done: Any, before: float | None, **settings: Any) -> None:
    """Write the files and print the history and the accuracies."""
    done.network.save(options.output)
    epochs = _epochs(done.history, options.epochs)
    result: dict[str, Any] = {"file": str(options.output), "epochs": epochs}
    text = [format_table(epochs)]
    if options.test:
        images, labels = _test(options, done.network.analog.inputs[0].shape)
        decision = first_decision(done.network)
        outputs = bc.training.evaluate(done.network, images, seed=options.seed, **settings)
        result |= {"accuracy_before": before, "accuracy": _accuracy(decision, outputs, labels)}
        text.append(
            f"accuracy on {len(images):,} test samples: {100 * (before or 0):.2f} % before, "
            f"{100 * result['accuracy']:.2f} % after"
        )
    if options.keras:
        bc.keras.write(done.network.analog).save(options.keras)
        text.append(f"ReLU network -> {options.keras}")
    text.append(f"spiking network -> {options.output}")
    finish(options, result, "\n".join(text))
