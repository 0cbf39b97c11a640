"""Write a network that was fitted to BrainScaleS-2 as a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bioconv.export.folder import GROUND, RULES, copy_support, template
from bioconv.export.support.arrays import write as write_arrays
from bioconv.export.tables import Arrays, Network, Quantity, model_names, network_tables, source
from bioconv.network import SpikingNetwork
from bioconv.targets.brainscales2.declaration import CAPACITANCE, DAC_BIAS
from bioconv.targets.brainscales2.fitting import strength_setting
from bioconv.targets.brainscales2.partition import Run
from bioconv.targets.fit import Fit

_TEMPLATES = "bioconv.targets.brainscales2.templates"
_SUPPORT = ("arrays.py", "command_line.py", "encoders.py", "images.py", "readouts.py", "results.py")
#: parameter of the model -> those of CalibHXNeuronCuba; a ms of the model is a us of the chip
_POTENTIALS = {"v_rest": "v_rest", "v_reset": "v_reset", "v_th": "v_thresh"}
_TIMES = {"tau_m": ("tau_m",), "tau_syn": ("tau_syn_E", "tau_syn_I"), "t_ref": ("tau_refrac",)}


def write(fit: Fit, folder: Path) -> None:
    """Write ``program.py``, ``strength.py``, ``weights.npz`` and the package ``support``.

    Parameters
    ----------
    fit : Fit
        From `bioconv.targets.brainscales2.fit`.
    folder : Path
        An empty folder.
    """
    tables = program_tables(fit.network, fit.details["runs"])
    strength = {name: tables.tables[name] for name in ("NAME", "I_SYNIN_GM")}
    strength["LSB_PER_US"] = kappa(fit.network)
    for name, section in (("program", tables.tables), ("strength", strength)):
        text = template(f"brainscales2_{name}.py", source(section, with_units=False), _TEMPLATES)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    write_arrays(folder / "weights.npz", tables.arrays)
    copy_support(_SUPPORT, folder)
    copy_support(RULES, folder, GROUND)


def kappa(network: SpikingNetwork) -> float:
    """Return the slope of a unit of weight, LSB/us; see `bioconv.targets.brainscales2.scales`."""
    return 1.0 / float(network.populations[0].parameters["c_m"])


def program_tables(network: SpikingNetwork, runs: tuple[Run, ...]) -> Network:
    """Return the tables and arrays of the program.

    Parameters
    ----------
    network : SpikingNetwork
        In the chip's units.
    runs : tuple
        See `bioconv.targets.brainscales2.partition.runs`.
    """
    plain = network_tables(network, dict.fromkeys(model_names(network)))
    arrays = dict(plain.arrays)
    populations = {}
    for name, entry in plain.tables["POPULATIONS"].items():
        shown = {key: entry[key] for key in ("shape", "start_step")}
        populations[name] = {**shown, "cell": _cell(entry["parameters"], arrays)}
        for key in (*entry["parameters"], *entry["initial"]):
            if key not in (*_POTENTIALS, *_TIMES):
                arrays.pop(f"{name}.{key}", None)
    tables = {name: plain.tables[name] for name in ("NAME", "DT", "N_STEPS")}
    tables |= {
        "I_SYNIN_GM": strength_setting(kappa(network)),
        "POPULATIONS": populations,
        "INPUTS": plain.tables["INPUTS"],
        "PROJECTIONS": [
            row for entry in plain.tables["PROJECTIONS"] for row in _by_sign(entry, arrays)
        ],
        "READOUTS": plain.tables["READOUTS"],
        "RUNS": [tuple((s.population, s.start, s.stop) for s in run) for run in runs],
    }
    return Network(tables, arrays)


def _cell(parameters: dict[str, Quantity], arrays: Arrays) -> dict[str, Any]:
    """Return the parameters of CalibHXNeuronCuba; potentials are whole numbers."""
    cell: dict[str, Any] = {}
    for ours, theirs in _POTENTIALS.items():
        value = parameters[ours].value
        if isinstance(value, str):
            arrays[value] = arrays[value].astype(np.int64)
        cell[theirs] = parameters[ours] if isinstance(value, str) else int(value)
    for ours, names in _TIMES.items():
        cell |= dict.fromkeys(names, parameters[ours])
    return {**cell, "cm": CAPACITANCE.value, "synapse_dac_bias": DAC_BIAS.value}


def _by_sign(entry: dict[str, Any], arrays: Arrays) -> list[dict[str, Any]]:
    """Split a projection with weights of both signs into an excitatory and an inhibitory one."""
    key = entry["synapses"]
    pre, post, weight = (arrays.pop(f"{key}_{part}") for part in ("pre", "post", "weight"))
    rows = []
    for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
        kept = sign * weight > 0
        if not kept.any():
            continue
        name = f"{key}_{receptor}"
        arrays |= {f"{name}_pre": pre[kept], f"{name}_post": post[kept]}
        arrays[f"{name}_weight"] = weight[kept].astype(np.int64)
        rows.append(
            {"pre": entry["pre"], "post": entry["post"], "receptor": receptor, "synapses": name}
        )
    return rows
