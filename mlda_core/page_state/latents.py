"""The latent vectors that a state stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.page_state.snapshot import Z_LIMIT

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle


def code_of(bundle: Bundle, month: str) -> NDArray[np.float32]:
    """Return the code of a month, within what a slider can show."""
    return np.clip(np.asarray(bundle.code(month), dtype=np.float32), -Z_LIMIT, Z_LIMIT)
