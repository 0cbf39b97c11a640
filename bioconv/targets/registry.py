"""The targets by name; each is imported when it is asked for."""

from __future__ import annotations

import importlib

from bioconv.ground.errors import ParameterError
from bioconv.targets.fit import Exporter

#: name of a target -> (module, name of its `Exporter` there)
_EXPORTERS = {
    "brainscales2": ("bioconv.targets.brainscales2", "EXPORTER"),
    "brian2": ("bioconv.targets.simulators", "BRIAN2_EXPORTER"),
    "nir": ("bioconv.targets.nir", "EXPORTER"),
    "pynn": ("bioconv.targets.simulators", "PYNN_EXPORTER"),
    "spinnaker": ("bioconv.targets.spinnaker", "EXPORTER"),
}
TARGETS = tuple(_EXPORTERS)


def exporter(name: str) -> Exporter:
    """How networks get to the target called ``name``.

    Raises
    ------
    ParameterError
        Unknown target; lists all.
    """
    if name not in _EXPORTERS:
        raise ParameterError(f"Unknown target {name!r}. Targets: {', '.join(TARGETS)}.")
    module, attribute = _EXPORTERS[name]
    found: Exporter = getattr(importlib.import_module(module), attribute)
    return found
