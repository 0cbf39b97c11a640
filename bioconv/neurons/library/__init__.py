"""The neuron models of the literature, a family a file."""
