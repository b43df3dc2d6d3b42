"""Scores of a bundle on held-out months: reconstruction, latent statistics, prior samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.checks import check_same_model, decode_all, effective_precision, nonlinearity
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.evaluation.eof import EOFBasis, fit_eofs
from mlda_core.evaluation.scores_file import put_scores, scores_of
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import Months, TrainingData, mean_square
from mlda_core.vae.minimise import minimise_all_fields

Tick = Callable[[str, int, int], None]
# A latent component is active if the variance of its posterior means exceeds this.
ACTIVE_VARIANCE = 0.01


@dataclass
class Report:
    """Results of :func:`validate`.

    Parameters
    ----------
    scores : dict
        Nested as in ``scores.json``.
    series : dict
        Global means by variable: (target, model), shape (n_months,) each.
    months : list of str
        Of the series.
    variance_maps : dict
        By variable: (real, prior samples), display units squared, shape (lat, lon).
    latent : dict
        By split: (mean, variance) of the aggregate posterior, shape (L,) each.
    """

    scores: dict[str, Any] = field(default_factory=dict)
    series: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    months: list[str] = field(default_factory=list)
    variance_maps: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict
    )
    latent: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)


def skill(
    bundle: Bundle,
    months: Months,
    x: NDArray[np.floating],
    sd: NDArray[np.floating] | None,
) -> dict[str, dict[str, float]]:
    """Explained variance and RMSE of standardised reconstructions, display units.

    Parameters
    ----------
    bundle : Bundle
    months : Months
        The targets.
    x : ndarray, shape (n, V, lat, lon)
        Standardised anomalies.
    sd : ndarray, shape (V, lat, lon), optional
        Spread over which the physical estimate is averaged.
    """
    fields = bundle.normaliser.restore(x, months.season, sd=sd)
    return skill_of_anomalies(bundle, months, bundle.normaliser.anomalies(fields, months.season))


def skill_of_anomalies(
    bundle: Bundle, months: Months, anomalies: NDArray[np.floating]
) -> dict[str, dict[str, float]]:
    """Explained variance and RMSE of display-unit anomalies (n, V, lat, lon), per variable."""
    w = bundle.normaliser.weights
    out = {}
    for v, variable in enumerate(bundle.variables):
        target = months.anomalies[:, v].astype(np.float64)
        lost = float(np.nansum(w[v] * (anomalies[:, v] - target) ** 2))
        power = float(np.nansum(w[v] * target**2))
        out[variable.name] = {
            "explained_variance": 1 - lost / power,
            "rmse": float(np.sqrt(lost / np.sum(w[v] * np.isfinite(target)))),
        }
    return out


def validate(
    bundle: Bundle,
    *,
    split: str,
    data: TrainingData | None = None,
    samples: int = 600,
    seed: int = 0,
    tick: Tick | None = None,
) -> Report:
    """Score a bundle on the months of a split.

    Parameters
    ----------
    bundle : Bundle
    split : str
        Split to score, such as ``validation`` or ``test``.
    data : TrainingData, optional
        Every member's months. Without it the bundled months are scored, and EOFs, which need
        the training months of every member, are omitted.
    samples : int
        Number of prior samples in each calendar month, for the variance.
    seed : int
        Of the prior samples.
    tick : callable, optional
        Called with (stage, done, in all).

    Returns
    -------
    Report

    Raises
    ------
    ConfigError
        If the split has no months, or the data are not the bundle's.
    """
    if data is not None:
        check_same_model(bundle, data)
    observed = data.observed if data is not None else months_of_bundle(bundle)
    months = observed.in_split(split)
    if not len(months):
        raise ConfigError(f"No month is in the split '{split}'; choose test, validation, ...")
    report = Report()
    sd = bundle.residual_sd
    codes = _latent(bundle, observed, split, report, tick)
    decoded = decode_all(bundle, codes, months.season)
    by_method = {"vae": skill(bundle, months, decoded, sd)}
    linear = decode_all(bundle, codes, months.season, linear=True)
    by_method["vae_linear_part"] = skill(bundle, months, linear, sd)
    best = minimise_all_fields(
        bundle.decoder,
        months.x,
        months.calendar,
        codes,
        effective_precision(bundle),
        present=months.present,
        tick=(lambda i, n: tick("minimising over z", i, n)) if tick else None,
    )
    by_method["vae_minimised"] = skill(bundle, months, decode_all(bundle, best, months.season), sd)
    if data is not None:
        count = bundle.n_latent
        for name, mixed in (("eof", True), ("eof_observed_only", False)):
            if mixed is False and data.mixed is None:
                continue
            basis = fit_eofs(data, count, mixed=mixed)
            held_out = data.observed.in_split("validation", "calibration")
            by_method[name] = skill(
                bundle, months, basis.reconstruct(months.x), _residual_sd(basis, held_out)
            )
            if name == "eof":
                # In units of the spread under the observed sea, like the VAE's prior.
                scale = basis.codes(data.train.x).std(axis=0)
                report.scores["latent"][split]["eof"] = agreement(
                    by_member(basis.codes(months.x) / scale, None, months)
                )
    by_method["climatology"] = skill_of_anomalies(bundle, months, np.zeros_like(months.x))
    report.scores["reconstruction"] = {
        split: {
            v.name: {method: scores[v.name] for method, scores in by_method.items()}
            for v in bundle.variables
        }
    }
    _prior(bundle, observed, report, samples=samples, seed=seed, tick=tick)
    _series(bundle, months, decoded, report)
    report.scores["months"] = {split: len(months)}
    report.scores["members"] = int(np.unique(months.member).size)
    report.scores["nonlinearity"] = {split: nonlinearity(bundle, codes, months.season)}
    return report


def _encode(
    bundle: Bundle, months: Months, what: str, tick: Tick | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    means, sds = [], []
    for start in range(0, len(months), 96):
        part = slice(start, start + 96)
        mean, sd = bundle.encode_standardised(months.x[part], months.season[part])
        means.append(mean)
        sds.append(sd)
        if tick:
            tick(f"encoding {what} months", min(start + 96, len(months)), len(months))
    return np.concatenate(means), np.concatenate(sds)


def _residual_sd(basis: EOFBasis, held_out: Months) -> NDArray[np.float64]:
    error = held_out.x - basis.reconstruct(held_out.x)
    return np.sqrt(mean_square(error.astype(np.float64), held_out.present, np.nan))


def by_member(
    mean: NDArray[np.float64], sd: NDArray[np.float64] | None, months: Months
) -> list[tuple[NDArray[np.float64], NDArray[np.float64], int]]:
    """Mean and variance of the aggregate posterior of each member, with its months."""
    out = []
    for member in np.unique(months.member):
        rows = months.member == member
        extra = 0.0 if sd is None else (sd[rows] ** 2).mean(axis=0)
        out.append((mean[rows].mean(axis=0), mean[rows].var(axis=0) + extra, int(rows.sum())))
    return out


def agreement(
    members: list[tuple[NDArray[np.float64], NDArray[np.float64], int]],
    active: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """Distance of an aggregate posterior from N(0, I), compared with independent draws.

    By member, as members share the sea and are not independent; root mean square over the
    active latents, mean over members. For n independent draws the mean departs by
    ``1 / sqrt(n)`` and the variance by ``sqrt(2 / n)``.
    """
    chosen = slice(None) if active is None else active
    n = members[0][2]
    mean = np.sqrt(np.mean([(m[chosen] ** 2).mean() for m, _, _ in members]))
    variance = np.sqrt(np.mean([((v[chosen] - 1) ** 2).mean() for _, v, _ in members]))
    return {
        "months": float(n),
        "mean_rms": float(mean),
        "mean_rms_of_draws": float(1 / np.sqrt(n)),
        "variance_error_rms": float(variance),
        "variance_error_rms_of_draws": float(np.sqrt(2 / n)),
        "variance_average": float(np.mean([v[chosen].mean() for _, v, _ in members])),
    }


def _latent(
    bundle: Bundle, observed: Months, split: str, report: Report, tick: Tick | None
) -> NDArray[np.float64]:
    """Report on the codes of training months and of a split, and return the latter's."""
    out: dict[str, Any] = {}
    active: NDArray[np.bool_] | None = None
    codes: dict[str, tuple[Months, NDArray[np.float64], NDArray[np.float64]]] = {}
    for name in dict.fromkeys(("train", split)):
        months = observed.in_split(name)
        if not len(months):
            continue
        mean, sd = _encode(bundle, months, name, tick)
        spread = mean.var(axis=0)
        active = spread > ACTIVE_VARIANCE if active is None else active
        found = agreement(by_member(mean, sd, months), active)
        out[name] = {"active": int((spread > ACTIVE_VARIANCE).sum()), **found}
        report.latent[name] = mean.mean(axis=0), spread + (sd**2).mean(axis=0)
        codes[name] = months, mean, sd
    if "train" in codes and split in out and split != "train":
        years = np.unique([n[:4] for n in observed.in_split(split).names]).size
        out[split] |= _years_of_training(*codes["train"], years=years, active=active)
    report.scores["latent"] = out
    return codes[split][1]


