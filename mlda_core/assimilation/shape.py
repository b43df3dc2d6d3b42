"""The shape of a posterior at observations whose errors are not normal: skewness and modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlda_core.assimilation.mode import Mode
    from mlda_core.observations.likelihoods import Likelihoods

Array = NDArray[np.float64]

# From this skewness on the outcome says so: mean and mode of a gamma distribution then differ by a
# quarter of a standard deviation.
SKEWED = 0.5
# A second maximum of the density counts from this part of the first one on.
_LEAST_PEAK = 0.02
_NODES = 801
_REACH = 8.0


@dataclass(frozen=True, eq=False)
class Shape:
    """How far the posterior is from a normal one.

    Parameters
    ----------
    skewness : ndarray, shape (p,)
        Of the state at each observation used; 0 where the error is normal.
    modes : ndarray of int, shape (p,)
        Of the density there.
    n_minima : int
        Of the cost, among those that were searched for.
    """

    skewness: Array
    modes: NDArray[np.int64]
    n_minima: int

    def words(self, rows: NDArray[np.int64]) -> str:
        """Say where the posterior is skewed or has two modes; '' if it is neither.

        Parameters
        ----------
        rows : ndarray of int, shape (p,)
            Of the observations used, in the table.
        """
        parts = []
        two = rows[self.modes > 1]
        if two.size:
            named = ", ".join(str(int(row) + 1) for row in two[:3])
            more = f" and {two.size - 3} more" if two.size > 3 else ""
            parts.append(
                f"the posterior has two modes at observation{'' if two.size == 1 else 's'} "
                f"{named}{more}"
            )
        elif self.n_minima > 1:
            parts.append(f"the cost has {self.n_minima} minima, the lowest is shown")
        size = np.abs(self.skewness)
        if size.size and size.max() >= SKEWED:
            row = int(size.argmax())
            parts.append(
                f"the posterior is skewed, most at observation {int(rows[row]) + 1} (skewness "
                f"{self.skewness[row]:+.1f})"
            )
        return "; ".join(parts)


def cavity(mode: Mode) -> tuple[Array, Array]:
    """Return what all others and the prior say of the state at each observation.

    Parameters
    ----------
    mode : Mode

    Returns
    -------
    mean, variance : ndarray, shape (p,)
        Leave-one-out, in the linear problem of the pseudo-observations.
    """
    gain, observed = mode.problem.gain, mode.problem.observed
    inverse = gain.total_inverse
    diagonal = np.diag(inverse)
    # About the mode: what the observations leave of the prior is normal with this inverse.
    left = (observed.value - mode.at) / observed.variance
    mean = observed.value - left / diagonal
    return mean, np.maximum(1.0 / diagonal - observed.variance, 1e-9)


def shape_of(mode: Mode, likelihoods: Likelihoods, n_minima: int) -> Shape:
    """Return the shape at each observation, by quadrature over its own value.

    The density there is that of what all others say times the row's likelihood (the tilted
    distribution of expectation propagation; Minka 2001).

    Parameters
    ----------
    mode : Mode
    likelihoods : Likelihoods
    n_minima : int
    """
    mean, variance = cavity(mode)
    sd = np.sqrt(variance)
    line = np.linspace(-_REACH, _REACH, _NODES)[:, None]
    f = mean + line * sd
    log_density = -0.5 * line**2 - likelihoods.cost(f)
    density = np.exp(log_density - log_density.max(axis=0))
    share = density / density.sum(axis=0)
    centre = (share * line).sum(axis=0)
    away = line - centre
    second = (share * away**2).sum(axis=0)
    third = (share * away**3).sum(axis=0)
    skewness = np.where(likelihoods.quadratic, 0.0, third / np.maximum(second, 1e-12) ** 1.5)
    inner = density[1:-1]
    peaks = (inner > density[:-2]) & (inner >= density[2:]) & (inner > _LEAST_PEAK)
    modes = np.where(likelihoods.quadratic, 1, np.maximum(peaks.sum(axis=0), 1))
    return Shape(np.asarray(skewness), modes.astype(np.int64), n_minima)
