"""One line of the page that says what happens, or what is wrong."""

from __future__ import annotations

from typing import Any

import panel as pn


class Message:
    """A message in the color of its kind, which is not shown before it says anything."""

    def __init__(self) -> None:
        self.view = pn.pane.Alert("", alert_type="light", visible=False)

    def say(self, text: str, kind: Any) -> None:
        """Show a text as one of Panel's kinds of alerts, such as "warning"."""
        self.view.object, self.view.alert_type, self.view.visible = text, kind, True
