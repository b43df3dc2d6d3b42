"""Scores of emulated responses to SST changes against the GCM's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.methods import scored_in
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.evaluation.assimilation import ERROR, network_of
from mlda_core.evaluation.scores_file import put_scores, scores_of
from mlda_core.perturbation.gcm import Float, GcmResponse, fingerprint
from mlda_core.perturbation.gcm_runs import Runs, Tick

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.interpolation import Places

METHODS = scored_in("response")
AREAS = ("globe", "tropics")
# Key of the test split; other splits have a suffix.
_KEY = "perturbation"


def emulate(
    engine: Assimilator, runs: Sequence[Runs], method: str, *, tick: Tick | None = None
) -> dict[str, Float]:
    """Emulate the experiments: the mean of ``A(y + d) - A(y)`` over their months.

    y is the month's SST in every cell, without noise, with an error of 0.2 of the local spread;
    d is the change that was added in the GCM's runs.

    Parameters
    ----------
    engine : Assimilator
    runs : sequence of Runs
        Over the same months.
    method : str
        ``vae``, ``enoi``, ``eof``, ... or ``regression``.
    tick : callable, optional
        Called with (method, months done, months in all).

    Returns
    -------
    dict
        By experiment, shape (V, lat, lon), display units; NaN where a variable does not exist.
    """
    bundle = engine.bundle
    places, _ = network_of(bundle, "sst_only", 0)
    calendar = runs[0].calendar
    total = {r.experiment: np.zeros(bundle.mask.shape) for r in runs}
    done = 0
    for month in np.unique(calendar):
        rows = np.flatnonzero(calendar == month)
        # The control and all experiments use the same network in a calendar month.
        seas = [runs[0].sea[rows], *(r.sea[rows] + r.change[rows] for r in runs)]
        x, sd = _states(engine, method, places, np.concatenate(seas), int(month))
        fields = bundle.normaliser.restore(x, np.full(len(x), month), sd=sd)
        control, *warmer = np.split(fields, len(seas))
        for r, field in zip(runs, warmer, strict=True):
            total[r.experiment] += (field - control).sum(axis=0)
        done += rows.size
        if tick:
            tick(method, done, calendar.size)
    return {
        name: np.where(bundle.mask, t / calendar.size, np.nan).astype(np.float32)
        for name, t in total.items()
    }


def _states(
    engine: Assimilator, method: str, places: Places, sea: Float, month: int
) -> tuple[Float, Float]:
    """Standardised states (n, V, lat, lon) from SST (n, lat, lon), and their spread."""
    bundle = engine.bundle
    fields = np.repeat(bundle.normaliser.climatology[month - 1][None], len(sea), axis=0)
    fields[:, bundle.sea_row] += sea
    given = bundle.normaliser.standardise(fields, np.full(len(sea), month))
    values = np.asarray(bundle.operator.apply(places, np.nan_to_num(given)), np.float64)
    variance = np.full(len(places), ERROR**2)
    # As for the page's responses: the difference of two minima requires precise minima.
    return engine.states(places, variance, values, month, method=method, polish=True)


def score(
    runs: Sequence[Runs], emulated: dict[str, dict[str, Float]], bundle: Bundle
) -> dict[str, Any]:
    """Compare mean responses with the GCM's.

    Uncentred pattern correlation, and amplitude ratio: <ours, GCM> over <GCM half A, GCM half B>,
    which is unbiased as the halves' noise is independent. Both inner products are means over all
    ways to split the runs. ``gcm_half`` compares one half with the other; its amplitude ratio is
    1 by definition, and is omitted.

    Parameters
    ----------
    runs : sequence of Runs
    emulated : dict
        By method, then experiment, from :func:`emulate`.
    bundle : Bundle

    Returns
    -------
    dict
        ``[experiment][area][variable][method]``.
    """
    out: dict[str, Any] = {}
    for r in runs:
        halves = r.halves()
        maps = {m: by_experiment[r.experiment] for m, by_experiment in emulated.items()}
        out[r.experiment] = {}
        for area in AREAS:
            weights = bundle.normaliser.weights * region_mask(bundle.grid, REGIONS[area])
            out[r.experiment][area] = {
                variable.name: _one(r, halves, maps, weights[v], v)
                for v, variable in enumerate(bundle.variables)
                if weights[v].any()
            }
    return out


def _one(
    runs: Runs,
    halves: list[tuple[Float, Float]],
    maps: dict[str, Float],
    weights: NDArray[np.float64],
    v: int,
) -> dict[str, dict[str, float]]:
    """Scores of one variable by method."""

    def dot(a: Float, b: Float) -> float:
        return float(np.nansum(weights * a[v].astype(np.float64) * b[v]))

    def correlation(a: Float, b: Float) -> float:
        size = np.sqrt(dot(a, a) * dot(b, b))
        return dot(a, b) / size if size > 0 else 0.0

    shared = float(np.mean([dot(a, b) for a, b in halves]))
    means = [0.5 * (a + b) for a, b in halves]
    out = {m: {"pattern_correlation": correlation(ours, runs.response)} for m, ours in maps.items()}
    # Uncorrelated halves provide no amplitude.
    if shared > 0:
        for method, ours in maps.items():
            projected = float(np.mean([dot(ours, mean) for mean in means]))
            out[method]["amplitude_ratio"] = projected / shared
    out["gcm_half"] = {"pattern_correlation": float(np.mean([correlation(*h) for h in halves]))}
    return out


def responses(runs: Sequence[Runs], emulated: dict[str, Float], split: str) -> list[GcmResponse]:
    """Return the responses for :func:`~mlda_core.perturbation.gcm.write_responses`.

    Parameters
    ----------
    runs : sequence of Runs
    emulated : dict
        By experiment, from :func:`emulate`.
    split : str
    """
    return [
        GcmResponse(
            r.experiment,
            split,
            r.months,
            len(r.perturbed),
            np.where(np.isfinite(r.sea[0]), r.change.mean(axis=0), np.nan).astype(np.float32),
            r.response,
            r.standard_error,
            emulated[r.experiment],
        )
        for r in runs
    ]


def write_perturbation(
    found: dict[str, Any], runs: Sequence[Runs], bundle: Bundle, split: str, path: Path
) -> None:
    """Write scores into ``scores.json``, keeping its other contents.

    The test split is stored as ``perturbation``, others as ``perturbation_SPLIT``. Scores of other
    weights, statistics or parameters than the bundle's are dropped.

    Parameters
    ----------
    found : dict
        From :func:`score`.
    runs : sequence of Runs
    bundle : Bundle
    split : str
    path : Path
        The file.
    """
    scores = scores_of(bundle, path)
    made_for = f"{_KEY}_made_for"
    if scores.get(made_for) != fingerprint(bundle):
        scores = {k: v for k, v in scores.items() if not k.startswith(_KEY)}
    key = _KEY if split == "test" else f"{_KEY}_{split}"
    members = {r.experiment: len(r.perturbed) for r in runs}
    scores |= {
        made_for: fingerprint(bundle),
        key: found,
        f"{key}_made_of": {"months": len(runs[0].months), "members": members},
    }
    put_scores(scores, bundle, path)
