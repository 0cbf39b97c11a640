"""Modules that are included in exported SpiNNaker programs."""
