"""The assimilator: estimates the state of a month from observations and a bundle's prior."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.analysis import Analysis, Cost, Step
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.methods import METHODS, method_of
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.mode import ModeSearch, about_modes, modes_of
from mlda_core.assimilation.mode_steps import mode_steps
from mlda_core.assimilation.options import Background, Setting, season_asked, time_asked
from mlda_core.assimilation.posterior.draws_cache import DrawsCache
from mlda_core.assimilation.posterior.ensemble import (
    Ensemble,
    EnsembleStep,
    checked_sampler,
    members_of,
)
from mlda_core.assimilation.posterior.sampler import MEMBERS, SAMPLER
from mlda_core.assimilation.preparation import Preparation, Prepared
from mlda_core.assimilation.problem import Problem, gaussian
from mlda_core.assimilation.single_increment import single_increment
from mlda_core.assimilation.solved import LastSolved
from mlda_core.assimilation.spread import mean_spread, posterior_variance, scaled_variance
from mlda_core.assimilation.steps import closed_form_steps, decoded_steps
from mlda_core.assimilation.validation import check_kinds, setting_of
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import Places
from mlda_core.observations.intake import observations_of
from mlda_core.observations.loading import Source
from mlda_core.observations.options import TableOptions
from mlda_core.observations.standardised import Observed, thin

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "Assimilator", "Background", "Setting"]

T = TypeVar("T")
Float = NDArray[np.float32]
Array = NDArray[np.float64]

AS_GIVEN = TableOptions()


class Assimilator:
    """Assimilates observations with the prior of a bundle.

    One instance serves many threads; factors of networks and columns of covariances are cached, so
    that new values at known places need no factorisation.

    Parameters
    ----------
    bundle : Bundle

    Raises
    ------
    BundleError
        If the bundle has no statistics for assimilation.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        # Report damaged files here rather than during an assimilation.
        _ = bundle.statistics, bundle.settings, bundle.sea
        self.preparation = Preparation(bundle)
        self.draws = DrawsCache(self.preparation.sea)
        self._solved = LastSolved()
        self._lock = threading.Lock()
        self._kept: dict[str, Any] = {}

    def run(
        self,
        observations: Source,
        month: Any,
        *,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> Analysis:
        """Assimilate.

        Parameters
        ----------
        observations : DataFrame, list of dict, dict of columns, Dataset, Path, str or bytes
            As for :func:`mlda_core.observations.table.read`, which checks them; its own results
            are not checked again. Of observations with months, those of ``month`` are used.
        month : str, date, datetime64, Timestamp, Period or int
            ``YYYY-MM``, or any date of the month: determines climatology and spread. A calendar
            month 1..12 is enough for observations without a year.
        options : TableOptions
            How to read the observations; of a checked table, only ``keep_codes`` applies.
        **settings
            Attributes of :class:`Setting`.

        Returns
        -------
        Analysis
            Its ``notes`` are notes to the user from the check.

        Warns
        -----
        ObservationWarning
            For each of these notes.

        Raises
        ------
        ObservationError
            If any observation is invalid: the message names the rows.
        StateError
            If a setting or the month is invalid.
        """
        analysis = None
        for step in self.steps(observations, month, options=options, **settings):
            analysis = step.analysis
        if analysis is None:
            raise RuntimeError("a minimisation ended without its last step")
        return analysis

    def steps(
        self,
        observations: Source,
        month: Any,
        *,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> Iterator[Step]:
        """Assimilate step by step; closing the generator cancels.

        Parameters
        ----------
        observations, month, options, **settings
            As for :meth:`run`.

        Yields
        ------
        Step
            The linear solution first, or the background where ``start`` says so; the last has
            the analysis.
        """
        setting, table, calendar, notes = self._validated(observations, month, options, settings)
        for step in method_of(setting.method).steps(self, table, calendar, setting):
            yield _annotated(step, notes, month, self.bundle)

    def ensemble(
        self,
        observations: Source,
        month: Any,
        *,
        sampler: str = SAMPLER,
        members: int = MEMBERS,
        seed: int = 0,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> Ensemble:
        """Draw states from the posterior.

        Parameters
        ----------
        observations, month, options, **settings
            As for :meth:`run`; the method must have a posterior.
        sampler : str
            One of :data:`mlda_core.assimilation.posterior.samplers.SAMPLERS`.
        members : int
            From 2 to :data:`mlda_core.assimilation.posterior.sampler.MOST_MEMBERS`.
        seed : int
            Not negative. A member is the same draw of prior and errors whatever is observed, as
            long as the prior's covariance is the same: it changes with the number of places.

        Returns
        -------
        Ensemble

        Warns
        -----
        ObservationWarning
            As for :meth:`run`.

        Raises
        ------
        ObservationError, StateError
            As for :meth:`run`; if the method or the bundle cannot be sampled so.
        """
        ensemble = None
        for step in self.ensemble_steps(
            observations,
            month,
            sampler=sampler,
            members=members,
            seed=seed,
            options=options,
            **settings,
        ):
            ensemble = step.ensemble
        if ensemble is None:
            raise RuntimeError("a sampler ended without its members")
        return ensemble

    def ensemble_steps(
        self,
        observations: Source,
        month: Any,
        *,
        sampler: str = SAMPLER,
        members: int = MEMBERS,
        seed: int = 0,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> Iterator[EnsembleStep]:
        """Draw states from the posterior step by step; closing the generator cancels.

        Parameters
        ----------
        observations, month, sampler, members, seed, options, **settings
            As for :meth:`ensemble`.

        Yields
        ------
        EnsembleStep
            The last has the ensemble.
        """
        chosen = checked_sampler(setting_of(settings), sampler, members, seed)
        chosen.check(self.bundle)
        setting, table, calendar, notes = self._validated(observations, month, options, settings)
        solution = _Solution(self.preparation.of_table(table, calendar, setting))
        *_, last = solution.steps()
        if last.analysis is None:
            raise RuntimeError("a minimisation ended without its last step")
        analysis = replace(last.analysis, notes=notes, dated=_dated(month, self.bundle))
        draws = self.draws.of(solution.problem, members, seed)
        yield from members_of(solution.problem, analysis, chosen, draws)

    def _validated(
        self, observations: Source, month: Any, options: TableOptions, settings: dict[str, Any]
    ) -> tuple[Setting, pd.DataFrame, int, tuple[str, ...]]:
        """Validate the caller's inputs."""
        setting = setting_of(settings)
        requested = time_asked(month, self.bundle.seasons)
        table, notes = observations_of(observations, self.bundle, requested, options)
        check_kinds(setting, table)
        return setting, table, season_asked(requested, self.bundle.seasons), notes

    def prepared(
        self,
        observations: Source,
        month: Any,
        *,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> tuple[Problem, pd.DataFrame]:
        """Prepare an assimilation with a Gaussian prior, for what follows without its solution.

        Parameters
        ----------
        observations, month, options, **settings
            As for :meth:`run`; the method must have a posterior.

        Returns
        -------
        problem : Problem
            With errors that are not normal, that of the pseudo-observations at the mode.
        table : DataFrame
            The checked observations, a row for each of ``problem.every``.

        Raises
        ------
        ObservationError, StateError
            As for :meth:`run`.
        """
        setting, table, calendar, _ = self._validated(observations, month, options, settings)
        gaussian(setting)
        known = self._solved.find(setting, calendar, table)
        if known is not None:
            return known, table
        problem = self.preparation.of_table(table, calendar, setting).problem
        if not problem.is_gaussian:
            problem = about_modes(problem, modes_of(problem))
            self._solved.keep(setting, calendar, table, problem)
        return problem, table

    def gaussian_steps(self, table: pd.DataFrame, month: int, setting: Setting) -> Iterator[Step]:
        """Assimilate with a Gaussian prior: in closed form, or by minimising over z.

        Parameters
        ----------
        table : DataFrame
            Checked observations.
        month : int
            Calendar month 1..12.
        setting : Setting
            With a :class:`mlda_core.assimilation.method.GaussianMethod`.

        Yields
        ------
        Step
            The last has the analysis.
        """
        solution = _Solution(self.preparation.of_table(table, month, setting))
        yield from solution.steps()
        self._solved.keep(setting, month, table, solution.problem)

    def influence(
        self,
        observations: Source,
        month: Any,
        row: int,
        *,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> Float:
        """Return the increment of one observation assimilated alone.

        Parameters
        ----------
        observations, month, options, **settings
            As for :meth:`run`.
        row : int
            Index among the month's observations, from 0.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units.

        Raises
        ------
        ObservationError
            If there is no such row, or it is invalid.
        """
        setting, table, calendar, _ = self._validated(observations, month, options, settings)
        return single_increment(self.preparation.of_table(table, calendar, setting).problem, row)

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Return a method's cached object that depends on the bundle only, such as a regression.

        Parameters
        ----------
        name : str
            Unique to the method.
        make : callable
            Creates it at first use.
        """
        with self._lock:
            if name not in self._kept:
                self._kept[name] = make()
            return cast("T", self._kept[name])

    def states(
        self,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        **settings: Any,
    ) -> tuple[Float, Float]:
        """Assimilate many months of one network, without diagnostics.

        Parameters
        ----------
        places : Places
        variance : ndarray, shape (p,)
            Of the observation errors, standardised.
        values : ndarray, shape (m, p)
            Standardised anomalies, one row for each month.
        month : int
            Calendar month 1..12 of all.
        **settings
            Attributes of :class:`Setting`.

        Returns
        -------
        x : ndarray of float32, shape (m, V, lat, lon)
            Standardised analyses.
        sd : ndarray of float32, shape (V, lat, lon)
            Spread over which the physical estimate is averaged; zero where that has no effect.

        Raises
        ------
        StateError
            If there are no months.
        """
        if not len(values):
            raise StateError("There is no month to assimilate; give at least one.")
        setting = setting_of(settings)
        if setting.robust:
            raise StateError("Robust weights differ from month to month; run each by itself.")
        return method_of(setting.method).states(self, places, variance, values, month, setting)

    def gaussian_states(
        self, places: Places, variance: Array, values: Array, month: int, setting: Setting
    ) -> tuple[Float, Float]:
        """Assimilate months with a Gaussian prior; see :meth:`states`."""
        kept = thin(places, variance)
        out = np.empty((len(values), self.bundle.mask.size), np.float32)
        problem = None
        for i, row in enumerate(values):
            observed = Observed(places, row, variance)
            problem = self.preparation.problem(observed, kept, month, setting)
            out[i] = minimum(problem)[1]
        if problem is None:
            raise StateError("There is no month to assimilate; give at least one.")
        return out.reshape(-1, *self.bundle.mask.shape), mean_spread(problem)

    def cost_of(
        self,
        z: NDArray[np.floating],
        observations: Source,
        month: Any,
        *,
        options: TableOptions = AS_GIVEN,
        **settings: Any,
    ) -> Cost:
        """Return the cost of a latent vector, as minimised by :meth:`run`.

        Parameters
        ----------
        z : ndarray, shape (L,)
        observations, month, options, **settings
            As for :meth:`run`.

        Returns
        -------
        Cost

        Raises
        ------
        StateError
            If the method has no latent vector.
        """
        setting, table, calendar, _ = self._validated(observations, month, options, settings)
        problem = self.preparation.of_table(table, calendar, setting).problem
        zeta = problem.zeta(z)
        if not problem.is_gaussian:
            return ModeSearch(problem).weighed(zeta)
        return DecodedCost(problem).cost(zeta)

    def posterior_variance(
        self, places: Places, variance: Array, month: int, **settings: Any
    ) -> Float:
        """Return the variance of the analysis error, standardised.

        Parameters
        ----------
        places, variance, month, **settings
            As for :meth:`states`; it does not depend on the observed values.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
        """
        setting = setting_of(settings)
        observed = Observed(places, np.zeros(len(places)), variance)
        problem = self.preparation.problem(observed, thin(places, variance), month, setting)
        return posterior_variance(problem).reshape(self.bundle.mask.shape)

    def scaled_variances(
        self, places: Places, variance: Array, values: Array, month: int, **settings: Any
    ) -> Float:
        """Return the variance of each month's analysis error, standardised.

        That of :meth:`posterior_variance`, by what the month's observations say of its size: the
        square of ``Analysis.spread``.

        Parameters
        ----------
        places, variance, values, month, **settings
            As for :meth:`states`.

        Returns
        -------
        ndarray of float32, shape (m, V, lat, lon)
        """
        setting, kept = setting_of(settings), thin(places, variance)
        out = np.empty((len(values), *self.bundle.mask.shape), np.float32)
        for i, row in enumerate(values):
            observed = Observed(places, row, variance)
            problem = self.preparation.problem(observed, kept, month, setting)
            out[i] = scaled_variance(problem).reshape(out[i].shape)
        return out


class _Solution:
    """The solution of a prepared problem, step by step; then the problem at its mode."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        # With errors that are not normal that of the pseudo-observations, once solved.
        self.problem = prepared.problem

    def steps(self) -> Iterator[Step]:
        """Solve: in closed form, by minimising over zeta, or round by round."""
        if not self.problem.is_gaussian:
            self.problem = yield from mode_steps(self._prepared)
        elif self.problem.gain.prior.turn is None:
            yield from closed_form_steps(self._prepared)
        else:
            yield from decoded_steps(self._prepared)


def _annotated(step: Step, notes: tuple[str, ...], month: Any, bundle: Bundle) -> Step:
    """Give the analysis of a step the notes on its observations, and the month asked for."""
    if step.analysis is None:
        return step
    return replace(step, analysis=replace(step.analysis, notes=notes, dated=_dated(month, bundle)))


def _dated(month: Any, bundle: Bundle) -> str:
    """Return the month or day asked for as its label; '' if a season was."""
    requested = time_asked(month, bundle.seasons)
    return requested if isinstance(requested, str) else ""
