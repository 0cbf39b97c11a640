"""Options for the thresholds of a population, apart from the functions that place them."""

from __future__ import annotations

from dataclasses import dataclass

from bioconv.ground.errors import ParameterError
from bioconv.ground.options import is_number, is_whole

PLACEMENTS, CURVES = ("quantile", "random"), ("own", "normal")
INHIBITIONS = ("mirrored", "independent")


@dataclass(frozen=True)
class Placement:
    """Options for the choice of the thresholds of a population.

    Parameters
    ----------
    n : int
        Number of neurons per unit; of each kind if there are inhibitory neurons.
    placement : {"quantile", "random"}
        Thresholds lie at the quantiles (k + 1/2) / n, the same for all units, or are drawn for
        each unit, which models the mismatch of hardware (mueller 5.2.1).
    curve : {"own", "normal"}
        Distribution of the thresholds: the one whose distribution function is the function itself
        (and whose density is its derivative), or a normal distribution.
    sigma : float or {"least_squares", "thesis"}
        Standard deviation of a normal distribution: the one with the least squared distance to
        the function, the one of the thesis (1.75 for the sigmoid and 0.88 for tanh), or a number.
    inhibition : {"mirrored", "independent"}
        For functions with values of both signs: inhibitory neurons have the thresholds of the
        excitatory ones with the sign reversed (mueller 5.2.2), or independently drawn ones.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.
    """

    n: int = 100
    placement: str = "quantile"
    curve: str = "own"
    sigma: float | str = "least_squares"
    inhibition: str = "mirrored"

    def __post_init__(self) -> None:
        problems = placement_problems(self)
        if problems:
            raise ParameterError("\n".join(["Placement:", *(f"  - {p}" for p in problems)]))


def placement_problems(options: object) -> list[str]:
    """Yield the errors in the options of a `Placement`, or of an object with the same fields."""

    def of(name: str) -> object:
        return getattr(options, name)

    problems = [
        f"{name} must be one of {', '.join(valid)}. Received: {of(name)!r}."
        for name, valid in (
            ("placement", PLACEMENTS),
            ("curve", CURVES),
            ("inhibition", INHIBITIONS),
        )
        if of(name) not in valid
    ]
    n, sigma = of("n"), of("sigma")
    if not (is_whole(n) and n >= 1):
        problems.append(f"n must be an integer of at least 1. Received: {n!r}.")
    known = sigma in ("least_squares", "thesis")
    if not known and not (is_number(sigma) and sigma > 0):
        problems.append(
            f"sigma must be least_squares, thesis or a number above 0. Received: {sigma!r}."
        )
    return problems
