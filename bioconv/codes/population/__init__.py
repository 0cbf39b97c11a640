"""The population code: an activation is a number of neurons (mueller chapter 5)."""

from bioconv.codes.population.code import PopulationCode
from bioconv.codes.population.options import Placement

__all__ = ["Placement", "PopulationCode"]
