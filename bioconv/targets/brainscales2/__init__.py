"""BrainScaleS-2: an analog chip with 512 neurons that runs a thousand times faster than biology."""

from bioconv.targets.brainscales2.chips import chip
from bioconv.targets.brainscales2.declaration import TARGET
from bioconv.targets.brainscales2.fitting import fit
from bioconv.targets.brainscales2.writing import write
from bioconv.targets.fit import Exporter

EXPORTER = Exporter(TARGET, fit, write, chip=chip, fits_samples=True)

__all__ = ["EXPORTER", "TARGET", "chip", "fit", "write"]
