"""Text of the exported program."""
