"""Training of spiking networks: in spike times, and through the equations of their neurons."""

from bioconv.training.analog import train_analog
from bioconv.training.correlative import train as train_correlative
from bioconv.training.first_spike import Trained, finetune, train
from bioconv.training.forward import evaluate
from bioconv.training.loop import Fitted, fit
from bioconv.training.observation import train as train_observation
from bioconv.training.options import Training
from bioconv.training.surrogate import Surrogate
from bioconv.training.through_spikes import finetune_spikes

__all__ = [
    "Fitted",
    "Surrogate",
    "Trained",
    "Training",
    "evaluate",
    "finetune",
    "finetune_spikes",
    "fit",
    "train",
    "train_analog",
    "train_correlative",
    "train_observation",
]
