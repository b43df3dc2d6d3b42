"""Estimate the statistics that assimilation needs from a trained model and its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.checks import check_same_model, decode_all, nonlinearity
from mlda_core.bundle.statistics import SeaStatistics, Statistics, TunedParameters
from mlda_core.bundle.statistics_files import pack_patterns, unpack_patterns
from mlda_core.bundle.writing import add_statistics
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.gaps import without_gaps
from mlda_core.vae.sea import SeaConfig
from mlda_core.vae.sea_training import SeaTraining, distinct_seas, train_sea
from mlda_core.vae.seasonal import fit_patterns

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Tick = Callable[[str, int, int], None]
# The decoder's own 250 and further ones. Ensemble OI with 250, 400, 600, 800 patterns explains
# .252, .266, .272, .274 of validation rain at 100 stations; with the months themselves .278, but
# they would take 25 MB.
PATTERNS = 600


def calibrate(
    bundle: Bundle,
    data: TrainingData,
    settings: TunedParameters,
    *,
    sea: SeaConfig | None = None,
    training: SeaTraining | None = None,
    held: tuple[str, ...] = ("validation", "calibration"),
    patterns: int = PATTERNS,
    tick: Tick | None = None,
) -> None:
    """Add to a bundle what assimilation needs: sea network, statistics and parameters.

    Data with gaps are reduced to nearly complete months: :func:`without_gaps`.

    Parameters
    ----------
    bundle : Bundle
        Its folder is written to; reload it to use them.
    data : TrainingData
        Its training data.
    settings : TunedParameters
        Tuned on validation months; the decoder's nonlinearity is measured here.
    sea : SeaConfig, optional
        Shape of the sea network.
    training : SeaTraining, optional
        Settings of its training.
    held : tuple of str
        Held-out splits that residuals and past months may include: without ``validation``, to
        tune on it.
    patterns : int
        Number of patterns of the covariances, the decoder's own included.
    tick : callable, optional
        Called with (stage, done, in all).

    Raises
    ------
    ConfigError
        If the data are not the bundle's, lack the splits, or have too few complete months.
    """
    check_same_model(bundle, data)
    past = ("train", *held)
    data = without_gaps(data, past)
    part = data.observed.in_split(*held)
    if len(part) < 2:
        raise ConfigError(
            f"No month is in the splits {', '.join(held)}; hold some years out of training."
        )
    network = None
    if bundle.sea_row >= 0 and len(bundle.variables) > 1:
        network = train_sea(
            data,
            bundle.sea_row,
            sea or SeaConfig(),
            training or SeaTraining(),
            tick=(lambda i, n: tick("training the sea network", i, n)) if tick else None,
        )
        bundle = bundle.with_sea(network)
    codes = encode_all(bundle, part.x, part.season)
    settings = replace(settings, nonlinearity=nonlinearity(bundle, codes, part.season))
    statistics = estimate(
        bundle, data, settings, held=held, past=past, patterns=patterns, tick=tick
    )
    add_statistics(bundle, statistics, settings, network)


def estimate(
    bundle: Bundle,
    data: TrainingData,
    settings: TunedParameters,
    *,
    held: tuple[str, ...] = ("validation", "calibration"),
    past: tuple[str, ...] = ("train", "validation", "calibration"),
    patterns: int = PATTERNS,
    tick: Tick | None = None,
) -> Statistics:
    """Estimate the statistics of assimilation for a bundle.

    Parameters
    ----------
    bundle : Bundle
        With its sea network, if it has one.
    data : TrainingData
        Its training data.
    settings : TunedParameters
        Only ``sea_share`` matters.
    held : tuple of str
        Held-out splits, of which the decoder's residuals are taken.
    past : tuple of str
        Splits whose months enter the covariances.
    patterns : int
        Number of patterns, the decoder's own included.
    tick : callable, optional
        Called with (stage, done, in all).

    Returns
    -------
    Statistics
    """
    months = data.observed.in_split(*past)
    flat = months.x.reshape(len(months), -1)
    own = bundle.decoder.patterns.numpy()
    weights = data.normaliser.weights.ravel()
    steps = 4

    def say(done: int) -> None:
        if tick:
            tick("estimating the errors", done, steps)

    say(0)
    basis = _extend(own, flat, weights, patterns)
    say(1)
    projector = _projector(basis, weights)
    coefficients = _project(flat, projector)
    rows = np.flatnonzero(np.isin(months.split, held))
    part = months.where(np.isin(months.split, held))
    leftover = np.zeros(basis.shape[1])
    for first in range(0, rows.size, 240):
        at = rows[first : first + 240]
        leftover += ((flat[at] - coefficients[at] @ basis) ** 2).sum(axis=0) / rows.size
    codes = encode_all(bundle, part.x, part.season)
    decoded = _project(decode_all(bundle, codes, part.season), projector)
    residual = coefficients[rows] - decoded
    say(2)
    sea = None
    if bundle.sea is not None:
        sea = _given_sea(
            bundle, months, rows, coefficients, codes, decoded, projector, settings.sea_share
        )
    say(steps)
    return Statistics(
        basis, leftover.astype(np.float32), coefficients, months.calendar, rows, residual, sea
    )


def _given_sea(  # noqa: PLR0917 - one computation, split for its length
    bundle: Bundle,
    months: Months,
    held: NDArray[np.int64],
    coefficients: Float,
    codes: NDArray[np.float64],
    decoded: Float,
    projector: Float,
    share: float,
) -> SeaStatistics:
    row_of_sea = bundle.sea_row
    first, row = distinct_seas(months, row_of_sea)
    seas, calendar = months.x[first][:, row_of_sea], months.season[first]
    answer = np.concatenate(
        [bundle.mean_under(seas[i : i + 60], calendar[i : i + 60]) for i in range(0, len(seas), 60)]
    )
    mean = _project(answer, projector)
    background = np.float32(share) * answer[row[held]]
    z_b = encode_all(bundle, background, months.season[held])
    moved = decoded - _project(decode_all(bundle, z_b, months.season[held]), projector)
    residual = coefficients[held] - np.float32(share) * mean[row[held]] - moved
    gap = codes - z_b
    latent = gap.T @ gap / len(gap)
    # 5,000 covariances from 480 months: shrink them by a tenth towards the diagonal.
    latent = 0.9 * latent + 0.1 * np.diag(np.diag(latent))
    return SeaStatistics(mean, row.astype(np.int64), residual, latent)


def _extend(own: Float, flat: Float, weights: NDArray[np.float64], count: int) -> Float:
    """Add the leading patterns of the residuals of the decoder's own."""
    coefficients = _project(flat, _projector(own, weights))
    left = np.empty_like(flat)
    for first in range(0, len(flat), 240):
        part = slice(first, first + 240)
        left[part] = flat[part] - coefficients[part] @ own
    more = min(count - len(own), len(flat) - 1, int((weights > 0).sum()) - len(own))
    if more <= 0:
        return own
    patterns, _, variances, _ = fit_patterns(left, weights, more, seed=0)
    kept = variances > 1e-6 * variances.sum()
    packed, step = pack_patterns(patterns[kept].astype(np.float32))
    return np.concatenate([own, unpack_patterns(packed, step)])


def _projector(basis: Float, weights: NDArray[np.float64]) -> Float:
    """Area-weighted least-squares projector, shape (cells, K)."""
    weighted = basis * weights
    gram = weighted @ basis.T
    return np.asarray((np.linalg.pinv(gram, rcond=1e-8, hermitian=True) @ weighted).T, np.float32)


def _project(x: Float, projector: Float) -> Float:
    """Coefficients of states (n, ...), shape (n, K)."""
    flat = x.reshape(len(x), -1)
    parts = [flat[i : i + 240] @ projector for i in range(0, len(flat), 240)]
    return np.concatenate(parts)


def encode_all(bundle: Bundle, x: Float, calendar: NDArray[np.int64]) -> NDArray[np.float64]:
    """Posterior means of z of many months, shape (n, L)."""
    parts = [
        bundle.encode_standardised(x[i : i + 96], calendar[i : i + 96])[0]
        for i in range(0, len(x), 96)
    ]
    return np.concatenate(parts)
