"""Descriptions of neurons, codes, imperfections and networks as plain data and as text."""
