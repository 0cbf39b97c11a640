"""Shared parts of the exact solvers of the codes: spike times of piecewise linear neurons."""
