"""Missing-value codes of a file, in any of the forms in which files declare them.

CF requires ``_FillValue`` and ``missing_value`` in the type of the stored data
(https://cfconventions.org/cf-conventions/cf-conventions.html#missing-data). Files also have them
as text, in another type, unpacked, or several at once; this module brings them to the form that
xarray decodes.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import netCDF4
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.units import shown
from mlda_core.sources import SourceError
from mlda_core.sources.places import Place

# No climate quantity is this large in any units, but fill values are: netCDF's default (9.97e36),
# 1e20, 1e30, GRIB's 9.999e20 and the largest 32-bit float.
NOTHING = 1e15
_FILLS = ("_FillValue", "missing_value")
_PACKING = ("scale_factor", "add_offset")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")


def numbers_in(attribute: Any) -> list[float]:
    """Return the numbers of an attribute: a number, an array or a text such as ``-999.f``.

    Parameters
    ----------
    attribute : object
        Text that is not numeric yields an empty list.
    """
    if isinstance(attribute, bytes):
        attribute = attribute.decode("latin-1")
    found: list[float] = []
    for part in np.ravel(np.asarray(attribute, dtype=object)):
        if not isinstance(part, str):
            try:
                found.append(float(part))
            except (TypeError, ValueError):
                return []
            continue
        for word in re.split(r"[\s,;]+", part.strip("[]() \t\n\0")):
            # CDL notation: 870.f, -32767s, 1.d20, 5LL.
            bare = re.sub(r"(?<=[\d.])(?:[fFsSbBlL]|ll|LL)$", "", word)
            if _NUMBER.fullmatch(bare):
                found.append(float(re.sub("[dD]", "e", bare)))
            elif word and word.lower() not in {"nan", "nanf", "-nan"}:
                return []
    return found


def decode(raw: xr.Dataset, path: Place) -> xr.Dataset:
    """Return a file's variables unpacked, NaN where the file declares a value missing.

    Parameters
    ----------
    raw : Dataset
        Opened with ``decode_cf=False``; values are not read here.
    path : Place
        For messages.

    Returns
    -------
    Dataset
        As from ``xarray.open_dataset(..., decode_times=False)``. Integers without a declared fill
        value use netCDF's default.

    Raises
    ------
    SourceError
        If the packing attributes are not numbers.
    """
    plain = raw.copy()
    for name, variable in raw.variables.items():
        if variable.dtype.kind in "iuf":
            plain[name].attrs = _attributes(variable, f"{path} has {name}")
    try:
        with warnings.catch_warnings():
            # Suppress the warning of several missing values: all of them are used.
            warnings.simplefilter("ignore", xr.SerializationWarning)
            return xr.decode_cf(plain, decode_times=False, decode_timedelta=False)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise SourceError(
            f"{path} has attributes that cannot be read ({_line(error)}); correct them."
        ) from error


def _attributes(variable: xr.Variable, where: str) -> dict[str, Any]:
    """Return the attributes, with packing and missing values in the form that xarray decodes."""
    attrs = dict(variable.attrs)
    packing = {"scale_factor": 1.0, "add_offset": 0.0}
    for name in _PACKING:
        if name not in attrs:
            continue
        found = numbers_in(attrs[name])
        usable = len(found) == 1 and bool(np.isfinite(found[0]))
        if not usable or (name == "scale_factor" and found[0] == 0):
            raise SourceError(
                f"{where} packed with the {name} '{shown(str(attrs[name]))}', which is no such "
                "number; correct the file's attribute."
            )
        if not isinstance(attrs[name], np.number):
            attrs[name] = np.float64(found[0])
        packing[name] = found[0]
    codes: list[Any] = []
    unsigned = str(attrs.get("_Unsigned", "")).lower() == "true" and variable.dtype.kind == "i"
    for name in _FILLS:
        if name in attrs:
            given = attrs.pop(name)
            # In the type of the stored data it is a stored value, by CF; otherwise try both.
            exact = np.asarray(given).dtype == variable.dtype
            for number in numbers_in(given):
                wide = 2 ** (8 * variable.dtype.itemsize)
                if unsigned and wide / 2 <= number < wide:
                    number -= wide  # noqa: PLW2901 - said as the unsigned number
                codes += _stored(number, variable.dtype, packing, packed_only=exact)
    whole = variable.dtype.kind in "iu" and variable.dtype.itemsize > 1
    if not codes and whole and variable.ndim >= 3:
        # The netCDF library's default for unwritten values; bytes have none.
        codes = [netCDF4.default_fillvals[variable.dtype.str[1:]]]
    if codes:
        stored = np.unique(np.array(codes).astype(variable.dtype))
        if unsigned:
            # xarray compares missing_value with the unsigned numbers, but not _FillValue.
            attrs["_FillValue"] = stored[0]
            stored = stored[1:].view(f"u{variable.dtype.itemsize}")
        if stored.size:
            attrs["missing_value"] = stored if stored.size > 1 else stored[0]
    return attrs


def _stored(
    number: float, dtype: np.dtype[Any], packing: dict[str, float], *, packed_only: bool
) -> list[Any]:
    """Return the stored numbers that a declared missing value may denote."""
    if np.isnan(number):
        return []
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            own = dtype.type(number)
            packed = dtype.type((number - packing["add_offset"]) / packing["scale_factor"])
        # Even for packed floats it may be given in unpacked terms.
        return [own] if packed == own or packed_only else [own, packed]
    if not np.isfinite(number):
        return []
    ends = np.iinfo(dtype)
    found = [number] if number == round(number) else []
    if not packed_only:
        unpacked = round((number - packing["add_offset"]) / packing["scale_factor"])
        # The two can differ by half a packing step at most.
        found += [unpacked]
    return [int(n) for n in found if ends.min <= n <= ends.max]


def undeclared(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], dict[float, int]]:
    """Mask undeclared fill values: numbers too large to be data.

    Parameters
    ----------
    values : ndarray
        Unpacked, in the file's units.

    Returns
    -------
    values : ndarray
        With NaN instead; the same array if there are none.
    found : dict of float to int
        The numbers masked, with their counts.
    """
    huge = np.isfinite(values) & (np.abs(values) >= NOTHING)
    if not huge.any():
        return values, {}
    numbers, counts = np.unique(values[huge], return_counts=True)
    return np.where(huge, np.nan, values), dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def take_out(
    values: NDArray[np.float64], codes: tuple[float, ...], step: float
) -> NDArray[np.float64]:
    """Return values with the user's missing-value codes masked.

    Parameters
    ----------
    values : ndarray
        Unpacked, in the file's units.
    codes : tuple of float
    step : float
        Of the packing, 0 if the file is not packed: codes match within half a step, or within
        the rounding of 32-bit numbers.
    """
    for code in codes:
        near = max(abs(step) / 2 * 1.001, 1e-6 * abs(code)) if np.isfinite(code) else 0.0
        held = np.abs(values - code) <= near if near else values == code
        values = np.where(held, np.nan, values)
    return values


def _line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error)).rstrip(".").replace(". ", "; ")
