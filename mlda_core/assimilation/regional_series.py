"""Time series of regional means: analyses of many months under one observation scenario.

Analyses are cached, so that another region needs no new analysis.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.metrics import Comparison, compare
from mlda_core.climate.regions import REGIONS, Region, regional_mean
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.table import DEFAULT_ERROR

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float64]
Scope = Literal["test", "all"]
# Returns the observations of a month, in the format of mlda_core.observations.table.
Observe = Callable[[str], pd.DataFrame]


class SeriesError(UserError):
    """A series cannot be computed or resumed; the message is one sentence with the remedy."""


@dataclass(frozen=True, eq=False)
class Point:
    """One month of a series, averaged over a region.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    target, analysis : ndarray, shape (V,)
        Means, display units; NaN if the region has no cell of a variable.
    done, total : int
        Months of the current run.
    """

    month: str
    target: Float
    analysis: Float
    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Means:
    """Time series averaged over a region.

    Parameters
    ----------
    months : tuple of str
        All months of the bundle.
    split : tuple of str
        train, validation, calibration, test or gap, for each.
    target, analysis : ndarray, shape (M, V)
        Display units; the analysis is NaN in months not assimilated.
    """

    months: tuple[str, ...]
    split: tuple[str, ...]
    target: Float
    analysis: Float

    def score(self, variable: int, *, test_only: bool = True) -> tuple[Comparison, int]:
        """Compare the analysis' series with the target's.

        Parameters
        ----------
        variable : int
            Index of the variable in the state.
        test_only : bool
            Whether to score test months only.

        Returns
        -------
        Comparison
            With equal weight for each month; NaN if there are none.
        int
            Number of months compared.
        """
        wanted = np.array([s == "test" for s in self.split]) if test_only else np.array([True])
        chosen = wanted & np.isfinite(self.analysis[:, variable] + self.target[:, variable])
        t, a = self.target[chosen, variable], self.analysis[chosen, variable]
        return compare(t, a, np.ones(t.size)), t.size


def months_of(bundle: Bundle, scope: Scope) -> tuple[str, ...]:
    """Return a bundle's test months, followed, for ``all``, by the others."""
    test = [m for m in bundle.months if bundle.split(m) == "test"]
    if scope == "test":
        return tuple(test)
    return (*test, *(m for m in bundle.months if bundle.split(m) != "test"))


def by_season(months: Sequence[str], first: str = "") -> tuple[str, ...]:
    """Order months by calendar month, then year: fastest for dense networks.

    The factors of a dense network, such as the whole sea, take seconds for each calendar month,
    and few of them fit into memory: in chronological order each would be recomputed every year.

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM`` each.
    first : str
        A month ``YYYY-MM`` whose calendar month comes first; January by default.

    Returns
    -------
    tuple of str
    """
    begin = int(first[5:7]) if first else 1
    return tuple(sorted(months, key=lambda m: ((int(m[5:7]) - begin) % 12, m)))


def observer(
    network: NetworkSpec | pd.DataFrame,
    bundle: Bundle,
    *,
    error: float | Mapping[str, float] = DEFAULT_ERROR,
    seed: int = 1,
) -> Observe:
    """Return an observing function: a fixed network with values from each month's target.

    The noise differs between months: constant noise would be a bias.

    Parameters
    ----------
    network : NetworkSpec or DataFrame
        A network, or a table of places as for
        :func:`mlda_core.observations.networks.synthesise`, whose withheld rows stay withheld.
    bundle : Bundle
    error : float or mapping of str to float
        Of the observations, as for that function.
    seed : int
        Of the noise, together with the month.

    Returns
    -------
    callable
        Input of :class:`Series`.

    Raises
    ------
    NetworkError
        If the network cannot be created.
    """
    where = network if isinstance(network, pd.DataFrame) else places(network, bundle)

    def observe(month: str) -> pd.DataFrame:
        calendar = bundle.seasons.of(month)
        words = (seed, bundle.seasons.count * int(month[:4]) + calendar)
        return synthesise(where, bundle, bundle.target(month), calendar, error=error, seed=words)

    return observe


