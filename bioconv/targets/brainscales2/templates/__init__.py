"""Programs that are filled with the tables of a network."""
