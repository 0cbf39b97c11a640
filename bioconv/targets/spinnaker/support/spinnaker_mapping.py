"""Mapping on a virtual board: how sPyNNaker represents the network."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.export.support import arrays
from bioconv.targets.spinnaker.support.spinnaker_network import Network

#: settings of a virtual board with 48 chips, read from a temporary home folder
_CONFIGURATION = """[Machine]
version = 5
virtual_board = True
"""


@contextmanager
def virtual_board() -> Iterator[None]:
    """Use a temporary folder as home and working folder, as sPyNNaker reads and writes in both."""
    scratch = mkdtemp(prefix="spinnaker_")
    # sPyNNaker writes its last file when Python ends; the handler registered first runs last.
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    Path(scratch, ".spynnaker.cfg").write_text(_CONFIGURATION, encoding="utf-8")
    before = Path.cwd()
    names = ("HOME", "XDG_CONFIG_HOME")  # where sPyNNaker looks for .spynnaker.cfg
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["HOME"] = scratch
    os.chdir(scratch)
    try:
        yield
    finally:
        os.chdir(before)
        del os.environ["HOME"]
        os.environ.update(kept)


def save(network: Network, path: Path) -> dict[str, int]:
    """Write the tool chain's data of a mapped network; return the numbers of cores and chips.

    For the weights ``W`` of a projection, the file contains ``W.synapses`` (one row each: channel
    before, channel behind, neuron before, neuron behind, delay in ms) and ``W.stored`` (the weight
    as it is read back from the data for the board) for lists, and ``W.kernel`` or ``W.dense``
    (whole numbers) for convolutions and pooled dense layers, with ``W.delay``, their delay in ms
    for each pair of parts.  For a population ``P`` it contains the numbers of neurons of its parts,
    ``P.sizes``, and ``P.scales``, the stored weight per nA or uS of each receptor.  ``time_scale``
    is the factor by which the board runs slower than real time.
    """
    held: dict[str, Any] = {}
    for name, parts in network.populations.items():
        held[f"{name}.sizes"] = np.array([part.size for part in parts])
        if name in network.tables:
            vertex = parts[0]._vertex
            held[f"{name}.scales"] = vertex.get_weight_scales(vertex.get_ring_buffer_shifts())
    collected: dict[str, list[NDArray]] = {}
    for key, channels, projection in network.made:
        for name, values in _held(projection, channels):
            collected.setdefault(f"{key}.{name}", []).append(values)
    held |= {name: _joined(name, parts) for name, parts in collected.items()}
    places = _places()
    held |= {"places": places, "time_scale": np.array(_data_view().get_time_scale_factor())}
    arrays.write(path, held)
    return {"cores": len(places), "chips": len(np.unique(places[:, :2], axis=0))}


def _joined(name: str, parts: list[NDArray]) -> NDArray:
    lists = name.endswith((".synapses", ".stored"))
    return np.concatenate(parts) if lists else np.stack(parts)


def _held(projection: Any, channels: tuple[int, int]) -> Iterator[tuple[str, NDArray]]:
    """Yield the names and values of the data of one projection of PyNN."""
    connector = projection._synapse_information.connector
    edge = projection._projection_edge
    post = edge.post_vertex
    scales = post.get_weight_scales(post.get_ring_buffer_shifts())
    kind = type(connector).__name__
    if kind in ("ConvolutionConnector", "PoolDenseConnector"):
        yield "delay", np.array(_local_delay(projection))
    if kind == "ConvolutionConnector":
        kernel = connector.get_encoded_kernel_weights(edge, scales)
        yield "kernel", np.asarray(kernel, np.int64).reshape(connector.kernel_weights.shape)
    elif kind == "PoolDenseConnector":
        yield "dense", _pool_dense(connector, edge, post, scales)
    else:
        rows = projection.get(["weight", "delay"], "list")
        table = np.array([tuple(row) for row in rows], np.float64).reshape(-1, 4)
        receptor = projection._synapse_information.synapse_type
        ends = np.tile(np.array(channels, np.float64), (len(table), 1))
        yield "synapses", np.column_stack([ends, table[:, 0], table[:, 1], table[:, 3]])
        yield "stored", table[:, 2] * (1.0, -1.0)[receptor]


def _local_delay(projection: Any) -> float:
    """Return the delay in ms from the data of a core: its own steps plus those of an extension."""
    from spynnaker.pyNN.models.common.local_only_2d_common import get_delay_for_source

    sender, steps, stage, _ = get_delay_for_source(projection)
    edge = projection._projection_edge
    if sender is not edge.pre_vertex:
        steps += (stage + 1) * edge.post_vertex.splitter.max_support_delay()
    return float(steps * _data_view().get_simulation_time_step_ms())


def _pool_dense(connector: Any, edge: Any, post: Any, scales: NDArray) -> NDArray:
    """Return the stored weights, (columns, rows, neurons), from the blocks of the cores."""
    pooled = np.prod(connector.weights.shape[:-1])
    blocks = []
    for vertex in post.machine_vertices:
        part = vertex.vertex_slice
        words = connector.get_local_only_data(edge, 1, 0, part, scales)
        n_weights = int(pooled) * part.n_atoms
        halves = words.view(np.int16)
        tail = halves[len(halves) - n_weights - n_weights % 2 :][:n_weights]
        blocks.append(tail.reshape(*connector.weights.shape[:-1], part.n_atoms))
    return np.concatenate(blocks, axis=-1).astype(np.int64)


def _places() -> NDArray[np.int64]:
    """Return the chip (x, y) and core of everything that runs neurons or sources."""
    vertices = _data_view().iterate_placemements()
    rows = [(p.x, p.y, p.p) for p in vertices if getattr(p.vertex, "app_vertex", None) is not None]
    return np.array(sorted(rows), np.int64).reshape(-1, 3)


def _data_view() -> Any:
    """Return the object in which the tool chain stores its data."""
    from spynnaker.pyNN.data import SpynnakerDataView

    return SpynnakerDataView
