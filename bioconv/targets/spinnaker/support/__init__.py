"""Modules that exported SpiNNaker programs carry with them."""
