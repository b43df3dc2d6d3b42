"""What one observation tells an analysis, given all others: why much changed, or nothing.

All in closed form from the factors of the network. With P the inverse of the innovation covariance
``H B H^T + R``, d the departures from the background and K the gain, the others alone expect the
observation to be ``y_i - (P d)_i / P_ii`` with error variance ``1 / P_ii - R_i``; used, it moves
the state by ``K_i (P d)_i / P_ii``; and its share of the degrees of freedom for signal, the
self-sensitivity ``(H K)_ii``, is ``1 - R_i P_ii`` (Cardinali, Pezzulli and Andersson 2004,
https://doi.org/10.1256/qj.03.205).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.physical_units import at_place, climatological_spread
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.places import number, place, signed
from mlda_core.climate.scales import written_units
from mlda_core.observations.loading import Source
from mlda_core.observations.options import TableOptions

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.problem import Problem

Float = NDArray[np.float32]
Array = NDArray[np.float64]
Use = Literal["used", "withheld", "thinned"]
AS_GIVEN = TableOptions()

# The rules of the sentence. A change below this part of the prior's standard deviation is nothing.
NOTHING = 0.05
# Others have told so much of the prior's variance that little is left to tell.
TOLD = 0.75
# An error so many times what was uncertain before: such an observation hardly counts.
VAGUE = 2.0
# So near to what was expected, in standard deviations of the difference, is as expected.
EXPECTED = 0.25
# So far from it, in the same.
FAR = 4.0


@dataclass(frozen=True, eq=False)
class ObservationInfluence:
    """What one observation says, what was expected of it, and what it moves.

    Numbers are anomalies in display units; standard deviations are for small departures.

    Parameters
    ----------
    row : int
        Its row in the table, from 0.
    variable, label, units : str
        What is observed.
    lat, lon : float
        Degrees.
    use : {"used", "withheld", "thinned"}
        Of one that is not used the rest is what it would do.
    value, error_sd : float
        What it says; the standard deviation of its error (R).
    background, background_sd : float
        What was expected there before any observation, and how sure that was: the square root of
        the prior's variance there (H B H^T).
    others, others_sd : float
        What all others make of it, and how sure that is.
    analysis, analysis_sd : float
        The same with this observation.
    moved : float
        The change of the analysis there that it makes.
    most : float
        The greatest change in any cell of its variable.
    most_at : tuple of float
        Latitude and longitude of that.
    change : ndarray of float32, shape (V, lat, lon)
        The change of the whole analysis, for small departures.
    influence : float
        Self-sensitivity, 0 to 1: the part of the analysis there that is its own saying; its share
        of the degrees of freedom for signal.
    alone : float
        The same, were there no other observation.
    misfit : float
        Departure from what the others say, in standard deviations of that difference.
    weight : float
        Robust weight; 1 where it is not down-weighted.
    """

    row: int
    variable: str
    label: str
    units: str
    lat: float
    lon: float
    use: Use
    value: float
    error_sd: float
    background: float
    background_sd: float
    others: float
    others_sd: float
    analysis: float
    analysis_sd: float
    moved: float
    most: float
    most_at: tuple[float, float]
    change: Float
    influence: float
    alone: float
    misfit: float
    weight: float = 1.0

    @property
    def told(self) -> float:
        """Part of the prior's variance there that all others have told, 0 to 1."""
        return float(np.clip(1.0 - (self.others_sd / self.background_sd) ** 2, 0.0, 1.0))

    @property
    def reason(self) -> str:
        """Why it moves what it moves: the rule by which :meth:`sentence` is made.

        One of ``thinned``, ``withheld``, ``down-weighted``, ``expected``, ``told``, ``vague``,
        ``far`` and ``moved``.
        """
        if self.use != "used":
            return self.use
        if self.weight < 1.0:
            return "down-weighted"
        if abs(self.misfit) > FAR:
            return "far"
        if abs(self.misfit) < EXPECTED:
            return "expected"
        if self.error_sd > VAGUE * self.others_sd and self.told < TOLD:
            return "vague"
        if self.told >= TOLD and self.influence < 0.5:
            return "told"
        if abs(self.moved) < NOTHING * self.background_sd:
            return "expected"
        return "moved"

    def sentence(self) -> str:
        """Return in one sentence what it did, and why no more."""
        n = _digits(self.background_sd)
        unit = self.units
        said = f"It says {signed(self.value, n)} ± {number(self.error_sd, n)} {unit}"
        before = f"{signed(self.others, n)} ± {number(self.others_sd, n)}"
        moves = f"{signed(self.moved, n)} {unit} there"
        if abs(self.most) > 1.2 * abs(self.moved) and self.reason in ("moved", "far", "told"):
            moves += f", {signed(self.most, n)} {unit} at most at {place(*self.most_at)}"
        told = f"the others had told {100 * self.told:.0f} % of what was unknown there"
        return {
            "thinned": f"{said}, but was left out by thinning: observations near it are used "
            "instead.",
            "withheld": f"{said}, but is withheld, so it changes nothing; used, it would move the "
            f"analysis by {moves}.",
            "down-weighted": f"{said}, {abs(self.misfit):.0f} σ from what the others say ({before} "
            f"{unit}), so it was down-weighted and moves the analysis by {moves}.",
            "expected": f"{said}, about what the others had led to expect ({before} {unit}), so it "
            f"moves the analysis by only {moves}.",
            "told": f"{said}, and {told} ({before} {unit}), so it moves the analysis by only "
            f"{moves}.",
            "vague": f"{said}, and its error is large beside what was known without it ({before} "
            f"{unit}), so it moves the analysis by only {moves}.",
            "far": f"{said}, {abs(self.misfit):.0f} σ from what the others say ({before} {unit}), "
            f"and moves the analysis by {moves}: is it right?",
            "moved": f"{said} where the others say {before} {unit}, so it moves the analysis by "
            f"{moves}.",
        }[self.reason]


