"""A value whose error has heavy tails: it may hold a gross mistake.

Student's t distribution with few degrees of freedom: a departure of many sd is unlikely, but not
impossible, so that such a value loses its weight by and by (West 1984; O'Hagan 1979). The cost is
not convex: where a value and its surroundings disagree, the posterior can have two modes.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlda_core.observations.kind import LEAST_CURVATURE, Array, Kind, KindError, Terms

# Variance of the auxiliary value about f, standardised: small beside any error (0.05 in sd).
_NEAR = 0.02**2
# Standard normal quadrature that sees an error far smaller than the variance of f too.
_LINE = np.linspace(-8.0, 8.0, 801)
_SHARE = np.exp(-0.5 * _LINE**2) / np.exp(-0.5 * _LINE**2).sum()


class StudentT(Kind):
    """``-log p = (nu + 1) / 2 log(1 + r^2 / nu)``, r the departure in its scale."""

    log_concave: ClassVar[bool] = False
    parameter: ClassVar[float] = 4.0

    def check_parameter(self, number: float) -> None:
        """Degrees of freedom are above 0; see :meth:`Kind.check_parameter`."""
        if not 0.0 < number < np.inf:
            raise KindError("the degrees of freedom of student_t must be a number above 0")

    def cost(self, f: Array, terms: Terms) -> Array:
        """Return the logarithm of the density's fall; see :meth:`Kind.cost`."""
        nu = terms.parameter
        return np.asarray(0.5 * (nu + 1.0) * np.log1p(((terms.value - f) / terms.sd) ** 2 / nu))

    def slope(self, f: Array, terms: Terms) -> Array:
        """Return its derivative; see :meth:`Kind.slope`."""
        return np.asarray(self.weight(f, terms) * (f - terms.value))

    def weight(self, f: Array, terms: Terms) -> Array:
        """Return the weight of the normal distribution that lies above the cost and touches it.

        Steps with it never raise the cost (Lange, Little and Taylor 1989).
        """
        nu = terms.parameter
        square = ((terms.value - f) / terms.sd) ** 2
        return np.asarray((nu + 1.0) / (nu + square) / terms.sd**2)

    def curvature(self, f: Array, terms: Terms) -> Array:
        """Return the second derivative, which in the tails is negative; see the base class."""
        nu = terms.parameter
        square = ((terms.value - f) / terms.sd) ** 2
        found = (nu + 1.0) * (nu - square) / (nu + square) ** 2
        return np.asarray(np.maximum(found, LEAST_CURVATURE) / terms.sd**2)

    def utility(self, f: Array, terms: Terms, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return f itself, but for a small error; see :meth:`Kind.utility`."""
        variance = np.full(len(terms.sd), _NEAR)
        return np.asarray(f + np.sqrt(_NEAR) * rng.standard_normal(np.shape(f))), variance

    def misfit(self, mean: Array, variance: Array, terms: Terms) -> Array:
        """Return the departure in its scale; see :meth:`Kind.misfit`."""
        return np.asarray((terms.value - mean) / np.sqrt(variance + terms.sd**2))

    def predicted(self, mean: Array, variance: Array, terms: Terms) -> tuple[Array, Array]:
        """Return the probability of a lower value, by quadrature over f; see the base class."""
        # Here, for the command's help reads the kinds.
        from scipy import special

        away = (terms.value - mean)[:, None] - np.sqrt(variance)[:, None] * _LINE
        cumulative = special.stdtr(terms.parameter[:, None], away / terms.sd[:, None])
        found = np.asarray(cumulative @ _SHARE)
        return found, found.copy()


KIND = StudentT(
    "student_t",
    "Heavy-tailed value",
    "A value that may be a gross mistake: Student's t, 4 degrees of freedom by default",
    "Lange, Little and Taylor 1989, https://doi.org/10.2307/2290063",
    rank=70,
)
