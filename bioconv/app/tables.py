"""Tables of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import panel as pn

from bioconv.ground.tables import words

_STYLE = """
table { border-collapse: collapse; }
th, td { padding: 0.3em 0.9em 0.3em 0; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
"""


def table(rows: Sequence[dict[str, Any]], digits: int = 3) -> Any:
    """Return rows as a table, with a dash where nothing is known."""
    frame = pd.DataFrame(list(rows)).rename(columns=words)
    text = (
        frame.astype(object)
        .where(frame.notna(), "–")
        .to_html(index=False, border=0, float_format=lambda value: f"{value:,.{digits}g}")
    )
    return pn.pane.HTML(text, stylesheets=[_STYLE], sizing_mode="stretch_width")
