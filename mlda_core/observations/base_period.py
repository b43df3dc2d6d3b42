"""Base periods of anomalies: parsing, and conversion between them.

The anomaly from the climatology of a period P is the bundle's own anomaly less that anomaly's mean
over P, calendar month by calendar month. The bundle's months are anomalies from its own base, so
the offset to add is the mean over the months of P less the mean over the training months.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.variables import Variable

# Fraction of a period's years required for a climatology, as for WMO normals (WMO-No. 1203,
# Guidelines on the Calculation of Climate Normals, 2017, section 4.4.1).
LEAST_SHARE = 0.8
_YEAR = r"(?<![0-9])[0-9]{4}(?![0-9])"
_RANGE = re.compile(rf"({_YEAR})(?:-[0-9]{{2}}){{0,2}}\s*(?:[-–—/,]|to|until|through)\s*({_YEAR})")


class BasePeriodError(UserError):
    """A base period is invalid; the message is one sentence with the remedy."""


class Period(NamedTuple):
    """The years of a base period, inclusive."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def period_of(text: str) -> Period:
    """Parse a base period.

    Parameters
    ----------
    text : str
        Such as ``1951-1980``, ``1951 to 1980``, ``1951-01-01/1980-12-31``.

    Raises
    ------
    BasePeriodError
        If the text contains no period, or several.
    """
    found = {Period(int(a), int(b)) for a, b in _RANGE.findall(text)}
    if len(found) != 1 or len(re.findall(_YEAR, text)) != 2:
        raise BasePeriodError(
            f"'{_brief(text)}' is no base period; write it as the first and the last year, such as "
            "1951-1980."
        )
    period = found.pop()
    if period.first > period.last:
        raise BasePeriodError(f"The base period {period} ends before it begins; turn it round.")
    return period


def period_of_bundle(bundle: Bundle, variable: Variable) -> Period | None:
    """Return the years of a bundle's own base period for a variable.

    A bundle's text may have an exception in brackets: ``1880-2015 (pressure 1948-2013)``.

    Parameters
    ----------
    bundle : Bundle
    variable : Variable
        One of the bundle's.

    Returns
    -------
    Period or None
        None if the text contains no period.
    """
    words = bundle.base_period
    called = f"{variable.name} {variable.label} {variable.standard_name}".lower()
    for bracket in re.findall(r"\(([^)]*)\)", words):
        for part in re.split(r"[;,]", bracket):
            found = _RANGE.search(part)
            name = part[: found.start()].strip().lower() if found else ""
            if found and name and name in called:
                return Period(int(found[1]), int(found[2]))
    found = _RANGE.search(re.sub(r"\([^)]*\)", "", words))
    return Period(int(found[1]), int(found[2])) if found else None


def is_own(bundle: Bundle, variable: Variable, text: str) -> bool:
    """Whether a base period is a bundle's own for a variable, by its text or its years.

    Raises
    ------
    BasePeriodError
        If the text is not the bundle's and contains no period.
    """
    if text.strip().casefold() == bundle.base_period.strip().casefold():
        return True
    return period_of(text) == period_of_bundle(bundle, variable)


def offset(bundle: Bundle, season: int, period: Period) -> NDArray[np.float64]:
    """Return the offset from anomalies of another base period to the bundle's own.

    Parameters
    ----------
    bundle : Bundle
        The climatologies are computed from its months, held-out ones included.
    season : int
    period : Period

    Returns
    -------
    ndarray, shape (V, lat, lon)
        To be added to the anomalies, display units. NaN where the bundle's months have values in
        less than :data:`LEAST_SHARE` of the period's years.
    """
    own = [m for m in bundle.months if bundle.seasons.of(m) == season]
    within = [m for m in own if period.first <= int(m[:4]) <= period.last]
    base = [m for m in own if bundle.split(m) == "train"]
    mean, count = _mean(bundle, within)
    centre, there = _mean(bundle, base)
    needed = LEAST_SHARE * (period.last - period.first + 1)
    return np.asarray(np.where((count >= needed) & (there > 0), mean - centre, np.nan))


def _mean(bundle: Bundle, months: list[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    total, count = np.zeros(bundle.mask.shape), np.zeros(bundle.mask.shape, np.int64)
    for month in months:
        field = bundle.target(month)
        good = np.isfinite(field)
        total += np.where(good, field, 0.0)
        count += good
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), count


def _brief(text: str) -> str:
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= 40 else f"{plain[:39]}…"
