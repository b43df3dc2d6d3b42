"""Training of impact heads on a bundle's training months, and their scores.

The sample is small, some hundred months, and noisy: so the network is small, its latents are drawn
from the encoder's posterior at every step, with dropout and weight decay, and training stops early
on held-out months. It starts from climatology, so without any skill in the latent vector it stays
there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np

from mlda_core.impact.fitting import Training, fit_weights
from mlda_core.impact.head import (
    MIN_COVER,
    Float,
    ImpactError,
    ImpactHead,
    Record,
    Scale,
    Transform,
    Weights,
    before,
    seen_months,
    usual_of,
)
from mlda_core.impact.samples import TRIED, Ints, Samples, codes_of, with_memory
from mlda_core.impact.scores import methods_of, scores_of

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.impact.series import MonthlySeries

# Fewer months cannot constrain the seasonal cycle and the network.
LEAST_TRAINING, LEAST_STOPPING = 48, 6
# With fewer validation months than this, calibration months are used for early stopping too.
FEW = 60


def train_impact(
    bundle: Bundle,
    series: MonthlySeries,
    *,
    name: str,
    training: Training | None = None,
    score_test: bool = False,
    tick: Callable[[str, int, int], None] | None = None,
) -> ImpactHead:
    """Train a head on the training months that bundle and series have in common.

    Parameters
    ----------
    bundle : Bundle
    series : MonthlySeries
    name : str
        Short name of the head.
    training : Training, optional
    score_test : bool
        Whether test months are scored: once, for a final head.
    tick : callable, optional
        Called with (stage, done, in all).

    Returns
    -------
    ImpactHead

    Raises
    ------
    ImpactError
        If the series and the bundle have too few common months.
    BundleError
        If the bundle is not one of months.
    """
    bundle.require_months("an impact is trained on months; use a monthly one")
    training = training or Training()
    say = tick or (lambda _what, _done, _all: None)
    z, sd, calendar = codes_of(bundle, lambda done, n: say("months encoded", done, n))
    years = np.array([int(m[:4]) for m in bundle.months])
    observed, seen = series.at(bundle.months), seen_months(bundle, training.memory)
    blocks = with_memory(bundle.months, z, sd, training.memory)
    everything = Samples(*blocks, calendar, years, observed)
    splits = np.array([bundle.split(m) for m in bundle.months])
    there = seen & np.isfinite(observed)
    hidden = {m for m, s in zip(bundle.months, splits, strict=True) if s not in ("train", "gap")}
    # Exclude held-out months from the fit, including from its memory.
    clean = np.array([not hidden & set(before(m, training.memory)) for m in bundle.months])
    fit = everything[there & clean & (splits == "train")]
    stopping = ["validation"]
    if (there & (splits == "validation")).sum() < FEW:
        stopping.append("calibration")
    stop = everything[there & np.isin(splits, stopping)]
    _check(series, fit, stop)
    scale = _scale(fit)
    if bool((fit.values == fit.values[0]).all()):
        raise ImpactError(
            f"{series.name} has one and the same value in all months; nothing varies."
        )
    counts = (
        [training.n_latent] if training.n_latent else sorted({min(n, z.shape[1]) for n in TRIED})
    )
    tried: list[tuple[float, Weights, int]] = []
    for i, count in enumerate(counts):
        chosen = replace(training, n_latent=min(count, z.shape[1]))
        weights, loss = fit_weights(fit, stop, scale, chosen)
        tried.append((loss, weights, chosen.n_latent))
        say("networks", i + 1, len(counts))
    loss, weights, count = min(tried, key=lambda t: t[0])
    quantiles = usual_of(fit.values, fit.calendar, scale)
    extremes = (float(fit.values.min()), float(fit.values.max()))
    nothing = np.full(len(z), np.nan)
    # Rounded to half precision, as stored.
    past = blocks[0][:, 1:, :count].reshape(len(z), -1).astype(np.float16).astype(np.float32)
    record = Record(
        bundle.months, tuple(splits.tolist()), observed, seen,
        nothing, nothing, nothing, nothing, past,
    )  # fmt: skip
    methods = methods_of(fit, scale, weights, count)
    scored = {
        "train": ["train"],
        "validation": stopping,
        **({"test": ["test"]} if score_test else {}),
    }
    scores = {}
    for split, names in scored.items():
        part = everything[there & np.isin(splits, names)]
        if len(part):
            scores[split] = scores_of(methods, part, fit)
    about = {
        "training": asdict(replace(training, n_latent=count)),
        "tried": [{"n_latent": n, "crps_of_months_left_out": round(c, 5)} for c, _, n in tried],
        "stopping": stopping,
        "min_cover": MIN_COVER,
        "months": {"train": len(fit), "stopping": len(stop), "seen": int(there.sum())},
        "series": {"source": series.source, "left_out": list(series.left_out)},
    }
    head = ImpactHead(
        name, series.name, series.units, z.shape[1], count, training.memory, scale, weights,
        quantiles, extremes, scores, record, about,
    )  # fmt: skip
    return head.with_predictions(z)


def _check(series: MonthlySeries, fit: Samples, stop: Samples) -> None:
    for part, least, what in (
        (fit, LEAST_TRAINING, "training"),
        (stop, LEAST_STOPPING, "validation"),
    ):
        if len(part) < least:
            raise ImpactError(
                f"{series.name} ({series.months[0]} to {series.months[-1]}) shares {len(part)} "
                f"{what} months with the bundle, and a head needs {least}; give a longer series, "
                "or a bundle of other years."
            )


def _scale(fit: Samples) -> Scale:
    """Fit the transform, then seasonal cycles of mean and spread with two harmonics.

    Two harmonics need a third of the data of twelve separate means.
    """
    transform = Transform.fitted(fit.values)
    values = transform.forward(fit.values)
    waves = _waves(fit.calendar)
    centre = np.linalg.lstsq(waves, values, rcond=None)[0]
    rest = values - waves @ centre
    floor = 0.05 * rest.std() + 1e-12
    spread = np.linalg.lstsq(waves, rest**2, rcond=None)[0]
    every = _waves(np.arange(1, 13))
    return Scale(transform, every @ centre, np.sqrt(np.maximum(every @ spread, (5 * floor) ** 2)))


def _waves(calendar: Ints) -> Float:
    angle = 2 * np.pi * (calendar - 0.5) / 12
    return np.column_stack(
        [np.ones(len(calendar)), *(f(k * angle) for k in (1, 2) for f in (np.cos, np.sin))]
    )
