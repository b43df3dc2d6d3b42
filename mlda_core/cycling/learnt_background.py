"""Background errors learnt from cycles: how far to trust a forecast, and how it errs.

A forecast from an analysis errs several times more than one from the truth, and where it is worse
than climatology it must be drawn towards it. Both are learnt from a cycle over held-out times whose
truth is known, and the cycle is run again with what it taught; two or three rounds settle. The
covariance of a cycle's own errors is that of Desroziers and others' consistent cycles (2005,
https://doi.org/10.1256/qj.05.108), estimated from the truth instead of from innovations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from mlda_core.bundle.files import DAMAGE, read_tensors, reason_of
from mlda_core.climate.errors import UserError
from mlda_core.climate.seasons import Seasons
from mlda_core.cycling.covariance import LocalisedSample, TimesOfYear
from mlda_core.cycling.cycle import CycledStep
from mlda_core.cycling.groups import mean_in_groups, ratio
from mlda_core.cycling.localisation import Localisation
from mlda_core.forecast.dynamics import Dynamics, Time
from mlda_core.forecast.model_error import ModelError

Array = NDArray[np.float64]
# Cycles at the start whose errors are those of climatology still.
SPIN_UP = 10
# The factors swing from round to round: after the first, half of each change is made.
ROUNDS, WEIGHT = 5, 0.5
# Of climatology in the covariance that a cycle uses.
SHARE = 0.5
# Weights of a sample's members by their time of year, of a thousand days and more: months, and
# least. Of a single year of days the wide ones are better (WIDE_SEASON, as of the autoencoder).
SEASON_WIDTH, SEASON_FLOOR = 1.0, 0.0
WIDE_SEASON = (1.8, 0.1)
_MONTHS = set(range(1, 13))


@dataclass(frozen=True, eq=False)
class DampedDynamics:
    """A forecast drawn towards climatology.

    Parameters
    ----------
    dynamics : Dynamics
    factor : ndarray, shape (d,)
        Of each component after a step: 1 trusts the forecast, 0 is climatology.
    """

    dynamics: Dynamics
    factor: Array

    @property
    def name(self) -> str:
        """That of the forecast."""
        return self.dynamics.name

    @property
    def size(self) -> int:
        """Number of components of a state."""
        return self.dynamics.size

    @property
    def model_error(self) -> ModelError | None:
        """That of the forecast."""
        return self.dynamics.model_error

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        factor = torch.from_numpy(self.factor).to(states.dtype)
        return self.dynamics.step(states, time) * factor


@dataclass(frozen=True, eq=False)
class LearntBackground:
    """What a cycle taught.

    Parameters
    ----------
    factor : ndarray, shape (d,)
        By which the forecast is drawn towards climatology.
    covariance : LocalisedSample
        Of the errors of the forecast so drawn.
    """

    factor: Array
    covariance: LocalisedSample


def learn_background(
    steps: Iterable[CycledStep],
    truth: NDArray[np.floating[Any]],
    localisation: Localisation,
    before: Array,
    groups: NDArray[np.int64],
    *,
    weight: float = 1.0,
    spin_up: int = SPIN_UP,
) -> LearntBackground:
    """Learn from a cycle over times whose truth is known.

    Parameters
    ----------
    steps : iterable of CycledStep
        A run with the forecast drawn by ``before``.
    truth : ndarray, shape (cycles + 1, d)
    localisation : Localisation
        Of the covariance.
    before : ndarray, shape (d,)
        The factor of the run.
    groups : ndarray of int, shape (d,)
        Components that share a factor: the regression on a year of one cell is noise.
    weight : float
        Of the regression, 0 to 1; the factor before has the rest.
    spin_up : int
        Cycles at the start that are left out.

    Returns
    -------
    LearntBackground

    Raises
    ------
    UserError
        If no cycle that counts has observations.
    """
    kept = [
        (np.asarray(step.background.mean, np.float32), truth[step.cycle], step.observed)
        for step in steps
        if step.cycle > spin_up
    ]
    if not any(seen for _, _, seen in kept):
        raise UserError(
            f"No cycle after the first {spin_up} has observations; give more times, or observe "
            "more often."
        )
    forecasts, true, observed = (np.stack(part) for part in zip(*kept, strict=True))
    product, square = (
        mean_in_groups(one.sum(axis=0), groups) for one in (forecasts * true, forecasts**2)
    )
    more = ratio(product, square)
    factor = before + weight * (np.clip(before * more, 0.0, 1.0) - before)
    drawn = np.divide(factor, before, out=np.zeros_like(factor), where=before > 0)
    # Of the cycles that are to be analysed: on the way to them a forecast errs less.
    errors = (forecasts * drawn - true)[observed].astype(np.float64) / np.sqrt(observed.sum())
    return LearntBackground(factor, LocalisedSample(errors, localisation))


def hybrid(
    errors: LocalisedSample,
    climatology: LocalisedSample,
    groups: NDArray[np.int64],
    share: float = SHARE,
) -> LocalisedSample:
    """Return a covariance of errors that takes a share from climatology's, scaled to the errors'.

    A year of errors is a small sample: where they hardly hang together its covariances are noise.
    Hamill and Snyder 2000, https://doi.org/10.1175/1520-0493(2000)128<2905:AHEKFV>2.0.CO;2.

    Parameters
    ----------
    errors, climatology : LocalisedSample
    groups : ndarray of int, shape (d,)
        Components that share the factor by which climatology's spread is scaled.
    share : float
        Of climatology, 0 to 1.
    """
    wanted, had = (mean_in_groups(one.variance, groups) for one in (errors, climatology))
    scale = np.sqrt(ratio(wanted, had))
    parts = errors.anomalies * np.sqrt(1.0 - share), climatology.anomalies * scale * np.sqrt(share)
    if errors.times is None or climatology.times is None:
        return LocalisedSample(np.concatenate(parts), errors.localisation)
    # Weights have a mean of one in each sample, and nearly so in both together.
    times = errors.times.and_of(climatology.times)
    return LocalisedSample(np.concatenate(parts), errors.localisation, times)


def in_rounds(
    run: Callable[[Array, LocalisedSample | None], Iterable[CycledStep]],
    truth: NDArray[np.floating[Any]],
    localisation: Localisation,
    groups: NDArray[np.int64],
    rounds: int = ROUNDS,
    tell: Callable[[int, LearntBackground], None] | None = None,
) -> LearntBackground:
    """Run a cycle, learn from it, and run it again with what it taught.

    Parameters
    ----------
    run : callable
        Returns a run with a factor and a covariance of background errors; None is the
        climatology's.
    truth, localisation, groups
        See :func:`learn_background`.
    rounds : int
    tell : callable, optional
        Called after each round.

    Returns
    -------
    LearntBackground
    """
    factor: Array = np.ones(truth.shape[1])
    covariance = None
    for i in range(rounds):
        weight = WEIGHT if i else 1.0
        learnt = learn_background(
            run(factor, covariance), truth, localisation, factor, groups, weight=weight
        )
        factor, covariance = learnt.factor, learnt.covariance
        if tell:
            tell(i, learnt)
    return learnt


def save_background(path: Path, learnt: LearntBackground) -> None:
    """Write what a cycle taught as safetensors; the errors as halves, 20 MB of a year of days."""
    times = learnt.covariance.times
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    errors = torch.from_numpy(learnt.covariance.anomalies)
    # A year of errors is divided by the root of their number: in units of halves, no digit is lost.
    tensors = {
        "factor": torch.from_numpy(learnt.factor),
        "errors": (errors * len(errors) ** 0.5).half().contiguous(),
    }
    if times is not None:
        tensors["months"] = torch.from_numpy(times.months)
    save_file(tensors, part)
    part.replace(path)


def load_background(
    path: Path, localisation: Localisation, seasons: Seasons | None = None
) -> LearntBackground:
    """Read what a cycle taught.

    Parameters
    ----------
    path : Path
        As :func:`save_background` wrote it.
    localisation : Localisation
        Of the covariance.
    seasons : Seasons, optional
        Of the states, where the errors weigh by their time of year.

    Raises
    ------
    UserError
        If it is no such file, or of states of another size.
    """
    try:
        tensors = read_tensors(path)
        factor, errors = tensors["factor"].double().numpy(), tensors["errors"].double().numpy()
        months = tensors["months"].long().numpy() if "months" in tensors else None
    except DAMAGE as problem:
        raise UserError(
            f"{path} holds no background errors ({reason_of(problem)}); make it with "
            "'mlda cycle learn'."
        ) from problem
    size = localisation.groups.size
    fits = factor.shape == (size,) and errors.ndim == 2 and errors.shape[1] == size
    if months is not None:
        fits = fits and months.shape == errors.shape[:1] and set(months.tolist()) <= _MONTHS
    if not fits:
        raise UserError(
            f"{path} has background errors of {factor.size} components, a state of this bundle "
            f"{size}; learn them for this bundle with 'mlda cycle learn'."
        )
    times = None
    if months is not None and seasons is not None:
        times = TimesOfYear(months, seasons, SEASON_WIDTH, SEASON_FLOOR)
    sample = LocalisedSample(errors / np.sqrt(len(errors)), localisation, times)
    return LearntBackground(factor, sample)
