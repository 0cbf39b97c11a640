"""Registry of the targets by name; each is imported only when it is requested."""

from __future__ import annotations

from bioconv.ground.registry import Registry
from bioconv.targets.fit import Exporter

#: name of a target -> its exporter
EXPORTERS: Registry[Exporter] = Registry(
    "target",
    {
        "brainscales2": ".brainscales2:EXPORTER",
        "brian2": ".simulators:BRIAN2_EXPORTER",
        "nir": ".nir:EXPORTER",
        "pynn": ".simulators:PYNN_EXPORTER",
        "spinnaker": ".spinnaker:EXPORTER",
    },
    package="bioconv.targets",
)
TARGETS = tuple(EXPORTERS)


def exporter(name: str) -> Exporter:
    """Return the exporter of the target called ``name``.

    Raises
    ------
    ParameterError
        If there is no such target; the message lists all of them.
    """
    return EXPORTERS[name]
