"""The population code: an activation is a number of neurons (mueller chapter 5)."""

from bioconv.codes.population.code import PopulationCode
from bioconv.codes.population.placement import (
    Placement,
    fitted_normal,
    is_bounded,
    population_of,
)

__all__ = ["Placement", "PopulationCode", "fitted_normal", "is_bounded", "population_of"]
