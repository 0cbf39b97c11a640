"""GAGamma: spikes as the solution of a mixed-integer optimisation (mueller 3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.encoders.encoder import Floats
from bioconv.encoders.filters import Filtered
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.options import number

#: longest signal of the optimisation
_LONGEST = 400


@dataclass(frozen=True)
class GaGamma(Filtered):
    """GAGamma: the spikes with the smallest error and number of spikes, by optimisation.

    Mueller 2023, thesis, 3.1.3; Sengupta, Scott and Kasabov 2015 and 2017, who use a genetic
    algorithm and a gamma function as the filter.  Here, the mixed-integer programme is solved
    (`scipy.optimize.milp`): for the same filter, no other spikes have a smaller objective.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_taps, cutoff
        See `HoughSpiker`.
    price : float
        Price of a spike, in absolute errors of one sample over the whole range.
    seconds : float
        Time limit for each channel; then the best solution that was found is returned.

    Notes
    -----
    At most 400 samples a channel.  A time limit that is reached makes the result depend on the
    speed of the machine.
    """

    price: float = number(0.01, 0.0)
    seconds: float = number(30.0, 0.0, above=True)

    name = "gagamma"
    law = "minimise sum |s - spikes * h| + price n_spikes"
    error = "the smallest sum of errors and prices of all spike trains"
    references = ("mueller2023", "sengupta2017")

    def fired(self, rows: Floats) -> NDArray[np.bool_]:
        """Return the optimal spikes of shares.

        Raises
        ------
        DataError
            If the signal is too long.
        ParameterError
            If no solution was found within the time limit.
        """
        if len(rows) > _LONGEST:
            raise DataError(
                f"gagamma solves an optimisation for at most {_LONGEST} samples. Received: "
                f"{len(rows)}. Split the signal, or use bsa with the same filter."
            )
        return np.stack([self._solved(row) for row in rows.T], axis=1)

    def objective(self, row: Floats, fired: NDArray[np.bool_]) -> float:
        """Return the sum of absolute errors and prices, for shares of shape (n_samples,)."""
        error = np.abs(row - self.convolved(fired[:, None])[:, 0]).sum()
        return float(error + self.price * fired.sum())

    def _solved(self, row: Floats) -> NDArray[np.bool_]:
        # These take long to import.
        from scipy.linalg import toeplitz
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import block_array, csr_array, identity

        n, taps = len(row), self.taps()
        column = np.zeros(n)
        column[: len(taps)] = taps[:n]
        effect = csr_array(toeplitz(column, np.zeros(n)))
        # The variables are the spikes and the absolute errors: |row - effect spikes| <= errors.
        errors = identity(n, format="csr")
        limits = block_array([[effect, errors], [effect, -errors]], format="csr")
        lower = np.concatenate([row, np.full(n, -np.inf)])
        upper = np.concatenate([np.full(n, np.inf), row])
        found = milp(
            np.concatenate([np.full(n, self.price), np.ones(n)]),
            constraints=LinearConstraint(limits, lower, upper),
            integrality=np.repeat([1, 0], n),
            bounds=Bounds(0.0, np.repeat([1.0, np.inf], n)),
            options={"time_limit": self.seconds},
        )
        if found.x is None:
            raise ParameterError(
                f"gagamma found no solution in {self.seconds:g} s. Increase seconds, or shorten "
                f"the signal of {n} samples."
            )
        return np.asarray(found.x[:n] > 0.5)
