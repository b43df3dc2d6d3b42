"""Read a measured local series from common files, as monthly values.

Two layouts are supported. A CSV file has two columns, date and value, with or without a header. A
file of the UK National River Flow Archive ("gdf") has lines about the station first, and then date,
value and flag; its date format may change from 1899-12-31 to 01/01/1900, where spreadsheets begin.
"""

from __future__ import annotations

import csv
import math
import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError

# Notations of missing values.
MISSING_WORDS = frozenset({"", "na", "nan", "n/a", "null", "none", "-", "--", "---", "m"})
# Least fraction of a month's days required for its mean: three missing days may hide a flood.
MIN_SHARE = 0.9
How = Literal["mean", "sum"]

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_SLASHED = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ].*)?")
_UNITS = re.compile(r"(.*?)\s*[(\[]([^()\[\]]+)[)\]]\s*")


class SeriesFileError(UserError):
    """A file contains no usable series; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class MonthlySeries:
    """A measured series by months.

    Parameters
    ----------
    name : str
        Display name, such as "Thames at Kingston".
    units : str
        Of the values; "" if unknown.
    months : tuple of str
        ``YYYY-MM`` of the months with a value, ascending; there may be gaps between them.
    values : ndarray, shape (n,)
        Finite.
    source : str
        Provenance, as text.
    left_out : tuple of str
        Months with too few days with values.
    """

    name: str
    units: str
    months: tuple[str, ...]
    values: NDArray[np.float64]
    source: str = ""
    left_out: tuple[str, ...] = ()

    def at(self, months: Sequence[str]) -> NDArray[np.float64]:
        """Return the values of selected months, NaN if missing, shape (n,)."""
        held = dict(zip(self.months, self.values.tolist(), strict=True))
        return np.array([held.get(month, np.nan) for month in months])


@dataclass(frozen=True)
class _Row:
    line: int
    when: str
    value: float


def read_series(
    path: Path,
    *,
    name: str | None = None,
    units: str | None = None,
    how: How = "mean",
    min_share: float = MIN_SHARE,
    missing: Sequence[float] = (),
) -> MonthlySeries:
    """Read a daily or monthly series as monthly means or sums.

    Parameters
    ----------
    path : Path
        A CSV file of two columns, or one of the National River Flow Archive.
    name, units : str, optional
        Override those of the file.
    how : str
        Aggregation of days: "mean", or "sum", which is the mean of the available values times
        the number of days.
    min_share : float
        Least fraction of a month's days with values; months with fewer are omitted.
    missing : sequence of float
        Missing-value codes, such as -999.

    Returns
    -------
    MonthlySeries

    Raises
    ------
    SeriesFileError
        If the file contains no such series; names the line and the remedy.
    """
    path = Path(path)
    lines = _lines(path)
    if lines and lines[0][1][:2] == ["file", "timestamp"]:
        rows, found = _nrfa(path, lines)
    else:
        rows, found = _plain(path, lines)
    if name is not None:
        found = replace(found, name=name)
    if units is not None:
        found = replace(found, units=units)
    dates = _dates(path, rows)
    values = np.array([row.value for row in rows])
    values[np.isin(values, np.asarray(missing, np.float64))] = np.nan
    _refuse_codes(path, values)
    return _by_month(path, dates, values, rows, found, how, min_share)


def _refuse_codes(path: Path, values: NDArray[np.float64]) -> None:
    """Refuse numbers that look like missing-value codes, rather than take them for data."""
    there = values[np.isfinite(values)]
    below = there[there < 0]
    if below.size < 2 or np.unique(below).size > 1:
        return
    digits = f"{-below[0]:g}".replace(".", "")
    if set(digits) == {"9"} or digits.startswith("999"):
        raise SeriesFileError(
            f"{path} has {below[0]:g} {below.size} times and nothing else below zero; if it stands "
            f"for a missing value give --missing {below[0]:g}, else leave these lines out."
        )


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the non-empty lines, split into columns, with their line numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise SeriesFileError(
            f"{path} cannot be read ({error.strerror or error}); give the file of a series."
        ) from error
    if "\x00" in text:
        raise SeriesFileError(f"{path} is not a text file; save the series as CSV.")
    lines = text.splitlines()
    delimiter = _delimiter(lines)
    try:
        found = [
            (number, [cell.strip() for cell in cells])
            for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=1)
            if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#")
        ]
    except csv.Error as error:
        raise SeriesFileError(
            f"{path} is no CSV file ({error}); look for a quotation mark that is not closed."
        ) from error
    if not found:
        raise SeriesFileError(f"{path} is empty; give a file with the columns date and value.")
    if delimiter == ";":
        # With semicolons as separators, a comma is a decimal point.
        found = [(n, [c[0], *(x.replace(",", ".") for x in c[1:])]) for n, c in found]
    return found


def _delimiter(lines: Sequence[str]) -> str:
    """Return the separator of the first line that begins with a date, or else of the first.

    The comma is tried last: with semicolons it is a decimal point.
    """
    data_lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    dated = (line for line in data_lines if re.match(r"\s*\"?\d{1,4}[-/.]\d|\s*\"?\d{6,8}\D", line))
    chosen = next(dated, data_lines[0] if data_lines else "")
    return next((d for d in "\t;" if d in chosen), ",")


def _nrfa(path: Path, lines: list[tuple[int, list[str]]]) -> tuple[list[_Row], MonthlySeries]:
    about: dict[str, str] = {}
    rows = []
    for number, cells in lines:
        if cells[0][:1].isdigit():
            rows.append(_row(path, number, cells))
        elif len(cells) > 2:
            about["/".join(cells[:2])] = ",".join(cells[2:])
    station, archive = about.get("station/id", ""), about.get("database/name", "")
    source = f"{archive}, station {station}".strip(", ")
    given = about.get("station/name") or path.stem
    return rows, MonthlySeries(given, about.get("dataType/units", ""), (), np.empty(0), source)


def _plain(path: Path, lines: list[tuple[int, list[str]]]) -> tuple[list[_Row], MonthlySeries]:
    name, units = path.stem, ""
    first = lines[0][1]
    if not any(pattern.fullmatch(first[0]) for pattern in (_ISO, _PACKED, _SLASHED)):
        if len(first) > 1 and first[1]:
            name = first[1]
            parted = _UNITS.fullmatch(name)
            if parted:
                name, units = parted[1], parted[2]
        lines = lines[1:]
        columns = max(2, len(first))
    else:
        columns = 2
    for number, cells in lines:
        _check_columns(path, number, cells, columns)
    rows = [_row(path, number, cells) for number, cells in lines]
    return rows, MonthlySeries(name, units, (), np.empty(0), path.name)


def _check_columns(path: Path, number: int, cells: list[str], columns: int) -> None:
    """Refuse a line with a different number of columns: a decimal comma may split a number."""
    if len(cells) > columns and any(cell.isdigit() for cell in cells[2:]):
        raise SeriesFileError(
            f"Line {number} of {path} has {len(cells)} columns, not {columns}; write decimals with "
            "a point, or, where these are columns, give all of them a heading."
        )
    if len(cells) < 2 and not re.fullmatch(r"\d{4}[-/.]?\d{2}([-/.]?\d{2})?", cells[0]):
        raise SeriesFileError(
            f"Line {number} of {path} has one column; part date and value with a comma, a "
            "semicolon or a tabulator."
        )


def _row(path: Path, number: int, cells: list[str]) -> _Row:
    text = cells[1] if len(cells) > 1 else ""
    if text.lower() in MISSING_WORDS:
        value = math.nan
    else:
        try:
            value = float(text)
        except ValueError:
            raise SeriesFileError(
                f"Line {number} of {path} has '{text[:24]}' where a number should be; correct it, "
                "or leave it empty for a missing value."
            ) from None
        if math.isinf(value):
            value = math.nan
    return _Row(number, cells[0], value)


def _dates(path: Path, rows: list[_Row]) -> list[tuple[int, int, int]]:
    """Return year, month and day of each row; day 0 in a monthly file."""
    slashed = [m for row in rows if (m := _SLASHED.fullmatch(row.when))]
    day_at = _day_position(path, [(int(m[1]), int(m[2])) for m in slashed])
    found = []
    for row in rows:
        if match := _SLASHED.fullmatch(row.when):
            parts = (int(match[3]), int(match[2 - day_at]), int(match[1 + day_at]))
        elif match := _ISO.fullmatch(row.when) or _PACKED.fullmatch(row.when):
            parts = (int(match[1]), int(match[2]), int(match[3] or 0))
        else:
            parts = (0, 0, 0)
        try:
            date(parts[0], parts[1], parts[2] or 1)
        except ValueError:
            raise SeriesFileError(
                f"Line {row.line} of {path} has '{row.when[:24]}' where a date should be; write it "
                "as YYYY-MM-DD or YYYY-MM."
            ) from None
        found.append(parts)
    return found


def _day_position(path: Path, pairs: list[tuple[int, int]]) -> int:
    """Return the position of the day in dates such as 03/04/1990: 0 or 1."""
    if not pairs:
        return 0
    first, second = ({pair[i] for pair in pairs} for i in (0, 1))
    day_first, month_first = max(first) > 12, max(second) > 12
    if not day_first and not month_first:
        # All on the same day of the month: the part that varies is the month.
        day_first, month_first = len(first) == 1, len(second) == 1
    if day_first == month_first:
        raise SeriesFileError(
            f"{path} has dates such as {pairs[0][0]:02d}/{pairs[0][1]:02d} that do not tell the "
            "day from the month; write them as YYYY-MM-DD or YYYY-MM."
        )
    return 0 if day_first else 1


def _by_month(  # noqa: PLR0917 - the parts of one file
    path: Path,
    dates: list[tuple[int, int, int]],
    values: NDArray[np.float64],
    rows: list[_Row],
    about: MonthlySeries,
    how: How,
    min_share: float,
) -> MonthlySeries:
    seen: dict[tuple[int, int, int], int] = {}
    months: dict[str, list[float]] = {}
    for when, value, row in zip(dates, values.tolist(), rows, strict=True):
        if when in seen:
            raise SeriesFileError(
                f"Lines {seen[when]} and {row.line} of {path} are of the same date; keep one."
            )
        seen[when] = row.line
        months.setdefault(f"{when[0]:04d}-{when[1]:02d}", []).append(value)
    daily = max(map(len, months.values()), default=0) > 1
    kept, left_out = {}, []
    for month in sorted(months):
        given = np.array(months[month])
        there = given[np.isfinite(given)]
        days = monthrange(int(month[:4]), int(month[5:]))[1] if daily else 1
        if there.size and there.size >= min_share * days:
            kept[month] = float(there.mean()) * (days if how == "sum" else 1)
        else:
            left_out.append(month)
    if not kept:
        if daily:
            raise SeriesFileError(
                f"{path} has no month with {100 * min_share:.0f} % of its days; lower --min-days, "
                "or give one line a month."
            )
        raise SeriesFileError(f"{path} has no month with a value; give a longer series.")
    return replace(
        about, months=tuple(kept), values=np.array(list(kept.values())), left_out=tuple(left_out)
    )
