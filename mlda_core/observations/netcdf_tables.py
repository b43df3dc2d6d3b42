"""Read observation tables from netCDF: columns of one dimension, missing values and units."""

from __future__ import annotations

import re
from typing import Any

import cftime
import netCDF4
import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.cells import Cells
from mlda_core.observations.columns import REQUIRED, check_elsewhere, plain, role_of

_BASE_PERIODS = ("base_period", "baseline", "reference_period", "climatology_period")
# Largest valid integer time: xarray writes NaT as the smallest 64-bit integer.
_LATEST = 2.0**62


def parse(data: bytes, name: str) -> Cells:
    """Read the columns of a netCDF file.

    Parameters
    ----------
    data : bytes
        Of the file. Output of ``mlda assimilate`` has its observations in a group.
    name : str
        Name in messages.

    Returns
    -------
    Cells

    Raises
    ------
    ObservationError
        If it cannot be read, or its columns are not one-dimensional.
    """
    try:
        with netCDF4.Dataset("observations", memory=data) as file:
            group = file.groups.get("observations", file)
            return _of_group(file, group, name)
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, OverflowError) as error:
        if isinstance(error, ObservationError):
            raise
        words = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        raise ObservationError(
            f"{name} cannot be read as netCDF ({words}); copy it again."
        ) from error


def _of_group(file: netCDF4.Dataset, group: netCDF4.Dataset, name: str) -> Cells:
    group.set_auto_maskandscale(False)
    found = {plain(k)[0]: v for k, v in group.variables.items()}
    found |= {role_of(k): v for k, v in found.items() if role_of(k)}
    missing = next((role for role in REQUIRED if role not in found), None)
    if missing:
        raise ObservationError(
            f"{name} has no variable '{missing}'; it needs {', '.join(REQUIRED)}."
        )
    along = _dimensions(found["value"])
    if len(along) != 1:
        raise ObservationError(
            f"{name} has a 'value' of {len(along)} dimensions; give one, an observation a place."
        )
    size = len(group.dimensions.get(along[0]) or file.dimensions[along[0]])
    columns: dict[str, NDArray[Any]] = {}
    left: list[str] = []
    for key, variable in group.variables.items():
        own = _dimensions(variable)
        if own not in (along, ()) and not (len(own) == 1 and variable.shape[0] == 1):
            left.append(key)
            continue
        cells = _plain(variable, key, name)
        # A scalar, such as the month, applies to all rows.
        columns[key] = cells if own == along else np.repeat(cells.reshape(-1)[:1], size)
    check_elsewhere(name, left, columns)
    units = {
        k: _text(v, "units")
        for k, v in group.variables.items()
        if k in columns and _text(v, "units") and not _is_time(v)
    }
    return Cells(
        name,
        tuple(columns),
        tuple(columns.values()),
        np.arange(1, size + 1),
        units=units,
        base_period=_base_period(found["value"], group, file),
    )


def _dimensions(variable: Any) -> tuple[str, ...]:
    """Return a variable's dimensions without the string-length dimension of text."""
    names = tuple(variable.dimensions)
    return names[:-1] if variable.dtype == "S1" and names else names


def _is_time(variable: Any) -> bool:
    return " since " in _text(variable, "units")


def _text(variable: Any, key: str) -> str:
    given = getattr(variable, key, "")
    return given.strip() if isinstance(given, str) else ""


def _plain(variable: Any, key: str, name: str) -> NDArray[Any]:
    """Return a variable's cells: text, numbers with NaN if missing, or dates."""
    values: Any = variable[...]
    if values.dtype == "S1":
        values = netCDF4.chartostring(np.atleast_1d(values), encoding="latin-1")
    if np.asarray(values).dtype.kind in "SUO":
        return np.asarray(np.char.rstrip(np.asarray(values, str), "\0 "), object).reshape(-1)
    numbers = _numbers(variable, np.atleast_1d(np.asarray(values)), key, name)
    return _dates(numbers, variable, key, name) if _is_time(variable) else numbers.astype(object)


