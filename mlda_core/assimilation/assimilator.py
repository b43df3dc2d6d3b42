"""The assimilator: estimates the state of a month from observations and a bundle's prior."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.analysis import Analysis, Cost, Fit, Step
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.diagnostics import judge
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.gain_cache import Gains
from mlda_core.assimilation.methods import METHODS, method_of, spelled
from mlda_core.assimilation.mode import ModeSearch, distinct_modes
from mlda_core.assimilation.options import Background, Setting, calendar_month, month_asked
from mlda_core.assimilation.posterior.draws_cache import DrawsCache
from mlda_core.assimilation.posterior.ensemble import (
    Ensemble,
    EnsembleStep,
    checked_sampler,
    members_of,
)
from mlda_core.assimilation.posterior.sampler import MEMBERS
from mlda_core.assimilation.problem import (
    Mode,
    Problem,
    cost_of_linear,
    gaussian,
    interpolate,
    kept_variance,
    variance_at,
)
from mlda_core.assimilation.robust import robust_weights
from mlda_core.assimilation.shape import Shape
from mlda_core.assimilation.solver import Point, minimise
from mlda_core.assimilation.tilted import shape_of
from mlda_core.assimilation.validation import setting_of
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError, Places
from mlda_core.observations.intake import observations_of
from mlda_core.observations.loading import Source
from mlda_core.observations.options import TableOptions
from mlda_core.observations.row_kinds import is_plain
from mlda_core.observations.standardised import (
    Observed,
    cover,
    standardise,
    thin,
    thin_observed,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "Assimilator", "Background", "Setting"]

T = TypeVar("T")
Float = NDArray[np.float32]
Array = NDArray[np.float64]

# The sea counts as observed if this fraction of its area has an observation within the distance,
SEA_COVER, SEA_WITHIN_KM = 0.9, 500.0
# and if ensemble OI leaves no more than this fraction of its variance: the background then takes
# SST as known, so observations that constrain it poorly must not determine it.
SEA_UNKNOWN = 0.15
# From this nonlinearity index on, minimisations from different starts differ (design: 0.5).
NONLINEAR = 0.5
STARTS = 3
AS_GIVEN = TableOptions()


@dataclass(frozen=True, eq=False)
class _Inputs:
    """Caller's inputs, kept for the result's diagnostics."""

    table: pd.DataFrame
    n_thinned: int
    began: float


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
        self._lock = threading.Lock()
        self._gains = Gains(bundle)
        self._origins: dict[int, Float] = {}
        self._kept: dict[str, Any] = {}
        self.draws = DrawsCache()

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
        yield from self._dated_steps(setting, table, calendar, notes, month)

    def _dated_steps(
        self,
        setting: Setting,
        table: pd.DataFrame,
        calendar: int,
        notes: tuple[str, ...],
        month: Any,
    ) -> Iterator[Step]:
        """Assimilate a checked table; the analysis has its notes and the month asked for."""
        _check_kinds(setting, table)
        requested = month_asked(month)
        dated = requested if isinstance(requested, str) else ""
        for step in method_of(setting.method).steps(self, table, calendar, setting):
            if step.analysis is None:
                yield step
            else:
                analysis = replace(step.analysis, notes=notes, dated=dated)
                yield replace(step, analysis=analysis)

    def ensemble(
        self,
        observations: Source,
        month: Any,
        *,
        sampler: str = "laplace",
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
        sampler: str = "laplace",
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
        setting, table, calendar, notes = self._validated(observations, month, options, settings)
        *_, last = self._dated_steps(setting, table, calendar, notes, month)
        if last.analysis is None:
            raise RuntimeError("a minimisation ended without its last step")
        problem, _ = self._prepare(table, calendar, setting)
        problem = self._settled(problem)
        draws = self.draws.of(self, problem, members, seed)
        yield from members_of(self, problem, last.analysis, chosen, draws)

    def _validated(
        self, observations: Source, month: Any, options: TableOptions, settings: dict[str, Any]
    ) -> tuple[Setting, pd.DataFrame, int, tuple[str, ...]]:
        """Validate the caller's inputs."""
        setting = setting_of(settings)
        requested = month_asked(month)
        table, notes = observations_of(observations, self.bundle, requested, options)
        return setting, table, calendar_month(requested), notes

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
        return self._settled(self._prepare(table, calendar, setting)[0]), table

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
        problem, inputs = self._prepare(table, month, setting)
        if not problem.is_gaussian:
            yield from self._iterated(problem, inputs)
        elif problem.gain.prior.turn is None:
            if setting.start == "background":
                yield self._background_step(problem)
            yield self._closed_form(problem, inputs)
        else:
            yield from self._nonlinear(problem, inputs)

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
        if not 0 <= row < len(table):
            raise ObservationError(
                f"There is no observation {row + 1}; the table has {len(table)}."
            )
        whole, _ = self._prepare(table, calendar, setting)
        one = whole.every.where(np.array([row]))
        prior = whole.gain.prior
        column = prior.error.columns(one.places)[0].astype(np.float64)
        between = prior.error.between(one.places, one.places)[0, 0] + one.variance[0]
        if prior.factor is not None:
            at = self.bundle.operator.apply(
                one.places, prior.factor.reshape(-1, *self.bundle.mask.shape)
            )[:, 0]
            # Decoder only: without the observation's effect on the representation error.
            part = at @ prior.factor
            column = part if whole.only_decodes else column + part
            between += at @ at
        shape = self.bundle.mask.shape
        before_at = np.asarray(
            self.bundle.operator.apply(one.places, whole.x_b.reshape(shape)), np.float64
        )
        departure = one.value - before_at
        if not one.is_gaussian:
            departure, between = _alone(one, before_at, float(between - one.variance[0]))
        moved = whole.x_b + (column * (departure[0] / between)).astype(np.float32)
        before, after = (self._restore(whole, x, "prior") for x in (whole.x_b, moved))
        return np.asarray(after - before)

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
            problem = self.problem(observed, kept, month, setting)
            out[i] = self.minimum(problem)[1]
        if problem is None:
            raise StateError("There is no month to assimilate; give at least one.")
        return out.reshape(-1, *self.bundle.mask.shape), self.mean_spread(problem, "posterior")

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
        problem, _ = self._prepare(table, calendar, setting)
        transform = problem.gain.prior.turn
        if transform is None:
            raise StateError(
                f"The method {spelled(setting.method)} has no latent vector; use vae to move one "
                "by hand."
            )
        if np.shape(z) != problem.z_b.shape:
            raise StateError(f"A latent vector of this bundle has {problem.z_b.size} numbers.")
        away = np.asarray(z, np.float64) - problem.z_b
        zeta = np.asarray(np.linalg.lstsq(transform, away, rcond=None)[0], np.float64)
        bend = problem.gain.prior.bend
        if bend is not None:
            zeta = bend.zeta(zeta[None])[0]
        if not problem.is_gaussian:
            return ModeSearch(self.bundle, problem).weighed(zeta)
        return problem.decoded_cost(self.bundle).cost(zeta)

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
        problem = self.problem(observed, thin(places, variance), month, setting)
        stage = "latent" if problem.only_decodes else "posterior"
        return kept_variance(problem.gain, stage).reshape(self.bundle.mask.shape)

    # Preparation

    def problem(
        self,
        every: Observed,
        used: NDArray[np.int64],
        month: int,
        setting: Setting,
        weight: Array | None = None,
    ) -> Problem:
        """Prepare an assimilation: background and factors of the network.

        Parameters
        ----------
        every : Observed
        used : ndarray of int
            Rows to use.
        month : int
            Calendar month 1..12.
        setting : Setting
        weight : ndarray, shape (p,), optional
            Robust weights, by which the error variances of these rows are divided.

        Returns
        -------
        Problem
        """
        observed = every.where(used)
        if weight is not None:
            observed = replace(observed, variance=observed.variance / weight)
        method = gaussian(setting)
        x_b, z_b, sea_held = self._background(observed, month, setting)
        holds = sea_held or (method.sea_localisation and self.holds_sea(observed, month))
        gain = self._gains.of(observed, method, month, setting, sea_held=holds)
        return Problem(setting, month, every, used, x_b, z_b, sea_held, gain, weight)

    def _prepare(
        self, table: pd.DataFrame, month: int, setting: Setting
    ) -> tuple[Problem, _Inputs]:
        began = time.perf_counter()
        every = standardise(table, self.bundle, month, error_scale=setting.error_scale)
        offered = np.flatnonzero(~table["withheld"].to_numpy(bool))
        used = offered[thin_observed(every.where(offered))]
        inputs = _Inputs(table, offered.size - used.size, began)
        weight = None
        if setting.robust and used.size:
            # Use the unconditional background: the other one already includes the SST observations.
            first = self.problem(every, used, month, replace(setting, sea_prior=False))
            weight = self._robust(first)
        return self.problem(every, used, month, setting, weight), inputs

    def _robust(self, problem: Problem) -> Array | None:
        """Robust weights of the rows with normal errors; those of others are 1."""
        departures = self.departures(problem, problem.x_b)
        normal = problem.observed.quadratic
        if normal.all():
            return robust_weights(problem.gain, departures)
        found = robust_weights(problem.gain.of_rows(normal), departures[normal])
        if found is None:
            return None
        out = np.ones(len(normal))
        out[normal] = found
        return out

    def _background(
        self, observed: Observed, month: int, setting: Setting
    ) -> tuple[Float, Array, bool]:
        """Background (cells,), standardised, its latent vector, and whether it is given the sea."""
        bundle, given = self.bundle, setting.background
        zero = np.zeros(bundle.n_latent)
        if given is None:
            return gaussian(setting).mean(self, observed, month, setting)
        anomalies: NDArray[np.floating]
        if isinstance(given, str):
            if given == "climatology":
                anomalies, z = np.zeros(bundle.mask.shape), zero
            else:
                anomalies, z = bundle.target(given), bundle.code(given)
        else:
            anomalies, z = given.anomalies, zero if given.z is None else given.z
        if np.shape(anomalies) != bundle.mask.shape or np.shape(z) != zero.shape:
            raise StateError("The background is not a state of this bundle; give one that is.")
        fields = np.asarray(anomalies) + bundle.climatology(month)
        x = bundle.normaliser.standardise(fields[None].astype(np.float64), np.array([month]))
        return np.nan_to_num(x).astype(np.float32).ravel(), np.asarray(z, np.float64), False

    def origin(self, month: int) -> Float:
        """Return the decoded state of z = 0 in a calendar month, standardised, shape (cells,)."""
        if month not in self._origins:
            zero = np.zeros((1, self.bundle.n_latent))
            self._origins[month] = self.bundle.decode_standardised(zero, month).ravel()
        return self._origins[month]

    def holds_sea(self, observed: Observed, month: int) -> bool:
        """Whether SST is observed: nearly everywhere, and accurately enough."""
        bundle, places = self.bundle, observed.places
        if bundle.sea is None or bundle.statistics.sea is None or not len(places):
            return False
        # Reports and means do not make a background: see `mean_under_sea`.
        at_sea = places.where((places.variable == bundle.sea_row) & observed.plain)
        if not len(at_sea):
            return False
        exists = bundle.mask[bundle.sea_row].ravel()
        near = cover(at_sea, bundle.grid.points[exists], SEA_WITHIN_KM)
        area = bundle.grid.weights.ravel()[exists]
        if area[near].sum() < SEA_COVER * area.sum():
            return False
        gain = self.sea_gain(observed, month)
        if "sea_unknown" not in gain.lasting:
            size = bundle.grid.weights.size
            cells = slice(bundle.sea_row * size, (bundle.sea_row + 1) * size)
            before = gain.prior.error.variance[cells]
            known = ((gain.whitener32 @ gain.columns) ** 2).sum(axis=0)
            gain.lasting["sea_unknown"] = (area * (before - known)[exists]).sum() / area.sum()
        return bool(gain.lasting["sea_unknown"] <= SEA_UNKNOWN)

    def sea_gain(self, observed: Observed, month: int) -> Gain:
        """Gain of the SST observations under ensemble OI, for the sea's cells only."""
        sea = observed.where(self.of_sea(observed))
        setting = Setting(method="enoi")
        return self._gains.of(
            sea, gaussian(setting), month, setting, sea_held=False, only=self.bundle.sea_row
        )

    def of_sea(self, observed: Observed) -> NDArray[np.bool_]:
        """Which observations make a background that is conditional on the sea, shape (p,)."""
        return (observed.places.variable == self.bundle.sea_row) & observed.plain

    def mean_under_sea(self, observed: Observed, month: int) -> Float:
        """Output of the sea network for the ensemble OI analysis of SST."""
        bundle = self.bundle
        gain = self.sea_gain(observed, month)
        sea = observed.where(self.of_sea(observed))
        field = gain.columns.T @ gain.residual_weights(sea.value).astype(np.float32)
        field = field.reshape(1, *bundle.grid.shape) * bundle.mask[bundle.sea_row]
        return bundle.mean_under(field, np.array([month])).ravel()

    # Solution

    def minimum(self, problem: Problem) -> tuple[Array, Float]:
        """Return the minimum of the cost, starting from the linear solution.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        zeta : ndarray, shape (L,)
        x : ndarray of float32, shape (cells,)
            The analysis at the minimum, standardised.
        """
        departures = self.departures(problem, problem.x_b)
        if problem.gain.prior.turn is None:
            x, left, zeta = interpolate(problem.gain, problem.x_b, departures)
        else:
            fit = problem.decoded_cost(self.bundle)
            ends = []
            for start in self._starts(problem.gain.linear_solution(departures)):
                *_, last = minimise(
                    fit.value_and_gradient,
                    start,
                    problem.gain.inverse_hessian,
                    max_steps=problem.setting.max_steps,
                    polish=problem.setting.polish,
                )
                ends.append(last)
            zeta = min(ends, key=lambda end: end.cost).x
            x, left = fit.at(zeta)
        return zeta, self._with_error(problem, x, left)

    def _settled(self, problem: Problem) -> Problem:
        """Return the normal problem at the mode, where errors are not normal."""
        if problem.is_gaussian:
            return problem
        modes = self.modes(problem)
        return replace(modes[0].problem, weight=problem.weight, stated=problem, modes=tuple(modes))

    def modes(self, problem: Problem) -> list[Mode]:
        """Return the distinct minima of a cost with other errors than normal ones, lowest first.

        Parameters
        ----------
        problem : Problem
            With the gain of the stated errors.

        Returns
        -------
        list of Mode
            From the starts of :meth:`mlda_core.assimilation.mode.ModeSearch.starts`.
        """
        search = ModeSearch(self.bundle, problem)
        ends = [
            list(search.search(at, start))[-1]
            for at in search.starts()
            for start in self._more_starts(problem)
        ]
        return distinct_modes(ends)

    def _more_starts(self, problem: Problem) -> list[Array | None]:
        """Return starts of zeta: the linear solution (None), and more of a curved decoder."""
        if problem.gain.prior.turn is None:
            return [None]
        return [None, *self._starts(np.zeros(problem.z_b.size))[1:]]

    def _starts(self, first: Array) -> list[Array]:
        """Return where minimisations start: several places where the decoder is curved."""
        starts = [first]
        if self.bundle.settings.nonlinearity >= NONLINEAR:
            rng = np.random.default_rng(0)
            starts += [rng.standard_normal(first.size) for _ in range(STARTS - 1)]
        return starts

    def departures(self, problem: Problem, x: Float) -> Array:
        """Return the observations used minus a state (cells,) at their places, standardised."""
        observed = problem.observed
        fields = x.reshape(self.bundle.mask.shape)
        return np.asarray(observed.value - self.bundle.operator.apply(observed.places, fields))

    def _iterated(self, problem: Problem, inputs: _Inputs) -> Iterator[Step]:
        """Errors that are not normal: rounds of the normal problem, from each start."""
        if problem.setting.start == "background":
            yield self._background_step(problem)
        search = ModeSearch(self.bundle, problem)
        path: list[float] = []
        ends: list[Mode] = []
        for at in search.starts():
            for start in self._more_starts(problem):
                for mode in search.search(at, start):
                    last = mode
                    if not ends and mode.rounds:
                        path.append(mode.cost.total)
                    yield self._round_step(mode)
                ends.append(last)
        modes = distinct_modes(ends)
        best = modes[0]
        shape = shape_of(best, search.likelihoods, len(modes))
        latent, left = self._at_mode(best)
        steps = f"{best.rounds} round{'' if best.rounds == 1 else 's'}"
        words = f"converged in {steps}" if best.converged else f"stopped after {steps}"
        if said := shape.words(problem.used):
            words = f"{words}; {said}"
        point = Point(
            best.zeta,
            best.cost.total,
            np.zeros_like(best.zeta),
            best.rounds,
            best.converged,
            words,
        )
        z = problem.latent(best.zeta)
        settled = replace(best.problem, weight=problem.weight)
        yield self._finish(settled, inputs, point, path, latent, left, z, best.cost, shape)

    def _at_mode(self, mode: Mode) -> tuple[Float, Array]:
        """Return the decoded state (cells,) at a mode, and departures of pseudo-observations."""
        problem = mode.problem
        if problem.gain.prior.turn is not None:
            return problem.decoded_cost(self.bundle).at(mode.zeta)
        factor = problem.gain.prior.factor
        x = problem.x_b
        if factor is not None:
            x = x + mode.zeta.astype(np.float32) @ factor
        return x, self.departures(problem, x)

    def _round_step(self, mode: Mode) -> Step:
        problem = mode.problem

        def fields() -> Float:
            x, left = self._at_mode(mode)
            return self._restore(problem, self._with_error(problem, x, left))

        z = problem.latent(mode.zeta)
        words = f"{mode.rounds} round{'' if mode.rounds == 1 else 's'} so far"
        if not mode.rounds:
            words = "linear solution"
        return Step(mode.rounds, z, mode.cost, 0.0, words, fields)

    def _closed_form(self, problem: Problem, inputs: _Inputs) -> Step:
        """Optimal interpolation: methods whose latent part is linear."""
        gain = problem.gain
        departures = self.departures(problem, problem.x_b)
        latent, left, zeta = interpolate(gain, problem.x_b, departures)
        cost = cost_of_linear(gain, zeta, left)
        point = Point(zeta, cost.total, np.zeros_like(zeta), 0, True, "solved in closed form")
        return self._finish(problem, inputs, point, [cost.total], latent, left, None, cost)

    def _nonlinear(self, problem: Problem, inputs: _Inputs) -> Iterator[Step]:
        gain = problem.gain
        departures = self.departures(problem, problem.x_b)
        from_background = problem.setting.start == "background"
        if from_background:
            zeta = np.zeros(problem.z_b.size)
        else:
            zeta = gain.linear_solution(departures)
            yield self._linear_step(problem, zeta, departures)
        fit = problem.decoded_cost(self.bundle)
        best: Point | None = None
        path: list[float] = []
        ends: list[float] = []
        for start in self._starts(zeta):
            last: Point | None = None
            for point in minimise(
                fit.value_and_gradient,
                start,
                gain.inverse_hessian,
                max_steps=problem.setting.max_steps,
                polish=problem.setting.polish,
            ):
                last = point
                if start is zeta:
                    path.append(point.cost)
                if from_background and start is zeta and not point.index:
                    yield self._background_step(problem)
                    continue
                yield self._step(problem, fit, point)
            if last is not None:
                ends.append(last.cost)
                if best is None or last.cost < best.cost:
                    best = last
        if best is None:
            raise RuntimeError("a minimisation made no step")
        if len(ends) > 1 and max(ends) - min(ends) > 0.01 * min(ends) + 0.5:
            best = replace(
                best, words=f"{best.words}; {len(ends)} starts disagree, the lowest is shown"
            )
        x, left = fit.at(best.x)
        cost = fit.cost(best.x)
        yield self._finish(problem, inputs, best, path, x, left, fit.z(best.x), cost)

    def _linear_step(self, problem: Problem, zeta: Array, departures: Array) -> Step:
        gain = problem.gain
        left = departures - gain.latent @ zeta
        cost = cost_of_linear(gain, zeta, left)
        factor, turn, bend = gain.prior.factor, gain.prior.turn, gain.prior.bend

        def fields() -> Float:
            x = problem.x_b
            if factor is not None:
                x = x + zeta.astype(np.float32) @ factor
            return self._restore(problem, self._with_error(problem, x, left))

        away = zeta if bend is None else bend.departures(zeta[None])[0]
        z = problem.z_b + (away if turn is None else turn @ away)
        return Step(0, z, cost, 0.0, "linear solution", fields)

    def _background_step(self, problem: Problem) -> Step:
        """Return the state before any observation, without a residual analysis."""
        departures = self.departures(problem, problem.x_b)
        # At z_b the cost of the linear problem is that of the decoder.
        cost = cost_of_linear(problem.gain, np.zeros(problem.z_b.size), departures)

        def fields() -> Float:
            return self._restore(problem, problem.x_b, "prior")

        z = None if problem.gain.prior.turn is None else problem.z_b
        return Step(0, z, cost, 0.0, "the background", fields)

    def _step(self, problem: Problem, fit: DecodedCost, point: Point) -> Step:
        def fields() -> Float:
            x, left = fit.at(point.x)
            return self._restore(problem, self._with_error(problem, x, left))

        norm = float(np.linalg.norm(point.gradient))
        cost = fit.cost(point.x)
        return Step(point.index + 1, fit.z(point.x), cost, norm, point.words, fields)

    def _with_error(self, problem: Problem, x: Float, left: Array) -> Float:
        """Add the residual analysis ``B H^T S^-1 (y - H x)``."""
        gain = problem.gain
        if problem.only_decodes or not len(left):
            return x
        weights = gain.residual_weights(left).astype(np.float32)
        return np.asarray(x + weights @ gain.columns)

    def _finish(  # noqa: PLR0913, PLR0917 - one result, put together
        self,
        problem: Problem,
        inputs: _Inputs,
        point: Point,
        path: list[float],
        latent: Float,
        left: Array,
        z: Array | None,
        cost: Cost,
        shape: Shape | None = None,
    ) -> Step:
        x = self._with_error(problem, latent, left)
        month, gain = problem.month, problem.gain
        departures = self.departures(problem, problem.x_b)
        background = self._restore(problem, problem.x_b, "prior")
        anomalies = self._restore(problem, x)
        table, worst = judge(
            self.bundle, problem, inputs.table, x, departures, background, anomalies
        )
        fit = Fit(
            n_used=problem.used.size,
            n_withheld=int(inputs.table["withheld"].to_numpy(bool).sum()),
            n_thinned=inputs.n_thinned,
            chi_squared=_chi_squared(problem, departures),
            degrees_of_freedom=gain.degrees_of_freedom if departures.size else 0.0,
            seconds=time.perf_counter() - inputs.began,
        )
        words = f"{point.words}; {worst}" if worst else point.words
        if not problem.used.size:
            words = "nothing is observed: this is the background"
        analysis = Analysis(
            method=problem.setting.method,
            month=month,
            z=z,
            anomalies=anomalies,
            latent_only=(anomalies if latent is x else self._restore(problem, latent, "latent")),
            background=background,
            standardised=x.reshape(self.bundle.mask.shape),
            cost=cost,
            path=tuple(path),
            converged=point.converged,
            outcome=words,
            observations=table,
            statistics=fit,
            sea_held=problem.sea_held,
            spread_of=lambda: self._spreads(problem, x),
            bundle=self.bundle,
            shape=shape,
        )
        norm = float(np.linalg.norm(point.gradient))
        return Step(point.index + 1, z, cost, norm, words, lambda: anomalies, analysis)

    # Physical units

    def _restore(self, problem: Problem, x: Float, stage: str = "posterior") -> Float:
        """Anomalies in display units: means over the spread of a stage."""
        return physical.anomalies(self.bundle, x, problem.month, self.mean_spread(problem, stage))

    def mean_spread(self, problem: Problem, stage: str = "posterior") -> Float:
        """Return the spread over which a physical estimate is averaged.

        Parameters
        ----------
        problem : Problem
        stage : {"posterior", "latent", "prior"}

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Standardised; zero for variables without a nonlinear transform.
        """
        if problem.only_decodes and stage == "posterior":
            stage = "latent"
        if problem.setting.background is not None:
            # A given background is not averaged: without observations the analysis equals it.
            return np.zeros(self.bundle.mask.shape, np.float32)
        gain = problem.gain
        name = f"{stage} mean spread"
        if name not in gain.lasting:
            out = np.zeros(self.bundle.mask.shape, np.float32)
            size = self.bundle.grid.weights.size
            for v, variable in enumerate(self.bundle.variables):
                if variable.transform != "none":
                    cells = slice(v * size, (v + 1) * size)
                    out[v] = np.sqrt(variance_at(gain, stage, cells)).reshape(out[v].shape)
            gain.lasting[name] = out
        found: Float = gain.lasting[name]
        return found

    def _spreads(self, problem: Problem, x: Float) -> tuple[Float, Float]:
        """Posterior and climatological standard deviation, display units."""
        bundle = self.bundle
        stage = "latent" if problem.only_decodes else "posterior"
        sd = np.sqrt(kept_variance(problem.gain, stage)).reshape(bundle.mask.shape)
        return (
            physical.spread(bundle, x.reshape(bundle.mask.shape), sd, problem.month),
            physical.climatological_spread(bundle, problem.month),
        )


