"""A stand-in of pynn_brainscales, for tests only: see `brainscales2`."""