def _numbers(
    variable: Any, raw: NDArray[Any], key: str, name: str
) -> NDArray[np.floating] | NDArray[np.integer]:
    """Unpack numbers, with NaN where any attribute marks them as missing.

    The conventions define ``missing_value`` in packed terms, but many files have it unpacked: both
    are tried.
    """
    if _text(variable, "_Unsigned").lower() == "true" and raw.dtype.kind == "i":
        raw = raw.view(f"u{raw.dtype.itemsize}")
    scale, offset = (
        _attribute(variable, which, plain_value, key, name)
        for which, plain_value in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    out = raw.astype(np.float64)
    whole = raw.dtype.kind in "iu" and scale == 1.0 and offset == 0.0
    missing = ~np.isfinite(out)
    with np.errstate(invalid="ignore", over="ignore"):
        unpacked = out * scale + offset
    missing |= ~np.isfinite(unpacked)
    codes = [c for which in ("_FillValue", "missing_value") for c in _codes(variable, which)]
    fill = netCDF4.default_fillvals.get(raw.dtype.str[1:])
    if fill is not None and raw.dtype.itemsize > 1:
        codes.append(float(fill))
    for code in codes:
        if np.isfinite(code):
            missing |= np.isclose(out, code, rtol=1e-6, atol=0.0)
            missing |= np.isclose(unpacked, code, rtol=1e-6, atol=0.0)
    low, high = _valid_range(variable)
    missing |= (out < low) | (out > high)
    if whole and not missing.any():
        return raw
    return np.where(missing, np.nan, unpacked)


def _attribute(variable: Any, which: str, otherwise: float, key: str, name: str) -> float:
    given = getattr(variable, which, otherwise)
    try:
        return float(np.asarray(given).reshape(-1)[0])
    except (ValueError, TypeError, IndexError) as error:
        raise ObservationError(
            f"{name} has a {which} of '{key}' that is no number; correct it."
        ) from error


def _codes(variable: Any, which: str) -> list[float]:
    """Return the numbers of an attribute, also if written as text."""
    given = getattr(variable, which, None)
    if given is None:
        return []
    parts = re.split(r"[,\s]+", given.strip()) if isinstance(given, str) else np.ravel(given)
    out = []
    for part in parts:
        try:
            out.append(float(part))
        except (ValueError, TypeError):
            continue
    return out


def _valid_range(variable: Any) -> tuple[float, float]:
    both = _codes(variable, "valid_range")
    low = _codes(variable, "valid_min") or both[:1] or [-np.inf]
    high = _codes(variable, "valid_max") or both[1:2] or [np.inf]
    return low[0], high[0]


def _dates(numbers: NDArray[Any], variable: Any, key: str, name: str) -> NDArray[Any]:
    """Return times as ``YYYY-MM-DD``, None if missing or invalid."""
    units, calendar = _text(variable, "units"), _text(variable, "calendar") or "standard"
    out = np.full(numbers.shape, None, object)
    months = re.fullmatch(r"(?:calendar_)?months? since ([0-9]{4})-([0-9]{1,2})(?:\D.*)?", units)
    for number in np.unique(numbers[np.isfinite(numbers)]):
        if abs(float(number)) >= _LATEST:
            continue
        here = numbers == number
        if months and calendar != "360_day":
            index = int(months[1]) * 12 + int(months[2]) - 1 + int(np.floor(number))
            out[here] = f"{index // 12:04d}-{index % 12 + 1:02d}"
            continue
        try:
            date = cftime.num2date(number, units, calendar)
        except OverflowError:
            continue
        except (ValueError, TypeError) as error:
            raise ObservationError(
                f"{name} has a time '{key}' in '{units[:60]}', which is understood by no calendar; "
                "write it as days since a date."
            ) from error
        out[here] = f"{date.year:04d}-{date.month:02d}-{date.day:02d}"
    return out


def _base_period(*holders: Any) -> str:
    for holder in holders:
        for key in _BASE_PERIODS:
            if _text(holder, key):
                return _text(holder, key)
    return ""
