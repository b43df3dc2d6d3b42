"""Attribution: series of regional means with and without an SST change, and drivers of a month.

The drivers of a month are a linear attribution: the gradient of the regional mean with respect to
SST (the adjoint, :mod:`mlda_core.assimilation.adjoint`) times the month's SST anomaly, summed over
basins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.regional_series import Analyses, SeriesError, by_season
from mlda_core.climate.regions import BASINS, Region, basin_masks, regional_mean
from mlda_core.perturbation.sst_patches import (
    Patch,
    PerturbationError,
    open_water,
    sst_change,
)

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.responder import Responder

Array = NDArray[np.float64]
# Returns the SST change in a month ``YYYY-MM``, shape (lat, lon), kelvin.
Change = Callable[[str], Array]

# Contributions whose sum is below this fraction of the sum of their magnitudes cancel: fractions of
# such a small sum would be hundreds of per cent.
CANCELS = 0.25
# Gauss-Legendre nodes of the path-integrated gradient; with three, pressure over the North Pacific
# in 1997-12 had a remainder of some hundredths of a hPa.
PATH_NODES = 4


# SST changes


@lru_cache(maxsize=4)
def trend(bundle: Bundle) -> Array:
    """Return the linear trend of the SST anomaly in each cell.

    Fitted by least squares to all months of the bundle, in any split, with equal weights.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    ndarray, shape (lat, lon)
        Kelvin a decade, NaN over land; cached, hence read-only.

    Raises
    ------
    PerturbationError
        If the bundle has no sea, or fewer than two months.
    """
    _demand_sea(bundle)
    if len(bundle.months) < 2:
        raise PerturbationError("One month has no trend; open a bundle with more of them.")
    decades = _decades(bundle)
    products = np.zeros(bundle.grid.shape)
    for month, t in zip(bundle.months, decades, strict=True):
        products += t * bundle.target(month)[bundle.sea_row].astype(np.float64)
    found = products / (decades**2).sum()
    found.flags.writeable = False
    return found


def detrended_change(bundle: Bundle, month: str) -> Array:
    """Return the SST change that removes the trend from a month.

    The trend is removed about the middle of the record: where SST has risen, earlier months
    become warmer and later ones cooler, and the mean over all months is unchanged.

    Parameters
    ----------
    bundle : Bundle
    month : str
        ``YYYY-MM`` of the bundle.

    Returns
    -------
    ndarray, shape (lat, lon)
        Kelvin, zero over land.

    Raises
    ------
    PerturbationError
        If the bundle has no such month, or no sea.
    """
    if month not in bundle.months:
        raise PerturbationError(
            f"There is no month '{month[:24]}' in the bundle; choose one from {bundle.months[0]} "
            f"to {bundle.months[-1]}."
        )
    decades = _decades(bundle)[bundle.months.index(month)]
    return np.nan_to_num(-decades * trend(bundle))


def without_trend(bundle: Bundle) -> Change:
    """Return a function that gives :func:`detrended_change` for every month."""
    trend(bundle)
    return lambda month: detrended_change(bundle, month)


def with_patches(bundle: Bundle, patches: Sequence[Patch]) -> Change:
    """Return a function that gives the sum of the patches for every month.

    A patch entirely under ice in a month has no effect there.

    Parameters
    ----------
    bundle : Bundle
    patches : sequence of Patch

    Returns
    -------
    callable
        Like :func:`mlda_core.perturbation.sst_patches.sst_change` for each month.

    Raises
    ------
    PerturbationError
        If a patch covers no open sea in any calendar month.
    """
    _demand_sea(bundle)
    for patch in patches:
        _demand_open_sea(patch, bundle)
    shape = np.zeros(bundle.grid.shape)
    for patch in patches:
        if patch.enabled:
            shape += patch.kelvin * patch.weights(bundle.grid)
    return lambda month: shape * open_water(bundle, month)


# Series


@dataclass(frozen=True)
class Progress:
    """Progress of a run.

    Parameters
    ----------
    month : str
        The month just computed, ``YYYY-MM``.
    done, total : int
        Months of this run.
    """

    month: str
    done: int
    total: int


class Scenario:
    """The analyses of many months under the observed and under a perturbed SST.

    Both use the same network, errors and initial state, as in a
    :class:`mlda_core.perturbation.response.Response`. Their difference is the response.

    Parameters
    ----------
    responder : Responder
    change : callable
        Returns the SST change of a month: :func:`with_patches`, :func:`without_trend`, or
        user-defined.
    held : str
        A key of :data:`mlda_core.perturbation.response.HELD`.
    inside : ndarray of bool, shape (lat, lon), optional
        See :meth:`mlda_core.perturbation.response.Responder.inside`.
    control : Analyses, optional
        Control analyses, if another scenario of the same network has computed them.

    Attributes
    ----------
    control, changed : Analyses
        As far as computed; both can be averaged over any region.
    """

    def __init__(
        self,
        responder: Responder,
        change: Change,
        held: str = "sst_only",
        *,
        inside: NDArray[np.bool_] | None = None,
        control: Analyses | None = None,
    ) -> None:
        self.bundle = responder.bundle
        self.control = control if control is not None else Analyses(self.bundle)
        self.changed = Analyses(self.bundle)
        self._responder, self._change = responder, change
        self._held, self._inside = held, inside

    def missing(self, months: Sequence[str]) -> tuple[str, ...]:
        """Return those of the given months that lack an analysis, in order."""
        done = self.control.done & self.changed.done
        return tuple(m for m in months if m not in done)

    def run(self, months: Sequence[str], first: str = "") -> Iterator[Progress]:
        """Compute the missing months, one at each step; close the iterator to cancel.

        Completed months are kept, so a later run resumes.

        Parameters
        ----------
        months : sequence of str
            ``YYYY-MM`` each, in any order: they are computed by season.
        first : str
            See :func:`mlda_core.assimilation.regional_series.by_season`.

        Yields
        ------
        Progress

        Raises
        ------
        SeriesError
            If a month cannot be computed; the message names it.
        """
        left = by_season(self.missing(months), first)
        for i, month in enumerate(left, 1):
            try:
                with self.control.filling:
                    if month not in self.control.done:
                        self.control.add(month, self._analysis(month, None))
                    if month not in self.changed.done:
                        self.changed.add(month, self._analysis(month, self._change(month)))
            except ValueError as error:
                raise SeriesError(f"{month} cannot be assimilated: {error}") from error
            yield Progress(month, i, len(left))

    def _analysis(self, month: str, change: Array | None) -> NDArray[np.float32]:
        if change is not None and not np.isfinite(change).all():
            raise PerturbationError("The change of the sea is not a number everywhere; correct it.")
        return self._responder.analysis(month, self._held, inside=self._inside, change=change)


# Drivers


@dataclass(frozen=True)
class Driver:
    """Contribution of one basin.

    Parameters
    ----------
    basin : str
        A key of :data:`mlda_core.climate.regions.BASINS`.
    label : str
        Its name.
    contribution : float
        Display units of the variable; positive raises the regional mean.
    share : float or None
        Fraction of the sum over all basins; negative if of the opposite sign, None if the
        contributions cancel.
    anomaly : float
        Area mean of the basin's SST anomaly, kelvin.
    """

    basin: str
    label: str
    contribution: float
    share: float | None
    anomaly: float


@dataclass(frozen=True)
class Drivers:
    """Attribution of a month's regional mean: ``value = normal + linear + remainder``.

    Parameters
    ----------
    month, held, variable : str
    region : Region
    units : str
        Display units of the variable.
    value : float
        Regional mean of the analysis, an anomaly.
    normal : float
        The same for zero SST anomalies, with the other constraints unchanged: the effect of the
        constrained variables and of the analysis' initial state.
    parts : tuple of Driver
        Largest first.
    linear : float
        Sum of the contributions.
    remainder : float
        Nonlinear effect of SST.
    """

    month: str
    held: str
    variable: str
    region: Region
    units: str
    value: float
    normal: float
    parts: tuple[Driver, ...]
    linear: float
    remainder: float

    @property
    def cancels(self) -> bool:
        """Whether the contributions cancel, so that fractions of their sum are meaningless."""
        return _cancels([part.contribution for part in self.parts])

    @property
    def words(self) -> tuple[str, ...]:
        """Caveats to display with the numbers, in sentences."""
        sentences = []
        if self.cancels:
            sentences.append(
                "Contributions of both signs mostly cancel, so shares of their sum would "
                "mislead and are not given."
            )
        if abs(self.remainder) > 0.5 * abs(self.value - self.normal):
            sentences.append(
                "The remainder is more than half of what the sea does: this account does not "
                "explain the month."
            )
        return tuple(sentences)


def drivers(
    responder: Responder,
    month: str,
    variable: str,
    region: Region,
    held: str = "sst_only",
    *,
    inside: NDArray[np.bool_] | None = None,
) -> Drivers:
    """Attribute a month's regional mean to SST anomalies by basin.

    Parameters
    ----------
    responder : Responder
    month : str
        ``YYYY-MM`` of the bundle.
    variable : str
        CF name of a variable of the bundle.
    region : Region
        Region of the mean.
    held : str
        A key of :data:`mlda_core.perturbation.response.HELD`.
    inside : ndarray of bool, shape (lat, lon), optional
        See :meth:`mlda_core.perturbation.response.Responder.inside`.

    Returns
    -------
    Drivers

    Raises
    ------
    PerturbationError
        If there is no such variable, or it does not exist in the region.
    StateError
        If the month is not in the bundle.
    """
    bundle = responder.bundle
    sea = bundle.mask[bundle.sea_row]
    anomaly = np.where(sea, np.nan_to_num(bundle.target(month)[bundle.sea_row]), 0.0)
    # Mean gradient along the path from zero SST anomaly to the month's (integrated gradients;
    # Sundararajan, Taly and Yan 2017): with the end point's gradient alone, rain over Nino 3.4 in
    # 1997-12 came to 12.9 of 10.1 mm/day, pressure over the North Pacific to -0.5 of -1.5 hPa.
    nodes, weights = np.polynomial.legendre.leggauss(PATH_NODES)
    sensitivities = [
        responder.sensitivity(
            month, variable, region, held, inside=inside, change=-0.5 * (1.0 - node) * anomaly
        )
        for node in nodes
    ]
    row = [v.name for v in bundle.variables].index(variable)
    both = [
        responder.analysis(month, held, inside=inside, change=change)[row]
        for change in (None, -anomaly.astype(np.float64))
    ]
    value, normal = (float(regional_mean(field, bundle.grid, region)) for field in both)
    gradient = sum(
        0.5 * weight * f.per_cell for weight, f in zip(weights, sensitivities, strict=True)
    )
    product = gradient * anomaly
    contributions, means = {}, {}
    for key, mask in basin_masks(bundle.grid, sea).items():
        area = mask * bundle.grid.weights
        if area.sum() > 0:
            contributions[key] = float((mask * product).sum())
            means[key] = float((area * anomaly).sum() / area.sum())
    linear = sum(contributions.values())
    none = _cancels(list(contributions.values()))
    parts = [
        Driver(key, BASINS[key].label, given, None if none else given / linear, means[key])
        for key, given in contributions.items()
    ]
    return Drivers(
        month=month,
        held=held,
        variable=variable,
        region=region,
        units=sensitivities[0].units,
        value=value,
        normal=normal,
        parts=tuple(sorted(parts, key=lambda part: -abs(part.contribution))),
        linear=linear,
        remainder=value - normal - linear,
    )


# Helpers


def _cancels(contributions: Sequence[float]) -> bool:
    sizes = sum(abs(c) for c in contributions)
    return sizes == 0 or abs(sum(contributions)) < CANCELS * sizes


def _decades(bundle: Bundle) -> Array:
    """Return each month's distance from the middle of the record, decades."""
    months = np.array([12 * int(m[:4]) + int(m[5:7]) for m in bundle.months], np.float64)
    return np.asarray((months - months.mean()) / 120.0)


def _demand_sea(bundle: Bundle) -> None:
    if bundle.sea_row < 0:
        raise PerturbationError(
            "This bundle has no sea surface temperature to change; open one that has tos."
        )


def _demand_open_sea(patch: Patch, bundle: Bundle) -> None:
    """Refuse a patch that covers no open sea in any calendar month."""
    year = {month[5:7]: month for month in bundle.months}
    for i, month in enumerate(year.values(), 1):
        try:
            sst_change([patch], bundle, month)
        except PerturbationError:
            if i == len(year):
                raise
        else:
            return
