"""Where one more observation would lower the posterior variance most: targeted observations.

With Gaussian errors the posterior variance does not depend on the values observed, so what an
observation is worth is known before it is made. One of variance r at a place j turns the posterior
covariance A into ``A - a a^T / (a_j + r)`` with ``a = A e_j`` (a Kalman update of rank one); the
mean variance of a target falls by the weighted sum of ``a^2`` over its cells, divided by
``a_j + r``. The best places in order are found greedily, each given those before it (as in Bishop,
Etherton and Majumdar 2001, https://doi.org/10.1175/1520-0493(2001)129<0420:ASWTET>2.0.CO;2).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from mlda_core.assimilation.methods import WITH_WHOLE_POSTERIOR, spelled
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.physical_units import climatological_spread
from mlda_core.assimilation.problem import gaussian
from mlda_core.assimilation.validation import setting_of
from mlda_core.climate.errors import StateError
from mlda_core.climate.regions import REGIONS, Region, drawn_box, region_mask
from mlda_core.observations.default_errors import DEFAULT_ERROR, default_error, variable_rows
from mlda_core.observations.loading import Source
from mlda_core.observations.options import TableOptions
from mlda_core.observations.standardised import standardise

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.covariance import LocalisedCovariance
    from mlda_core.assimilation.gain import Gain
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]
Cells = NDArray[np.int64]

# Places found, where nothing else is said, and the most that can be asked for.
COUNT, MOST = 10, 100
# Covariances of the prior between maps are kept up to so many bytes in all, the newest: one of two
# whole variables of the bundled model has 85 MB and takes .5 s, which a new station need not wait
# for.
MOST_BYTES = 90_000_000
AS_GIVEN = TableOptions()
# Cells at a time of which half a matrix is mirrored: those stay in the processor's cache.
BLOCK = 512


@dataclass(frozen=True, eq=False)
class Target:
    """A variable over a region, whose mean variance is to be lowered.

    Parameters
    ----------
    variable : str
        CF short name.
    region : Region
    """

    variable: str
    region: Region


@dataclass(frozen=True, eq=False)
class NextObservations:
    """Where one more observation would help most, and how much.

    Parameters
    ----------
    variable : str
        What would be observed, CF short name.
    target : Target
    units : str
        Of the target's spread; variances are in their square.
    reduction : ndarray of float32, shape (lat, lon)
        By how much one observation in a cell lowers the target's mean variance; NaN where none can
        be made, or one is.
    variance : float
        The target's mean variance as it is.
    best : DataFrame
        The best places in order: variable, lat, lon, error_sd, and ``variance`` and ``spread``, the
        target's mean variance and its square root once this place and those before it are observed.
    """

    variable: str
    target: Target
    units: str
    reduction: Float
    variance: float
    best: pd.DataFrame

    @property
    def spread(self) -> float:
        """Square root of the target's mean variance as it is."""
        return float(np.sqrt(self.variance))

    @property
    def percent(self) -> Float:
        """The reduction as a percentage of the target's mean variance."""
        return np.asarray(100.0 * self.reduction / self.variance, np.float32)

    def observations(self) -> pd.DataFrame:
        """Return the best places as an observation table whose values are still to be made."""
        out = self.best[["variable", "lat", "lon"]].copy()
        out["value"] = np.nan
        out["error_sd"] = self.best["error_sd"]
        out["label"] = [f"where next {i + 1}" for i in range(len(out))]
        return out


