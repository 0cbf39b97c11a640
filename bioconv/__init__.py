"""Trained Keras networks become spiking networks of equation-level neuron models.

>>> import bioconv as bc
>>> sorted(bc.neurons.library())[:2]
['adaptive_exponential', 'exponential_integrate_and_fire']

The way of the data: `read` a Keras model, `convert` it, `simulate` the result or `emit` it as a
program.  Names are imported when they are first used, so ``import bioconv`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioconv import codes, errors, keras, measures, neurons, noise, plots, populations, targets
    from bioconv.codes import (
        FewSpikesCode,
        FirstSpikeCode,
        FirstSpikeExactCode,
        OscillationCode,
        PopulationCode,
        RateCode,
        SigmaDeltaCode,
    )
    from bioconv.conversion import convert
    from bioconv.data import load_data
    from bioconv.demonstration import demo
    from bioconv.estimation import estimate, search_percentile
    from bioconv.measures import diagnose
    from bioconv.network import SpikingNetwork
    from bioconv.premature import premature_spikes
    from bioconv.reading import read
    from bioconv.recording import Recording
    from bioconv.reports.codes import describe_code, list_codes
    from bioconv.reports.networks import inspect, summarize
    from bioconv.reports.neurons import describe_neuron, list_neurons
    from bioconv.reports.noise import describe_noise, list_noise
    from bioconv.reports.targets import describe_target, list_targets
    from bioconv.simulators import simulate
    from bioconv.stimulation import stimulate
    from bioconv.storage import load
    from bioconv.studies.plausibility import plausibility
    from bioconv.studies.robustness import robustness
    from bioconv.targets import emit, examine
    from bioconv.targets.nir import read_nir

#: public name -> module that defines it (modules themselves stand for themselves)
_PUBLIC = {
    "FewSpikesCode": "bioconv.codes",
    "FirstSpikeCode": "bioconv.codes",
    "FirstSpikeExactCode": "bioconv.codes",
    "OscillationCode": "bioconv.codes",
    "PopulationCode": "bioconv.codes",
    "RateCode": "bioconv.codes",
    "Recording": "bioconv.recording",
    "SigmaDeltaCode": "bioconv.codes",
    "SpikingNetwork": "bioconv.network",
    "codes": "",
    "convert": "bioconv.conversion",
    "demo": "bioconv.demonstration",
    "describe_code": "bioconv.reports.codes",
    "describe_neuron": "bioconv.reports.neurons",
    "describe_noise": "bioconv.reports.noise",
    "describe_target": "bioconv.reports.targets",
    "diagnose": "bioconv.measures",
    "emit": "bioconv.targets",
    "errors": "",
    "estimate": "bioconv.estimation",
    "examine": "bioconv.targets",
    "inspect": "bioconv.reports.networks",
    "keras": "",
    "list_codes": "bioconv.reports.codes",
    "list_neurons": "bioconv.reports.neurons",
    "list_noise": "bioconv.reports.noise",
    "list_targets": "bioconv.reports.targets",
    "load": "bioconv.storage",
    "load_data": "bioconv.data",
    "measures": "",
    "neurons": "",
    "noise": "",
    "plausibility": "bioconv.studies.plausibility",
    "plots": "",
    "populations": "",
    "premature_spikes": "bioconv.premature",
    "read": "bioconv.reading",
    "read_nir": "bioconv.targets.nir",
    "robustness": "bioconv.studies.robustness",
    "search_percentile": "bioconv.estimation",
    "simulate": "bioconv.simulators",
    "stimulate": "bioconv.stimulation",
    "summarize": "bioconv.reports.networks",
    "targets": "",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("bioconv")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bioconv' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name] or f"bioconv.{name}")
    value = getattr(module, name) if _PUBLIC[name] else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
