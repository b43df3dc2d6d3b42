"""Kinds that say an interval: censored observations with a normal error.

A row says that a latent value ``g = f + error``, error ~ N(0, sd^2), lies between two ends: an
ordered-probit model (Aitchison and Silvey 1957) of reports in classes, whose ends are the classes'
thresholds, and interval censoring in general (Tobin 1958 for a bound). The likelihood is
log-concave (Pratt 1981).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlda_core.observations.kind import LEAST_CURVATURE, Array, Kind, Terms


class IntervalKind(Kind):
    """``p = Phi((high - f) / sd) - Phi((low - f) / sd)``."""

    ranked: ClassVar[bool] = False

    def cost(self, f: Array, terms: Terms) -> Array:
        """Minus the logarithm of the probability; see :meth:`Kind.cost`."""
        a, b = _ends(f, terms)
        return -log_mass(a, b)

    def slope(self, f: Array, terms: Terms) -> Array:
        """Return its derivative; see :meth:`Kind.slope`."""
        first, _ = _moments(*_ends(f, terms))
        return np.asarray(-first / terms.sd)

    def curvature(self, f: Array, terms: Terms) -> Array:
        """Return the part of the latent value's variance that the interval takes away."""
        _, taken = _moments(*_ends(f, terms))
        return np.asarray(np.maximum(taken, LEAST_CURVATURE) / terms.sd**2)

    def utility(self, f: Array, terms: Terms, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw the latent value within its interval (Albert and Chib 1993); see the base class."""
        a, b = _ends(f, terms)
        from scipy import special

        # By the smaller of the two tails, where the distribution function keeps its digits.
        flip = a > 0
        a, b = np.where(flip, -b, a), np.where(flip, -a, b)
        low, high = special.log_ndtr(a), special.log_ndtr(b)
        share = rng.uniform(size=np.shape(f))
        with np.errstate(divide="ignore", over="ignore"):
            mixed = np.logaddexp(low + np.log1p(-share), high + np.log(share))
        drawn = np.clip(special.ndtri_exp(mixed), a, b)
        return np.asarray(f + terms.sd * np.where(flip, -drawn, drawn)), terms.sd**2

    def misfit(self, mean: Array, variance: Array, terms: Terms) -> Array:
        """Return the distance of what others say from the interval, zero within; see the base."""
        over = np.maximum(terms.low - mean, 0.0) - np.maximum(mean - terms.high, 0.0)
        return np.asarray(over / np.sqrt(variance + terms.sd**2))

    def predicted(self, mean: Array, variance: Array, terms: Terms) -> tuple[Array, Array]:
        """Return the probabilities at the interval's ends; see :meth:`Kind.predicted`."""
        from scipy import special

        sd = np.sqrt(variance + terms.sd**2)
        below, upto = (special.ndtr((end - mean) / sd) for end in (terms.low, terms.high))
        return np.asarray(below), np.asarray(upto)


def _ends(f: Array, terms: Terms) -> tuple[Array, Array]:
    return np.asarray((terms.low - f) / terms.sd), np.asarray((terms.high - f) / terms.sd)


def log_mass(a: Array, b: Array) -> Array:
    """Return the logarithm of the standard normal probability between a and b.

    Parameters
    ----------
    a, b : ndarray
        ``a < b``; either may be infinite.
    """
    # Here, for the command's help reads the kinds.
    from scipy import special

    flip = a > 0
    low = special.log_ndtr(np.where(flip, -b, a))
    high = special.log_ndtr(np.where(flip, -a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(high + np.log1p(-np.exp(np.minimum(low - high, -1e-300))))


def _moments(a: Array, b: Array) -> tuple[Array, Array]:
    """Mean of a standard normal variable within (a, b), and one minus its variance there."""
    mass = log_mass(a, b)

    def density(x: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):
            return np.where(np.isfinite(x), np.exp(-0.5 * x**2 - mass) / np.sqrt(2 * np.pi), 0.0)

    at_a, at_b = density(a), density(b)
    mean = at_a - at_b
    ends = np.where(np.isfinite(b), b, 0.0) * at_b - np.where(np.isfinite(a), a, 0.0) * at_a
    return np.asarray(mean), np.asarray(np.clip(ends + mean**2, 0.0, 1.0))
