"""Files up to version 4: roles and kinds derived from the names that bioconv used until then.

At that time these names defined the meaning of the parts; they are not used elsewhere in bioconv.
A user-defined neuron model with other names has no roles in such a file.  Likewise, the record of a
network contained two facts that now have fields: the current that represents an activation, and the
imperfections that were applied to the network.
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
#: prefix of the name of a model -> state variables whose names have other meanings elsewhere
_STATES: Mapping[str, Mapping[str, str]] = {
    "axon": {"s": roles.MARK, "waits": roles.MARK, "left": roles.MARK},
    "first_spike_exact": {"fired": roles.MARK},
    "first_spike": {"missing": roles.SYNAPTIC},
    "hindmarsh_rose": {"y": roles.RECOVERY, "z": roles.RECOVERY},
    "max_gate": {"y": roles.MARK},
    "morris_lecar": {"w": roles.GATING},
    "oscillation": {"q": roles.SYNAPTIC},
    "resonate_and_fire": {"x": roles.RECOVERY},
    "sigma_delta_output": {"s": roles.SYNAPTIC},
}
_SIGNS = {"exc": 1, "inh": -1}
#: an imperfection in the record of a network, as in ``Mismatch(target='gain', sigma=0.1), seed 0``
_APPLIED = re.compile(r"(?P<kind>\w+)\((?P<options>[^;]*)\), seed (?P<seed>\d{1,18})(?=;|$)")
_TARGET = re.compile(r"target='(?P<target>\w*)'")
#: units of time constants of devices; flags that are reset within a step have none
_NO_DEVICE = "tau_flag"


def declare_roles(tree: Tree) -> None:
    """Add the roles and kinds of their parts to all neuron models of a file."""
    if tree.get("class") == "NeuronModel":
        _declare(tree)
    for entry in tree.values():
        if isinstance(entry, dict):
            declare_roles(entry)
    if tree.get("class") == "SpikingNetwork":
        _declare_gates(tree)


def _declare_gates(network: Tree) -> None:
    """Declare gates of max pooling in the population code, which had the model of its neurons.

    Neurons are charged in the first step, at the end of which a scheduled change stops the
    current; gates are not charged.
    """
    changes: Any = network.get("changes")
    charged = {
        str(entry.get("population"))
        for entry in (changes.values() if isinstance(changes, dict) else ())
        if isinstance(entry, dict) and entry.get("variable") == "gate"
    }
    for name, population in _entries(network, "populations"):
        model: Any = population.get("model")
        if name in charged or not isinstance(model, dict) or not model.get("threshold"):
            continue
        if str(model.get("name")).startswith("threshold"):
            model["kind"] = roles.MAX_GATE


def declare_record(tree: Tree) -> None:
    """Add the fields to the network of a file that were contained only in its record."""
    network: Any = tree.get("content")
    record = network.get("code") if isinstance(network, dict) else None
    if not isinstance(record, dict):
        return
    gain, applied = record.get("drive_gain"), record.get("imperfections")
    if isinstance(gain, float | int):
        _declare_current(network, float(gain))
    if isinstance(applied, str):
        network["imperfections"] = {
            f"{n:05d}": {"class": "Disturbance", "position": n, **entry}
            for n, entry in enumerate(map(_disturbance, _APPLIED.finditer(applied)))
        }


def _declare_current(network: Tree, gain: float) -> None:
    """Declare the current of the rate code, the same for all neurons except silent outputs."""
    silent = {
        str(readout.get("population"))
        for _, readout in _entries(network, "readouts")
        if readout.get("kind") != "count"
    }
    for name, population in _entries(network, "populations"):
        model = population.get("model")
        fires = isinstance(model, dict) and model.get("kind") == roles.SPIKING
        if fires and name not in silent:
            population["activation_current"] = gain


def _disturbance(entry: re.Match[str]) -> Tree:
    target = _TARGET.search(entry["options"])
    return {
        "kind": entry["kind"],
        "target": target["target"] if target else "",
        "seed": int(entry["seed"]),
        "text": f"{entry['kind']}({entry['options']})",
    }


def _declare(model: Tree) -> None:
    name, spikes = str(model.get("name")), bool(model.get("threshold"))
    model["kind"] = _kind(name, spikes)
    for part, entry in _entries(model, "parameters"):
        entry["role"] = _role(name, part, entry)
    for part, entry in _entries(model, "states"):
        entry["kind"] = _state(name, part, str(entry.get("unit")))
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


def _state(model: str, name: str, unit: str) -> str:
    for beginning, kinds in _STATES.items():
        if model.startswith(beginning) and name in kinds:
            return kinds[name]
    if re.fullmatch(r"v\d*", name):
        return roles.MEMBRANE_POTENTIAL
    if name == "i_syn":
        once = model.startswith(("first_spike", "oscillation"))
        return roles.LASTING_CURRENT if once else roles.SYNAPTIC
    if re.fullmatch(r"(g|x)_(exc|inh|syn)", name):
        return roles.SYNAPTIC
    if name in ("m", "h", "n") and unit == "1":
        return roles.GATING
    return roles.RECOVERY if name in ("w", "u") else ""
