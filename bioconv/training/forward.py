"""The forward pass of training in spike times: leads under the imperfections of hardware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog import check_samples
from bioconv.analog.samples import Data, batches
from bioconv.codes.first_spike_exact.leads import Leads, Output, Parameters
from bioconv.codes.first_spike_exact.reading import leads_of
from bioconv.ground.errors import ConversionError
from bioconv.network import SpikingNetwork
from bioconv.noise import Imperfection
from bioconv.operators import Array, precision
from bioconv.training.imperfections import Hardware

#: samples at a time
_BATCH = 256


def samples_of(leads: Leads, x: Data) -> dict[str, NDArray]:
    """Return the data by name of the input of the spiking network."""
    inputs = leads.network.analog.inputs
    samples = check_samples(x, {entry.name: entry.shape for entry in inputs})
    pairs = zip(leads.network.inputs, inputs, strict=True)
    return {mine.name: np.asarray(samples[entry.name], np.float32) for mine, entry in pairs}


def output_of(leads: Leads) -> Output:
    """Return the output; `ConversionError` if there are several."""
    outputs = list(leads.outputs)
    if len(outputs) != 1:
        raise ConversionError(
            f"{leads.network.name} has {len(outputs)} outputs. Training supports one output."
        )
    return outputs[0]


def forward(
    leads: Leads,
    hardware: Hardware,
    parameters: Parameters,
    lengths: Mapping[str, Array],
    x: Mapping[str, Array],
    key: Array,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return outputs and leads under the imperfections of one batch."""
    for_weights, for_times = jax.random.split(key)
    return leads.forward(
        parameters,
        lengths,
        x,
        disturb=hardware.of_leads(for_times),
        rounded=hardware.of_weights(),
        noisy=hardware.of_synapses(for_weights),
    )


def largest_leads(
    leads: Leads, parameters: Parameters, samples: Mapping[str, NDArray]
) -> dict[str, float]:
    """Return the largest lead of every layer, with windows that clip none.

    Parameters
    ----------
    leads : Leads
    parameters : dict
    samples : mapping of str to ndarray
        By name of the input of the spiking network.
    """
    endless = {name: np.asarray(np.inf) for name in leads.lengths()}

    @jax.jit
    def largest(parameters: Parameters, x: Mapping[str, Array]) -> dict[str, Array]:
        _, found = leads.forward(parameters, endless, x)
        return {stage.name: jnp.max(found[stage.name]) for stage in leads.rectifiers}

    most = dict.fromkeys(endless, 0.0)
    for _, batch in batches(dict(samples), _BATCH):
        for name, value in largest(parameters, batch).items():
            most[name] = max(most[name], float(value))
    return most


def evaluate(
    network: SpikingNetwork,
    x: Data,
    *,
    slope: str = "identical",
    time_grid: bool = False,
    imperfections: Iterable[Imperfection] = (),
    seed: int = 0,
    batch_size: int = _BATCH,
) -> NDArray[np.float32]:
    """Return the outputs of a network of exact first spikes, computed from leads.

    This is the forward pass of training.  It is as fast as the analog network, and equals a
    simulation up to rounding as long as no neuron fires before its window opens.

    Parameters
    ----------
    network, slope, time_grid, imperfections
        As in `finetune`.
    x : ndarray, shape (n_samples, ...); mapping or sequence of ndarray for several inputs
    seed : int
        Seed of random imperfections, which are drawn anew for every batch.
    batch_size : int

    Returns
    -------
    ndarray of float32, shape (n_samples, *output shape)
        After the last function of the network, such as softmax.

    Raises
    ------
    ConversionError, DataError, ParameterError
        As in `finetune`.
    """
    leads = leads_of(network, slope)
    samples, output = samples_of(leads, x), output_of(leads)
    schedule = leads.schedule
    step = schedule.dt / schedule.unit if time_grid else 0.0
    hardware = Hardware.of(imperfections, schedule.unit, step)
    lengths = leads.lengths()

    @jax.jit
    def outputs(parameters: Parameters, x: Mapping[str, Array], key: Array) -> Array:
        given, _ = forward(leads, hardware, parameters, lengths, x, key)
        return output.readout.function.apply([given[output.name]])

    parameters = jax.tree.map(lambda array: np.asarray(array, np.float32), leads.parameters())
    found = []
    with precision("float32"):
        for number, (n, batch) in enumerate(batches(samples, batch_size)):
            key = jax.random.fold_in(jax.random.key(seed), number)
            found.append(np.asarray(outputs(parameters, batch, key))[:n])
    return np.concatenate(found)
