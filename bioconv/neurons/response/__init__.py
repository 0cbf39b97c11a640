"""Responses of neurons to currents: f-I curves and the drives that are fitted to them."""
