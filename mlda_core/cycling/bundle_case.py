"""Cycled problems of a bundle's own times: observations of held-out states at given places.

States are standardised anomalies of all variables, flattened to (V * lat * lon): the space of the
forecast models (:mod:`mlda_core.forecast.models`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import UserError
from mlda_core.climate.interpolation import Places
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors
from mlda_core.cycling.covariance import (
    Covariance,
    Gaussian,
    LocalisedSample,
    TimesOfYear,
)
from mlda_core.cycling.cycle import Cycle, CycledStep
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.learnt_background import (
    ROUNDS,
    SEASON_FLOOR,
    SEASON_WIDTH,
    SHARE,
    DampedDynamics,
    LearntBackground,
    hybrid,
    in_rounds,
)
from mlda_core.cycling.localisation import Localisation
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.dynamics import Dynamics
from mlda_core.forecast.grid_training import runs_of
from mlda_core.forecast.model_error import FactoredCovariance
from mlda_core.vae.dataset import Months

Array = NDArray[np.float64]
# Of the errors of observations, in units of the local spread, as in the scores of assimilation.
ERROR = 0.2
# Days of a static covariance: twice as many explain .01 more, and take twice the memory.
MOST_DAYS = 1100
# Half-width of the static covariance's localisation, km.
HALF_WIDTH_KM = 4500.0
# That of ensembles: tens of members tell less of what is far away than a thousand days.
ENSEMBLE_HALF_WIDTH_KM = 2000.0


@dataclass(frozen=True, eq=False)
class Case:
    """A problem and its truth.

    Parameters
    ----------
    problem : Problem
    days : Months
        The true states, one for each cycle.
    places : Places
        Of the observations.
    climatology : Gaussian
        Of the problem.
    """

    problem: Problem
    days: Months
    places: Places
    climatology: Gaussian


def localisation_of(bundle: Bundle, half_width: float = HALF_WIDTH_KM) -> Localisation:
    """Return the localisation by distance on the sphere; all variables of a cell are a group.

    Parameters
    ----------
    bundle : Bundle
    half_width : float
        c of Gaspari and Cohn's taper, km.
    """
    cells = _cells(bundle)
    groups = np.tile(np.arange(len(cells)), len(bundle.variables))
    return Localisation(groups, cells, _kilometres, half_width)


def operator_of(bundle: Bundle, places: Places) -> LinearOperator:
    """Return the bilinear interpolation to places as an operator on flattened states."""
    count, corners = places.index.shape
    row = np.repeat(np.arange(count), corners)
    matrix = sparse.csr_array(
        (places.weight.ravel().astype(np.float64), (row, places.index.ravel())),
        (count, bundle.mask.size),
    )
    cell = places.index - places.variable[:, None] * bundle.mask[0].size
    at = (_cells(bundle)[cell] * places.weight[..., None]).sum(axis=1)
    return LinearOperator(matrix, at / np.linalg.norm(at, axis=1, keepdims=True))


def climatology_of(
    bundle: Bundle,
    past: Months,
    half_width: float = HALF_WIDTH_KM,
    most: int = MOST_DAYS,
    season: tuple[float, float] = (SEASON_WIDTH, SEASON_FLOOR),
) -> Gaussian:
    """Return what is believed without observations: no anomaly, and a localised sample of days.

    Parameters
    ----------
    bundle : Bundle
    past : Months
        Training times; evenly spaced ones of them are used.
    half_width : float
        Of the localisation, km.
    most : int
        How many of them at most.
    season : tuple of float
        Width, in months, and floor of their weights by the time of year.
    """
    chosen = np.unique(np.linspace(0, len(past) - 1, min(most, len(past))).astype(int))
    times = TimesOfYear(past.calendar[chosen], bundle.seasons, *season)
    anomalies = past.x[chosen].reshape(chosen.size, -1).astype(np.float64)
    # Anomalies of a climatology: about zero, not about the sample's mean.
    anomalies /= np.sqrt(chosen.size)
    local = localisation_of(bundle, half_width)
    return Gaussian(np.zeros(bundle.mask.size), LocalisedSample(anomalies, local, times))


def case_of(  # noqa: PLR0913 - what is cycled, by name
    bundle: Bundle,
    dynamics: Dynamics,
    days: Months,
    places: Places,
    climatology: Gaussian,
    *,
    learnt: LearntBackground | None = None,
    errors: ErrorModel | None = None,
    share: float = SHARE,
    error: float = ERROR,
    observed_every: int = 1,
    localisation: Localisation | None = None,
    seed: int = 0,
) -> Case:
    """Return a twin problem: true states of consecutive times, observed with noise at places.

    Parameters
    ----------
    bundle : Bundle
    dynamics : Dynamics
    days : Months
        Consecutive states of one member.
    places : Places
        Where they are observed.
    climatology : Gaussian
        See :func:`climatology_of`.
    learnt : LearntBackground, optional
        Draws the forecast towards climatology, and gives the covariance of its errors, which is
        that of the climatology by default; see :func:`background_of`.
    errors : ErrorModel, optional
        Learnt model of background errors, for the methods that use one; it draws the forecast too
        where ``learnt`` is not given.
    share : float
        Of climatology in that covariance, 0 to 1.
    error : float
        Standard deviation of the errors of observation, in units of the local spread.
    observed_every : int
        Observations every so many times, from the first on.
    localisation : Localisation, optional
        Of ensembles.
    seed : int
        Of the noise.

    Raises
    ------
    UserError
        If the times are not consecutive.
    """
    if runs_of(days, bundle.seasons, 1).size != len(days) - 1:
        raise UserError(
            f"The {bundle.seasons.step.plural} do not follow one another; give consecutive ones of "
            "one member."
        )
    operator = operator_of(bundle, places)
    variance = np.full(operator.size, error**2)
    flat = days.x.reshape(len(days), -1)
    observations: list[Observations | None] = []
    for i in range(len(days)):
        # A generator a time: the noise of a time does not depend on which others are observed.
        noise = np.random.default_rng((seed, i)).standard_normal(operator.size) * error
        values = operator.observe(flat[i : i + 1].astype(np.float64))[0] + noise
        seen = i % observed_every == 0
        observations.append(Observations(operator, values, variance) if seen else None)
    background: Covariance | None = None
    if learnt is not None:
        dynamics = DampedDynamics(dynamics, learnt.factor)
        background = background_of(bundle, learnt.covariance, climatology, share)
    elif errors is not None:
        dynamics = DampedDynamics(dynamics, errors.factor)
    times = bundle.seasons.step.times(days.names)
    initial = climatology.at(times[0])
    if isinstance(initial.covariance, LocalisedSample):
        # An ensemble starts from draws of the climatology's days, not localised.
        drawn = FactoredCovariance(initial.covariance.anomalies.T)
        initial = Gaussian(climatology.mean, drawn)
    problem = Problem(
        dynamics,
        times,
        observations,
        initial,
        climatology,
        background=background,
        localisation=localisation,
        errors=errors,
    )
    return Case(problem, days, places, climatology)


def learn_from(
    bundle: Bundle,
    case: Case,
    rounds: int = ROUNDS,
    tell: Callable[[int, LearntBackground], None] | None = None,
) -> LearntBackground:
    """Learn from cycles of 3D-Var over a case how far to trust its forecasts, and how they err.

    Parameters
    ----------
    bundle : Bundle
    case : Case
        Of held-out times, with a forecast that is not damped.
    rounds : int
    tell : callable, optional
        Called after each round with its number from 0 on and what it taught.

    Returns
    -------
    LearntBackground
        With one factor a variable and latitude: the regression on a year of one cell is noise.
    """
    groups, climatology = zones_of(bundle), case.climatology

    def run(factor: Array, covariance: LocalisedSample | None) -> Iterator[CycledStep]:
        dynamics = DampedDynamics(case.problem.dynamics, factor)
        background = covariance and background_of(bundle, covariance, climatology)
        return Cycle(replace(case.problem, dynamics=dynamics, background=background), "3dvar").run()

    truth = case.days.x.reshape(len(case.days), -1)
    return in_rounds(run, truth, localisation_of(bundle), groups, rounds, tell)


def background_of(
    bundle: Bundle, errors: LocalisedSample, climatology: Gaussian, share: float = SHARE
) -> Covariance:
    """Return the covariance of background errors that a learnt sample and climatology make."""
    believed = climatology.covariance
    if not isinstance(believed, LocalisedSample) or not share:
        return errors
    return hybrid(errors, believed, zones_of(bundle), share)


def zones_of(bundle: Bundle) -> NDArray[np.int64]:
    """Return the group of each component of a state: one a variable and latitude."""
    variables, rows, columns = bundle.mask.shape
    return np.repeat(np.arange(variables * rows), columns)


def _cells(bundle: Bundle) -> Array:
    """Return the centres of the cells as points of the unit sphere, shape (lat * lon, 3)."""
    rows, columns = bundle.grid.shape
    return unit_vectors(np.repeat(bundle.grid.lat, columns), np.tile(bundle.grid.lon, rows))


def _kilometres(a: Array, b: Array) -> Array:
    return np.asarray(EARTH_RADIUS_KM * np.arccos(np.clip(a @ b.T, -1.0, 1.0)))
