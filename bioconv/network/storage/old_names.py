"""Files up to version 4: roles and kinds derived from the names that bioconv used until then.

At that time these names defined the meaning of the parts; they are not used elsewhere in bioconv.
A user-defined neuron model with other names has no roles in such a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bioconv.network.storage.hdf5 import Tree
from bioconv.neurons.language import roles

_ROLES: Mapping[str, str] = {
    "v_th": roles.THRESHOLD,
    "v_t": roles.SOFT_THRESHOLD,
    "theta_inf": roles.SOFT_THRESHOLD,
    "i_min": roles.CURRENT_THRESHOLD,
    "v_rest": roles.REST,
    "v_reset": roles.RESET,
    "g_l": roles.LEAK,
    "c_m": roles.CAPACITANCE,
    "tau_m": roles.MEMBRANE_TIME_CONSTANT,
    "slope": roles.SLOPE,
    "i_osc": roles.SLOPE,
    "rise": roles.SLOPE,
    "e_rev_exc": roles.REVERSAL,
    "e_rev_inh": roles.REVERSAL,
    "polarity": roles.POLARITY,
    "gate": roles.GATE,
    "t_begin": roles.RELEASE,
    "sigma_noise": roles.NOISE_CURRENT,
    "sigma_membrane": roles.NOISE_SLOPE,
    "sigma_flicker": roles.NOISE_THRESHOLD,
    "v_floor": roles.FLOOR,
    "v_ceiling": roles.CEILING,
    "lsb": roles.REGISTER_STEP,
    "z_loss": roles.LOSS,
    "z_spurious": roles.SPURIOUS,
    "sigma_jitter": roles.JITTER,
    "latency": roles.LATENCY,
}
_SIGNS = {"exc": 1, "inh": -1}
#: units of time constants of devices; flags that are reset within a step have none
_NO_DEVICE = "tau_flag"


def declare_roles(tree: Tree) -> None:
    """Add the roles and kinds of their parts to all neuron models of a file."""
    if tree.get("class") == "NeuronModel":
        _declare(tree)
    for entry in tree.values():
        if isinstance(entry, dict):
            declare_roles(entry)


def _declare(model: Tree) -> None:
    name, spikes = str(model.get("name")), bool(model.get("threshold"))
    model["kind"] = _kind(name, spikes)
    once = name.startswith(("first_spike", "oscillation"))
    for part, entry in _entries(model, "parameters"):
        entry["role"] = _role(name, part, entry)
    for part, entry in _entries(model, "states"):
        entry["kind"] = _state(part, str(entry.get("unit")), once)
    for part, entry in _entries(model, "receptors"):
        entry["sign"] = _SIGNS.get(part, 0)
        entry["reversal"] = f"e_rev_{part}" if part in _SIGNS else ""


def _entries(model: Tree, field: str) -> list[tuple[str, Tree]]:
    group: Any = model.get(field)
    entries = group.values() if isinstance(group, dict) else ()
    return [(str(entry.get("name")), entry) for entry in entries if isinstance(entry, dict)]


def _kind(name: str, spikes: bool) -> str:
    if name.split("_")[0] == "axon":
        return roles.AXON
    if "max_gate" in name or name.startswith("first_spike_exact_pool"):
        return roles.MAX_GATE
    return roles.SPIKING if spikes else roles.READOUT


def _role(model: str, name: str, entry: Tree) -> str:
    if name in _ROLES:
        return _ROLES[name]
    if name == "t_close" and "_fire" in model:
        return roles.DEADLINE
    if name == "window" and entry.get("unit") == "1":
        return roles.WINDOW
    if name == "i_open":
        silent = "silent" in model
        return roles.WINDOW_CURRENT_WITH_SYNAPSES if silent else roles.WINDOW_CURRENT
    timed = name.startswith("tau") and entry.get("unit") == "ms" and name != _NO_DEVICE
    return roles.TIME_CONSTANT if timed else ""


def _state(name: str, unit: str, once: bool) -> str:
    if re.fullmatch(r"v\d*", name):
        return roles.MEMBRANE_POTENTIAL
    if name == "i_syn":
        return roles.LASTING_CURRENT if once else roles.SYNAPTIC
    if re.fullmatch(r"(g|x)_(exc|inh|syn)", name):
        return roles.SYNAPTIC
    if name in ("m", "h", "n") and unit == "1":
        return roles.GATING
    return roles.RECOVERY if name in ("w", "u") else ""
