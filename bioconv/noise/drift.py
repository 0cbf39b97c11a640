"""Drift of parameters while a sample is presented, as of supply voltage or temperature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bioconv.ground.errors import ConversionError, Problem
from bioconv.ground.options import check, number, whole
from bioconv.network import Change, Population, SpikingNetwork
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.devices import DEVICES, parameter_device
from bioconv.noise.edits import Edit, Floats, value_of, within
from bioconv.noise.mismatch import holders


@dataclass(frozen=True)
class Drift(Imperfection):
    """Steady drift of a parameter by a given share of its value within every sample.

    A drift of the supply voltage shifts thresholds (``target="threshold"``).  A drift of the
    temperature by d kelvin at T changes the time constants of subthreshold circuits, which are
    C U_T / (kappa I), by the share d / T (``target="time_constant"``).

    Parameters
    ----------
    target : str
        A target of `Mismatch` except those of weights and delays: "threshold", "time_constant",
        "leak", "slope", or the name of a parameter.
    share : float
        Relative change at the end of the sample.  For a threshold, it is relative to the distance
        from rest.
    n_changes : int
        Number of equal steps in which the parameter changes.  Each step is in the middle of its
        part of the sample, so that on average the parameter follows the line from 0 to ``share``.
        With 1, the whole change takes place in the middle of the sample.

    Raises
    ------
    ParameterError
    """

    target: str = ""
    share: float = number(0.0, -1.0, above=True)
    n_changes: int = whole(20, 1, 10_000)
    site: ClassVar[str] = "parameters"
    unit: ClassVar[str] = "share at the end of the sample"
    source: ClassVar[str] = (
        "Chicca et al. 2014, Proc. IEEE 102(9), doi:10.1109/JPROC.2014.2313954, section III "
        "(time constants C U_T / (kappa I) of subthreshold circuits)"
    )

    def __post_init__(self) -> None:
        check(
            self, [] if self.target else ["target must not be empty. Pass the name of a parameter."]
        )

    @property
    def amplitude(self) -> float:
        """The relative change at the end."""
        return self.share

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the disturbed network; see `Imperfection.rewrite`."""
        stairs = self._stairs(network.n_steps)
        members = holders(network, self.target, ())
        touched: set[tuple[str, str]] = set()
        more: list[Change] = []
        problems = []
        for population in members:
            last = self._edit(network, population, 1.0)
            if last.receptors or last.drive is not None:
                reason = "a drift would change its input, not only a parameter."
                advice = "Choose another target."
                problems.append(Problem(population.name, self.target, reason, advice))
            for name in last.parameters:
                touched.add((population.name, name))
                more += self._changes(network, population, name, stairs)
        if problems:
            raise ConversionError(f"{self.target} cannot drift:", problems)
        if not touched:
            raise ConversionError(
                f"No population of {network.name} has {self.target}:",
                [Problem(p.name, p.model.name, f"it has no {self.target}.") for p in members],
            )
        kept = [c for c in network.changes if (c.population, c.variable) not in touched]
        return network.replace(changes=tuple([*kept, *more]))

    def _stairs(self, n_steps: int) -> dict[int, float]:
        """Map the time step of each change to the share of the drift from then on."""
        n = self.n_changes
        middles = (round((k - 0.5) * n_steps / n) for k in range(1, n + 1))
        return {max(1, min(step, n_steps - 1)): k / n for k, step in enumerate(middles, 1)}

    def _edit(self, network: SpikingNetwork, population: Population, part: float) -> Edit:
        factor = np.asarray(1.0 + self.share * part)
        device = DEVICES.get(self.target) or parameter_device(self.target)
        return device(network, population, lambda name: factor)

    def _changes(
        self,
        network: SpikingNetwork,
        population: Population,
        name: str,
        stairs: dict[int, float],
    ) -> Iterator[Change]:
        """Return the changes of one parameter: the scheduled ones, drifted, and those between."""
        own = [c for c in network.changes if (c.population, c.variable) == (population.name, name)]
        now = value_of(population, name)
        scheduled: dict[int, Floats] = {}
        for change in sorted(own, key=lambda change: change.step):
            scheduled[change.step] = np.asarray(change.value, np.float64)
        part = 0.0
        for step in sorted(scheduled.keys() | stairs.keys()):
            now, part = scheduled.get(step, now), stairs.get(step, part)
            value = self._edit(network, population, part).parameters[name](now)
            yield Change(step, population.name, name, within(population.model, name, value))
