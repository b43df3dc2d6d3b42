"""Detection of undeclared missing-value codes in tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
# Genuine values with the same digits are unlikely.
_CODES = np.array(
    [
        *(-9.99, -99.9, -99.99, -99.999, -999.0, -999.9, -999.99, -9999.0, -9999.9, -9999.99),
        *(-99999.0, -99999.9, -999999.0, -8888.0, -32767.0, -32768.0, -2147483648.0),
        *(9999.0, 9999.9, 9999.99, 99999.0, 99999.9, 999999.0, 32767.0, 2147483647.0),
    ]
)
# Values that may be genuine; codes if the variable cannot have them.
_MAYBE = np.array([-99.0, 99.0, 99.9, 99.99, 99.999, 999.0, 999.9, 999.99, 888.0, 8888.0, -888.0])
# Defaults of netCDF, GRIB, GrADS and IDL (9.96921e36, 1e20, 1e30) exceed this; measurements do not.
_HUGE = 1e15
# A possible code is impossible as a value beyond this multiple of the colour limit, about the 99th
# percentile of the anomalies.
_IMPOSSIBLE = 5.0
# Repeated extremes: a value shared by this many places, beyond this multiple of the limit and
# beyond all others.
_PLACES, _FAR = 3, 3.0
REMEDY = "leave such rows out, or keep real ones by the option keep_codes (--keep-codes)"


def is_code(value: Float) -> NDArray[np.bool_]:
    """Whether numbers are codes in any variable.

    Parameters
    ----------
    value : ndarray, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    with np.errstate(invalid="ignore"):
        return _among(value, _CODES) | (np.isfinite(value) & (np.abs(value) >= _HUGE))


def is_impossible_code(value: Float, anomaly: Float, limit: Float) -> NDArray[np.bool_]:
    """Whether numbers are codes because the variable cannot have them.

    Parameters
    ----------
    value : ndarray, shape (n,)
        As given.
    anomaly : ndarray, shape (n,)
        The resulting anomalies, display units.
    limit : ndarray, shape (n,)
        Colour limit of the variable's anomalies.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return _among(value, _MAYBE) & (np.abs(anomaly) > _IMPOSSIBLE * limit)


def repeated_extremes(
    value: Float, anomaly: Float, limit: float, place: NDArray[np.int64]
) -> dict[float, int]:
    """Find values of one variable shared by many places and beyond all others.

    Parameters
    ----------
    value, anomaly : ndarray, shape (n,)
        As given, and the resulting anomalies in display units.
    limit : float
        Colour limit of the variable's anomalies.
    place : ndarray of int, shape (n,)
        Index of each row's place: repeated places count once.

    Returns
    -------
    dict of float to int
        Number of places with each such value, at most the lowest and the highest.
    """
    found: dict[float, int] = {}
    if value.size <= _PLACES:
        return found
    for extreme in (value.min(), value.max()):
        here = value == extreme
        places = len(np.unique(place[here]))
        far = np.abs(anomaly[here]).min() > _FAR * limit
        if places >= _PLACES and far and not here.all():
            found[float(extreme)] = places
    return found


def _among(value: Float, codes: Float) -> NDArray[np.bool_]:
    # Within single precision: netCDF gives -99.90000153 for -99.9.
    out = np.zeros(value.shape, bool)
    for code in codes:
        out |= np.isclose(value, code, rtol=2e-7, atol=0.0)
    return out
