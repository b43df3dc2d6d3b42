"""Localisation of ensembles: weights of observations by their distance from components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import linalg as sparse_linalg

from mlda_core.assimilation.localisation import gaspari_cohn
from mlda_core.climate.errors import UserError
from mlda_core.cycling.operators import StateOperator

Array = NDArray[np.float64]
Index = NDArray[np.int64]
# Weights below this count as none, as in DAPPER: the observation is left out of the local analysis.
CUTOFF = 1e-3
# Of the taper's trace, in the modes that a root is made of.
EXPLAINED = 0.98
# Groups whose taper is decomposed whole; of more, the leading modes, more where few do not suffice.
_MOST_EXACT, _MODES = 1000, (64, 200)


@dataclass(frozen=True, eq=False)
class Localisation:
    """Gaspari-Cohn taper of the distance between groups of components and observations.

    Components of one group, such as the variables of a grid cell, share their local analysis.

    Parameters
    ----------
    groups : ndarray of int, shape (d,)
        Group 0..g-1 of each component.
    places : ndarray, shape (g, k)
        Coordinates of the groups.
    distance : callable
        From coordinates (a, k) and (b, k) to distances (a, b).
    half_width : float
        c of the taper, which is zero from 2 c on, in the unit of the distance.
    """

    groups: Index
    places: Array
    distance: Callable[[Array, Array], Array]
    half_width: float
    _kept: dict[str, tuple[StateOperator, Array]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse a taper of no width."""
        if not self.half_width > 0:
            raise UserError("The half-width of a localisation must be positive; give one > 0.")

    @cached_property
    def members(self) -> Index:
        """Components of each group, shape (g, most), padded with -1."""
        order = np.argsort(self.groups, kind="stable")
        counts = np.bincount(self.groups, minlength=len(self.places))
        out = np.full((len(counts), counts.max()), -1, np.int64)
        row = np.repeat(np.arange(len(counts)), counts)
        column = np.arange(order.size) - np.repeat(np.cumsum(counts) - counts, counts)
        out[row, column] = order
        return out

    def _last(self, name: str, operator: StateOperator, make: Callable[[Array], Array]) -> Array:
        """Return what belongs to an operator; that of the last one asked for is kept."""
        kept = self._kept.get(name)
        if kept is None or kept[0] is not operator:
            if operator.places is None:
                raise UserError(
                    "Localisation needs the places of the observations; give `places` to their "
                    "operator."
                )
            distance = make(np.asarray(operator.places, np.float64))
            weights = gaspari_cohn(distance / self.half_width)
            weights[weights <= CUTOFF] = 0.0
            kept = self._kept[name] = (operator, weights)
        return kept[1]

    def weights(self, operator: StateOperator) -> Array:
        """Weight of each observation in each group, shape (g, p)."""
        return self._last("groups", operator, lambda at: self.distance(self.places, at))

    def of_components(self, operator: StateOperator) -> Array:
        """Weight of each observation at each component, shape (d, p)."""
        return self.weights(operator)[self.groups]

    @cached_property
    def modes(self) -> Array:
        """Leading modes of the taper between groups, shape (g, r): it is nearly their square.

        As many as hold :data:`EXPLAINED` of its trace; each row is scaled to a square of one, so
        that no variance is lost.
        """
        taper = gaspari_cohn(self.distance(self.places, self.places) / self.half_width)
        count = len(taper)
        if count <= _MOST_EXACT:
            values, vectors = np.linalg.eigh(taper)
        else:
            begin = np.random.default_rng(0).standard_normal(count)
            for most in _MODES:
                values, vectors = sparse_linalg.eigsh(taper, k=most, v0=begin)
                if values.sum() >= EXPLAINED * count:
                    break
        order = np.argsort(values)[::-1]
        values, vectors = values[order].clip(0.0), vectors[:, order]
        enough = int(np.searchsorted(np.cumsum(values), EXPLAINED * count)) + 1
        modes = vectors[:, :enough] * np.sqrt(values[:enough])
        return np.asarray(modes / np.linalg.norm(modes, axis=1, keepdims=True))

    def between(self, operator: StateOperator) -> Array:
        """Taper between observations, shape (p, p)."""
        return self._last("between", operator, lambda at: self.distance(at, at))


def on_a_circle(size: int, half_width: float, batch: int = 1) -> Localisation:
    """Localise on a circle of ``size`` components, ``batch`` neighbours a group.

    The distance to a group is the mean of those to its components, as in DAPPER.

    Parameters
    ----------
    size : int
    half_width : float
        In components.
    batch : int
        Divides ``size``.

    Returns
    -------
    Localisation
        Its observations' places are components, shape (p, 1).

    Raises
    ------
    UserError
        If the batch does not divide the size.
    """
    if size % batch:
        raise UserError(f"Groups of {batch} do not divide {size} components; choose a divisor.")
    first = np.arange(size).reshape(-1, batch)

    def distance(a: Array, b: Array) -> Array:
        apart = np.abs(a[:, None, :] - b[None, :, :1])
        return np.asarray(np.minimum(apart, size - apart).mean(axis=-1))

    return Localisation(
        np.repeat(np.arange(len(first)), batch), first.astype(np.float64), distance, half_width
    )
