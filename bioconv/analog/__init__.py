"""The analog network, which represents a Keras model by functions of affine maps."""

from bioconv.analog.evaluate import activations, evaluate, iterate
from bioconv.analog.functions import FUNCTIONS, Function
from bioconv.analog.graph import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.samples import batches, check_samples

__all__ = [
    "FUNCTIONS",
    "Affine",
    "AnalogGraph",
    "Function",
    "GraphInput",
    "Layer",
    "Term",
    "activations",
    "batches",
    "check_samples",
    "evaluate",
    "iterate",
]
