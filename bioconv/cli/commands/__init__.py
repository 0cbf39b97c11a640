"""Implementations of the commands: each calls the Python interface, then prints and writes."""