def observation_influence(
    assimilator: Assimilator,
    observations: Source,
    month: Any,
    row: int,
    *,
    options: TableOptions = AS_GIVEN,
    **settings: Any,
) -> ObservationInfluence:
    """Say what one observation tells the analysis, given all others.

    Parameters
    ----------
    assimilator : Assimilator
    observations, month, options, **settings
        As for :meth:`Assimilator.run`; the method must have a posterior.
    row : int
        Index among the month's observations, from 0.

    Returns
    -------
    ObservationInfluence

    Raises
    ------
    ObservationError
        If there is no such row, or an observation is invalid.
    StateError
        If a setting is invalid, or the method has no posterior.
    """
    bundle = assimilator.bundle
    problem, table = assimilator.prepared(observations, month, options=options, **settings)
    if not 0 <= row < len(table):
        raise ObservationError(f"There is no observation {row + 1}; the table has {len(table)}.")
    one = problem.every.where(np.array([row]))
    if not one.plain.all():
        raise StateError(
            f"Observation {row + 1} is a {table['kind'].iloc[row]}, and its influence is told of "
            "values at places only; choose another, or look at its misfit."
        )
    at = np.flatnonzero(problem.used == row)
    found = _of_used(problem, int(at[0])) if at.size else None
    if found is None:
        found = _of_unused(problem, row)
    given = table.iloc[row]
    use: Use = "used" if at.size else "withheld" if bool(given["withheld"]) else "thinned"
    which = int(one.places.variable[0])
    spread = climatological_spread(bundle, problem.month)
    slope = float(bundle.operator.apply(one.places, spread)[0])
    shown = at_place(
        bundle,
        one.places,
        [found.background, found.others, found.others + found.moved],
        problem.month,
    )
    moved = found.change.reshape(bundle.mask.shape) * spread
    change = np.asarray(np.where(bundle.mask, moved, np.nan), np.float32)
    i, j = np.unravel_index(int(np.nanargmax(np.abs(change[which]))), bundle.grid.shape)
    return ObservationInfluence(
        row=row,
        variable=str(given["variable"]),
        label=str(given.get("label", "") or ""),
        units=written_units(bundle.variables[which].anomaly_units),
        lat=float(given["lat"]),
        lon=float(given["lon"]),
        use=use,
        value=float(given["value"]),
        error_sd=float(given["error_sd"]) * problem.setting.error_scale,
        background=float(shown[0]),
        background_sd=slope * float(np.sqrt(found.prior)),
        others=float(shown[1]),
        others_sd=slope * float(np.sqrt(found.left)),
        analysis=float(shown[2]),
        analysis_sd=slope * float(np.sqrt(found.left * found.error / (found.left + found.error))),
        moved=float(shown[2] - shown[1]),
        most=float(change[which, i, j]),
        most_at=(float(bundle.grid.lat[i]), float(bundle.grid.lon[j])),
        change=change,
        influence=float(found.left / (found.left + found.error)),
        alone=float(found.prior / (found.prior + found.error)),
        misfit=float(found.departure / np.sqrt(found.left + found.stated)),
        weight=found.weight,
    )


