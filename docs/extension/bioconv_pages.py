"""Sphinx directives that write pages from what bioconv declares: nothing on them is typed.

``catalogue`` (neurons, codes, noise, encoders or targets), ``interface`` (public names of a
module), ``commands`` (the command line) and ``gallery`` (the kept results of the figures) generate
MyST text, which is parsed as if it stood in the page.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gallery
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import bioconv as bc
from bioconv.cli.parsers import build_parser
from bioconv.ground.tables import markdown_table

#: the asterisk of the last entry of a shape
_SHAPE = re.compile(r"(?<=, )\*(?=[\w ]+\))")

#: options that every command has, which the page names once
OF_ALL = {"help", "json", "seed", "quiet", "verbose"}

Rows = Sequence[Mapping[str, Any]]


def table(rows: Rows) -> list[str]:
    """Return rows as a table in Markdown; columns without any value are left out."""
    names = rows[0] if rows else {}
    used = [name for name in names if any(row[name] not in ("", None) for row in rows)]
    shown = [{name: _plain(row[name]) for name in used} for row in rows]
    return ["", markdown_table(shown), ""]


def _plain(value: Any) -> Any:
    """Protect asterisks, which would begin emphasis in Markdown."""
    return value.replace("*", "\\*") if isinstance(value, str) else value


def fenced(what: str, *lines: str) -> list[str]:
    """Return lines in a fence of MyST: a directive, or the language of code."""
    return ["", f"````{what}", *lines, "````", ""]


def documented(kind: str, name: str, *options: str) -> list[str]:
    """Return a directive of autodoc, which writes its lines as reStructuredText."""
    given = [f"   :{option}:" for option in options]
    return fenced("{eval-rst}", f".. auto{kind}:: {name}", *given)


def neurons(folder: Path) -> Iterable[str]:
    """Every neuron of the library: equations, parameters, simulators, and how it fires."""
    for row in bc.list_neurons():
        name = row["neuron"]
        neuron, description = bc.neurons.make(name), bc.describe_neuron(name)
        short = f" (short: `{row['short']}`)" if row["short"] else ""
        yield from (f"## {name.replace('_', ' ')}", "", f"{row['summary']}", "")
        yield from (f"Name: `{name}`{short}. {description.source}", "")
        yield from fenced("{math}", ":no-wrap:", "", neuron.latex())
        yield from (f"Spike: {description.spikes}.", "")
        if description.reset:
            yield from ["Reset:", *fenced("text", description.reset)]
        step = "any" if description.dt is None else f"{description.dt:g} ms"
        yield from (f"Integration: {description.method}; recommended step: {step}.", "")
        for title, rows in (
            ("Parameters", [_unbounded(entry) for entry in description.parameters]),
            ("State variables", description.states),
            ("Receptors", description.receptors),
            ("Simulators", description.simulators),
        ):
            if rows:
                yield from (f"{title}:", *table(rows))
        state = hashlib.sha256(repr(neuron.model).encode()).hexdigest()[:12]
        for path in pictures(neuron, folder / f"{name}-{state}"):
            where = path.relative_to(folder.parents[1])
            yield f"![{path.stem.replace('_', ' ')} of {name}](/{where})"
        yield ""


def _unbounded(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the bounds out, most of which only say that a value is positive."""
    return {key: value for key, value in parameter.items() if key not in ("lowest", "highest")}


def pictures(neuron: Any, folder: Path) -> list[Path]:
    """Draw a neuron's potential under a few currents, and its f-I curve; once for each model."""
    found = sorted(folder.glob("*.png"))
    return found or [Path(path) for path in bc.plots.plot_neuron(neuron, folder)]


def codes(folder: Path) -> Iterable[str]:
    """Every code, with its options and what to cite."""
    for row in bc.list_codes():
        yield from (f"## {row['code']}", "")
        yield from (f"`--code {row['code']}`, `bc.{row['python']}()`", "")
        yield from documented("class", f"bioconv.{row['python']}", "no-index")
        yield from fenced("bibtex", *bc.describe_code(row["code"]).citation.splitlines())


def noise(folder: Path) -> Iterable[str]:
    """Every imperfection with its unit and source, and every profile with all of its numbers."""
    rows = [row for row in bc.list_noise() if row["noise"] not in bc.noise.PROFILES]
    yield from ("## Imperfections", "")
    for row in rows:
        name, described = row["noise"], bc.describe_noise(row["noise"])
        yield from (f"### {name.replace('_', ' ')}", "")
        unit = f" in {row['unit']}" if row["unit"] else ""
        yield from (f"`--noise {name}=AMPLITUDE`{unit}; disturbs: {row['site']}.", "")
        yield from documented("class", f"bioconv.noise.{described['python']}", "no-index")
        yield from (f"Source: {described['source']}" if described["source"] else "", "")
    yield from ("## Profiles of chips", "")
    for name, profile in bc.noise.PROFILES.items():
        yield from (f"### {profile.title}", "", f"`--profile {name}`:", "")
        yield from (f"- `{entry}`" for entry in profile.imperfections)
        yield from table([vars(number) for number in profile.numbers])


