"""Inputs as layers: an input with values of both signs becomes an ON and an OFF layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import ReLU
from bioconv.analog.graph import Affine, GraphInput, Layer
from bioconv.codes.common.affine import same, substitute
from bioconv.codes.common.rewritten import Rewritten


def with_encoders(rewritten: Rewritten, calibration: Mapping[str, NDArray]) -> Rewritten:
    """Return the network with a layer of rectifications after every input.

    Only these layers receive the inputs, so that the code can convert inputs to spikes once, where
    they enter the network.  Inputs without negative values in the calibration data get one layer,
    which clips negative values; the others get two, whose difference is the input.

    Parameters
    ----------
    rewritten : Rewritten
    calibration : mapping of str to ndarray
        Samples for each input.

    Returns
    -------
    Rewritten
        The encoders come first in ``layers``, named like their input with ``_on`` and ``_off``.
    """
    result = Rewritten(rewritten.name, rewritten.inputs, deferred=dict(rewritten.deferred))
    names = rewritten.free_name
    encoded: dict[str, Affine] = {}
    for entry in rewritten.inputs:
        layers = list(_encoders(entry, names, bool(calibration[entry.name].min() < 0)))
        for layer in layers:
            result.add(layer)
        signs = zip(layers, (1.0, -1.0), strict=False)
        terms = tuple(t for layer, sign in signs for t in same(layer.name, entry.shape, sign).terms)
        encoded[entry.name] = Affine(terms, np.zeros((1,) * len(entry.shape)), entry.shape)
    for layer in rewritten.layers:
        result.add(_encoded(layer, encoded))
    result.readouts = [_encoded(layer, encoded) for layer in rewritten.readouts]
    result.values = {name: substitute(affine, encoded) for name, affine in rewritten.values.items()}
    return result


def _encoders(entry: GraphInput, free_name: Callable[[str], str], signed: bool) -> Iterator[Layer]:
    for suffix, sign in (("_on", 1.0), ("_off", -1.0))[: 1 + signed]:
        name = free_name(f"{entry.name}{suffix}")
        affine = same(entry.name, entry.shape, sign)
        yield Layer(name, ReLU(), (affine,), entry.shape)


def _encoded(layer: Layer, encoded: Mapping[str, Affine]) -> Layer:
    return replace(layer, inputs=tuple(substitute(a, encoded) for a in layer.inputs))
