"""Damage of files: bytes, structure and sizes."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import numpy as np

Random = np.random.Generator

#: values that a size, an offset or a number may not have
EXTREME = (0, 1, 2**7, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)


def flip(data: bytearray, random: Random) -> None:
    """Change one bit in each of a few bytes."""
    for place in random.integers(0, len(data), random.integers(1, 9)):
        data[place] ^= 1 << int(random.integers(0, 8))


def byte(data: bytearray, random: Random) -> None:
    """Replace a byte."""
    data[random.integers(0, len(data))] = int(random.integers(0, 256))


def letter(data: bytearray, random: Random) -> None:
    """Replace one letter, which damages names and texts and leaves them readable."""
    letters = [place for place, value in enumerate(data) if 97 <= value <= 122]
    if letters:
        data[letters[random.integers(0, len(letters))]] = int(random.integers(97, 123))


def size(data: bytearray, random: Random) -> None:
    """Replace an integer by an extreme one."""
    width = int(random.choice([1, 2, 4, 8]))
    place = int(random.integers(0, max(len(data) - width, 1)))
    value = int(random.choice(np.array(EXTREME, object))) % 2 ** (8 * width)
    data[place : place + width] = value.to_bytes(width, "little")[: len(data) - place]


def number(data: bytearray, random: Random) -> None:
    """Replace a float64 by one that is special or enormous."""
    place = int(random.integers(0, max(len(data) - 8, 1)))
    value = float(random.choice([np.nan, np.inf, -1.0, 0.0, 1e308, 1e-320]))
    data[place : place + 8] = struct.pack("<d", value)[: len(data) - place]


def zeros(data: bytearray, random: Random) -> None:
    """Clear a block, as a file system may after a crash."""
    place, length = int(random.integers(0, len(data))), int(random.integers(1, 4096))
    data[place : place + length] = bytes(len(data[place : place + length]))


def cut(data: bytearray, random: Random) -> None:
    """Lose the end."""
    del data[int(random.integers(0, len(data))) :]


def lose(data: bytearray, random: Random) -> None:
    """Lose a block in the middle."""
    place = int(random.integers(0, len(data)))
    del data[place : place + int(random.integers(1, 3000))]


def repeat(data: bytearray, random: Random) -> None:
    """Copy a block over another one."""
    one, other = (int(place) for place in random.integers(0, len(data), 2))
    block = data[one : one + int(random.integers(1, 600))]
    data[other : other + len(block)] = block


def swap(data: bytearray, random: Random) -> None:
    """Exchange two blocks of the same size."""
    length = int(random.integers(1, 64))
    one, other = sorted(int(p) for p in random.integers(0, max(len(data) - length, 1), 2))
    if one + length <= other:
        kept = bytes(data[one : one + length])
        data[one : one + length] = data[other : other + length]
        data[other : other + length] = kept


KINDS: tuple[Callable[[bytearray, Random], None], ...] = (
    *(flip, byte, letter, size, number, zeros, cut, lose, repeat, swap),
)


def mutated(data: bytes, random: Random) -> tuple[bytes, str]:
    """Return damaged data, and the kind of the damage."""
    kind = KINDS[random.integers(0, len(KINDS))]
    changed = bytearray(data)
    kind(changed, random)
    return bytes(changed), kind.__name__


def mutated_member(data: bytes, random: Random) -> tuple[bytes, str]:
    """Damage one file in a zip archive, whose checksums are right again afterwards."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[random.integers(0, len(members))]
    members[name], kind = mutated(members[name], random)
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return output.getvalue(), f"{kind} in {name}"
