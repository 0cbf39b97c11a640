"""Modules that are copied into an exported program; none of them needs bioconv."""
