"""Benchmarks: each run is one JSON record with the machine in it."""
