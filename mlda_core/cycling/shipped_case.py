"""Cycles through the times of a bundle by what the bundle ships, without its training data.

What is believed without observations is a localised sample of the bundle's VALIDATION times. How
far a forecast is trusted, and the size of its errors, are those that ``mlda cycle learn`` found for
networks of a few sizes: one number a variable and latitude, kept in ``cycling.nc``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.files import CYCLING_FILE, DAMAGE, reason_of
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.climate.errors import BundleError
from mlda_core.cycling.bundle_case import climatology_of, zones_of
from mlda_core.cycling.covariance import Gaussian, LocalisedSample
from mlda_core.cycling.groups import mean_in_groups, ratio
from mlda_core.cycling.learnt_background import WIDE_SEASON, LearntBackground

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ForecastTrust:
    """How far forecasts are trusted, by the size of the network that made the analyses before.

    Parameters
    ----------
    stations : ndarray of int, shape (n,)
        Increasing.
    factor : ndarray, shape (n, V, lat)
        By which a forecast is drawn towards climatology.
    spread : ndarray, shape (n, V, lat)
        Of its errors then, standardised.
    """

    stations: NDArray[np.int64]
    factor: Array
    spread: Array

    def of(self, stations: int) -> tuple[Array, Array]:
        """Return factor and spread of a network, shape (V, lat) each.

        See :func:`of_size` for what is between those known.
        """
        factor, spread = of_size(stations, self.stations, self.factor, self.spread)
        return factor, spread


def of_size(stations: int, known: NDArray[np.int64], *parts: Array) -> tuple[Array, ...]:
    """Return what is known for networks of some sizes for one of another size.

    Parameters
    ----------
    stations : int
    known : ndarray of int, shape (n,)
        Sizes, increasing.
    *parts : ndarray, shape (n, ...)
        Between two sizes they are interpolated in the logarithm of the number; beyond, the nearest.
    """
    at, sizes = np.log(max(stations, 1)), np.log(known)
    upper = int(np.clip(np.searchsorted(sizes, at), 1, max(len(sizes) - 1, 1)))
    lower = upper - 1
    upper = min(upper, len(sizes) - 1)
    step = sizes[upper] - sizes[lower]
    part = float(np.clip((at - sizes[lower]) / step, 0.0, 1.0)) if step else 0.0
    return tuple((1 - part) * one[lower] + part * one[upper] for one in parts)


def trust_of(bundle: Bundle, learnt: dict[int, LearntBackground]) -> ForecastTrust:
    """Return what cycles with some networks taught, one number a variable and latitude.

    Parameters
    ----------
    bundle : Bundle
    learnt : dict
        By number of stations.
    """
    shape = bundle.mask.shape
    stations = sorted(learnt)
    found = [learnt[n] for n in stations]
    return ForecastTrust(
        np.array(stations, np.int64),
        np.stack([one.factor.reshape(shape)[..., 0] for one in found]),
        np.sqrt([one.covariance.variance.reshape(shape).mean(axis=-1) for one in found]),
    )


def save_trust(bundle: Bundle, trust: ForecastTrust) -> Path:
    """Write ``cycling.nc`` into a bundle's folder."""
    dims = ("stations", "variable", "lat")
    dataset = xr.Dataset(
        {
            "forecast_factor": (
                dims,
                trust.factor.astype(np.float32),
                {"long_name": "factor by which a forecast is drawn towards climatology"},
            ),
            "forecast_spread": (
                dims,
                trust.spread.astype(np.float32),
                {"long_name": "standard deviation of the errors of a forecast, standardised"},
            ),
        },
        {
            "stations": ("stations", trust.stations),
            "variable": [v.name for v in bundle.variables],
            "lat": ("lat", bundle.grid.lat, {"units": "degrees_north"}),
        },
        {"title": f"Forecast errors of cycles through {bundle.title}"},
    )
    path = bundle.path / CYCLING_FILE
    part = path.with_name(path.name + ".part")
    dataset.to_netcdf(part)
    part.replace(path)
    return path


def load_trust(bundle: Bundle) -> ForecastTrust:
    """Read ``cycling.nc`` of a bundle.

    Raises
    ------
    BundleError
        If it has none, or one that does not fit it.
    """
    path = bundle.path / CYCLING_FILE
    if not path.exists():
        raise BundleError(
            f"{bundle.path} does not know the errors of its forecasts; learn them with 'mlda cycle "
            f"learn {bundle.path} --config FILE'."
        )
    try:
        with xr.open_dataset(path, engine="netcdf4") as found:
            stations = found["stations"].to_numpy().astype(np.int64)
            factor, spread = (
                found[name].transpose("stations", "variable", "lat").to_numpy().astype(np.float64)
                for name in ("forecast_factor", "forecast_spread")
            )
            names = [str(name) for name in found["variable"].to_numpy()]
    except DAMAGE as problem:
        raise BundleError(
            f"{path} cannot be read ({reason_of(problem)}); copy the bundle again, or make it anew "
            "with 'mlda cycle learn'."
        ) from problem
    shape = (len(stations), len(bundle.variables), bundle.grid.shape[0])
    fits = (
        names == [v.name for v in bundle.variables]
        and factor.shape == spread.shape == shape
        and len(stations) > 0
        and bool((np.diff(stations) > 0).all())
        and stations[0] > 0
        and bool(((factor >= 0) & (factor <= 1)).all())
        and bool((np.isfinite(spread) & (spread >= 0)).all())
    )
    if not fits:
        raise BundleError(
            f"{path} is not of this bundle, or damaged; copy the bundle again, or make it anew "
            "with 'mlda cycle learn'."
        )
    return ForecastTrust(stations, factor, spread)


def shipped_climatology(bundle: Bundle) -> Gaussian:
    """Return what is believed without observations, from the bundle's VALIDATION times.

    Raises
    ------
    BundleError
        If it ships none.
    """
    past = months_of_bundle(bundle).in_split("validation")
    if not len(past):
        raise BundleError(
            f"{bundle.path} ships no VALIDATION {bundle.seasons.step.plural}, whose spread a cycle "
            "needs; export it with them ('shipped_splits' in its configuration)."
        )
    return climatology_of(bundle, past, season=WIDE_SEASON)


def shipped_background(
    bundle: Bundle, climatology: Gaussian, trust: ForecastTrust, stations: int
) -> LearntBackground:
    """Return the background errors for a network: climatology's, scaled to those of forecasts.

    Parameters
    ----------
    bundle : Bundle
    climatology : Gaussian
        Of :func:`shipped_climatology`.
    trust : ForecastTrust
    stations : int
        Of the network.
    """
    believed = climatology.covariance
    if not isinstance(believed, LocalisedSample):
        raise TypeError("The climatology of a bundle is a localised sample.")
    zones, columns = zones_of(bundle), bundle.grid.shape[1]
    factor, spread = (np.repeat(part.ravel(), columns) for part in trust.of(stations))
    scale = ratio(spread, np.sqrt(mean_in_groups(believed.variance, zones)))
    return LearntBackground(factor, believed.stretched(scale))
