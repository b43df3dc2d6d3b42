"""Which month a time stamp means, in any calendar of the CF conventions."""

from __future__ import annotations

from dataclasses import dataclass

import cftime
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.sources import SourceError


@dataclass(frozen=True, eq=False)
class Months:
    """The months of a file's time axis.

    Parameters
    ----------
    names : ndarray of datetime64[M], shape (n,)
        In the order of the file.
    days : ndarray of float, shape (n,)
        Lengths of the months in the file's own calendar: an amount of rain is an amount of so
        many days.
    """

    names: NDArray[np.datetime64]
    days: NDArray[np.float64]


def months_of(data: xr.Dataset, name: str, where: object) -> Months:
    """Return the months of a time axis that has not been decoded.

    A stamp means the month that it lies in, be it the first day, as reanalyses have it, or the
    middle; where the file gives bounds, the middle of the bounds counts.

    Parameters
    ----------
    data : Dataset
        Opened with ``decode_times=False``.
    name : str
        The time coordinate.
    where : object
        What messages call the file.

    Raises
    ------
    SourceError
        If the stamps cannot be read, lie no month apart, or are those of a climatology.
    """
    time = data[name]
    units = time.attrs.get("units")
    if not isinstance(units, str) or " since " not in units:
        raise SourceError(
            f"{where} has no units such as 'hours since 1800-01-01' on its {name}; add them."
        )
    calendar = str(time.attrs.get("calendar", "standard"))
    values = np.asarray(time.values, dtype=np.float64)
    middle, widths = _bounds(data, time, values)
    try:
        stamps = cftime.num2date(
            np.where(np.isfinite(middle), middle, values),
            units,
            calendar,
            only_use_cftime_datetimes=True,
        )
    except (ValueError, OverflowError) as error:
        raise SourceError(
            f"{where} has {name} in '{units}' of the calendar '{calendar}', which cannot be read "
            f"({str(error).rstrip('.')}); correct the attributes."
        ) from error
    stamps = np.atleast_1d(stamps)
    if stamps.size and stamps[0].year < 1600:
        raise SourceError(
            f"{where} begins in the year {stamps[0].year}, as climatologies do; give the monthly "
            "means themselves."
        )
    names = np.array([f"{s.year:04d}-{s.month:02d}" for s in stamps], dtype="datetime64[M]")
    _refuse_other_steps(where, names, widths, units)
    return Months(names, np.array([float(s.daysinmonth) for s in stamps]))


def _bounds(
    data: xr.Dataset, time: xr.DataArray, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds' middles and widths in the axis's units, NaN where there are none."""
    none = np.full(values.shape, np.nan)
    name = time.attrs.get("bounds", "time_bnds")
    if name not in data or data[name].shape != (*values.shape, 2):
        return none, none
    bounds = np.asarray(data[name].values, dtype=np.float64)
    low, high = bounds[:, 0], bounds[:, 1]
    # Some files declare bounds and never fill them: 9.97e36 is netCDF's own filling.
    real = (low < high) & (np.abs(bounds) < 1e15).all(axis=1) & (low <= values) & (values <= high)
    return np.where(real, 0.5 * (low + high), np.nan), np.where(real, high - low, np.nan)


_IN_DAYS = {"day": 1.0, "hour": 1 / 24, "minute": 1 / 1440, "second": 1 / 86400}


def _refuse_other_steps(
    where: object, names: NDArray[np.datetime64], widths: NDArray[np.float64], units: str
) -> None:
    days = widths * _IN_DAYS.get(units.split(maxsplit=1)[0].lower().rstrip("s"), np.nan)
    for name, width in zip(names, days, strict=True):
        # 28 days of a February less a rounding, and 31 with one.
        if np.isfinite(width) and not 27.5 <= width <= 31.5:
            raise SourceError(
                f"{where} holds means or sums over {width:.4g} d ({name}), not over months; "
                "give the monthly file."
            )
    found, counts = np.unique(names, return_counts=True)
    if found.size and (counts > 1).any():
        first = int(np.argmax(counts > 1))
        raise SourceError(
            f"{where} holds {found[first]} {counts[first]} times; give monthly means, each month "
            "once."
        )
