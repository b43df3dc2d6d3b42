"""Comparison of priors of the latent vector on held-out months."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import skew

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.physical_units import anomalies as physical_anomalies
from mlda_core.assimilation.posterior.ensemble import checked_sampler
from mlda_core.assimilation.posterior.sampler import MEMBERS
from mlda_core.assimilation.spread import mean_spread
from mlda_core.assimilation.validation import setting_of
from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.checks import decode_all
from mlda_core.bundle.codes import codes_of
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.evaluation.assimilation import (
    ERROR,
    Tally,
    draws_of,
    network_of,
    observe_months,
    observed_weights,
)
from mlda_core.evaluation.assimilation import score as score_assimilation
from mlda_core.evaluation.reconstruction import (
    variance_of_months,
    variance_ratio,
    with_residual,
)
from mlda_core.evaluation.scores_file import put_scores, scores_of
from mlda_core.observations.standardised import Observed, thin
from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.latent_prior import DEFAULT_PRIOR, LatentPrior, WithDensity
from mlda_core.vae.prior_training import DRAWS, Codes
from mlda_core.vae.priors import PRIORS

Array = NDArray[np.float64]
Tick = Callable[[str, int, int], None]

NETWORKS = ("stations_10", "stations_30")
# Draws of a prior for each code, in the energy distance.
PER_CODE = 5
# Draws of a network whose months the sampler guided is scored on, a year's months each: it takes
# seconds a month.
GUIDED_DRAWS = 2


def score_priors(
    bundle: Bundle,
    data: TrainingData,
    split: str,
    *,
    samples: int = 600,
    networks: Sequence[str] = NETWORKS,
    most_draws: int | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Compare the priors that a bundle has.

    Parameters
    ----------
    bundle : Bundle
    data : TrainingData
        That the bundle was trained with.
    split : str
        Split to score.
    samples : int
        Draws in each calendar month that are decoded.
    networks : sequence of str
        Of :data:`mlda_core.evaluation.assimilation.NETWORKS`, for the analyses.
    most_draws : int, optional
        Draws of each network; all by default.
    keep : callable, optional
        Called with what is there after each part: the analyses take most of the time.
    tick : callable, optional
        Called with (stage, done, in all).

    Returns
    -------
    dict
        ``priors`` by key: ``log_density`` a month with ``gain`` over N(0, I) and its
        ``standard_error``, ``energy_distance``, ``variance_ratio`` by variable, ``nino34`` and
        ``analyses`` by network and variable; ``halves``, the energy distance of one half of the
        years' codes from the other; ``nino34`` of the codes and of the training months themselves.
    """
    months = data.observed.in_split(split)
    codes = codes_of(bundle, months, tick=tick)
    train = data.train
    real = variance_of_months(train)
    there = {key: bundle.prior(key) for key, kind in PRIORS.items() if _has(bundle, key)}
    out: dict[str, Any] = {
        "months": len(months),
        "halves": _halves(codes, months),
        "priors": {},
    }
    first = train.where(train.member == train.member.min())
    if (mask := _nino34(bundle)) is not None:
        out["nino34"] = {
            "months": _moments(np.nansum(mask * first.anomalies[:, bundle.sea_row], axis=(1, 2))),
            "codes": _nino34_of_codes(bundle, codes_of(bundle, first).mean, first.calendar, mask),
        }
    base = None
    for key, prior in there.items():
        found: dict[str, Any] = {}
        if isinstance(prior, WithDensity):
            density = _densities(prior, codes, months)
            base = density if base is None else base
            found["log_density"] = float(density.mean())
            found["gain"] = float((density - base).mean())
            found["standard_error"] = float((density - base).std() / np.sqrt(len(density)))
        found["energy_distance"] = energy_distance(codes.drawn(0), _as_codes(prior, codes))
        found |= _decoded(bundle, prior, key, real, samples=samples, mask=mask, tick=tick)
        out["priors"][key] = found
    if keep:
        keep(out)
    # The slow part last.
    for key in there if bundle.has_statistics else ():
        found = _analyses(bundle, months, key, networks, most_draws, tick)
        out["priors"][key]["analyses"] = found
        if keep:
            keep(out)
    return out


