"""Training of spiking networks: in spike times, and through the equations of their neurons."""

from bioconv.training.loop import Fitted, fit
from bioconv.training.options import Training

__all__ = ["Fitted", "Training", "fit"]
