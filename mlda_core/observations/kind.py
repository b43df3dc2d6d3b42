"""Base class of the kinds of observation: what a row says of the state, and how likely that is.

The observation operator takes a state to a number f: the value at a place, the mean over a region,
the difference of two of these. A kind is the likelihood p(row | f) of what the row says, with what
its cells mean. All numbers here are standardised, except where units are named.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlda_core.climate.variables import Variable

Array = NDArray[np.float64]
# Least curvature of a likelihood, in the units of its error: where a report says nothing of how the
# state may move, the pseudo-observation that stands for it has a variance, but a finite one.
LEAST_CURVATURE = 1e-4


class KindError(ValueError):
    """What is wrong with the cells of a row, without its number."""


class Terms(NamedTuple):
    """What rows of one kind say, standardised.

    Parameters
    ----------
    value : ndarray, shape (p,)
        NaN of a kind that says an interval.
    low, high : ndarray, shape (p,)
        Ends of the interval, which may be infinite; NaN of a kind that says a value.
    sd : ndarray, shape (p,)
        Standard deviation of the error.
    parameter : ndarray, shape (p,)
        The kind's own number; NaN without.
    """

    value: Array
    low: Array
    high: Array
    sd: Array
    parameter: Array

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Terms:
        """Return the rows selected by a mask or an index."""
        return Terms(*(column[rows] for column in self))


@dataclass(frozen=True)
class Kind(ABC):
    """A kind of observation.

    Parameters
    ----------
    key : str
        What the column ``kind`` says.
    label : str
        Name in menus and legends.
    sentence : str
        Description in one line without a full stop.
    source : str
        Reference to the literature.
    rank : int
        Sort order in lists.
    area : {"none", "mean", "difference"}
        What the column ``area`` must say; kinds with none may have a region.
    default_error : float
        Error where none is stated, as a fraction of the local spread.
    """

    key: str
    label: str
    sentence: str
    source: str
    rank: int
    area: Literal["none", "mean", "difference"] = "none"
    default_error: float = 0.2

    # Whether -log p is quadratic in f: the analysis is then optimal interpolation.
    quadratic: ClassVar[bool] = False
    # Whether p is log-concave: the cost then has one minimum with a linear decoder.
    log_concave: ClassVar[bool] = True
    # Whether a row says a class, by a word or number, rather than a value with units.
    classes: ClassVar[bool] = False
    # Whether a row is one outcome among others, so that it has a rank among what is expected. A
    # bound has none: which bound is stated follows from no error.
    ranked: ClassVar[bool] = True
    # The kind's own number where none is given, as in "student_t(4)"; NaN if it has none.
    parameter: ClassVar[float] = float("nan")

    def check_parameter(self, number: float) -> None:
        """Check the kind's own number.

        Raises
        ------
        KindError
            If it cannot be.
        """
        if np.isfinite(number):
            raise KindError(f"the kind {self.key} has no number in brackets; leave it out")

    def class_of(self, word: str, variable: Variable, parameter: float) -> tuple[float, float]:
        """Return the class that a word or number says, and the kind's own number.

        Raises
        ------
        KindError
            If it says none.
        """
        raise NotImplementedError(f"{self.key} says no class ({word}, {variable}, {parameter})")

    def probabilities(self, value: Array, parameter: Array) -> tuple[Array, Array]:
        """Return the climatological probabilities of below a class, and of it or below.

        Parameters
        ----------
        value : ndarray, shape (p,)
            Classes.
        parameter : ndarray, shape (p,)
        """
        raise NotImplementedError(f"{self.key} says no class ({value}, {parameter})")

    def interval(self, value: Array) -> tuple[Array, Array]:
        """Return the ends of what values say, in their own units; NaN if they say values."""
        none = np.full(len(value), np.nan)
        return none, none.copy()

    @abstractmethod
    def cost(self, f: Array, terms: Terms) -> Array:
        """Return -log p(row | f) up to a constant, zero at its least.

        Parameters
        ----------
        f : ndarray, shape (..., p)
        terms : Terms

        Returns
        -------
        ndarray, shape (..., p)
        """

    @abstractmethod
    def slope(self, f: Array, terms: Terms) -> Array:
        """Return the derivative of the cost."""

    @abstractmethod
    def curvature(self, f: Array, terms: Terms) -> Array:
        """Return the second derivative of the cost, at least a small positive number."""

    def weight(self, f: Array, terms: Terms) -> Array:
        """Return the curvature that a step of the minimisation uses, positive."""
        return self.curvature(f, terms)

    @abstractmethod
    def utility(self, f: Array, terms: Terms, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw an auxiliary value that, with a normal error, stands for the row.

        Given it, the state is normal: ``p(row | f) = sum of p(row | g) N(g; f, variance)`` over g.

        Parameters
        ----------
        f : ndarray, shape (n, p)
            Draws from the posterior of f.
        terms : Terms
        rng : Generator

        Returns
        -------
        value : ndarray, shape (n, p)
        variance : ndarray, shape (p,)
        """

    @abstractmethod
    def misfit(self, mean: Array, variance: Array, terms: Terms) -> Array:
        """Return how far a row is from what others say of f, N(mean, variance), in sd."""

    @abstractmethod
    def predicted(self, mean: Array, variance: Array, terms: Terms) -> tuple[Array, Array]:
        """Return the probabilities of less than what rows say, and of that or less.

        Parameters
        ----------
        mean, variance : ndarray, shape (p,)
            Of f, which is normal.
        terms : Terms

        Returns
        -------
        below, upto : ndarray, shape (p,)
            The same of a kind that says a value; else their difference is the probability of what
            the row says.
        """
