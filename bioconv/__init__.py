"""Trained Keras networks become spiking networks of equation-level neuron models.

>>> import bioconv as bc
>>> sorted(bc.neurons.library())[:2]
['adaptive_exponential', 'exponential_integrate_and_fire']

The way of the data: `read` a Keras model, `convert` it, `simulate` the result or `emit` it as a
program.  Names are imported when they are first used, so ``import bioconv`` is quick.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioconv.ground.keras_engine import choose_engine

if TYPE_CHECKING:
    from bioconv import (
        codes,
        detection,
        encoders,
        keras,
        measures,
        models,
        neurons,
        noise,
        plots,
        recurrent,
        targets,
        training,
    )
    from bioconv.codes import (
        CorrelativeCode,
        FewSpikesCode,
        FirstSpikeCode,
        FirstSpikeExactCode,
        ObservationCode,
        OscillationCode,
        PopulationCode,
        RateCode,
        SigmaDeltaCode,
    )
    from bioconv.conversion import convert
    from bioconv.data import load_data
    from bioconv.ground import errors
    from bioconv.measures import diagnose
    from bioconv.measures.estimation import estimate, search_percentile
    from bioconv.measures.premature import premature_spikes
    from bioconv.network import SpikingNetwork
    from bioconv.network.recording import Recording
    from bioconv.network.storage import load
    from bioconv.reading import read
    from bioconv.reports.codes import describe_code, list_codes
    from bioconv.reports.encoders import describe_encoder, list_encoders
    from bioconv.reports.html import report
    from bioconv.reports.networks import inspect, summarize
    from bioconv.reports.neurons import describe_neuron, list_neurons
    from bioconv.reports.noise import describe_noise, list_noise
    from bioconv.reports.targets import describe_target, list_targets
    from bioconv.simulators import simulate
    from bioconv.simulators.stimulation import stimulate
    from bioconv.studies.demonstration import demo
    from bioconv.studies.plausibility import plausibility
    from bioconv.studies.robustness import robustness
    from bioconv.targets import emit, examine
    from bioconv.targets.nir import read_nir
    from bioconv.training import finetune, train

#: public name -> module that defines it
_PUBLIC = {
    "CorrelativeCode": "bioconv.codes",
    "FewSpikesCode": "bioconv.codes",
    "FirstSpikeCode": "bioconv.codes",
    "FirstSpikeExactCode": "bioconv.codes",
    "ObservationCode": "bioconv.codes",
    "OscillationCode": "bioconv.codes",
    "PopulationCode": "bioconv.codes",
    "RateCode": "bioconv.codes",
    "Recording": "bioconv.network.recording",
    "SigmaDeltaCode": "bioconv.codes",
    "SpikingNetwork": "bioconv.network",
    "convert": "bioconv.conversion",
    "demo": "bioconv.studies.demonstration",
    "describe_code": "bioconv.reports.codes",
    "describe_encoder": "bioconv.reports.encoders",
    "describe_neuron": "bioconv.reports.neurons",
    "describe_noise": "bioconv.reports.noise",
    "describe_target": "bioconv.reports.targets",
    "diagnose": "bioconv.measures",
    "emit": "bioconv.targets",
    "estimate": "bioconv.measures.estimation",
    "examine": "bioconv.targets",
    "finetune": "bioconv.training",
    "inspect": "bioconv.reports.networks",
    "list_codes": "bioconv.reports.codes",
    "list_encoders": "bioconv.reports.encoders",
    "list_neurons": "bioconv.reports.neurons",
    "list_noise": "bioconv.reports.noise",
    "list_targets": "bioconv.reports.targets",
    "load": "bioconv.network.storage",
    "load_data": "bioconv.data",
    "plausibility": "bioconv.studies.plausibility",
    "premature_spikes": "bioconv.measures.premature",
    "read": "bioconv.reading",
    "read_nir": "bioconv.targets.nir",
    "report": "bioconv.reports.html",
    "robustness": "bioconv.studies.robustness",
    "search_percentile": "bioconv.measures.estimation",
    "simulate": "bioconv.simulators",
    "stimulate": "bioconv.simulators.stimulation",
    "summarize": "bioconv.reports.networks",
    "train": "bioconv.training",
}

#: public module -> its full name
_MODULES = {
    "codes": "bioconv.codes",
    "detection": "bioconv.detection",
    "encoders": "bioconv.encoders",
    "errors": "bioconv.ground.errors",
    "keras": "bioconv.keras",
    "measures": "bioconv.measures",
    "models": "bioconv.models",
    "neurons": "bioconv.neurons",
    "noise": "bioconv.noise",
    "plots": "bioconv.plots",
    "recurrent": "bioconv.recurrent",
    "targets": "bioconv.targets",
    "training": "bioconv.training",
}

__all__ = sorted([*_PUBLIC, *_MODULES])

# So that ``import keras`` works after it, although Keras's own default is not installed.
choose_engine()

_CHECKOUT = Path(__file__).parents[1]
if (_CHECKOUT / "setup.cfg").is_file():
    # An installation has `bioconv.models` and `bioconv.paper_figures` inside this package; a
    # checkout has them beside it.
    __path__.append(str(_CHECKOUT))


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("bioconv")
    if name in _MODULES:
        value: Any = importlib.import_module(_MODULES[name])
    elif name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
    else:
        raise AttributeError(f"module 'bioconv' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
