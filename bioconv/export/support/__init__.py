"""Modules that an exported program takes along, word for word; none of them needs bioconv."""