def _has(bundle: Bundle, key: str) -> bool:
    return not PRIORS[key].trained or key in bundle.config.get("priors", {})


def _densities(prior: WithDensity, codes: Codes, months: Months) -> Array:
    """Return the log density of each named month: mean over members and draws of the codes."""
    found = np.mean(
        [prior.log_density(codes.drawn(seed), codes.calendar) for seed in range(DRAWS)], axis=0
    )
    _, row = np.unique(months.names, return_inverse=True)
    return np.asarray(np.bincount(row, found) / np.bincount(row))


def _as_codes(prior: LatentPrior, codes: Codes) -> Array:
    """Draw :data:`PER_CODE` latent vectors for each code, of its calendar month."""
    counts = np.bincount(codes.calendar, minlength=13)
    return np.concatenate(
        [prior.sample(PER_CODE * int(counts[m]), m, 1) for m in range(1, 13) if counts[m]]
    )


def _halves(codes: Codes, months: Months) -> float | None:
    """Return the energy distance of every second year's codes from the others'."""
    years = np.array([int(name[:4]) for name in months.names])
    second = np.isin(years, np.unique(years)[1::2])
    if not second.any():
        return None
    z = codes.drawn(0)
    return energy_distance(z[second], z[~second])


def energy_distance(x: Array, y: Array) -> float:
    """Return the energy distance of two samples, by its unbiased estimate.

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` (Székely and Rizzo 2013,
    https://doi.org/10.1016/j.jspi.2013.03.018): zero for draws of one distribution, on average.

    Parameters
    ----------
    x : ndarray, shape (n, L)
    y : ndarray, shape (m, L)

    Returns
    -------
    float
    """

    def within(z: Array) -> float:
        return float(cdist(z, z).sum() / (len(z) * (len(z) - 1)))

    return float(2 * cdist(x, y).mean() - within(x) - within(y))


def _nino34(bundle: Bundle) -> Array | None:
    """Return the weights of the Niño 3.4 mean of SST, (lat, lon); None without that sea."""
    if bundle.sea_row < 0:
        return None
    weights = (
        region_mask(bundle.grid, REGIONS["nino34"]) * bundle.normaliser.weights[bundle.sea_row]
    )
    return np.asarray(weights / weights.sum()) if weights.sum() > 0 else None


def _moments(index: Array) -> dict[str, float]:
    return {"sd": float(index.std()), "skewness": float(skew(index)), "n": int(index.size)}


def _index(bundle: Bundle, x: NDArray[np.float32], calendar: Any, mask: Array) -> Array:
    """Return the Niño 3.4 mean of decoded states, K."""
    normaliser = bundle.normaliser
    fields = normaliser.anomalies(normaliser.restore(x, calendar), calendar)[:, bundle.sea_row]
    return np.asarray(np.nansum(mask * fields, axis=(1, 2)))


def _nino34_of_codes(
    bundle: Bundle, z: Array, calendar: NDArray[np.int64], mask: Array
) -> dict[str, float]:
    return _moments(_index(bundle, decode_all(bundle, z, calendar), calendar, mask))


def _decoded(
    bundle: Bundle,
    prior: LatentPrior,
    key: str,
    real: Array,
    *,
    samples: int,
    mask: Array | None,
    tick: Tick | None,
) -> dict[str, Any]:
    """Variance of decoded draws plus residual over that of training months, and El Niño."""
    rng = np.random.default_rng(0)
    total, squares = np.zeros(bundle.mask.shape), np.zeros(bundle.mask.shape)
    index = []
    for month, season in enumerate(bundle.seasons.middles.tolist(), 1):
        seasons = np.full(samples, season)
        x = decode_all(bundle, prior.sample(samples, month, 0), seasons)
        if mask is not None:
            index.append(_index(bundle, x, seasons, mask))
        fields = with_residual(bundle, x, season, rng)
        total += fields.sum(axis=0) / (12 * samples)
        squares += (fields**2).sum(axis=0) / (12 * samples)
        if tick:
            tick(f"decoding draws of the {key} prior", month, 12)
    out: dict[str, Any] = {"variance_ratio": variance_ratio(bundle, squares - total**2, real)}
    if index:
        out["nino34"] = _moments(np.concatenate(index))
    return out


