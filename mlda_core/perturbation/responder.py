"""Compute responses to SST changes as the difference of two analyses, A(y + d) - A(y)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.adjoint import Sensitivity, sensitivity
from mlda_core.assimilation.methods import RESPONDING, method_of, spelled
from mlda_core.assimilation.options import season_asked
from mlda_core.climate.regions import Region, region_mask
from mlda_core.observations.land import cell_of
from mlda_core.observations.networks import NetworkSpec, places
from mlda_core.observations.standardised import MOST_OBSERVATIONS, Observed, standardise, thin
from mlda_core.observations.synthetic import synthesise
from mlda_core.perturbation.response import HELD, Response, most_changed
from mlda_core.perturbation.sst_patches import Patch, PerturbationError, open_water, sst_change

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.method import Method
    from mlda_core.climate.grid import Grid

Float = NDArray[np.float32]
Array = NDArray[np.float64]


# Cells with less than this fraction of the maximum change count as outside a patch.
_OUTSIDE = 0.05
# Cache size by kind: an analysis is 150 kB, the observations of a month 0.4 to 1 MB.
_MOST_KEPT = 96


class Responder:
    """Computes responses to SST changes, with one assimilator.

    One instance serves many threads. Control analyses are cached, so changing the amount costs
    one assimilation.

    Parameters
    ----------
    assimilator : Assimilator

    Raises
    ------
    PerturbationError
        If the bundle has no SST.
    """

    def __init__(self, assimilator: Assimilator) -> None:
        self.assimilator, self.bundle = assimilator, assimilator.bundle
        if self.bundle.sea_row < 0:
            raise PerturbationError(
                "This bundle has no sea surface temperature to change; open one that has tos."
            )
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, Any] = OrderedDict()

    def respond(
        self,
        month: str,
        patches: Sequence[Patch],
        held: str = "sst_only",
        *,
        region: Region | None = None,
        **settings: Any,
    ) -> Response:
        """Return the response of a month to SST patches.

        Parameters
        ----------
        month : str
            ``YYYY-MM`` of the bundle.
        patches : sequence of Patch
        held : str
            A key of :data:`HELD`.
        region : Region, optional
            Region outside of which ``outside`` constrains; by default that of the patches.
        **settings
            Attributes of :class:`mlda_core.assimilation.options.Setting`, such as ``method``.

        Returns
        -------
        Response

        Raises
        ------
        PerturbationError
            If a patch covers no open sea, or the constraint is unknown.
        StateError
            If the month is not in the bundle, or a setting is invalid.
        """
        change = sst_change(patches, self.bundle, month)
        inside = self.inside(patches, held, region)
        return self.respond_to(month, change, held, inside=inside, **settings)

    def respond_to(
        self,
        month: str,
        change: NDArray[np.floating],
        held: str = "sst_only",
        *,
        inside: NDArray[np.bool_] | None = None,
        **settings: Any,
    ) -> Response:
        """Return the response of a month to a given SST change.

        Parameters
        ----------
        month, held, **settings
            As for :meth:`respond`.
        change : ndarray, shape (lat, lon)
            Kelvin; values over land are ignored.
        inside : ndarray of bool, shape (lat, lon), optional
            Cells where ``outside`` constrains SST only.

        Returns
        -------
        Response

        Raises
        ------
        PerturbationError
            If the change is not on the grid, or not a number somewhere at sea; if the method
            cannot estimate responses, or ignores the constrained variables.
        """
        bundle, sea = self.bundle, self.bundle.sea_row
        method = self.check_method(settings.get("method", "vae"), held)
        given = np.asarray(change, np.float64)
        if given.shape != bundle.grid.shape or not np.isfinite(given[bundle.mask[sea]]).all():
            raise PerturbationError(
                "The change of the sea is not a number in every cell of the bundle's grid; "
                "correct it."
            )
        moved_by = np.asarray(np.where(bundle.mask[sea], given, 0.0), np.float64)
        settings = {"polish": True, **settings, "method": method.key}
        calendar = season_asked(month, self.bundle.seasons)
        observed = self._observed(month, held, inside)
        key = ("control", month, held, _key(inside), tuple(sorted(settings.items())))
        control = self._keep(key, lambda: self._analyse(observed, calendar, settings))
        if moved_by.any():
            moved = self._observed(month, held, inside, moved_by)
            perturbed = self._analyse(moved, calendar, settings)
        else:
            perturbed = control

        def spread() -> Float:
            if not method.posterior:
                return physical.spread(bundle, control[1], control[2], calendar)
            at = ("spread", calendar, held, _key(inside), tuple(sorted(settings.items())))
            variance = self._keep(
                at,
                lambda: self.assimilator.posterior_variance(
                    observed.places, observed.variance, calendar, **settings
                ),
            )
            return physical.spread(bundle, control[1], np.sqrt(variance), calendar)

        return Response(
            month=month,
            held=held,
            change=moved_by,
            control=control[0],
            perturbed=perturbed[0],
            anomalies=perturbed[0] - control[0],
            extrapolated_fraction=self._extrapolated_fraction(month, moved_by),
            method=method.key,
            bundle=bundle,
            _spread_of=spread,
        )

    def check_method(self, key: str, held: str) -> Method:
        """Return the method of a name if it can estimate responses to SST changes.

        Parameters
        ----------
        key : str
            With hyphens or underscores.
        held : str
            A key of :data:`HELD`.

        Returns
        -------
        Method

        Raises
        ------
        PerturbationError
            If it cannot, ignores the constrained variables, or the constraint is unknown.
        StateError
            If there is no such method.
        """
        _check_held(held)
        method = method_of(key)
        if not method.responds:
            raise PerturbationError(
                f"The method {spelled(method.key)} has no response to a change of the sea; use one "
                f"of {spelled(*RESPONDING)}."
            )
        if method.needs_sea and held != "sst_only":
            raise PerturbationError(
                f"The method {spelled(method.key)} sees the sea alone and cannot hold anything "
                "else; use sst_only, or another method."
            )
        return method

    def observations(
        self,
        month: str,
        held: str = "sst_only",
        *,
        inside: NDArray[np.bool_] | None = None,
        change: NDArray[np.floating] | None = None,
    ) -> pd.DataFrame:
        """Return the observations of a month's analysis: its values without noise.

        Parameters
        ----------
        month, held, inside
            As for :meth:`respond_to`.
        change : ndarray, shape (lat, lon), optional
            Kelvin, added to the SST values.

        Returns
        -------
        DataFrame
            An observation table.
        """
        target = self.bundle.target(month)
        if change is not None:
            target = target.copy()
            target[self.bundle.sea_row] += change
        where = self._places(held, inside)
        return synthesise(
            where, self.bundle, target, season_asked(month, self.bundle.seasons), seed=None
        )

    def inside(
        self, patches: Sequence[Patch], held: str, region: Region | None = None
    ) -> NDArray[np.bool_] | None:
        """Return the cells where ``outside`` constrains SST only.

        Parameters
        ----------
        patches : sequence of Patch
            They determine the cells, unless a region is given.
        held : str
            A key of :data:`HELD`.
        region : Region, optional

        Returns
        -------
        ndarray of bool, shape (lat, lon)
            None for other constraints.
        """
        if held != "outside":
            return None
        grid = self.bundle.grid
        if region is not None:
            return np.asarray(region_mask(grid, region) > 0.5)
        shapes = [np.abs(p.weights(grid)) for p in patches if p.enabled]
        inside = np.zeros(grid.shape, bool)
        for shape in shapes:
            inside |= shape > _OUTSIDE * max(float(shape.max()), 1e-12)
        return inside

    def analysis(
        self,
        month: str,
        held: str = "sst_only",
        *,
        inside: NDArray[np.bool_] | None = None,
        change: NDArray[np.floating] | None = None,
        **settings: Any,
    ) -> Float:
        """Return one of the two analyses of a response, without caching.

        Parameters
        ----------
        month, held, inside, **settings
            As for :meth:`respond_to`.
        change : ndarray, shape (lat, lon), optional
            Kelvin, zero over land.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Anomalies, display units.
        """
        observed = self._observed(month, held, inside, change)
        return self._analyse(
            observed, season_asked(month, self.bundle.seasons), {"polish": True, **settings}
        )[0]

    def all_fields(self, month: str) -> Float:
        """Return a month's analysis from complete fields, display units, (V, lat, lon)."""

        def make() -> Float:
            calendar = season_asked(month, self.bundle.seasons)
            where = self._network("all_fields")
            table = synthesise(where, self.bundle, self.bundle.target(month), calendar, seed=None)
            observed = standardise(table, self.bundle, calendar)
            return self._analyse(observed, calendar, {})[0]

        found: Float = self._keep(("all_fields", month), make)
        return found

    def sensitivity(
        self,
        month: str,
        variable: str,
        region: Region | Patch,
        held: str = "sst_only",
        *,
        inside: NDArray[np.bool_] | None = None,
        change: NDArray[np.floating] | None = None,
    ) -> Sensitivity:
        """Return the sensitivity of a variable's regional mean to SST in each cell.

        Parameters
        ----------
        month, held, inside
            As for :meth:`respond_to`.
        variable : str
            CF name of a variable of the bundle.
        region : Region or Patch
            Region of the mean; of a patch its shape without taper.
        change : ndarray, shape (lat, lon), optional
            Kelvin, zero over land: the gradient is evaluated at the changed SST.

        Returns
        -------
        Sensitivity
            Zero where the sea is under ice, as for a change: SST does not vary there, and a
            gradient would be an extrapolation (33 % of that of pressure over the North
            Pacific in 1997-12).

        Raises
        ------
        PerturbationError
            If there is no such variable, or it does not exist in the region.
        """
        names = [v.name for v in self.bundle.variables]
        if variable not in names:
            raise PerturbationError(
                f"This bundle has no variable '{variable[:24]}'; use one of {', '.join(names)}."
            )
        row = names.index(variable)
        where = _mean_weights(region, self.bundle.grid) * self.bundle.grid.weights
        where = where * self.bundle.mask[row]
        if where.sum() <= 0:
            label = self.bundle.variables[row].label
            raise PerturbationError(f"{label} does not exist in that region; choose another.")
        observed = self._observed(month, held, inside, change)
        calendar = season_asked(month, self.bundle.seasons)
        free = open_water(self.bundle, month)
        return sensitivity(
            self.assimilator, observed, calendar, row, where / where.sum(), free=free
        )

    # Helpers

    def _extrapolated_fraction(self, month: str, change: Array) -> float:
        """Return the extrapolated fraction: changed area with SST outside the season's range."""
        sea = self.bundle.sea_row
        weights = np.asarray(self.bundle.grid.weights * self.bundle.mask[sea], np.float64)

        def extremes() -> tuple[Array, Array]:
            near = {(season_asked(month, self.bundle.seasons) + k - 1) % 12 + 1 for k in (-1, 0, 1)}
            known = [
                self.bundle.target(m)[sea]
                for m in self.bundle.months
                if season_asked(m, self.bundle.seasons) in near
            ]
            return np.min(known, axis=0), np.max(known, axis=0)

        full = most_changed(change) * weights
        if not full.sum() > 0:
            return 0.0
        low, high = self._keep(("extremes", season_asked(month, self.bundle.seasons)), extremes)
        moved = np.nan_to_num(self.bundle.target(month)[sea] + change)
        outside = (moved < low) | (moved > high)
        return float((full * outside).sum() / full.sum())

    def _network(self, kind: str) -> pd.DataFrame:
        found: pd.DataFrame = self._keep(kind, lambda: places(NetworkSpec(kind), self.bundle))
        return found

    def _places(self, held: str, inside: NDArray[np.bool_] | None) -> pd.DataFrame:
        _check_held(held)
        if held != "outside":
            return self._network(held)
        every = self._network("all_fields")
        if inside is None:
            inside = np.zeros(self.bundle.grid.shape, bool)
        row, column = cell_of(self.bundle, every["lat"].to_numpy(), every["lon"].to_numpy())
        sea = self.bundle.variables[self.bundle.sea_row].name
        kept = every[(every["variable"] == sea) | ~inside[row, column]]
        return kept.reset_index(drop=True)

    def _observed(
        self,
        month: str,
        held: str,
        inside: NDArray[np.bool_] | None,
        change: NDArray[np.floating] | None = None,
    ) -> Observed:
        def make() -> Observed:
            table = self.observations(month, held, inside=inside)
            observed = standardise(table, self.bundle, season_asked(month, self.bundle.seasons))
            return observed if inside is None else self._thinned(observed, inside)

        found: Observed = self._keep(("observed", month, held, _key(inside)), make)
        return (
            found
            if change is None
            else self._add(found, change, season_asked(month, self.bundle.seasons))
        )

    def _thinned(self, observed: Observed, inside: NDArray[np.bool_]) -> Observed:
        """Thin the observations of ``outside``, keeping SST, above all the changed cells.

        With equal parts for all variables, 350 SST observations would remain, too few to
        constrain it: of Nino 3.4 + 2 K the analysed SST then had 57 %.
        """
        places, variance = observed.places, observed.variance
        at_sea = places.variable == self.bundle.sea_row
        row, column = cell_of(self.bundle, places.lat, places.lon)
        changed = at_sea & inside[row, column]
        chosen: list[NDArray[np.int64]] = []
        left = MOST_OBSERVATIONS
        for group, share in ((changed, 0.35), (at_sea & ~changed, 0.6), (~at_sea, 1.0)):
            rows = np.flatnonzero(group)
            kept = rows[thin(places.where(rows), variance[rows], int(share * left))]
            left -= kept.size
            chosen.append(kept)
        return observed.where(np.sort(np.concatenate(chosen)))

    def _add(self, observed: Observed, change: NDArray[np.floating], calendar: int) -> Observed:
        """Add a change to the SST observations, which have no nonlinear transform."""
        bundle, sea = self.bundle, self.bundle.sea_row
        field = np.zeros(bundle.mask.shape)
        spread = np.where(bundle.mask[sea], bundle.normaliser.spread[calendar - 1, sea], 1.0)
        field[sea] = np.asarray(change, np.float64) / spread
        return Observed(
            observed.places,
            observed.value + bundle.operator.apply(observed.places, field),
            observed.variance,
        )

    def _analyse(
        self, observed: Observed, calendar: int, settings: dict[str, Any]
    ) -> tuple[Float, Float, Float]:
        """Anomalies in display units; analysis and sd standardised; each (V, lat, lon)."""
        if settings.get("error_scale", 1.0) != 1.0:
            raise PerturbationError(
                "A response is made with the errors of its network; leave error_scale out."
            )
        x, sd = self.assimilator.states(
            observed.places, observed.variance, observed.value[None], calendar, **settings
        )
        return physical.anomalies(self.bundle, x[0], calendar, sd), x[0], sd

    def _keep(self, key: Any, make: Any) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return made


def _check_held(held: str) -> None:
    if held not in HELD:
        raise PerturbationError(
            f"'{str(held)[:24]}' is not what can be held; use one of {', '.join(HELD)}."
        )


def _key(inside: NDArray[np.bool_] | None) -> bytes:
    return b"" if inside is None else np.packbits(inside).tobytes()


def _mean_weights(region: Region | Patch, grid: Grid) -> Array:
    if isinstance(region, Region):
        return region_mask(grid, region)

    return replace(region, taper=0.0).weights(grid)
