"""Errors of forecasts in cycles over training times, for covariances of the time of year.

A year of held-out errors is too few for a season. Those of training times are nearly as large,
though the forecast was trained on them (0.71 of the spread of pressure instead of 0.72, with 100
stations), and are scaled to the held-out ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import Case, zones_of
from mlda_core.cycling.covariance import LocalisedSample, TimesOfYear
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.groups import mean_in_groups, ratio
from mlda_core.cycling.learnt_background import (
    SEASON_FLOOR,
    SEASON_WIDTH,
    SPIN_UP,
    LearntBackground,
)
from mlda_core.cycling.localisation import Localisation
from mlda_core.forecast.dynamics import advance
from mlda_core.forecast.grid_training import runs_of
from mlda_core.vae.dataset import Months

Array = NDArray[np.float64]
Float = NDArray[np.float32]
# Of every so many times, in a covariance: 1,200 errors of seven years of days.
EVERY = 2


def errors_of_cycles(
    bundle: Bundle,
    past: Months,
    case_of_days: Callable[[Months], Case],
    tell: Callable[[int, int], None] | None = None,
    *,
    lagged: bool = False,
) -> tuple[Float, NDArray[np.int64]]:
    """Return the errors of the forecasts of 3D-Var cycled through all consecutive times.

    Where no truth is known, lagged forecasts stand for them: the forecast from the last analysis
    minus that which was made for its time, stepped on without it (Parrish and Derber 1992,
    https://doi.org/10.1175/1520-0493(1992)120<1747:TNMCSS>2.0.CO;2).

    Parameters
    ----------
    bundle : Bundle
    past : Months
        Times, consecutive ones of a member one after another.
    case_of_days : callable
        Makes the case of consecutive times.
    tell : callable, optional
        Called with the number of times done and in all.
    lagged : bool
        Differences of lagged forecasts instead of errors; the truth is not looked at.

    Returns
    -------
    errors : ndarray of float32, shape (n, d)
        Truth minus forecast, standardised; or a forecast minus an earlier one.
    rows : ndarray of int, shape (n,)
        Of ``past``; the first times of a run, whose errors are those of its start, are left out,
        and those without observations.

    Raises
    ------
    UserError
        If no times follow one another for long enough.
    """
    begins = np.ones(len(past), bool)
    begins[runs_of(past, bundle.seasons, 1) + 1] = False
    starts, at = np.flatnonzero(begins), np.arange(len(past))
    found: list[Float] = []
    rows: list[int] = []
    for first, end in zip(starts, [*starts[1:], len(past)], strict=True):
        if end - first <= SPIN_UP + 1:
            continue
        days = past.where((at >= first) & (at < end))
        truth = days.x.reshape(len(days), -1)
        problem = case_of_days(days).problem
        # The last forecast that observations changed, and its cycle; the first of all are changed.
        before: Array | None = None
        at_before = 0
        for step in Cycle(problem, "3dvar").run():
            if tell:
                tell(int(first) + step.cycle + 1, len(past))
            if not step.observed:
                continue
            forecast = step.background.mean
            if step.cycle > SPIN_UP:
                error = truth[step.cycle] - forecast
                if lagged and before is not None:
                    times = problem.steps(at_before, step.cycle)
                    error = forecast - advance(problem.dynamics, before[None], times)[0]
                found.append(error.astype(np.float32))
                rows.append(int(first) + step.cycle)
            before, at_before = forecast, step.cycle
    if not found:
        raise UserError(
            f"No observed {bundle.seasons.step.plural} follow one another for more than "
            f"{SPIN_UP + 1}; errors are learnt from cycles through consecutive ones."
        )
    return np.stack(found), np.array(rows)


def with_training_errors(
    bundle: Bundle,
    learnt: LearntBackground,
    past: Months,
    case_of_days: Callable[[Months], Case],
    tell: Callable[[int, int], None] | None = None,
) -> LearntBackground:
    """Return what was learnt of held-out times with the errors of training times.

    Parameters
    ----------
    bundle : Bundle
    learnt : LearntBackground
        Of held-out times: its factor is kept, and the size of its errors.
    past, case_of_days, tell
        See :func:`errors_of_cycles`; the case has what was learnt.

    Returns
    -------
    LearntBackground
        Whose covariance is of the time of year.
    """
    errors, rows = errors_of_cycles(bundle, past, case_of_days, tell)
    # Where not every time is observed the errors are apart already.
    apart = int(np.median(np.diff(rows))) if len(rows) > 1 else 1
    stride = max(1, EVERY // apart)
    errors, rows = errors[::stride], rows[::stride]
    local = learnt.covariance.localisation
    sample = of_the_season(bundle, errors, past.calendar[rows], learnt.covariance.variance, local)
    return LearntBackground(learnt.factor, sample)


def of_the_season(
    bundle: Bundle,
    errors: Float,
    months: NDArray[np.int64],
    variance: Array,
    localisation: Localisation,
) -> LocalisedSample:
    """Return the covariance of errors by their time of year, of a given size.

    Parameters
    ----------
    bundle : Bundle
    errors : ndarray, shape (n, d)
    months : ndarray of int, shape (n,)
        Their calendar months.
    variance : ndarray, shape (d,)
        To which they are scaled, by one factor a variable and latitude.
    localisation : Localisation
    """
    groups = zones_of(bundle)
    anomalies = errors.astype(np.float64) / np.sqrt(len(errors))
    wanted = mean_in_groups(variance, groups)
    had = mean_in_groups(np.einsum("nd,nd->d", anomalies, anomalies), groups)
    anomalies *= np.sqrt(ratio(wanted, had))
    times = TimesOfYear(months, bundle.seasons, SEASON_WIDTH, SEASON_FLOOR)
    return LocalisedSample(anomalies, localisation, times)
