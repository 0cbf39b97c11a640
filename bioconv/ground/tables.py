"""Tables as plain text, as HTML and in Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any


def format_table(rows: Sequence[Any]) -> str:
    """Return a text table with one line per row, numbers right-aligned and texts left-aligned.

    Parameters
    ----------
    rows : sequence of dict or of dataclass instances
        The columns are those of all rows, in the order of their first appearance; missing
        values and None are shown as dashes.

    Returns
    -------
    str
        Table without a trailing line break; empty if there are no rows.

    Examples
    --------
    >>> print(format_table([{"layer": "conv", "n": 1200, "error": 0.01234}]))
    layer      n    error
    ---------------------
    conv   1,200  0.01234
    """
    heads, cells, right = table_cells(rows)
    if not heads:
        return ""
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [heads, *cells]
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def html_table(caption: str, rows: Sequence[Any]) -> str:
    """Return a table as HTML, for notebooks.

    Parameters
    ----------
    caption : str
    rows : sequence of dict or of dataclass instances
        As for `format_table`.

    Returns
    -------
    str

    Examples
    --------
    >>> html_table("a < b", [{"n": 1200}])
    '<table><caption>a &lt; b</caption><tr><th>n</th></tr><tr><td>1,200</td></tr></table>'
    """
    heads, cells, _ = table_cells(rows)
    lines = [("th", heads), *(("td", line) for line in cells)] if heads else []
    body = "".join(
        f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in line)}</tr>"
        for tag, line in lines
    )
    return f"<table><caption>{escape(caption)}</caption>{body}</table>"


def markdown_table(rows: Sequence[Any]) -> str:
    """Return a table in Markdown, for the documentation.

    Parameters
    ----------
    rows : sequence of dict or of dataclass instances
        As for `format_table`.

    Returns
    -------
    str
        Table without a trailing line break; empty if there are no rows.

    Examples
    --------
    >>> print(markdown_table([{"layer": "a|b", "n": 1200}]))
    | layer | n |
    | --- | ---: |
    | a\\|b | 1,200 |
    """
    heads, cells, right = table_cells(rows)
    rule = ["---:" if numeric else "---" for numeric in right]
    lines = [heads, rule, *cells] if heads else []
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in line)} |"
        for line in lines
    )


def table_cells(rows: Sequence[Any]) -> tuple[list[str], list[list[str]], list[bool]]:
    """Return heads, the texts of all rows, and which columns are aligned to the right.

    Parameters
    ----------
    rows : sequence of dict or of dataclass instances
        As for `format_table`.
    """
    records = [_record(row) for row in rows]
    columns = list(dict.fromkeys(key for record in records for key in record))
    cells = [[_text(record.get(column)) for column in columns] for record in records]
    right = [
        all(not isinstance(record.get(column), str) for record in records) for column in columns
    ]
    return [words(column) for column in columns], cells, right


def words(name: str) -> str:
    """Return a name of the library as words."""
    return name.replace("_", " ")


def sizes(shape: Sequence[int]) -> str:
    """Return a shape as text, such as "8x8x16"."""
    return "x".join(map(str, shape))


def _record(row: Any) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def _text(value: Any) -> str:
    if value is None or value != value:
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
