"""Training of impact heads on a bundle's training months, and their scores.

The sample is small, some hundred months, and noisy: so the network is small, its latents are drawn
from the encoder's posterior at every step, with dropout and weight decay, and training stops early
on held-out months. It starts from climatology, so without any skill in the latent vector it stays
there. Loss: the continuous ranked probability score of the standardised value (Gneiting and Raftery
2007, J. Am. Stat. Assoc. 102, 359), which is less affected by single floods than the logarithmic
score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from mlda_core.impact.head import (
    INTERVAL,
    LEVELS,
    LOG_SPREAD,
    MIN_COVER,
    Float,
    ImpactError,
    ImpactHead,
    Prediction,
    Record,
    Scale,
    Transform,
    Weights,
    before,
    inputs_of,
    seen_months,
    usual_of,
)

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.impact.series import MonthlySeries

Ints = NDArray[np.int64]
# Fewer months cannot constrain the seasonal cycle and the network.
LEAST_TRAINING, LEAST_STOPPING = 48, 6
# With fewer validation months than this, calibration months are used for early stopping too.
FEW = 60
# Candidate numbers of leading latents, which are sorted by variance.
TRIED = (10, 20, 40, 100)
# Cross-validation in 3-year blocks, 4 folds, each member leaving out one: monthly flows are
# autocorrelated.
BLOCK, FOLDS = 3, 4
# Candidate factors on the spread, applied after training.
SPREADS = tuple(np.exp(np.arange(-8, 6) / 10).tolist())
# Bootstrap samples of years for the interval of a skill.
DRAWS = 1000


@dataclass(frozen=True)
class Training:
    """Settings of the training.

    Parameters
    ----------
    n_latent : int
        Number of leading latents used; 0 to choose it by the early-stopping months.
    memory : int
        Number of preceding months used, by the mean of their codes.
    hidden : int
        Hidden units of each perceptron.
    members : int
        Perceptrons of the ensemble.
    weight_decay, learning_rate : float
        Of Adam with decoupled decay.
    dropout : float
        Dropout rate of latents and hidden units.
    steps, patience, every : int
        Maximum steps, steps without improvement before stopping, and steps between tests.
    seed : int
    """

    n_latent: int = 0
    memory: int = 0
    hidden: int = 16
    members: int = 8
    weight_decay: float = 0.1
    learning_rate: float = 1e-2
    dropout: float = 0.3
    steps: int = 1500
    patience: int = 200
    every: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden", "members", "steps"):
            if getattr(self, name) < 1:
                raise ImpactError(f"'{name}' is {getattr(self, name)}; give at least 1.")
        if self.n_latent < 0 or not 0 <= self.dropout < 1:
            raise ImpactError("A head sees latents from 1 on and drops less than all of them.")
        if not 0 <= self.memory <= 24:
            raise ImpactError(
                f"A memory of {self.memory} months is not within 0 to 24; correct it."
            )


@dataclass(frozen=True)
class Samples:
    """Months with their codes and measured values.

    Parameters
    ----------
    z, sd : ndarray, shape (n, B, L)
        Mean and standard deviation of the codes; with a memory B is 2, and the second block is
        the mean over the preceding months.
    calendar, years : ndarray of int, shape (n,)
    values : ndarray, shape (n,)
        In the series' units.
    """

    z: Float
    sd: Float
    calendar: Ints
    years: Ints
    values: Float

    def __getitem__(self, rows: NDArray[np.bool_]) -> Samples:
        return Samples(
            self.z[rows], self.sd[rows], self.calendar[rows], self.years[rows], self.values[rows]
        )

    def __len__(self) -> int:
        return len(self.values)


def codes_of(
    bundle: Bundle, tick: Callable[[int, int], None] | None = None
) -> tuple[Float, Float, Ints]:
    """Encode all months of a bundle: codes, standard deviations, and calendar months.

    Parameters
    ----------
    bundle : Bundle
    tick : callable, optional
        Called with (months encoded, in all).

    Returns
    -------
    mean, sd : ndarray, shape (months, L)
    calendar : ndarray of int, shape (months,)
    """
    calendar = np.array([int(m[5:]) for m in bundle.months])
    means, sds = [], []
    for start in range(0, len(calendar), 24):
        part = slice(start, start + 24)
        x = np.stack([bundle.target_standardised(m) for m in bundle.months[part]])
        mean, sd = bundle.encode_standardised(x, calendar[part])
        means.append(mean)
        sds.append(sd)
        if tick is not None:
            tick(min(start + 24, len(calendar)), len(calendar))
    return np.concatenate(means), np.concatenate(sds), calendar


def with_memory(months: Sequence[str], z: Float, sd: Float, memory: int) -> tuple[Float, Float]:
    """Return codes and their standard deviations as blocks, shape (n, B, L).

    Parameters
    ----------
    months : sequence of str
        ``YYYY-MM`` each.
    z, sd : ndarray, shape (n, L)
    memory : int
        Number of preceding months averaged; missing ones count as zero, the prior's mean.
    """
    if not memory:
        return z[:, None], sd[:, None]
    row = {month: i for i, month in enumerate(months)}
    past = np.zeros((2, *z.shape))
    for i, month in enumerate(months):
        rows = [row[m] for m in before(month, memory) if m in row]
        past[0, i] = z[rows].sum(axis=0) / memory
        past[1, i] = np.sqrt((sd[rows] ** 2).sum(axis=0)) / memory
    return np.stack([z, past[0]], axis=1), np.stack([sd, past[1]], axis=1)


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
    """
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
    methods = _methods(fit, scale, weights, count)
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


