"""Records of runs, which are used again only if they are what was written for that run.

A record is a JSON file with the key of its run, a checksum, and the values.  Its name begins with
the key, so that a record that was copied to another name is not used either.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioconv.ground.digests import digest_of
from bioconv.ground.errors import DamagedRecordWarning
from bioconv.ground.files import plain_json, write_json
from bioconv.ground.options import Rule, wrong

Record = dict[str, Any]

_FORMAT = "bioconv record"
_VERSION = 1


def write_record(path: Path, record: Mapping[str, Any]) -> Record:
    """Write the record of a run, and return it as `read_record` will.

    Parameters
    ----------
    path : Path
        Named after the digest of everything that the run depends on.
    record : mapping of str to plain values

    Returns
    -------
    dict
    """
    plain = plain_json(record)
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "key": path.stem,
        "checksum": _checksum(path.stem, plain),
        "record": plain,
    }
    write_json(path, content)
    return plain


def read_record(path: Path, schema: Mapping[str, Rule]) -> Record | None:
    """Return a record; None if it is missing or cannot be trusted.

    Parameters
    ----------
    path : Path
    schema : mapping of str to Rule
        The values that a record must have.

    Warns
    -----
    DamagedRecordWarning
        If the file exists, but its record is not returned.
    """
    try:
        return _checked(path.read_bytes(), path.stem, schema)
    except FileNotFoundError:
        return None
    except (OSError, _DamageError) as error:
        warnings.warn(
            f"{path} is not used: {error}. Its run is repeated.",
            DamagedRecordWarning,
            stacklevel=3,
        )
        return None


class _DamageError(ValueError):
    """Why a record cannot be trusted, without a full stop."""


def _checked(content: bytes, key: str, schema: Mapping[str, Rule]) -> Record:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise _DamageError("it is no JSON") from None
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise _DamageError("it is no record of bioconv")
    if found.get("version") != _VERSION:
        raise _DamageError(f"it has version {found.get('version')!r}, not {_VERSION}")
    if found.get("key") != key:
        raise _DamageError("it is the record of another run")
    record = found.get("record")
    if not isinstance(record, dict) or found.get("checksum") != _checksum(key, record):
        raise _DamageError("its checksum does not fit its content")
    for name, rule in schema.items():
        problems = wrong(name, record[name], rule) if name in record else [f"{name} is missing"]
        if problems:
            raise _DamageError(problems[0].removesuffix("."))
    return record


def _checksum(key: str, record: Mapping[str, Any]) -> str:
    return digest_of([_FORMAT, _VERSION, key, record])
