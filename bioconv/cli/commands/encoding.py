"""Commands for signals and spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bioconv as bc
from bioconv.cli.commands.common import Options, check_folder, finish, pairs_of
from bioconv.data.loading import NAMES
from bioconv.encoders import Encoder, SpikeRaster
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.tables import format_table


def encoders(options: Options) -> None:
    """Run ``bioconv encoders``."""
    if options.encoder is None:
        rows = bc.list_encoders()
        laws = [{name: row[name] for name in ("encoder", "law", "error")} for row in rows]
        conversion = [
            {
                "encoder": row["encoder"],
                "carries a conversion": "yes" if row["can_convert"] else "no",
                "because": row["reason"],
            }
            for row in rows
        ]
        tables = (format_table(laws), format_table(conversion))
        finish(options, {"encoders": rows}, "\n\n".join(tables))
        return
    description = bc.describe_encoder(options.encoder)
    finish(options, dict(vars(description)), str(description))


def encode(options: Options) -> None:
    """Run ``bioconv encode``."""
    for path in (options.output, options.plot, options.json):
        if path is not None:
            check_folder(path)
    if options.encoder is None:
        _read(options)
        return
    signal = _signal(options.data, options.samples)
    encoder = bc.encoders.make(options.encoder, pairs_of(options.option, "--option"))
    encoder = encoder.fitted(signal)
    raster = encoder.encode(signal, options.seed)
    result = _measured(encoder, signal, raster)
    files = _written(options, raster, encoder)
    if options.plot:
        files += bc.plots.plot_encoding(
            encoder, signal, raster, options.plot, format=options.format
        )
    result["files"] = list(map(str, files))
    error, bound = result["largest_error"], result["bound"]
    expected = "" if bound is None else f" (theory: {bound:.4g})"
    ratio = result["signal_to_noise_db"]
    lines = [
        repr(encoder),
        f"  {raster!r}",
        f"  largest error: {error:.4g}{expected}",
        f"  signal-to-noise ratio: {'infinite' if ratio is None else f'{ratio:.1f} dB'}",
        *result["files"],
    ]
    finish(options, result, "\n".join(lines))


def _read(options: Options) -> None:
    """Read a file of events, which are spikes already."""
    if options.option or options.plot or options.samples is not None:
        raise ParameterError("--option, --samples and --plot require --encoder.")
    if Path(options.data).suffix == ".npz" or options.data in NAMES:
        raise ParameterError(
            f"{options.data} is a signal: choose an encoder with --encoder. "
            f"Valid: {', '.join(bc.encoders.library())}."
        )
    raster = bc.encoders.read_events(options.data)
    files = list(map(str, _written(options, raster, None)))
    result = {**_counted(raster), "files": files}
    finish(options, result, "\n".join([repr(raster), *files]))


def _signal(data: str, n_samples: int | None) -> NDArray[Any]:
    """Return the signal of a file, in which x may have any number of axes, or of a dataset."""
    if n_samples is not None and n_samples < 1:
        raise ParameterError(f"--samples must be at least 1. Received: {n_samples}.")
    if data in NAMES:
        return bc.load_data(data, n_images=n_samples)[0]
    arrays = read_arrays(data, DataError, ("x",))
    if "x" not in arrays:
        raise DataError(f"{data}: no array called x. Save it with numpy.savez(file, x=signal).")
    x = arrays["x"]
    return x[:n_samples] if x.ndim else x


def _written(options: Options, raster: SpikeRaster, encoder: Encoder | None) -> list[Path]:
    if options.output is None:
        return []
    bc.encoders.save_raster(options.output, raster, encoder)
    return [options.output]


def _counted(raster: SpikeRaster) -> dict[str, Any]:
    return {
        "n_spikes": raster.n_spikes,
        "shape": raster.shape,
        "duration_ms": raster.duration,
        "spikes_per_unit": raster.n_spikes / raster.n_units,
    }


def _measured(encoder: Encoder, signal: NDArray[Any], raster: SpikeRaster) -> dict[str, Any]:
    decoded = encoder.decode(raster)
    bound = encoder.bound(signal)
    ratio = bc.encoders.signal_to_noise(signal, decoded)
    return {
        "encoder": encoder.name,
        "options": dict(vars(encoder)),
        **_counted(raster),
        "rms_error": bc.encoders.rms_error(signal, decoded),
        "largest_error": float(np.abs(decoded - signal).max()),
        "bound": None if bound is None else float(bound.max()),
        "error": encoder.error,
        "signal_to_noise_db": ratio if np.isfinite(ratio) else None,
    }
