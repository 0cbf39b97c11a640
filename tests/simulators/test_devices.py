"""The samples of a batch on several devices: the spikes of one device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc

#: simulates samples on all devices, and writes spikes and outputs and where the samples were
PROGRAM = """
import sys
import jax, numpy as np, bioconv as bc
from bioconv.simulators.array import dense

network, data = bc.load(sys.argv[1]), np.load(sys.argv[2])
used, made = [], dense.DenseEngine.run
def run(self, *arguments):
    for part in made(self, *arguments):
        yield part
    used.extend(len(c.sharding.device_set) for c in self._carry.counts.values())
dense.DenseEngine.run = run
name = network.populations[-1].name
rec = bc.simulate(network, data["x"], engine="dense", dtype="float64", batch_size=int(sys.argv[4]),
                  record={name: ["counts"]}, progress=False)
np.savez(sys.argv[3], n_devices=len(jax.devices()), used=used, outputs=rec.outputs[name],
         counts=rec.counts[name], spikes=sum(rec.spikes_per_image.values()))
"""


def simulated(folder: Path, n_devices: int, batch: int) -> dict[str, np.ndarray]:
    flags = f"--xla_force_host_platform_device_count={n_devices}"
    output = folder / f"{n_devices}_{batch}.npz"
    names = map(str, (folder / "net.h5", folder / "data.npz", output, batch))
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        check=True,
    )
    with np.load(output) as found:
        return dict(found)


@pytest.mark.slow
@pytest.mark.parametrize("input_", ["current", "poisson"])
def test_two_devices_give_the_spikes_of_one(input_: str, tmp_path: Path) -> None:
    x, _ = bc.load_data("digits", split="train", n_images=60)
    code = bc.RateCode(input=input_)
    bc.convert(bc.models.load("digits_cnn"), calibration=x, code=code, n_steps=60).save(
        tmp_path / "net.h5"
    )
    np.savez(tmp_path / "data.npz", x=x[:10])
    one, two = (simulated(tmp_path, n, batch=4) for n in (1, 2))
    assert (one["n_devices"], two["n_devices"]) == (1, 2)
    assert set(one["used"]) == {1} and set(two["used"]) == {2}
    for name in ("outputs", "counts", "spikes"):
        assert np.array_equal(one[name], two[name])
    assert one["spikes"].sum() > 0


@pytest.mark.slow
def test_a_batch_that_devices_do_not_divide_uses_fewer(tmp_path: Path) -> None:
    x, _ = bc.load_data("digits", split="train", n_images=60)
    net = bc.convert(bc.models.load("digits_mlp"), calibration=x, n_steps=30)
    net.save(tmp_path / "net.h5")
    np.savez(tmp_path / "data.npz", x=x[:6])
    found = [simulated(tmp_path, n, batch=3) for n in (1, 2)]
    assert set(found[1]["used"]) == {1}
    assert np.array_equal(found[0]["outputs"], found[1]["outputs"])
