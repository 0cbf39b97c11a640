"""Benchmarks, each of which writes a JSON record that includes the machine."""
