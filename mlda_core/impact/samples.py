"""Months with their codes and measured values, which impact heads are trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.impact.head import Float, before

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Ints = NDArray[np.int64]
# Candidate numbers of leading latents, which are sorted by variance.
TRIED = (10, 20, 40, 100)


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
