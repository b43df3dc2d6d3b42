"""Diagnostics of a bundle against data: same model, nonlinearity, effective precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.variables import relative_weights
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import TrainingData

# Difference in units of the spread up to which two normalisers are the same.
SAME = 0.003


def check_same_model(bundle: Bundle, data: TrainingData) -> None:
    """Refuse data whose configuration standardises or splits differently from the bundle."""
    mine, theirs = bundle.normaliser, data.normaliser
    same = [v.name for v in mine.variables] == [v.name for v in theirs.variables]
    same = same and np.array_equal(mine.mask, theirs.mask)
    if same:
        # Harmonics are rounded one by one: their sums differ by up to .0008 of the spread. Another
        # year of training days moves them by hundredths.
        most = SAME * np.asarray(theirs.spread)[:, theirs.mask].max(axis=0) + 1e-4
        pairs = (
            (np.asarray(getattr(one, k))[:, theirs.mask] for one in (mine, theirs))
            for k in ("centre", "spread", "climatology")
        )
        same = all(bool((np.abs(a - b) <= most).all()) for a, b in pairs)
    split = dict(zip(data.observed.names, data.observed.split, strict=True))
    if not same or any(split.get(m) != bundle.split(m) for m in bundle.months):
        raise ConfigError(
            f"The configuration's data, variables or splits are not those {bundle.path} was "
            "trained with; give the file (and data) that it was trained with."
        )


def decode_all(
    bundle: Bundle,
    z: NDArray[np.float64],
    seasons: NDArray[np.int64],
    *,
    linear: bool = False,
) -> NDArray[np.float32]:
    """Decode many states, (n, V, lat, lon) standardised, from (n, L) and their seasons (n,)."""
    out = np.empty((len(z), *bundle.mask.shape), np.float32)
    # The decoder knows the calendar month: one of its days stands for all.
    calendar = bundle.seasons.calendar_months(seasons)
    for first in np.unique(calendar, return_index=True)[1]:
        rows, month = np.flatnonzero(calendar == calendar[first]), int(seasons[first])
        for start in range(0, rows.size, 96):
            part = rows[start : start + 96]
            out[part] = bundle.decode_standardised(z[part], month, linear=linear)
    return out


def nonlinearity(bundle: Bundle, codes: NDArray[np.float64], seasons: NDArray[np.int64]) -> float:
    """Median of ``|G(z) - lin(z)| / |G(z) - G(0)|``, lin the tangent at z = 0.

    Below 0.5 all starts of a minimisation agree; near 1 they do not.
    """
    ratios = []
    root = np.sqrt(bundle.normaliser.weights)
    calendar = bundle.seasons.calendar_months(seasons)
    for first in np.unique(calendar, return_index=True)[1]:
        rows, month = np.flatnonzero(calendar == calendar[first])[:8], int(seasons[first])
        jac = bundle.jacobian(month)
        origin = bundle.decode_standardised(np.zeros((1, bundle.n_latent)), month)
        full = bundle.decode_standardised(codes[rows], month) - origin
        tangent = np.einsum("nl,lvyx->nvyx", codes[rows], jac)
        lost = (((full - tangent) * root) ** 2).sum(axis=(1, 2, 3))
        ratios.append(np.sqrt(lost / ((full * root) ** 2).sum(axis=(1, 2, 3))))
    return float(np.median(np.concatenate(ratios)))


def effective_precision(bundle: Bundle) -> NDArray[np.float64]:
    """Inverse error variance of a cell for fits to all fields, (V, lat, lon).

    As in training: ``information`` is the effective number of independent observations in a
    variable, as errors of neighbouring cells are correlated.
    """
    settings = bundle.config["training"]
    factors = relative_weights(settings.get("variable_weights", ()), bundle.variables)
    s = bundle.residual_sd.astype(np.float64) ** 2 + 1e-4
    w = bundle.normaliser.weights
    counts = settings["information"] * factors * (w * s).sum(axis=(1, 2))
    return np.asarray(counts[:, None, None] * w / s)
