"""Neuron models of the literature, with one module for each family."""
