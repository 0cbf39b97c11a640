"""Page of the documentation with the table of neurons and simulators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bioconv.ground.tables import words
from bioconv.studies.comparison.cases import Case
from bioconv.studies.comparison.survey import COLUMNS, Field

Row = tuple[str, str]

_INTRODUCTION = """# Neurons and simulators

This page is written by `python -m bioconv.studies.comparison`. A test repeats the measurements and
compares the verdicts.

Each row is a small network: eight neurons with eight constant currents, from below to above the
onset of firing, project with random weights and delays of one and three steps to six others. The
weights have both signs; with conductance synapses, excitatory and inhibitory conductances are used.
The array simulator in float64 is the reference. Every spike of every neuron and the membrane
potential in every step are compared.

- **identical**: every spike occurs in the same step. The number in brackets is the largest
  difference of a membrane potential in any step, in mV (dimensionless models: in the model's unit).
- **within**: the simulator has another integration method. The k-th spikes of a neuron differ by at
  most this time. The numbers in brackets were measured with the step of the row and with a quarter
  of it.
- **no**: the combination is refused for the reason with this number, which is also the message of
  the error that `bioconv` raises.

NEST has two columns: `cells="standard"`, the default, takes PyNN's standard cell where there is one
and the generated model where there is none; `cells="generated"` takes the generated model for all.
"""


def markdown(fields: Sequence[Field]) -> str:
    """Return the page.

    Parameters
    ----------
    fields : sequence of Field
        From `bioconv.studies.comparison.survey`.
    """
    columns = [column for column in COLUMNS if any(field.column == column for field in fields)]
    reasons: dict[str, int] = {}
    rows: dict[Row, list[str]] = {}
    for field in fields:
        row = rows.setdefault(
            row_of(field.case), [f"{field.case.dt:g}", _spikes(fields, field.case)]
        )
        row.append(_text(field, reasons))
    lines = [_line(["neuron", "synapse", "step (ms)", "spikes", *columns])]
    lines.append(_line(["---"] * (len(columns) + 4)))
    lines += [_line([*names, *texts]) for names, texts in rows.items()]
    notes = [f"{number}. {reason}." for reason, number in reasons.items()]
    return "\n".join([_INTRODUCTION, *lines, "", "Reasons:", "", *notes, ""])


def verdicts(page: str) -> dict[tuple[str, str, str], str]:
    """Return the first word of every field of a page by (neuron, synapse, column)."""
    table = [line for line in page.splitlines() if line.startswith("| ")]
    head, _, *rows = ([part.strip() for part in line.strip("|").split("|")] for line in table)
    return {
        (row[0], row[1], column): text.split()[0]
        for row in rows
        for column, text in zip(head[4:], row[4:], strict=True)
    }


def row_of(case: Case) -> Row:
    """Return the text of the first two columns for a case."""
    values = [f"{name} = {value:g}" for name, value in case.variant.items()]
    return case.name, ", ".join([words(case.synapse), *values])


def _spikes(fields: Sequence[Field], case: Case) -> str:
    known = [f.differences[0].n_spikes for f in fields if f.case is case and f.differences]
    return str(known[0]) if known else "-"


def _text(field: Field, reasons: dict[str, int]) -> str:
    if field.verdict == "identical":
        exponent = np.ceil(np.log10(max(field.differences[0].trace, 1e-15)))
        return f"identical (1e{exponent:.0f})"
    number = reasons.setdefault(field.reason, len(reasons) + 1)
    if field.verdict == "refused":
        return f"no [{number}]"
    first, second = field.differences
    word = f"within {field.bound:g} ms" if field.verdict == "within" else "differs"
    return f"{word} ({first.shift:.2g}; {second.shift:.2g}) [{number}]"


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
