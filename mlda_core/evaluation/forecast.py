"""Scores of forecasts: skill by lead time, drift, and how much small scales keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.forecast.dynamics import Dynamics
from mlda_core.forecast.grid_training import runs_of
from mlda_core.forecast.loading import forecasts_of, load_forecast
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import Months

Tick = Callable[[str, int, int], None]
Float = NDArray[np.float32]
LEADS = 10
# Length of the runs that are watched for drift, and how many of them.
LONG, STARTS = 60, 12
# Row of the spectra: where the storm tracks are.
SPECTRUM_LAT = 45.0
_BATCH = 32


def score_forecasts(
    bundle: Bundle,
    months: Months,
    *,
    models: Sequence[str] | None = None,
    leads: int = LEADS,
    every: int = 1,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Score forecasts from the true states of held-out times.

    Explained variance and anomaly correlation of full fields, uncentred, pooled over starts and
    weighted by area, display units; as those of :mod:`mlda_core.evaluation.reconstruction`.

    Parameters
    ----------
    bundle : Bundle
    months : Months
        Of the split scored.
    models : sequence of str, optional
        Keys of forecasts; those of the bundle and those that need no training by default.
    leads : int
        Longest lead, in steps.
    every : int
        A start every so many steps.
    tick : callable, optional
        Called with (model, starts done, in all).

    Returns
    -------
    dict
        ``[model][variable]["explained_variance" | "anomaly_correlation"]``, a list by lead from
        the first step on; under ``long_run`` variance and mean of runs of sixty steps over those
        of the states, and under ``spectrum`` the power by zonal wavenumber of forecasts of one
        and five steps, and of the states.

    Raises
    ------
    ConfigError
        If too few times follow one another.
    """
    rows = runs_of(months, bundle.seasons, leads)[::every]
    if not rows.size:
        raise ConfigError(
            f"No {leads + 1} {bundle.seasons.step.plural} of the split follow one another; ask for "
            "fewer leads, or prepare data without gaps."
        )
    out: dict[str, Any] = {}
    for key in models or forecasts_of(bundle):
        dynamics = load_forecast(bundle, key)
        out[key] = _by_lead(bundle, months, dynamics, rows, leads, tick)
        if key != "climatology":
            out[key]["long_run"] = _long_run(bundle, months, dynamics)
    return out


def forecast_from(
    bundle: Bundle, dynamics: Dynamics, x: Float, times: NDArray[np.datetime64]
) -> Float:
    """Step states that are of different times, shape (n, V, lat, lon)."""
    out = np.empty_like(x)
    with torch.no_grad():
        # One time at a time: a model may know the season.
        for time in np.unique(times):
            rows = np.flatnonzero(times == time)
            made = dynamics.step(torch.from_numpy(x[rows].reshape(rows.size, -1)), time)
            out[rows] = made.numpy().reshape(-1, *bundle.mask.shape)
    return out


def _by_lead(
    bundle: Bundle,
    months: Months,
    dynamics: Dynamics,
    rows: NDArray[np.int64],
    leads: int,
    tick: Tick | None,
) -> dict[str, Any]:
    normaliser = bundle.normaliser
    times = bundle.seasons.step.times(months.names)
    w = normaliser.weights
    shape = (leads, len(bundle.variables))
    lost, power, made, both = (np.zeros(shape) for _ in range(4))
    waves = {lead: _Spectrum(bundle) for lead in (1, 5) if lead <= leads}
    for start in range(0, rows.size, _BATCH):
        part = rows[start : start + _BATCH]
        x = months.x[part]
        for k in range(leads):
            x = forecast_from(bundle, dynamics, x, times[part + k])
            at = part + k + 1
            season = months.season[at]
            estimate = normaliser.anomalies(normaliser.restore(x, season), season)
            truth = months.anomalies[at].astype(np.float64)
            estimate = np.where(np.isfinite(truth), estimate, np.nan)
            for total, field in (
                (lost, (estimate - truth) ** 2),
                (power, truth**2),
                (made, estimate**2),
                (both, estimate * truth),
            ):
                total[k] += np.nansum(w * field, axis=(0, 2, 3))
            if k + 1 in waves:
                waves[k + 1].add(x, months.x[at])
        if tick:
            tick(dynamics.name, min(start + _BATCH, rows.size), rows.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        skill, correlation = 1 - lost / power, both / np.sqrt(power * made)
    scores: dict[str, Any] = {
        v.name: {
            "explained_variance": skill[:, i].tolist(),
            # Climatology has no anomaly to correlate.
            "anomaly_correlation": [
                float(c) if np.isfinite(c) else None for c in correlation[:, i]
            ],
        }
        for i, v in enumerate(bundle.variables)
    }
    scores["spectrum"] = {str(lead): one.table(bundle) for lead, one in waves.items()}
    scores["starts"] = int(rows.size)
    return scores


class _Spectrum:
    """Mean power by zonal wavenumber along a circle of latitude, of forecasts and states."""

    def __init__(self, bundle: Bundle) -> None:
        self.row = int(np.abs(bundle.grid.lat - SPECTRUM_LAT).argmin())
        whole = bundle.mask[:, self.row].all(axis=1)
        self.whole = np.logical_and(whole, bundle.grid.is_global).tolist()
        count = bundle.mask.shape[2] // 2 + 1
        self.made, self.true = (np.zeros((len(bundle.variables), count)) for _ in range(2))

    def add(self, made: Float, true: Float) -> None:
        """Add states, shape (n, V, lat, lon)."""
        self.made += _power(made[:, :, self.row])
        self.true += _power(true[:, :, self.row])

    def table(self, bundle: Bundle) -> dict[str, list[float]]:
        """Return the ratio of the forecasts' power to the states', from wavenumber 1 on."""
        ratio = self.made / np.maximum(self.true, 1e-30)
        return {
            v.name: ratio[i, 1:].round(4).tolist()
            for i, v in enumerate(bundle.variables)
            if self.whole[i]
        }


def _power(x: Float) -> NDArray[np.float64]:
    """Return the power by zonal wavenumber, summed over states, shape (V, waves)."""
    return np.asarray((np.abs(np.fft.rfft(x, axis=-1)) ** 2).sum(axis=0))


def _long_run(bundle: Bundle, months: Months, dynamics: Dynamics) -> dict[str, dict[str, float]]:
    """Run on from some starts: variance and mean at the end over those of the states."""
    rows = np.linspace(0, len(months) - 1, STARTS).astype(int)
    unit = np.timedelta64(1, bundle.seasons.step.unit)
    times = bundle.seasons.step.times(months.names)[rows]
    x = months.x[rows]
    kept = []
    for k in range(LONG):
        x = forecast_from(bundle, dynamics, x, times + k * unit)
        if k >= LONG - 10:
            kept.append(x)
    w = bundle.normaliser.weights
    ends = np.stack(kept)
    variance = (w * ends.astype(np.float64) ** 2).sum(axis=(3, 4)).mean(axis=(0, 1))
    mean = (w * ends.mean(axis=(0, 1))).sum(axis=(1, 2))
    usual = (w * months.x.astype(np.float64) ** 2).sum(axis=(2, 3)).mean(axis=0)
    return {
        v.name: {
            "variance_ratio": float(variance[i] / usual[i]),
            "mean": float(mean[i]),
        }
        for i, v in enumerate(bundle.variables)
    }