class Analyses:
    """The analyses of many months, as far as computed.

    One thread may add to it while others read its means.

    Parameters
    ----------
    bundle : Bundle

    Attributes
    ----------
    filling : threading.Lock
        Held while a month is computed: a cancelled run completes its current month, and the
        next run waits for it.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        # 37 kB a month in half precision: 15 MB for all 420. Means over thousands of cells are not
        # affected, and another region needs no new analysis.
        self._fields: dict[str, NDArray[np.float16]] = {}
        self._means: dict[Region, tuple[Float, Float]] = {}
        self._lock = threading.Lock()
        self.filling = threading.Lock()

    @property
    def done(self) -> frozenset[str]:
        """The assimilated months."""
        return frozenset(self._fields)

    def missing(self, months: Sequence[str]) -> tuple[str, ...]:
        """Return those of the given months that are not assimilated, in order."""
        return tuple(m for m in months if m not in self._fields)

    def fill(
        self,
        months: Sequence[str],
        make: Callable[[str], NDArray[np.floating]],
        region: Region = REGIONS["globe"],
    ) -> Iterator[Point]:
        """Compute the missing months, one at each step; close the iterator to cancel.

        Completed months are kept, so a later run resumes.

        Parameters
        ----------
        months : sequence of str
            ``YYYY-MM`` each.
        make : callable
            Returns the analysis of a month, anomalies (V, lat, lon) in display units.
        region : Region
            Region of the yielded means.

        Yields
        ------
        Point

        Raises
        ------
        SeriesError
            If a month cannot be computed; the message names it.
        """
        left = self.missing(months)
        for i, month in enumerate(left, 1):
            try:
                with self.filling:
                    if month not in self._fields:
                        self.add(month, make(month))
            except ValueError as error:
                raise SeriesError(f"{month} cannot be assimilated: {error}") from error
            row = self.bundle.months.index(month)
            target, analysis = self._averages(region)
            yield Point(month, target[row], analysis[row], i, len(left))

    def add(self, month: str, anomalies: NDArray[np.floating]) -> None:
        """Store a month's analysis.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, one of the bundle's.
        anomalies : ndarray, shape (V, lat, lon)
            Display units.
        """
        if month not in self.bundle.months:
            raise SeriesError(
                f"There is no month '{month[:24]}' in the bundle; choose one from "
                f"{self.bundle.months[0]} to {self.bundle.months[-1]}."
            )
        with self._lock:
            self._fields[month] = anomalies.astype(np.float16)
            for made in self._means.values():
                made[1][self.bundle.months.index(month)] = np.nan

    def means(self, region: Region = REGIONS["globe"]) -> Means:
        """Average over a region: the target of every month, and the analyses so far.

        Parameters
        ----------
        region : Region

        Returns
        -------
        Means
        """
        target, analysis = self._averages(region)
        months = self.bundle.months
        return Means(months, tuple(self.bundle.split(m) for m in months), target, analysis)

    def _averages(self, region: Region) -> tuple[Float, Float]:
        months, grid = self.bundle.months, self.bundle.grid
        with self._lock:
            if region not in self._means:
                target = np.array(
                    [regional_mean(self.bundle.target(m), grid, region) for m in months]
                )
                self._means[region] = (target, np.full_like(target, np.nan))
            target, analysis = self._means[region]
            for i, month in enumerate(months):
                if month in self._fields and np.isnan(analysis[i]).all():
                    fields = _where_known(self._fields[month], self.bundle.target(month))
                    analysis[i] = regional_mean(fields, grid, region)
            return target.copy(), analysis.copy()


def _where_known(fields: NDArray[np.floating], target: NDArray[np.floating]) -> Float:
    """Mask cells of an analysis that are missing in its target: the means are compared.

    A variable missing from the target altogether is left complete: there is no comparison.
    """
    known = np.isfinite(target)
    known |= ~known.any(axis=(-2, -1), keepdims=True)
    return np.where(known, fields, np.nan).astype(np.float64)


class Series(Analyses):
    """The analyses of one scenario of observations.

    Parameters
    ----------
    bundle : Bundle
    observe : callable
        Returns the observations of a month ``YYYY-MM``, such as from :func:`observer`.
    method : str
        A key of :data:`mlda_core.assimilation.assimilator.METHODS`.
    settings : dict, optional
        More arguments of :meth:`mlda_core.assimilation.assimilator.Assimilator.run`, such as
        ``residual``.
    """

    def __init__(
        self,
        bundle: Bundle,
        observe: Observe,
        *,
        method: str = "vae",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(bundle)
        self.method = method
        self._observe, self._settings = observe, dict(settings or {})

    def run(
        self,
        assimilator: Assimilator,
        months: Sequence[str],
        region: Region = REGIONS["globe"],
    ) -> Iterator[Point]:
        """Assimilate the missing months; see :meth:`Analyses.fill`.

        Parameters
        ----------
        assimilator : Assimilator
            Of the same bundle.
        months : sequence of str
            ``YYYY-MM`` each.
        region : Region
            Region of the yielded means.

        Yields
        ------
        Point

        Raises
        ------
        SeriesError
            If a month cannot be assimilated; the message names it.
        """

        def make(month: str) -> NDArray[np.floating]:
            table = self._observe(month)
            analysis = assimilator.run(table, month, method=self.method, **self._settings)
            return analysis.anomalies

        yield from self.fill(months, make, region)
