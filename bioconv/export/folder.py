"""Contents of the folder of a program: its text, and the modules that it needs."""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path

#: package of the modules that are copied into every program
SUPPORT = "bioconv.export.support"
#: package of modules that need only the standard library and NumPy and may also be copied
GROUND = "bioconv.ground"
#: package of the analog network, whose formulas need only NumPy and are copied, too
ANALOG = "bioconv.analog"
#: modules of `GROUND` that the results of every program need
RULES = ("archives.py", "decisions.py", "errors.py", "options.py", "suggestions.py", "whole.py")


def copy_support(names: tuple[str, ...], folder: Path, package: str = SUPPORT) -> None:
    """Copy modules of a support package into the package ``support`` of a program.

    Parameters
    ----------
    names : tuple of str
        File names.
    folder : Path
        Folder of the program.
    package : str
        Package of the modules.  Imports from it, from the package that all programs share, and from
        the base package of bioconv become imports within ``support``, because bioconv need not be
        installed where the program runs.
    """
    target = folder / "support"
    target.mkdir(exist_ok=True)
    if package == SUPPORT:
        names = ("__init__.py", *names)
    for name in names:
        text = _read(package, name)
        for origin in {package, SUPPORT, GROUND, ANALOG}:
            text = text.replace(f"from {origin}.", "from .").replace(f"from {origin} ", "from . ")
        (target / name).write_text(text, encoding="utf-8")


def template(name: str, section: str, package: str = "bioconv.export.templates") -> str:
    """Return the program text ``name`` from a package of templates, with ``section`` as tables."""
    text = io.StringIO(_read(package, name))
    lines = text.readlines()
    start, end = lines.index("# <network>\n"), lines.index("# </network>\n")
    return "".join([*lines[: start + 1], section, *lines[end:]])


def _read(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