@dataclass(frozen=True, eq=False)
class _Standardised:
    """The same, standardised: variances, and departure from what the others say."""

    background: float
    prior: float
    others: float
    left: float
    departure: float
    error: float
    stated: float
    weight: float
    change: Array

    @property
    def moved(self) -> float:
        """The change there."""
        return self.left / (self.left + self.error) * self.departure


def _of_used(problem: Problem, k: int) -> _Standardised:
    gain = problem.gain
    departures = problem.departures(problem.x_b)
    inverse = gain.total_inverse
    error = float(gain.variance[k])
    departure = float((inverse[k] @ departures) / inverse[k, k])
    value = float(problem.observed.value[k])
    weights = inverse[:, k] * departure
    change = weights @ gain.columns.astype(np.float64)
    if gain.prior.factor is not None:
        change = change + (weights @ gain.latent) @ gain.prior.factor
    weight = 1.0 if problem.weight is None else float(problem.weight[k])
    return _Standardised(
        background=value - float(departures[k]),
        prior=float(gain.error_covariance[k, k] + gain.latent[k] @ gain.latent[k]),
        others=value - departure,
        left=max(float(1.0 / inverse[k, k] - error), 1e-9),
        departure=departure,
        error=error,
        stated=error * weight,
        weight=weight,
        change=change,
    )


def _of_unused(problem: Problem, row: int) -> _Standardised:
    bundle, gain = problem.bundle, problem.gain
    one = problem.every.where(np.array([row]))
    shape = bundle.mask.shape
    x = minimum(problem)[1].reshape(shape)
    others = float(bundle.operator.apply(one.places, x)[0])
    background = float(bundle.operator.apply(one.places, problem.x_b.reshape(shape))[0])
    error = float(one.variance[0])
    left = float(gain.expected_variance(one.places, np.zeros(1))[0])
    prior = float(gain.prior.error.variance_at(one.places)[0])
    column = gain.prior.error.columns(one.places)[0].astype(np.float64)
    shared = gain.prior.error.between(gain.places, one.places)[:, 0]
    if gain.prior.factor is not None:
        here = one.places.interpolate(gain.prior.factor)[0].astype(np.float64)
        prior += float(here @ here)
        column = column + here @ gain.prior.factor
        shared = shared + gain.latent @ here
    weights = gain.total_inverse @ shared
    column -= weights @ gain.columns.astype(np.float64)
    if gain.prior.factor is not None:
        column -= (weights @ gain.latent) @ gain.prior.factor
    departure = float(one.value[0]) - others
    return _Standardised(
        background=background,
        prior=prior,
        others=others,
        left=left,
        departure=departure,
        error=error,
        stated=error,
        weight=1.0,
        change=column * departure / (left + error),
    )


def _digits(sd: float) -> int:
    """Return the decimals in which numbers of a standard deviation are written, 1 to 3.

    >>> _digits(4.3), _digits(2.3), _digits(0.31), _digits(0.02)
    (1, 2, 2, 3)
    """
    return int(np.clip(1 - np.floor(np.log10(max(sd, 1e-6) / 3.0)), 1, 3))
