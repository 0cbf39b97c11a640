"""Spike trains of an input, which are the same in every simulator.

A spike source has a probability p (spikes per step, 0 ... 1): the value of its pixel times a scale.

- ``regular``: source i spikes in step t if floor((t + 1) p + 1/2) > floor(t p + 1/2).  After n
  steps it has spiked round(n p) times (halves are rounded up); every source starts half way to
  its first spike.
- ``poisson``: source i spikes in every step with probability p, independently.  The random
  numbers are those of NumPy's Philox generator with the key (seed, number of the image), so an
  image has the same spikes whatever other images are simulated before it or together with it.
- ``raster``: the spikes are given, as a list of steps and sources.

This file needs only NumPy.  Exported programs contain a copy of it.
"""

import numpy as np


def probabilities(x, scale, signed):
    """Return the spikes per step of each source, shape (n_sources,).

    Parameters
    ----------
    x : ndarray
        One sample, any shape; it is flattened in C order.
    scale : float
    signed : bool
        Use two sources per pixel: first all ON sources (positive values), then all OFF sources.
    """
    values = np.asarray(x, dtype=np.float64).reshape(-1) * scale
    if signed:
        values = np.concatenate([values, -values])
    return np.clip(values, 0.0, 1.0)


def spikes(x, n_steps, kind, scale, signed, seed, image, first_step=0, stream=0, n_sources=0):
    """Return the spikes of a sample in the steps ``first_step`` ... ``first_step + n_steps - 1``.

    Parameters
    ----------
    x : ndarray
        One sample, any shape; it is flattened in C order.  For a raster, a list of shape
        (n_listed, 2): the step and the source of each spike; rows of -1 are none.
    n_steps : int
    kind : {"regular", "poisson", "raster"}
    scale : float
        A value of x times ``scale`` is the number of spikes per step, clipped to [0, 1].
    signed : bool
        Use ON and OFF sources, see `probabilities`.
    seed, image : int
        At least 0; ``image`` is the number of the sample.
    first_step : int
        First step to return; the spikes of a step do not depend on it.
    stream : int
        Number of the input, so that two inputs have independent spikes.
    n_sources : int
        Number of sources, for a raster.

    Returns
    -------
    ndarray of bool, shape (n_steps, n_sources)
    """
    if kind == "raster":
        return listed(x, n_steps, n_sources, first_step)
    p = probabilities(x, scale, signed)
    if kind == "regular":
        steps = np.arange(first_step, first_step + n_steps + 1, dtype=np.float64)
        return np.diff(np.floor(steps[:, None] * p + 0.5), axis=0) > 0
    if kind != "poisson":
        raise ValueError(f"kind must be 'regular', 'poisson' or 'raster'. Received: {kind!r}")
    blocks = -(-p.size // 4)  # Philox makes four numbers for each value of its counter
    generator = np.random.Philox(
        key=np.array([seed, image], dtype=np.uint64),
        counter=np.array([first_step * blocks, 0, 0, stream], dtype=np.uint64),
    )
    draws = np.random.Generator(generator).random((n_steps, 4 * blocks))
    return draws[:, : p.size] < p


def listed(x, n_steps, n_sources, first_step=0):
    """Return the spikes of a list of steps and sources that are in some steps.

    Parameters
    ----------
    x : ndarray, shape (n_listed, 2)
    n_steps, n_sources, first_step : int

    Returns
    -------
    ndarray of bool, shape (n_steps, n_sources)
    """
    step, source = np.asarray(x).astype(np.int64).T
    step = step - first_step
    kept = (step >= 0) & (step < n_steps) & (source >= 0)
    fired = np.zeros((n_steps, n_sources), dtype=bool)
    fired[step[kept], source[kept]] = True
    return fired


def noise_seed(seed, image):
    """Return the 32-bit, non-zero seed of random numbers in the neurons' equations for an image."""
    state = np.random.SeedSequence([seed, image]).generate_state(1)[0]
    return max(int(state), 1)
