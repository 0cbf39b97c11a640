"""Neurons, codes, imperfections and networks as plain data and as text for a terminal."""