def _years_of_training(
    months: Months,
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    *,
    years: int,
    active: NDArray[np.bool_] | None,
    draws: int = 200,
    seed: int = 0,
) -> dict[str, float]:
    """Compute the same for whole years drawn from training: successive months are correlated.

    Independent draws are a bound that no climate attains: five years have about five
    independent seas, not sixty.
    """
    rng = np.random.default_rng(seed)
    year = np.array([n[:4] for n in months.names])
    first = months.member == months.member.min()
    names, counts = np.unique(year[first], return_counts=True)
    whole = names[counts == 12]
    if whole.size < years:
        return {}
    found = []
    for _ in range(draws):
        chosen = np.isin(year, rng.choice(whole, years, replace=False))
        members = by_member(mean[chosen], sd[chosen], months.where(chosen))
        found.append(agreement(members, active))
    return {
        f"{key}_of_training_years": float(np.median([f[key] for f in found]))
        for key in ("mean_rms", "variance_error_rms")
    }


def _prior(
    bundle: Bundle,
    observed: Months,
    report: Report,
    *,
    samples: int,
    seed: int,
    tick: Tick | None,
) -> None:
    """Variance of decoded prior samples plus residual, against that of real training months."""
    rng = np.random.default_rng(seed)
    shape = bundle.mask.shape
    total, squares = np.zeros(shape), np.zeros(shape)
    for month, season in enumerate(bundle.seasons.middles.tolist(), 1):
        z = rng.standard_normal((samples, bundle.n_latent))
        x = decode_all(bundle, z, np.full(samples, season))
        anomalies = with_residual(bundle, x, season, rng)
        total += anomalies.sum(axis=0) / (12 * samples)
        squares += (anomalies**2).sum(axis=0) / (12 * samples)
        if tick:
            tick("drawing prior samples", month, 12)
    drawn = squares - total**2
    real = variance_of_months(observed.in_split("train"))
    report.scores["prior_variance_ratio"] = variance_ratio(bundle, drawn, real)
    for v, variable in enumerate(bundle.variables):
        report.variance_maps[variable.name] = (real[v], drawn[v])


