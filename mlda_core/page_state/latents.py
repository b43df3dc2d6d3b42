"""The latent vectors that a state stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.page_state.snapshot import Z_LIMIT

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle


def code_of(bundle: Bundle, month: str) -> NDArray[np.float32]:
    """Return the code of a month, within what a slider can show."""
    return np.clip(np.asarray(bundle.code(month), dtype=np.float32), -Z_LIMIT, Z_LIMIT)


def with_remainder(
    decoded: NDArray[np.floating], remainder: NDArray[np.floating], bundle: Any, season: int
) -> NDArray[np.floating]:
    """Return what a moved latent vector decodes to, and what its analysis had beyond that.

    Where a variable cannot be negative, at least none of it.

    Parameters
    ----------
    decoded, remainder : ndarray, shape (V, lat, lon)
        Anomalies, display units.
    bundle : Bundle
    season : int
        Calendar month 1..12, or day of a leap year of a bundle of days.
    """
    total = decoded + remainder
    for i, variable in enumerate(bundle.variables):
        if variable.non_negative:
            np.maximum(total[i], -bundle.climatology(season)[i], out=total[i])
    return total
