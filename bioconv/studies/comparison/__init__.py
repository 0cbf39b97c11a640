"""Comparison of every neuron on every simulator: spikes and potentials of a small network.

One population is driven by different currents and projects to a second population, with weights of
both signs and with delays of one and of three steps.  The array simulator in float64 is the
reference.  The result is the table in ``docs/neurons_and_simulators.md``, which
``python -m bioconv.studies.comparison docs/neurons_and_simulators.md`` writes in some minutes.
"""

from bioconv.studies.comparison.cases import Case, cases, network_of
from bioconv.studies.comparison.page import markdown, verdicts
from bioconv.studies.comparison.survey import (
    BOUNDS,
    COLUMNS,
    Difference,
    Field,
    compare,
    run,
    survey,
)

__all__ = [
    "BOUNDS",
    "COLUMNS",
    "Case",
    "Difference",
    "Field",
    "cases",
    "compare",
    "markdown",
    "network_of",
    "run",
    "survey",
    "verdicts",
]
