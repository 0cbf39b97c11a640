"""Foundations of all other modules: errors, tables, files and cached arrays."""
