"""Measure the synaptic strength of this chip and the --gm for program.py; written by bioconv.

    python strength.py

Neurons with the weights 1 ... 63 receive regular spikes.  Their mean potential is
rest + weight * strength * rate * tau_syn * tau_m, and they fire if it is above the threshold.
The strength therefore follows from the smallest weight that makes them fire, using spikes alone.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pynn_brainscales.brainscales2 as sim

# <network>
NAME = "empty"
I_SYNIN_GM = 500
LSB_PER_US = 0.1
# </network>

REST, THRESHOLD = 80, 150  # LSB
TAU = 10.0  # us, of membranes and synapses
COPIES = 8  # neurons with the same weight
N_SPIKES = 400
LARGEST = 63
#: us between two spikes: on a chip of the strength that NAME needs, a weight of 32 just fires
EVERY = 32 * LSB_PER_US * TAU**2 / (THRESHOLD - REST)
#: PyNN counts milliseconds
MS = 1e-3


def fires(gm):
    """Return which neurons fire, shape (weights 1 ... 63, copies)."""
    sim.setup()
    times = np.arange(1, N_SPIKES + 1) * EVERY * MS
    source = sim.Population(1, sim.cells.SpikeSourceArray(spike_times=times))
    cell = sim.cells.CalibHXNeuronCuba(
        v_rest=REST,
        v_reset=REST,
        v_thresh=THRESHOLD,
        tau_m=TAU,
        tau_syn_E=TAU,
        tau_syn_I=TAU,
        tau_refrac=2.0,
        i_synin_gm_E=gm,
        i_synin_gm_I=gm,
    )
    neurons = sim.Population(LARGEST * COPIES, cell)
    neurons.record(["spikes"])
    synapse = sim.standardmodels.synapses.StaticSynapse(weight=1)
    made = sim.Projection(source, neurons, sim.AllToAllConnector(), synapse_type=synapse)
    made.set(weight=np.repeat(np.arange(1, LARGEST + 1), COPIES)[None, :])
    sim.run((N_SPIKES + 10) * EVERY * MS)
    trains = neurons.get_data("spikes").segments[-1].spiketrains
    sim.end()
    return np.array([len(train) > 0 for train in trains]).reshape(LARGEST, COPIES)


def main():
    """Measure the strength at one setting and print the setting that the network needs."""
    parser = argparse.ArgumentParser(description=f"Strength of synapses for {NAME}.")
    parser.add_argument(
        "--gm", type=int, default=I_SYNIN_GM, help="strength of synapses, 30 to 800"
    )
    gm = parser.parse_args().gm
    firing = fires(gm)
    if not firing.any(axis=0).all() or firing.all(axis=0).any():
        sys.exit(
            f"At --gm {gm} a neuron fires with none or with all of the weights. Try another --gm."
        )
    smallest = np.median(firing.argmax(axis=0)) + 1  # index 0 is the weight 1
    # The threshold lies between this weight and the one before it.
    found = (THRESHOLD - REST) * EVERY / ((smallest - 0.5) * TAU**2)
    print(f"At --gm {gm}, a weight of 1 has a strength of {found:.4g} LSB/us.")
    needed = round(gm * LSB_PER_US / found)
    print(f"{NAME} needs {LSB_PER_US:.4g} LSB/us: python program.py --gm {needed}")
    if not 30 <= needed <= 800:
        sys.exit("This --gm is outside 30 to 800: convert the network with other time constants.")


if __name__ == "__main__":
    main()