def where_next(
    assimilator: Assimilator,
    observations: Source,
    month: Any,
    variable: str,
    *,
    target: str | Target = "",
    count: int = COUNT,
    error: float = DEFAULT_ERROR,
    options: TableOptions = AS_GIVEN,
    **settings: Any,
) -> NextObservations:
    """Find where one more observation would lower the posterior variance of a target most.

    The prior's covariance is that of the observations as they are; that of the hybrid changes a
    little as places are added, and so does what is reached.

    Parameters
    ----------
    assimilator : Assimilator
    observations, month, options
        As for :meth:`Assimilator.run`. Withheld observations are not used, but their cells count as
        observed.
    variable : str
        What would be observed, CF short name, at the centre of a cell.
    target : str or Target
        Whose variance is to be lowered, as :func:`target_of` reads it; the variable over the globe
        by default.
    count : int
        How many places to find, from 0 to :data:`MOST`; fewer where no more are free.
    error : float
        Standard deviation of their errors, a fraction of the local spread.
    **settings
        Attributes of :class:`Setting`; the method must have a posterior.

    Returns
    -------
    NextObservations

    Raises
    ------
    ObservationError
        If there is no such variable, or an observation is invalid.
    StateError
        If the target has no cell, the count is invalid, or the method has no posterior.
    """
    bundle = assimilator.bundle
    chosen = target_of(target or variable)
    check(bundle, variable, chosen, setting_of(settings), count=count, error=error)
    problem, table = assimilator.prepared(observations, month, options=options, **settings)
    target_row, row = variable_rows(bundle, [chosen.variable, variable])
    cells, weights = _target_cells(bundle, problem.month, int(target_row), chosen)
    candidates = _cells_of(bundle, int(row))
    error_sd, variance = _errors(
        bundle, variable, candidates, problem.month, error, problem.setting.error_scale
    )
    covariances = assimilator.kept("where next", PriorCovariances)
    posterior = _Posterior(problem.gain, cells, candidates, covariances)
    free = ~np.isin(candidates, _observed(bundle, table, int(row)))
    search = _Search(posterior, weights, variance, free)
    first = search.reduction()
    reduction = np.full(bundle.grid.weights.size, np.nan, np.float32)
    reduction[candidates % reduction.size] = np.where(free, first, np.nan)
    chosen_at, left = search.greedy(count)
    lat, lon = _centres(bundle, candidates[chosen_at])
    best = pd.DataFrame(
        {
            "variable": np.full(len(chosen_at), variable, object),
            "lat": lat,
            "lon": lon,
            "error_sd": error_sd[chosen_at],
            "variance": left,
            "spread": np.sqrt(left),
        }
    )
    return NextObservations(
        variable,
        chosen,
        bundle.variables[int(target_row)].anomaly_units,
        reduction.reshape(bundle.grid.shape),
        search.before,
        best,
    )


