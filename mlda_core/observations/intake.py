"""Validate observations passed to the assimilation from Python, as strictly as files.

Tables from :func:`mlda_core.observations.table.read` are checked already. As they are passed with
every analysis, a quick test recognises them.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations import missing_codes
from mlda_core.observations.areas import area_of
from mlda_core.observations.kind import KindError
from mlda_core.observations.kinds import kind_of, spelled
from mlda_core.observations.loading import Source
from mlda_core.observations.options import TableOptions
from mlda_core.observations.reading import Rejected
from mlda_core.observations.table import COLUMNS, KIND_COLUMNS, read

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

__all__ = ["ObservationWarning", "is_checked", "observations_of"]

_PACKAGE = str(Path(__file__).parents[1])
_NUMBERS = ("lat", "lon", "value", "error_sd")
_CHECKED = (COLUMNS, (*COLUMNS, *KIND_COLUMNS))
# Numbers of reasons, and of rows for each reason, that a message lists.
_NAMED = 5
# An anomaly beyond the first multiple of the colour limit may be a missing-value code, and beyond
# the second it is refused.
_FAR, _ABSURD = 3.0, 10.0
# The missing-value code of smallest magnitude is -9.99.
_LEAST_CODE = 9.98


class ObservationWarning(UserWarning):
    """Observations were interpreted in a way that the user should check."""


def observations_of(
    source: Source, bundle: Bundle, month: Any, options: TableOptions
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return observations as a checked table.

    Parameters
    ----------
    source : DataFrame, list of dict, dict, Dataset, Path, str, bytes or Cells
        As for :func:`mlda_core.observations.table.read`.
    bundle : Bundle
    month : optional
        As for :func:`mlda_core.observations.table.read`.
    options : TableOptions

    Returns
    -------
    observations : DataFrame
        Columns :data:`mlda_core.observations.table.COLUMNS`; the given table itself if it has
        passed the check.
    notes : tuple of str
        Notes to the user; each is also issued as an :class:`ObservationWarning`.

    Raises
    ------
    ObservationError
        If the observations cannot be read, or any row is invalid.
    """
    plain = not options.merge_repeated and options.base_period is None
    if plain and is_checked(source, bundle, keep_codes=options.keep_codes):
        return source, ()  # type: ignore[return-value]
    table, rejected, notes = read(source, bundle, month=month, options=options)
    if rejected:
        raise ObservationError(
            f"{len(rejected)} of the observations cannot be used ({_named(rejected)}); correct or "
            f"remove {'it' if len(rejected) == 1 else 'them'}, or read the rest by "
            "read_observations."
        )
    level = _level_of_caller()
    for note in notes:
        warnings.warn(note, ObservationWarning, stacklevel=level)
    return table, tuple(notes)


def is_checked(table: Any, bundle: Bundle, *, keep_codes: bool = False) -> bool:
    """Whether a table was returned by the check, or would be returned unchanged.

    Parameters
    ----------
    table : object
    bundle : Bundle
    keep_codes : bool
        Whether it may contain values that look like missing-value codes.

    Returns
    -------
    bool
        False if the check is needed: other columns or types, an index of dates, unknown
        variables, values that are missing, look like codes, or are repeated extremes. Whether a
        variable exists at a place is left to the observation operator.
    """
    if not isinstance(table, pd.DataFrame) or tuple(table.columns) not in _CHECKED:
        return False
    if "kind" in table and not _known_kinds(table):
        return False
    index = table.index
    if index.nlevels > 1 or index.name is not None or index.dtype.kind not in "iu":
        return False
    if table.attrs.get("base_period") or table["withheld"].dtype != np.bool_:
        return False
    columns = {name: table[name] for name in _NUMBERS}
    if any(column.dtype != np.float64 for column in columns.values()):
        return False
    variables = table["variable"].tolist()
    limits = {v.name: v.anomaly_limit for v in bundle.variables}
    if not set(variables) <= limits.keys() or not all(isinstance(t, str) for t in table["label"]):
        return False
    lat, lon, value, error = (column.to_numpy() for column in columns.values())
    limit = np.array([limits[name] for name in variables])
    with np.errstate(invalid="ignore"):
        fine = (np.abs(lat) <= 90.0) & np.isfinite(lon) & np.isfinite(error) & (error > 0.0)
        size = np.abs(value)
        fine &= size <= _ABSURD * limit
    return bool(fine.all()) and (keep_codes or not _may_be_missing(value, size, limit))


def _known_kinds(table: pd.DataFrame) -> bool:
    """Whether kinds and areas are as the check writes them."""
    try:
        for kind_text, area in set(zip(table["kind"], table["area"], strict=True)):
            kind, parameter = kind_of(kind_text)
            if spelled(kind, parameter) != kind_text:
                return False
            area_of(area, kind)
    except (KindError, AttributeError):
        return False
    return True


def _may_be_missing(
    value: NDArray[np.float64], size: NDArray[np.float64], limit: NDArray[np.float64]
) -> bool:
    """Whether the complete check might take a value for a missing-value code."""
    large = size >= _LEAST_CODE
    if large.any() and missing_codes.is_code(value[large]).any():
        return True
    far = size > _FAR * limit
    if not far.any():
        return False
    if missing_codes.is_impossible_code(value[far], value[far], limit[far]).any():
        return True
    return bool(np.unique(value[far], return_counts=True)[1].max() > 2)


def _named(rejected: list[Rejected]) -> str:
    """List rejected rows with their reasons, grouped by reason."""
    by_reason: dict[str, list[int]] = {}
    for row, reason in rejected:
        by_reason.setdefault(reason, []).append(row)
    parts = []
    for reason, rows in list(by_reason.items())[:_NAMED]:
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        which = ", ".join(map(str, rows[:_NAMED]))
        parts.append(f"row{'s' if len(rows) > 1 else ''} {which}{more}: {reason}")
    if len(by_reason) > _NAMED:
        parts.append(f"and {len(by_reason) - _NAMED} reasons more")
    return "; ".join(parts)


def _level_of_caller() -> int:
    """Return the ``stacklevel`` of the first frame outside this package."""
    frame, level = sys._getframe(1), 1  # noqa: SLF001 - as pandas finds its caller
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
