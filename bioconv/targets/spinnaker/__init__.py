"""SpiNNaker, through sPyNNaker 7.4."""

from __future__ import annotations

from bioconv.targets.fit import Exporter
from bioconv.targets.spinnaker.declaration import SPINNAKER
from bioconv.targets.spinnaker.fitting import fit
from bioconv.targets.spinnaker.writing import write

__all__ = ["EXPORTER", "SPINNAKER"]

EXPORTER = Exporter(SPINNAKER, fit, write, fits_samples=True)