def with_residual(
    bundle: Bundle, x: NDArray[np.float32], season: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Add draws of the residual to decoded states of a season; anomalies, display units."""
    noisy = x + rng.standard_normal(x.shape).astype(np.float32) * bundle.residual_sd
    seasons = np.full(len(x), season)
    normaliser = bundle.normaliser
    return np.asarray(normaliser.anomalies(normaliser.restore(noisy, seasons), seasons))


def variance_of_months(months: Months) -> NDArray[np.float64]:
    """Return the variance of months' anomalies, (V, lat, lon); NaN in cells that never exist."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # cells that never exist
        return np.asarray(np.nanvar(months.anomalies.astype(np.float64), axis=0))


def variance_ratio(
    bundle: Bundle, drawn: NDArray[np.float64], real: NDArray[np.float64]
) -> dict[str, float]:
    """Return the area mean of a variance over that of another, by variable."""
    weights = bundle.normaliser.weights
    return {
        v.name: float(np.nansum(weights[i] * drawn[i]) / np.nansum(weights[i] * real[i]))
        for i, v in enumerate(bundle.variables)
    }


def _series(bundle: Bundle, months: Months, decoded: NDArray[np.float32], report: Report) -> None:
    """Global means of target and model over the first member's months."""
    rows = np.flatnonzero(months.member == months.member.min())
    rows = rows[np.argsort(months.names[rows])]
    normaliser = bundle.normaliser
    calendar = months.season[rows]
    fields = normaliser.restore(decoded[rows], calendar, sd=bundle.residual_sd)
    model = normaliser.anomalies(fields, calendar)
    report.months = [str(n) for n in months.names[rows]]
    for v, variable in enumerate(bundle.variables):
        target = months.anomalies[rows, v]
        w = normaliser.weights[v] * np.isfinite(target)
        total = w.sum(axis=(1, 2))
        total[total == 0] = np.nan  # a month without the variable
        report.series[variable.name] = (
            np.nansum(w * target, axis=(1, 2)) / total,
            np.nansum(w * model[:, v], axis=(1, 2)) / total,
        )


def write_scores(report: Report, bundle: Bundle, path: Path) -> None:
    """Write reconstruction scores into ``scores.json``, keeping its other contents.

    Scores of other splits are kept too if they are of as many members; a split is replaced as a
    whole, so that a table does not mix two runs. Scores of other weights are dropped.

    Parameters
    ----------
    report : Report
    bundle : Bundle
        The bundle scored.
    path : Path
        The file.
    """
    scores = scores_of(bundle, path)
    same = scores.get("members") == report.scores["members"]
    for key, value in report.scores.items():
        kept = scores.get(key)
        scores[key] = {**kept, **value} if same and isinstance(kept, dict) else value
    put_scores(scores, bundle, path)
