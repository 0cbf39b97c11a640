"""How neurons answer to currents: f-I curves and the drives fitted to them."""