def _analyses(
    bundle: Bundle,
    months: Months,
    key: str,
    networks: Sequence[str],
    most_draws: int | None,
    tick: Tick | None,
) -> dict[str, Any]:
    """Explained variance of analyses with a prior, by network and variable.

    A prior without a density is scored by the mean of the members that the sampler guided draws,
    on fewer months, with the analysis by N(0, I) of the same months beside it.
    """
    if not PRIORS[key].analysis:
        return _guided_means(bundle, months, networks, most_draws, tick)
    scores = score_assimilation(
        bundle,
        months,
        methods=("vae",),
        networks=networks,
        spread=False,
        settings={"prior": key},
        most_draws=most_draws,
        tick=tick,
    )
    return {
        network: {
            name: {k: methods["vae"][k] for k in ("explained_variance", "months")}
            for name, methods in by_variable.items()
            if "vae" in methods
        }
        for network, by_variable in scores.items()
    }


def _guided_means(
    bundle: Bundle,
    months: Months,
    networks: Sequence[str],
    most_draws: int | None,
    tick: Tick | None,
) -> dict[str, Any]:
    most = min(GUIDED_DRAWS, most_draws or GUIDED_DRAWS)
    engine, setting = Assimilator(bundle), setting_of({})
    sampler = checked_sampler(setting, "guided", MEMBERS, 0)
    members = sorted({int(m) for m in months.member})
    out: dict[str, Any] = {}
    for network in networks:
        guided, plain = (Tally.empty(len(bundle.variables)) for _ in range(2))
        for draw, who in draws_of(network, members)[:most]:
            places, everywhere = network_of(bundle, network, draw)
            weights = np.stack(4 * [observed_weights(bundle, places, everywhere)])
            chosen = months.where(np.isin(months.member, who))
            year = sorted({name[:4] for name in chosen.names})[draw % 2 - 1]
            chosen = chosen.where(np.array([name.startswith(year) for name in chosen.names]))
            for i in range(len(chosen)):
                one = chosen.where(np.arange(len(chosen)) == i)
                month = int(one.season[0])
                values = observe_months(bundle, places, one, np.random.default_rng([draw, month]))
                seen = np.isfinite(values[0])
                if not seen.any():
                    continue
                here, variance = places.where(seen), np.full(int(seen.sum()), ERROR**2)
                observed = Observed(here, values[0][seen], variance)
                problem = engine.preparation.problem(observed, thin(here, variance), month, setting)
                _, x = minimum(problem)
                draws = engine.draws.of(problem, MEMBERS, 0)
                *_, last = sampler.sample(problem, draws)
                if last.sampled is None:
                    raise RuntimeError("a sampler ended without its members")
                spread = mean_spread(problem)
                for tally, state in ((plain, x), (guided, last.sampled.x.mean(axis=0))):
                    estimate = physical_anomalies(bundle, state, month, spread)
                    tally.add(estimate[None], one.anomalies, weights)
                if tick:
                    tick(f"{network}, guided", guided.months, most * len(chosen))
        out[network] = {
            v.name: {
                "explained_variance": guided.scores(0, i)["explained_variance"],
                "of_gaussian": plain.scores(0, i)["explained_variance"],
                "months": guided.months,
            }
            for i, v in enumerate(bundle.variables)
            if guided.power[0, i] > 0
        }
    return out


def write_priors(found: dict[str, Any], bundle: Bundle, split: str, path: Path) -> None:
    """Write the comparison into ``scores.json``, keeping its other contents.

    Parameters
    ----------
    found : dict
        From :func:`score_priors`.
    bundle : Bundle
    split : str
    path : Path
        The file.
    """
    scores = scores_of(bundle, path)
    # What each of them took to train, so that a table can say it.
    trained = {
        key: {k: about[k] for k in ("seconds", "history", "command") if k in about}
        for key, about in bundle.config.get("priors", {}).items()
    }
    kept = scores.get("priors", {})
    found = {**found, "trained": trained, "default": DEFAULT_PRIOR}
    put_scores({**scores, "priors": {**kept, split: found}}, bundle, path)