class PriorCovariances:
    """Covariances of the prior's representation error between maps, the latest kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[LocalisedCovariance, Cells, Cells, Float]] = []

    def of(self, error: LocalisedCovariance, first: Cells, second: Cells) -> Float:
        """Return the covariance of cells with others, shape (p, q); never changed."""
        with self._lock:
            for i, (known, a, b, found) in enumerate(self._kept):
                if known is error and np.array_equal(a, first) and np.array_equal(b, second):
                    self._kept.append(self._kept.pop(i))
                    return found
            made = error.between_cells(first, second)
            self._kept.append((error, first, second, made))
            while len(self._kept) > 1 and sum(item[3].nbytes for item in self._kept) > MOST_BYTES:
                self._kept.pop(0)
            return made


class _Posterior:
    """Posterior covariance of a target's cells with the candidates'."""

    def __init__(
        self, gain: Gain, cells: Cells, candidates: Cells, covariances: PriorCovariances
    ) -> None:
        self._gain, self._candidates = gain, candidates
        white, latent = self._parts(candidates)
        self._factors = np.concatenate([white, latent])
        self._signs = np.concatenate([-np.ones(len(white)), np.ones(len(latent))])
        self._same = np.array_equal(cells, candidates)
        before = covariances.of(gain.prior.error, cells, candidates)
        self.variance = gain.posterior_variance(candidates).astype(np.float64)
        if self._same:
            self.cross = _symmetric(before, white, latent)
            self.target_variance = self.variance
            return
        signed = self._signs.astype(np.float32)[:, None] * np.concatenate(self._parts(cells))
        self.cross = signed.T @ self._factors
        self.cross += before
        self.target_variance = gain.posterior_variance(cells).astype(np.float64)

    def _parts(self, cells: Cells) -> tuple[Float, Float]:
        """Factors of what observations tell of e (p, n), and of what they leave of zeta (L, n).

        With them the posterior covariance is ``B - white^T white + latent^T latent``, as the
        variance in :meth:`Gain.posterior_variance`.
        """
        gain = self._gain
        white = gain.whitener32 @ gain.columns[:, cells]
        if gain.prior.factor is None:
            return white, np.zeros((0, cells.size), np.float32)
        left = gain.prior.factor[:, cells] - gain.whitened.astype(np.float32).T @ white
        root = linalg.cholesky(gain.inverse_hessian, lower=True).astype(np.float32)
        return white, root.T @ left

    def among(self, j: int) -> Array:
        """Covariance of one candidate with all, shape (q,)."""
        cell = self._candidates[j]
        if self._same:
            out = self.cross[j].astype(np.float64)
        else:
            prior = self._gain.prior.error.between_cells(cell[None], self._candidates)[0]
            signed = (self._signs * self._factors[:, j]).astype(np.float32)
            out = (prior + signed @ self._factors).astype(np.float64)
        out[j] = self.variance[j]
        return out


def _symmetric(before: Float, taken: Float, left: Float) -> Float:
    """Return ``before - taken^T taken + left^T left``, of a symmetric matrix, shape (q, q).

    BLAS makes one half: a third less processor time than the product (.41 s for .58 s, of 4,608
    cells with 600 observations; NumPy's own shortcut mirrors cell by cell, and gains nothing).
    """
    made = np.array(before.T, order="F")
    for sign, factor in ((-1.0, taken), (1.0, left)):
        if len(factor):
            made = linalg.blas.ssyrk(sign, factor.T, beta=1.0, c=made, overwrite_c=1)
    for i in range(0, len(made), BLOCK):
        one = slice(i, i + BLOCK)
        made[one, one] = np.triu(made[one, one]) + np.triu(made[one, one], 1).T
        made[i + BLOCK :, one] = made[one, i + BLOCK :].T
    return np.asarray(made)


class _Search:
    """Greedy search: each observation is the best given those before it.

    The covariance is changed by products of two vectors alone, so that a step costs one product of
    a matrix with a vector instead of a new matrix.
    """

    def __init__(
        self, posterior: _Posterior, weights: Array, variance: Array, free: NDArray[np.bool_]
    ) -> None:
        self._posterior, self._weights, self._error = posterior, weights, variance
        self._free = free.copy()
        self._variance = posterior.variance.copy()
        cross = posterior.cross
        self._square = np.einsum("tq,tq,t->q", cross, cross, weights.astype(np.float32)).astype(
            np.float64
        )
        self.before = float(weights @ posterior.target_variance)
        # Rank-one parts taken away so far: of the target's cells, and of the candidates.
        self._targets: list[Array] = []
        self._candidates: list[Array] = []

    def reduction(self) -> Array:
        """Fall of the target's mean variance by one observation at each candidate, shape (q,)."""
        return np.asarray(np.maximum(self._square, 0.0) / (self._variance + self._error))

    def greedy(self, count: int) -> tuple[list[int], list[float]]:
        """Return the best candidates in order, and the target's mean variance after each."""
        chosen: list[int] = []
        left: list[float] = []
        variance = self.before
        while len(chosen) < count and self._free.any():
            falls = np.where(self._free, self.reduction(), -np.inf)
            j = int(np.argmax(falls))
            variance = max(variance - float(falls[j]), 0.0)
            chosen.append(j)
            left.append(variance)
            self._observe(j)
        return chosen, left

    def _observe(self, j: int) -> None:
        """Update by an observation of candidate j."""
        cross, weights = self._posterior.cross, self._weights
        at_target = cross[:, j].astype(np.float64)
        at_candidates = self._posterior.among(j)
        for a, b in zip(self._targets, self._candidates, strict=True):
            at_target -= a * b[j]
            at_candidates -= b * b[j]
        scale = 1.0 / np.sqrt(self._variance[j] + self._error[j])
        at_target, at_candidates = at_target * scale, at_candidates * scale
        weighted = weights * at_target
        shared = (weighted.astype(np.float32) @ cross).astype(np.float64)
        for a, b in zip(self._targets, self._candidates, strict=True):
            shared -= b * (a @ weighted)
        self._square += at_candidates * (at_candidates * (at_target @ weighted) - 2.0 * shared)
        self._variance = np.maximum(self._variance - at_candidates**2, 1e-6)
        self._targets.append(at_target)
        self._candidates.append(at_candidates)
        self._free[j] = False


def check(
    bundle: Bundle,
    variable: str,
    target: Target,
    setting: Setting,
    *,
    count: int = COUNT,
    error: float = DEFAULT_ERROR,
) -> None:
    """Check what :func:`where_next` is asked for, before there are observations.

    Raises
    ------
    ObservationError, StateError
        As :func:`where_next`.
    """
    whole = isinstance(count, int | np.integer) and not isinstance(count, bool)
    if not (whole and 0 <= count <= MOST):
        raise StateError(f"{count!r} places cannot be found; give a whole number from 0 to {MOST}.")
    if not (np.isfinite(error) and error > 0):
        raise StateError(f"An observation error of {error:g} is not above 0; correct it.")
    row, _ = variable_rows(bundle, [target.variable, variable])
    _area(bundle, int(row), target)
    check_posterior(setting)


def check_posterior(setting: Setting) -> None:
    """Check that the method has a posterior, of the whole state.

    Raises
    ------
    StateError
        If it has not.
    """
    if gaussian(setting).only_decodes(setting):
        raise StateError(
            f"The method {spelled(setting.method)} without residual analysis leaves out a part of "
            "the state, so how uncertain it is, is not known; use one of "
            f"{spelled(*WITH_WHOLE_POSTERIOR)}."
        )


def target_of(given: str | Target) -> Target:
    """Return a target as it is, or by its name.

    Parameters
    ----------
    given : str or Target
        ``VARIABLE``, ``VARIABLE:REGION`` with a key of ``REGIONS``, or
        ``VARIABLE:SOUTH,NORTH,WEST,EAST`` in degrees.

    >>> target_of("tos:nino34").region.short
    'Niño 3.4'

    Raises
    ------
    StateError
        If there is no such region, or its limits are not four numbers.
    """
    if isinstance(given, Target):
        return given
    variable, _, name = given.partition(":")
    if "," in name:
        try:
            south, north, west, east = (float(part) for part in name.split(","))
        except ValueError:
            raise StateError(
                f"The region '{name[:40]}' is not SOUTH,NORTH,WEST,EAST; give four numbers of "
                "degrees."
            ) from None
        return Target(variable, drawn_box(south, north, west, east))
    if (name or "globe") not in REGIONS:
        raise StateError(f"There is no region '{name[:24]}'; use one of {', '.join(REGIONS)}.")
    return Target(variable, REGIONS[name or "globe"])


def _cells_of(bundle: Bundle, row: int) -> Cells:
    size = bundle.grid.weights.size
    return np.flatnonzero(bundle.mask[row].ravel()) + row * size


def _area(bundle: Bundle, row: int, target: Target) -> Array:
    """Return the area of a target in each cell, shape (lat, lon)."""
    area = region_mask(bundle.grid, target.region) * bundle.grid.weights * bundle.mask[row]
    if not area.sum() > 0:
        label = bundle.variables[row].label.lower()
        raise StateError(
            f"{target.region.short} holds no {label} of this bundle; choose another region."
        )
    return np.asarray(area)


def _target_cells(bundle: Bundle, month: int, row: int, target: Target) -> tuple[Cells, Array]:
    """Return the target's cells, and what the variance of each, standardised, counts there."""
    area = _area(bundle, row, target)
    spread = np.nan_to_num(climatological_spread(bundle, month)[row].astype(np.float64))
    inside = np.flatnonzero(area.ravel() > 0)
    weights = (area / area.sum() * spread**2).ravel()[inside]
    return inside + row * bundle.grid.weights.size, weights


def _centres(bundle: Bundle, cells: Sequence[int] | Cells) -> tuple[Array, Array]:
    i, j = np.unravel_index(
        np.asarray(cells, np.int64) % bundle.grid.weights.size, bundle.grid.shape
    )
    return bundle.grid.lat[i], np.mod(bundle.grid.lon[j], 360.0)


def _errors(
    bundle: Bundle, variable: str, cells: Cells, month: int, error: float, error_scale: float
) -> tuple[Array, Array]:
    """Return the candidates' error standard deviations, and their variances, standardised."""
    lat, lon = _centres(bundle, cells)
    sd = default_error(bundle, variable, month, lat, lon) * (error / DEFAULT_ERROR)
    table = pd.DataFrame(
        {"variable": variable, "lat": lat, "lon": lon, "value": 0.0, "error_sd": sd}
    )
    return sd, standardise(table, bundle, month, error_scale=error_scale).variance


def _observed(bundle: Bundle, table: pd.DataFrame, row: int) -> Cells:
    """Return the cells in which a variable is observed."""
    mine = table[table["variable"] == bundle.variables[row].name]
    if not len(mine):
        return np.zeros(0, np.int64)
    places = bundle.operator.locate(
        np.full(len(mine), row), mine["lat"].to_numpy(), mine["lon"].to_numpy()
    )
    return np.asarray(
        np.take_along_axis(places.index, places.weight.argmax(axis=1)[:, None], axis=1)[:, 0]
    )
