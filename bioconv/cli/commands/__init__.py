"""What each command does: one call of the Python interface, then print and write."""
