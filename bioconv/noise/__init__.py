"""Hardware imperfections, each a pure rewrite of a network; they can be combined freely.

>>> from bioconv import noise
>>> str(noise.LIBRARY["threshold"](0.1))
"Mismatch(target='threshold', sigma=0.1)"
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bioconv.noise.axon import SpikeJitter, SpikeLoss, SpuriousSpikes
from bioconv.noise.base import Imperfection, Streams, disturb
from bioconv.noise.compensation import Calibrated, calibrate, correct_input, corrected_current
from bioconv.noise.delay import DelayMismatch
from bioconv.noise.digital import (
    DeadNeurons,
    DeadSynapses,
    FanIn,
    StuckNeurons,
    StuckSynapses,
    TimeQuantization,
)
from bioconv.noise.drift import Drift
from bioconv.noise.membrane import FlickerNoise, ShotNoise, ThermalNoise
from bioconv.noise.mismatch import Mismatch
from bioconv.noise.places import Places
from bioconv.noise.profiles import NOT_PUBLISHED, PROFILES, Number, Profile, profile
from bioconv.noise.state import FixedPointState, StateSaturation, saturation
from bioconv.noise.transistor import TemperatureShift, Transistor, TransistorMismatch
from bioconv.noise.transmission import SynapticFailure
from bioconv.noise.weights import WeightQuantization

#: name on the command line -> function that makes the imperfection from its amplitude
LIBRARY: Mapping[str, Callable[[float], Imperfection]] = MappingProxyType(
    {
        "capacitance": lambda sigma: Mismatch("capacitance", sigma),
        "dead_neurons": lambda share: DeadNeurons(share),
        "dead_synapses": lambda share: DeadSynapses(share),
        "delay": lambda sigma: DelayMismatch(sigma),
        "drift": lambda share: Drift("threshold", share),
        "fan_in": lambda limit: FanIn(limit),  # type: ignore[arg-type]
        "fixed_point": lambda step: FixedPointState(step),
        "flicker": lambda sigma: FlickerNoise(sigma),
        "gain": lambda sigma: Mismatch("gain", sigma),
        "jitter": lambda sigma: SpikeJitter(sigma),
        "leak": lambda sigma: Mismatch("leak", sigma),
        "saturation": saturation,
        "shot": lambda current: ShotNoise(current),
        "slope": lambda sigma: Mismatch("slope", sigma),
        "spike_loss": lambda share: SpikeLoss(share),
        "spurious_spikes": lambda rate: SpuriousSpikes(rate),
        "stuck_neurons": lambda share: StuckNeurons(share),
        "stuck_synapses": lambda share: StuckSynapses(share),
        "synaptic_failure": lambda share: SynapticFailure(share),
        "temperature": lambda kelvin: TemperatureShift(kelvin),
        "thermal": lambda kelvin: ThermalNoise(kelvin, tau=20.0),
        "threshold": lambda sigma: Mismatch("threshold", sigma),
        "time_constant": lambda sigma: Mismatch("time_constant", sigma),
        "time_step": lambda step: TimeQuantization(step),
        "transistor": lambda sigma: TransistorMismatch(a_vt=sigma),
        "weight": lambda sigma: Mismatch("weight", sigma),
        "weight_bits": lambda bits: WeightQuantization(bits),  # type: ignore[arg-type]
    }
)

__all__ = [
    "LIBRARY",
    "NOT_PUBLISHED",
    "PROFILES",
    "Calibrated",
    "DeadNeurons",
    "DeadSynapses",
    "DelayMismatch",
    "Drift",
    "FanIn",
    "FixedPointState",
    "FlickerNoise",
    "Imperfection",
    "Mismatch",
    "Number",
    "Places",
    "Profile",
    "ShotNoise",
    "SpikeJitter",
    "SpikeLoss",
    "SpuriousSpikes",
    "StateSaturation",
    "Streams",
    "StuckNeurons",
    "StuckSynapses",
    "SynapticFailure",
    "TemperatureShift",
    "ThermalNoise",
    "TimeQuantization",
    "Transistor",
    "TransistorMismatch",
    "WeightQuantization",
    "calibrate",
    "correct_input",
    "corrected_current",
    "disturb",
    "profile",
]
