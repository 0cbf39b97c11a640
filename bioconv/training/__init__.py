"""Training of spiking networks: in spike times, and through the equations of their neurons."""

from bioconv.training.loop import Fitted, fit
from bioconv.training.options import Training
from bioconv.training.surrogate import Surrogate
from bioconv.training.through_spikes import finetune_spikes

__all__ = ["Fitted", "Surrogate", "Training", "finetune_spikes", "fit"]