def _check_kinds(setting: Setting, table: pd.DataFrame) -> None:
    """Refuse kinds of observations that a method cannot take.

    Raises
    ------
    StateError
        Naming the rows.
    """
    if method_of(setting.method).takes_kinds:
        return
    bad = np.flatnonzero(~is_plain(table) & ~table["withheld"].to_numpy(bool))
    if bad.size:
        rows = ", ".join(str(int(row) + 1) for row in bad[:5])
        more = f" and {bad.size - 5} more" if bad.size > 5 else ""
        fitting = spelled(*(k for k, m in METHODS.items() if m.takes_kinds and m.posterior))
        raise StateError(
            f"The method {spelled(setting.method)} takes values at places only, and observation"
            f"{'s' if bad.size > 1 else ''} {rows}{more} {'are' if bad.size > 1 else 'is'} of "
            f"another kind; withhold {'them' if bad.size > 1 else 'it'}, or use one of {fitting}."
        )


def _chi_squared(problem: Problem, departures: Array) -> float:
    """Chi-squared an observation, of those with normal errors; NaN where there are none."""
    normal = problem.observed.quadratic
    if not normal.any():
        return float("nan")
    if normal.all():
        return problem.gain.chi_squared(departures)
    return problem.gain.of_rows(normal).chi_squared(departures[normal])


def _alone(one: Observed, before: Array, variance: float) -> tuple[Array, float]:
    """Departure and its variance of the normal observation that stands for a single one.

    At the mode of its posterior, given the prior's variance of what it observes.
    """
    if one.likelihoods is None:
        raise ValueError("a value needs no iteration")
    f, gain = before, 0.0
    for _ in range(200):
        value, error = one.likelihoods.pseudo(f, one.likelihoods.weight(f))
        gain = variance / (variance + float(error[0]))
        ahead = before + gain * (value - before)
        if np.abs(ahead - f).max() < 1e-9:
            break
        f = ahead
    return f - before, variance