def fit_weights(
    fit: Samples, stop: Samples, scale: Scale, training: Training
) -> tuple[Weights, float]:
    """Train an ensemble.

    Each member leaves out a quarter of the training years, and stops early on these and on the
    other held-out months. The members' predictions for the years they left out calibrate the
    spread: it would be too narrow for years used in the fit.

    Parameters
    ----------
    fit, stop : Samples
        Months to fit, and held-out months for early stopping.
    scale : Scale
    training : Training
        With ``n_latent`` of at least 1.

    Returns
    -------
    Weights
    float
        Mean standardised CRPS of the ensemble in held-out months.
    """
    generator = torch.Generator().manual_seed(training.seed)
    n, hidden, members = training.n_latent, training.hidden, training.members
    inputs, target = _tensors(fit, scale, n)
    stop_inputs, stop_target = _tensors(stop, scale, n)
    noise = torch.from_numpy(fit.sd[:, :, :n].reshape(len(fit), -1)).float()
    fold = torch.from_numpy(fit.years // BLOCK % FOLDS)
    left_out = fold[None] == (torch.arange(members) % FOLDS)[:, None]
    fitted = (~left_out).float() / (~left_out).sum(dim=1, keepdim=True)
    held = torch.cat([left_out.float(), torch.ones(members, len(stop))], dim=1)
    held = held / held.sum(dim=1, keepdim=True)
    every_input = torch.cat([inputs, stop_inputs]).expand(members, -1, -1)
    every_target = torch.cat([target, stop_target])
    latents, width = noise.shape[1], inputs.shape[1]
    first = torch.randn(members, hidden, width, generator=generator) / math.sqrt(width)
    # Output weights are initialised to zero: mean 0 and spread 1, the climatology.
    shapes = [(members, hidden), (members, 2, hidden), (members, 2), (members, width)]
    values = [first, *(torch.zeros(shape) for shape in shapes)]
    for value in values:
        value.requires_grad_(True)
    decayed = {"params": [values[i] for i in (0, 2, 4)], "weight_decay": training.weight_decay}
    free = {"params": [values[i] for i in (1, 3)], "weight_decay": 0.0}
    optimiser = torch.optim.AdamW([decayed, free], lr=training.learning_rate)
    best = torch.full((members,), torch.inf)
    kept = [v.detach().clone() for v in values]
    last_gain = 0
    for step in range(training.steps + 1):
        if step % training.every == 0:
            with torch.no_grad():
                losses = (_crps(*_forward(values, every_input), every_target) * held).sum(dim=1)
                gains = losses < best - 1e-5
                if gains.any():
                    last_gain = step
                best = torch.where(gains, losses, best)
                for own, value in zip(kept, values, strict=True):
                    own[gains] = value.detach()[gains]
            if step - last_gain >= training.patience:
                break
        drawn = inputs.expand(members, -1, -1).clone()
        shape = (members, len(inputs), latents)
        drawn[..., :latents] += noise * torch.randn(shape, generator=generator)
        drawn[..., :latents] *= _kept(shape, training.dropout, generator)
        hide = _kept((members, len(inputs), hidden), training.dropout, generator)
        loss = (_crps(*_forward(values, drawn, hide), target) * fitted).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        centre, spread = (v.double() for v in _forward(kept, every_input))
    found = [
        (float(_crps(*_pooled(centre, factor * spread, held > 0), every_target).nanmean()), factor)
        for factor in SPREADS
    ]
    loss_found, factor = min(found)
    arrays = [v.double().numpy() for v in kept]
    arrays[3][:, 1] += np.log(factor)
    return Weights(*arrays), loss_found


def _tensors(part: Samples, scale: Scale, n_latent: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and standardised values, (n, I) and (n,)."""
    inputs = inputs_of(part.z, part.calendar, n_latent)
    values = scale.forward(part.values, part.calendar)
    return torch.from_numpy(inputs).float(), torch.from_numpy(values).float()


def _pooled(
    centre: torch.Tensor, spread: torch.Tensor, by: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and spread of the mixture of selected members, (n,) each; NaN without any."""
    weight = by.double() / by.sum(dim=0)
    mean = (weight * centre).sum(dim=0)
    variance = (weight * (spread**2 + (centre - mean) ** 2)).sum(dim=0)
    return mean, torch.sqrt(variance)


def _kept(shape: tuple[int, ...], dropout: float, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(shape, generator=generator) >= dropout).float() / (1 - dropout)


def _forward(
    values: list[torch.Tensor], inputs: torch.Tensor, hide: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and spread, (E, n) each, of inputs (E, n, I), like :class:`Weights` unpooled."""
    into, into_bias, out, out_bias, past = values
    hidden = torch.tanh(inputs @ into.mT + into_bias[:, None])
    if hide is not None:
        hidden = hidden * hide
    given = hidden @ out.mT + out_bias[:, None]
    straight = (inputs @ past[:, :, None])[..., 0]
    return given[..., 0] + straight, torch.exp(given[..., 1].clamp(*LOG_SPREAD))


def _crps(mean: torch.Tensor, spread: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """CRPS of a normal distribution (Gneiting et al. 2005, Mon. Wea. Rev. 133, 1098)."""
    w = (value - mean) / spread
    below = 2 * torch.special.ndtr(w) - 1
    density = torch.exp(-0.5 * w**2) / math.sqrt(2 * math.pi)
    return spread * (w * below + 2 * density - 1 / math.sqrt(math.pi))


# Scores

# Maps months to quantiles at LEVELS, (n, 100), in the series' units.
Method = Callable[[Samples], Float]


def _methods(fit: Samples, scale: Scale, weights: Weights, count: int) -> dict[str, Method]:
    def head(part: Samples) -> Float:
        predicted = weights(inputs_of(part.z, part.calendar, count))
        return Prediction(*predicted, part.calendar, scale, "").quantile(LEVELS)

    return {"head": head, "ridge": _ridge(fit, scale), "climatology": _climatology(fit, scale)}


def _climatology(fit: Samples, scale: Scale) -> Method:
    """Return the empirical quantiles of the training months by calendar month."""
    table = np.empty((12, len(LEVELS)))
    for m in range(12):
        own = fit.values[fit.calendar == m + 1]
        table[m] = (
            np.quantile(own, LEVELS)
            if own.size >= 10
            else scale.inverse(ndtri(LEVELS), np.full(len(LEVELS), m + 1))
        )
    return lambda part: table[part.calendar - 1]


def _ridge(fit: Samples, scale: Scale) -> Method:
    """Return ridge regression on the leading latents and the month.

    Number of latents and penalty are chosen by cross-validation over years. In the same
    standardised, transformed values as the head; normal, with the cross-validation error as
    spread.
    """
    target = scale.forward(fit.values, fit.calendar)
    # Cross-validation folds: consecutive years in different fifths, each year in one.
    fold = np.unique(fit.years, return_inverse=True)[1] % 5
    candidates: list[tuple[float, float, int]] = []
    for count in sorted({min(n, fit.z.shape[2]) for n in TRIED}):
        inputs = _with_one(inputs_of(fit.z, fit.calendar, count))
        for penalty in 10.0 ** np.arange(-1, 5.1, 0.5):
            missed = np.zeros(len(target))
            for k in np.unique(fold):
                out = fold == k
                line = _ridge_line(inputs[~out], target[~out], penalty)
                missed[out] = target[out] - inputs[out] @ line
            candidates.append((float(np.sqrt((missed**2).mean())), penalty, count))
    spread, penalty, count = min(candidates)
    inputs = _with_one(inputs_of(fit.z, fit.calendar, count))
    line = _ridge_line(inputs, target, penalty)

    def method(part: Samples) -> Float:
        centres = _with_one(inputs_of(part.z, part.calendar, count)) @ line
        spreads = np.full(len(centres), spread)
        return Prediction(centres, spreads, part.calendar, scale, "").quantile(LEVELS)

    return method


def _with_one(inputs: Float) -> Float:
    return np.column_stack([inputs, np.ones(len(inputs))])


def _ridge_line(inputs: Float, target: Float, penalty: float) -> Float:
    weight = np.full(inputs.shape[1], penalty)
    # The mean is not penalised.
    weight[-1] = 0.0
    return np.asarray(np.linalg.solve(inputs.T @ inputs + np.diag(weight), inputs.T @ target))


def scores_of(
    methods: dict[str, Method], part: Samples, fit: Samples, seed: int = 0
) -> dict[str, Any]:
    """Score methods in selected months.

    Parameters
    ----------
    methods : dict of callable
        Map months to quantiles at `LEVELS`; must include "climatology".
    part, fit : Samples
        Months to score, and the training months, whose climatology defines anomalies.
    seed : int
        Of the bootstrap over years.

    Returns
    -------
    dict
        ``months``, ``years``, and by method ``explained_variance`` of the month's anomaly by the
        mean, ``correlation`` of the anomalies (None if one is constant), ``crps`` in the
        series' units, ``crps_skill`` against climatology (1 is perfect), its 90 % interval
        ``crps_skill_interval`` by bootstrap over years, and ``coverage``, the fraction of
        months within `INTERVAL`.
    """
    normal = np.full(13, fit.values.mean())
    for month in np.unique(fit.calendar):
        normal[month] = fit.values[fit.calendar == month].mean()
    base = normal[part.calendar]
    truth = part.values - base
    quantiles = {name: method(part) for name, method in methods.items()}
    crps = {name: _crps_of(q, part.values) for name, q in quantiles.items()}
    years, row = np.unique(part.years, return_inverse=True)
    draws = np.random.default_rng(seed).integers(len(years), size=(DRAWS, len(years)))
    by_year = {
        n: np.bincount(row, c, minlength=len(years))[draws].sum(axis=1) for n, c in crps.items()
    }
    out: dict[str, Any] = {"months": len(part), "years": len(years)}
    for name, q in quantiles.items():
        anomaly = q.mean(axis=1) - base
        varies = len(part) > 2 and anomaly.std() > 1e-9 * (truth.std() + 1e-300)
        inside = _inside(q, part.values)
        skills = 1 - by_year[name] / by_year["climatology"]
        out[name] = {
            "explained_variance": _plain(1 - ((anomaly - truth) ** 2).sum() / (truth**2).sum()),
            "correlation": _plain(np.corrcoef(anomaly, truth)[0, 1]) if varies else None,
            "crps": _plain(crps[name].mean()),
            "crps_skill": _plain(1 - crps[name].sum() / crps["climatology"].sum()),
            "crps_skill_interval": [_plain(v) for v in np.quantile(skills, [0.05, 0.95])],
            "coverage": _plain(inside.mean()),
        }
    return out


def _inside(quantiles: Float, values: Float) -> NDArray[np.bool_]:
    low, high = (np.array([np.interp(level, LEVELS, q) for q in quantiles]) for level in INTERVAL)
    return (values >= low) & (values <= high)


def _crps_of(quantiles: Float, values: Float) -> Float:
    """CRPS as twice the mean quantile loss over `LEVELS`: of any distribution, (n,)."""
    error = values[:, None] - quantiles
    return np.asarray(2 * np.where(error >= 0, LEVELS, LEVELS - 1) * error).mean(axis=1)


def _plain(value: float) -> float:
    return round(float(value), 4)


def rows_of(scores: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Return the methods of one split's scores, in order."""
    return [(k, v) for k, v in scores.items() if isinstance(v, dict)]
