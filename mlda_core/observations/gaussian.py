"""Kinds with a normal error: a value, of whatever the operator makes of a state."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlda_core.observations.kind import Array, Kind, Terms


class GaussianKind(Kind):
    """A value with a normal error: ``-log p = (value - f)^2 / (2 sd^2)``."""

    quadratic: ClassVar[bool] = True

    def cost(self, f: Array, terms: Terms) -> Array:
        """Half the squared departure in sd; see :meth:`Kind.cost`."""
        return np.asarray(0.5 * ((terms.value - f) / terms.sd) ** 2)

    def slope(self, f: Array, terms: Terms) -> Array:
        """Return its derivative; see :meth:`Kind.slope`."""
        return np.asarray((f - terms.value) / terms.sd**2)

    def curvature(self, f: Array, terms: Terms) -> Array:
        """Return one over the error's variance; see :meth:`Kind.curvature`."""
        return np.broadcast_to(1.0 / terms.sd**2, np.shape(f)).copy()

    def utility(self, f: Array, terms: Terms, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the value itself; see :meth:`Kind.utility`."""
        del rng
        return np.broadcast_to(terms.value, np.shape(f)).copy(), terms.sd**2

    def misfit(self, mean: Array, variance: Array, terms: Terms) -> Array:
        """Return the departure in its sd; see :meth:`Kind.misfit`."""
        return np.asarray((terms.value - mean) / np.sqrt(variance + terms.sd**2))

    def predicted(self, mean: Array, variance: Array, terms: Terms) -> tuple[Array, Array]:
        """Return the probability of a lower value, twice; see :meth:`Kind.predicted`."""
        # Here, for the command's help reads the kinds.
        from scipy import special

        found = np.asarray(special.ndtr(self.misfit(mean, variance, terms)))
        return found, found.copy()
