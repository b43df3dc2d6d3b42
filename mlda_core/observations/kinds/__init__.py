"""The kinds of observation, one file each.

Files of this folder that define ``KIND`` are discovered automatically: there is no other list.
"""

from __future__ import annotations

import math
import re

from mlda_core.climate.discovery import discovered
from mlda_core.observations.kind import Kind, KindError

KINDS: dict[str, Kind] = {
    found.key: found
    for found in sorted(discovered(__name__, __path__, "KIND"), key=lambda found: found.rank)
}
PLAIN = "value"


def kind_of(text: str) -> tuple[Kind, float]:
    """Return a kind and its own number.

    Parameters
    ----------
    text : str
        Such as ``value``, ``lower bound`` or ``student_t(4)``; '' for a value.

    Returns
    -------
    kind : Kind
    parameter : float
        NaN if the kind has none.

    Raises
    ------
    KindError
        If there is no such kind, or its number cannot be.
    """
    match = re.fullmatch(r"([a-z_\s-]*)(?:\(([^()]*)\))?", text.strip().lower())
    name = re.sub(r"[\s-]+", "_", match[1].strip()) if match else ""
    kind = KINDS.get(name or PLAIN) if match else None
    if match is None or kind is None:
        raise KindError(
            f"kind '{text.strip()[:24]}' is no kind of observation; use one of "
            f"{', '.join(KINDS)}, with anomaly or absolute where it says a value"
        )
    if match[2] is None:
        return kind, kind.parameter
    try:
        number = float(match[2])
    except ValueError:
        raise KindError(f"'{match[2][:12]}' in its kind is no number") from None
    kind.check_parameter(number)
    return kind, number


def spelled(kind: Kind, parameter: float) -> str:
    """Return what the column ``kind`` says of a kind with its own number."""
    usual = parameter == kind.parameter or math.isnan(parameter)
    return kind.key if usual else f"{kind.key}({parameter:g})"