def encoders(folder: Path) -> Iterable[str]:
    """Every encoder with its law, its error, its options and what to cite."""
    for name in bc.encoders.library():
        entry = bc.describe_encoder(name)
        yield from (f"## {name.replace('_', ' ')}", "", f"`--encoder {name}`", "")
        yield from fenced("text", entry.text)
        yield from fenced("text", f"law:   {entry.law}", f"error: {entry.error}")
        carries = "Carries a conversion" if entry.can_convert else "Carries no conversion"
        yield from (f"{carries}: {entry.reason}.", "")
        yield from table(entry.options)
        yield from fenced("bibtex", *entry.citation.splitlines())


def targets(folder: Path) -> Iterable[str]:
    """Every target: what is written, how it is checked, its limits with their sources."""
    for row in bc.list_targets():
        description = bc.describe_target(row["target"])
        yield from (f"## {description['title']}", "", f"`--to {row['target']}`", "")
        yield from (description["summary"], "")
        for title in ("tested", "conversion"):
            if description[title]:
                yield from (f"{title.capitalize()}: {description[title]}", "")
        yield from table(description["limits"])


CATALOGUES: Mapping[str, Callable[[Path], Iterable[str]]] = {
    "neurons": neurons,
    "codes": codes,
    "noise": noise,
    "encoders": encoders,
    "targets": targets,
}


class Pages(SphinxDirective):
    """A directive that replaces itself by generated MyST text."""

    def text(self) -> Iterable[str]:
        """Return the lines of the text."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the text."""
        return self.parse_text_to_nodes("\n".join(self.text()), allow_section_headings=True)


class Catalogue(Pages):
    """``{catalogue} neurons``: everything that is registered of a kind."""

    required_arguments = 1

    def text(self) -> Iterable[str]:
        """Return the catalogue of the kind."""
        kind = self.arguments[0]
        return CATALOGUES[kind](Path(self.env.srcdir) / "_generated" / kind)


class Interface(Pages):
    """``{interface} bioconv.noise``: the public functions and classes of a module."""

    required_arguments = 1

    def text(self) -> Iterable[str]:
        """Return one directive of autodoc for each public name."""
        module = self.arguments[0]
        place = bc if module == "bioconv" else getattr(bc, module.rpartition(".")[2])
        before = [] if place is bc else [getattr(bc, name) for name in bc.__all__]
        for name in place.__all__:
            value = getattr(place, name)
            if any(value is other for other in before):
                continue  # it stands among the names of bioconv
            kind = "class" if isinstance(value, type) else "function" if callable(value) else ""
            if kind:
                members = ("members",) if kind == "class" else ()
                yield from documented(kind, f"{module}.{name}", *members)


class Commands(Pages):
    """``{commands}``: every command with its options and its example."""

    def text(self) -> Iterable[str]:
        """Return the help of every command."""
        parser = build_parser()
        (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        for name, command in action.choices.items():
            yield from (f"## bioconv {name}", "", str(command.description), "")
            if command.epilog:
                yield from fenced("sh", *(line.strip() for line in command.epilog.split("\n")[1:]))
            rows = [
                {"option": _spelling(a), "meaning": _help(command, a)}
                for a in command._actions
                if a.dest not in OF_ALL
            ]
            yield from table(rows)


def _spelling(action: argparse.Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    return names or f"`{action.metavar or action.dest}`"


def _help(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    return command._get_formatter()._expand_help(action) if action.help else ""


class Gallery(Pages):
    """``{gallery}``: all figures of the papers, with what full runs gave."""

    def text(self) -> Iterable[str]:
        """Return one section for each figure, paper by paper."""
        return gallery.text(Path(self.env.srcdir), table)


def protect_shapes(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Keep ``(n, *shape)`` in docstrings from being the beginning of an emphasis."""
    lines[:] = [_SHAPE.sub(r"\\*", line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("catalogue", Catalogue)
    app.add_directive("interface", Interface)
    app.add_directive("commands", Commands)
    app.add_directive("gallery", Gallery)
    app.connect("autodoc-process-docstring", protect_shapes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
