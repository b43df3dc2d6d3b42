"""A posterior ensemble, and how it is made of a prepared assimilation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.methods import WITH_WHOLE_POSTERIOR, spelled
from mlda_core.assimilation.posterior.sampler import (
    EVENTS,
    LEAST_MEMBERS,
    MOST_MEMBERS,
    Sampler,
)
from mlda_core.assimilation.posterior.samplers import SAMPLERS, sampler_of
from mlda_core.assimilation.problem import Problem, gaussian
from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    import xarray as xr

    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """States drawn from the posterior of a month: equally likely, given the observations.

    Parameters
    ----------
    analysis : Analysis
        Of the same observations.
    anomalies : ndarray of float32, shape (n, V, lat, lon)
        Members in display units, NaN where a variable does not exist.
    z : ndarray, shape (n, L), optional
        Their latent vectors; None for methods without a decoder.
    sampler : str
        A key of ``SAMPLERS``.
    seed : int
    outcome : str
        Outcome, as text.
    n_minima : int
        Number of distinct minima of the cost that members come from.
    seconds : float
        Computing time, without that of the analysis.
    """

    analysis: Analysis
    anomalies: Float
    z: Array | None
    sampler: str
    seed: int
    outcome: str
    n_minima: int
    seconds: float

    def __len__(self) -> int:
        return len(self.anomalies)

    def __repr__(self) -> str:
        """Summarise the ensemble in two lines."""
        when = self.analysis.dated or self.analysis.bundle.seasons.name(self.analysis.month)
        return (
            f"<Ensemble of {len(self)} members of {when} by {spelled(self.analysis.method)}, "
            f"bundle {self.bundle.name};\n {SAMPLERS[self.sampler].label}: {self.outcome}>"
        )

    @property
    def bundle(self) -> Bundle:
        """The bundle used."""
        return self.analysis.bundle

    @property
    def mean(self) -> Float:
        """Mean of the members, display units, (V, lat, lon)."""
        return np.asarray(self.anomalies.mean(axis=0))

    @property
    def spread(self) -> Float:
        """Standard deviation of the members, display units, (V, lat, lon)."""
        return np.asarray(self.anomalies.std(axis=0, ddof=1))

    def probability(self, variable: str, threshold: float | Float, *, below: bool = False) -> Float:
        """Return the fraction of members above a threshold, or below it.

        Parameters
        ----------
        variable : str
            CF short name.
        threshold : float or ndarray, shape (lat, lon)
            Anomaly in display units.
        below : bool

        Returns
        -------
        ndarray of float32, shape (lat, lon)
            0 to 1; NaN where the variable does not exist.

        Raises
        ------
        StateError
            If the bundle has no such variable.
        """
        names = [v.name for v in self.bundle.variables]
        if variable not in names:
            raise StateError(
                f"There is no variable '{variable[:24]}' here; use one of {', '.join(names)}."
            )
        row = names.index(variable)
        fields = self.anomalies[:, row]
        part = (fields < threshold) if below else (fields > threshold)
        return _share(part, self.bundle.mask[row])

    def most_different(self, variable: str = "") -> tuple[int, int]:
        """Return the two members that differ most.

        Parameters
        ----------
        variable : str
            CF short name; by default all, each in units of its own mean spread.

        Returns
        -------
        tuple of int
            Their numbers from 0, the smaller first; of the greatest root-mean-square difference by
            area.

        Raises
        ------
        StateError
            If the bundle has no such variable.
        """
        names = [v.name for v in self.bundle.variables]
        if variable and variable not in names:
            raise StateError(
                f"There is no variable '{variable[:24]}' here; use one of {', '.join(names)}."
            )
        rows = [names.index(variable)] if variable else list(range(len(names)))
        square = np.zeros((len(self), len(self)))
        for row in rows:
            weight = self.bundle.grid.weights * self.bundle.mask[row]
            fields = np.nan_to_num(self.anomalies[:, row] - self.mean[row])
            parts = (fields * np.sqrt(weight)).reshape(len(self), -1).astype(np.float64)
            products = parts @ parts.T
            size = np.diag(products)
            square += (size[:, None] + size[None, :] - 2.0 * products) / max(size.mean(), 1e-30)
        i, j = np.unravel_index(int(square.argmax()), square.shape)
        return min(int(i), int(j)), max(int(i), int(j))

    def event_probability(self, event: str) -> Float:
        """Return the fraction of members in which an event happens, for every variable.

        Parameters
        ----------
        event : str
            One of :data:`mlda_core.assimilation.posterior.sampler.EVENTS`: above the usual month,
            or in the upper or lower fifth of months of the base period.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            0 to 1; NaN where a variable does not exist.

        Raises
        ------
        StateError
            If there is no such event.
        """
        if event not in EVENTS:
            raise StateError(
                f"There is no event '{str(event)[:24]}'; use one of {', '.join(EVENTS)}."
            )
        bundle, limit = self.bundle, EVENTS[event][1]
        threshold = np.zeros(bundle.mask.shape)
        if limit:
            x = np.full((1, *bundle.mask.shape), limit)
            fields = bundle.normaliser.restore(x, np.array([self.analysis.month]))[0]
            threshold = fields - bundle.climatology(self.analysis.month)
        happens = self.anomalies < threshold if limit < 0 else self.anomalies > threshold
        return _share(happens, bundle.mask)

    def to_dataset(self) -> xr.Dataset:
        """Convert to a Dataset with CF names and units.

        Returns
        -------
        Dataset
            The analysis' dataset (:meth:`Analysis.to_dataset`), and for each variable ``V_member``,
            the anomaly of each member, on (time, member, lat, lon); ``z_member`` if the method has
            a latent vector.

        Raises
        ------
        StateError
            If the analysis is of a calendar month of no year.
        """
        out = self.analysis.to_dataset()
        count = np.arange(1, len(self) + 1)
        out = out.assign_coords(
            member=("member", count, {"standard_name": "realization", "units": "1"})
        )
        dims = ("time", "member", "lat", "lon")
        for i, v in enumerate(self.bundle.variables):
            values = (self.anomalies[:, i] / v.scale)[None].astype(np.float32)
            out[f"{v.name}_member"] = (
                dims,
                values,
                {
                    "units": v.units,
                    "long_name": f"{v.label}, anomaly of each member of the posterior ensemble",
                    "base_period": self.bundle.base_period,
                },
            )
        if self.z is not None:
            out["z_member"] = (
                ("time", "member", "latent"),
                self.z[None],
                {"units": "1", "long_name": "latent vector of each member"},
            )
        out.attrs["sampler"], out.attrs["seed"] = self.sampler, self.seed
        return out


def _share(happens: NDArray[np.bool_], mask: NDArray[np.bool_]) -> Float:
    """Return the fraction of members in which something happens; NaN outside the mask."""
    return np.where(mask, happens.mean(axis=0), np.nan).astype(np.float32)


@dataclass(frozen=True, eq=False)
class EnsembleStep:
    """How far a sampler is.

    Parameters
    ----------
    done, total : int
        Steps.
    ensemble : Ensemble, optional
        At the last step.
    """

    done: int
    total: int
    ensemble: Ensemble | None = None


def members_of(
    problem: Problem, analysis: Analysis, sampler: Sampler, draws: Draws
) -> Iterator[EnsembleStep]:
    """Make members of a prepared assimilation.

    Parameters
    ----------
    problem : Problem
    analysis : Analysis
        Of the same problem.
    sampler : Sampler
    draws : Draws
        For the same problem, one for each member.

    Yields
    ------
    EnsembleStep
        The last has the ensemble.
    """
    began = time.perf_counter()
    if problem.stated is not None and not sampler.takes_reports:
        normal = problem.observed.quadratic
        rows = ", ".join(str(int(r) + 1) for r in problem.used[~normal][:5])
        fitting = ", ".join(s.key for s in SAMPLERS.values() if s.takes_reports)
        raise StateError(
            f"The sampler {sampler.key} cannot take observations whose errors are not normal "
            f"(rows {rows}{' and more' if (~normal).sum() > 5 else ''}); use one of {fitting}, or "
            "withhold them."
        )
    for progress in sampler.sample(problem, draws):
        found = progress.sampled
        if found is None:
            yield EnsembleStep(progress.done, progress.total)
            continue
        ensemble = Ensemble(
            analysis=analysis,
            anomalies=anomalies_of(problem.bundle, found.x, problem.month),
            z=found.z,
            sampler=sampler.key,
            seed=draws.seed,
            outcome=found.words,
            n_minima=found.n_minima,
            seconds=time.perf_counter() - began,
        )
        yield EnsembleStep(progress.total, progress.total, ensemble)


def anomalies_of(bundle: Bundle, x: Float, month: int) -> Float:
    """Convert members to display units.

    Parameters
    ----------
    bundle : Bundle
    x : ndarray, shape (n, cells)
        Standardised.
    month : int
        Calendar month 1..12.

    Returns
    -------
    ndarray of float32, shape (n, V, lat, lon)
        NaN where a variable does not exist.
    """
    states = x.reshape(len(x), *bundle.mask.shape)
    fields = bundle.normaliser.restore(states, np.full(len(x), month))
    out = np.where(bundle.mask, fields - bundle.climatology(month), np.nan)
    return np.asarray(out, np.float32)


def checked_sampler(setting: Setting, sampler: str, members: int, seed: int) -> Sampler:
    """Check what an ensemble is asked for, and return its sampler.

    Parameters
    ----------
    setting : Setting
    sampler : str
        A key of ``SAMPLERS``.
    members, seed : int

    Returns
    -------
    Sampler

    Raises
    ------
    StateError
        If the sampler, the number or the seed is invalid, or does not fit the settings.
    """
    chosen, method = sampler_of(sampler), gaussian(setting)
    for name, value, least, most in (
        ("members", members, LEAST_MEMBERS, MOST_MEMBERS),
        ("seed", seed, 0, 2**31 - 1),
    ):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not (whole and least <= value <= most):
            raise StateError(f"{name} is {value!r}; give a whole number from {least} to {most}.")
    if method.only_decodes(setting):
        raise StateError(
            f"The method {spelled(setting.method)} without residual analysis leaves out a part of "
            f"the state, so it has no ensemble; use one of {spelled(*WITH_WHOLE_POSTERIOR)}."
        )
    if setting.background is not None:
        raise StateError(
            "A given background is taken as it is, so there is no ensemble about it; leave "
            "background out."
        )
    if chosen.needs_decoder and method.latent != "decoder":
        raise StateError(
            f"The method {spelled(setting.method)} is Gaussian, and {chosen.key} searches a "
            "decoder's latent space; use laplace, which is exact for it."
        )
    return chosen
