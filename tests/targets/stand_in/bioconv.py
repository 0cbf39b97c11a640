"""Exported programs run without bioconv: whoever imports it here, fails."""

raise ImportError("an exported program must not import bioconv")
