"""Selection from an archive, the count of omitted values, and the selected rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mlda_core.observations.archives.documents import ArchiveError, Document

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

# Units of the table by variable. Temperatures are in kelvin, in which missing-value codes of tables
# (-9.99, -99.9) are impossible.
UNITS = {"tas": "K", "tos": "K", "psl": "hPa", "pr": "mm/day"}
# Possible range of a single report or month, in the table's units: world records plus a margin.
POSSIBLE = {
    "tas": (180.0, 333.0),
    "tos": (269.0, 313.0),
    "psl": (850.0, 1095.0),
    "pr": (0.0, 310.0),
}
ZERO_CELSIUS = 273.15
COLUMNS = ("variable", "lat", "lon", "value", "kind", "units", "time", "label")


class Region(NamedTuple):
    """A latitude-longitude box, degrees; it may cross any meridian.

    Parameters
    ----------
    south, north : float
    west, east : float
    """

    south: float
    north: float
    west: float
    east: float

    def contains(self, lat: Float, lon: Float) -> Bool:
        """Whether places lie inside, edges included."""
        width = self.east - self.west
        around = np.ones(np.shape(lon), bool)
        if width < 360.0:
            around = np.mod(np.asarray(lon) - self.west, 360.0) <= np.mod(width, 360.0)
        return np.asarray((lat >= self.south) & (lat <= self.north) & around)


@dataclass(frozen=True)
class Wanted:
    """Selection from an archive.

    Parameters
    ----------
    variables : frozenset of str, optional
        CF short names; all of the archive by default.
    years, months : frozenset of int, optional
        Years, and calendar months 1..12; all by default.
    region : Region, optional
    keep_flagged : bool
        Whether to keep values that fail the archive's own quality control.
    standard_units : bool, optional
        For GSOM: whether its tables are in degF and inches. By default metric; values that look
        wrong for it are refused.
    """

    variables: frozenset[str] | None = None
    years: frozenset[int] | None = None
    months: frozenset[int] | None = None
    region: Region | None = None
    keep_flagged: bool = False
    standard_units: bool | None = None

    def wants(self, variable: str) -> bool:
        """Whether a variable is selected."""
        return self.variables is None or variable in self.variables

    def asks(
        self, year: ArrayLike, month: ArrayLike, lat: ArrayLike = np.nan, lon: ArrayLike = np.nan
    ) -> Bool:
        """Whether months and places are selected.

        Parameters
        ----------
        year, month : array_like
        lat, lon : array_like, optional
            Missing places count as selected, so that they are reported.

        Returns
        -------
        ndarray of bool
        """
        year, month, lat, lon = np.broadcast_arrays(year, month, lat, lon)
        good = np.ones(year.shape, bool)
        if self.years is not None:
            good &= np.isin(year, list(self.years))
        if self.months is not None:
            good &= np.isin(month, list(self.months))
        if self.region is not None:
            good &= ~_placed(lat, lon) | self.region.contains(lat, lon)
        return good


@dataclass
class Tally:
    """Counts of omitted values, by reason.

    Parameters
    ----------
    left_out : Counter
        Numbers of values by reason.
    damaged : list of str
        Unreadable lines: the document, the line number and the reason.
    skipped : list of str
        Documents without observations of the archive.
    notes : list of str
        Notes to the user about the table, without duplicates.
    first, last : int
        First and last year in the documents, selected or not.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    first: int = 9999
    last: int = 0

    def leave_out(self, reason: str, number: int = 1) -> None:
        """Count omitted values."""
        if number:
            self.left_out[reason] += int(number)

    def damage(self, document: Document, line: int, reason: str) -> None:
        """Record an unreadable line, counted from 1."""
        self.damaged.append(f"{document.name}, line {line}: {reason}.")

    def damage_lines(
        self, document: Document, line_numbers: NDArray[np.int64], wrong: dict[int, str]
    ) -> Bool:
        """Record the unreadable lines of a chunk; return a mask of the readable ones."""
        sound = np.ones(line_numbers.shape, bool)
        for i, reason in sorted(wrong.items()):
            self.damage(document, int(line_numbers[i]), reason)
            sound[i] = False
        return sound

    def note(self, sentence: str) -> None:
        """Add a note unless it is there already."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def saw(self, years: ArrayLike) -> None:
        """Record years found in the documents."""
        years = np.asarray(years)
        if years.size:
            self.first = min(self.first, int(years.min()))
            self.last = max(self.last, int(years.max()))


def rows(
    variable: str,
    columns: Mapping[str, ArrayLike],
    tally: Tally,
) -> pd.DataFrame:
    """Return rows of an observation table, without impossible values.

    Parameters
    ----------
    variable : str
    columns : mapping
        lat, lon, value (in :data:`UNITS`), year, month and label; optionally error_sd.
    tally : Tally
        Counts impossible values and places.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, and error_sd if given.
    """
    given = pd.DataFrame(dict(columns))
    placed = _placed(given["lat"].to_numpy(np.float64), given["lon"].to_numpy(np.float64))
    tally.leave_out("the place is unknown", int((~placed).sum()))
    given = given[placed]
    low, high = POSSIBLE[variable]
    value = given["value"].to_numpy(np.float64)
    can_be = (value >= low) & (value <= high)
    tally.leave_out(
        f"{variable} outside {low:g} to {high:g} {UNITS[variable]} cannot be", int((~can_be).sum())
    )
    given = given[can_be]
    out = pd.DataFrame(
        {
            "variable": variable,
            "lat": given["lat"],
            "lon": given["lon"],
            "value": given["value"],
            "kind": "absolute",
            "units": UNITS[variable],
            "time": [
                f"{y:04d}-{m:02d}" for y, m in zip(given["year"], given["month"], strict=True)
            ],
            "label": given["label"],
        }
    )
    if "error_sd" in given:
        out.insert(4, "error_sd", given["error_sd"])
    return out.reset_index(drop=True)


def _placed(lat: Float, lon: Float) -> Bool:
    """Whether places are on the globe; codes for missing ones are outside."""
    return np.asarray((np.abs(lat) <= 90.0) & (lon >= -180.0) & (lon <= 360.0))


def check_names(variables: frozenset[str] | None) -> None:
    """Refuse variables that no archive has.

    Raises
    ------
    ArchiveError
    """
    unknown = sorted((variables or frozenset()) - set(UNITS))
    if unknown:
        raise ArchiveError(
            f"The archives hold no variable '{unknown[0]}'; --variables knows {', '.join(UNITS)}."
        )
