"""Parse the names of observation files: which to read, and the month of each.

A folder holds one month a file. Each name must contain exactly one month; a possible date, range
or copy is refused, as a wrong guess assigns observations to the wrong month or counts them twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from mlda_core.climate.interpolation import ObservationError

__all__ = ["Chosen", "choose", "month_in", "tell_apart"]

_TABLES = frozenset((".csv", ".tsv", ".txt", ".dat", ".nc", ".nc4", ".cdf", ".netcdf"))
# File types that may hold observations but are not supported directly.
_UNREADABLE = {
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip", ".z", ".tar", ".tgz"), "unpack it"),
    **dict.fromkeys((".xls", ".xlsx", ".xlsm", ".ods", ".numbers"), "save it as CSV"),
    **dict.fromkeys((".parquet", ".feather", ".json", ".h5", ".hdf5"), "save it as CSV or netCDF"),
    **dict.fromkeys((".grib", ".grb", ".grib2", ".grb2"), "convert it to netCDF"),
}
# Documentation beside data: README, LICENSE and similar.
_ABOUT = re.compile(
    r"(read[-_ ]?me|licen[cs]e|copying|notice|citation|changelog|metadata)(?![a-z])", re.IGNORECASE
)
_BACKUP = re.compile(
    r"(~|\.(bak|backup|old|orig|save|sav|tmp|temp|swp|part|crdownload))$", re.IGNORECASE
)
# Names of copies by file managers and browsers, in some languages.
_COPY = re.compile(
    r"\(\d+\)\s*$|(?<![a-z])(copy|kopie|copie|copia|cópia|kopia|kopi|копия)(?![a-z])", re.IGNORECASE
)
_VERSION = re.compile(
    r"(?<![a-z0-9])(v(er(sion)?)?[-_. ]?\d+|r(ev)?\d+|new|old|final|corrected|fixed|latest)"
    r"(?![a-z])",
    re.IGNORECASE,
)
# Range of plausible years; other digits may be a station's number.
_YEARS = range(1678, 2262)


class Chosen(NamedTuple):
    """Selected files of a folder.

    Parameters
    ----------
    names : tuple of str
        Files to read, in order.
    notes : tuple of str
        Skipped files, one sentence each.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]


def choose(names: Iterable[str]) -> Chosen:
    """Select the observation files of a folder.

    Hidden files, the ``._`` files of macOS and editor backups are skipped silently; other files
    that are not tables are skipped and reported.

    Parameters
    ----------
    names : iterable of str
        Without their folder.

    Returns
    -------
    Chosen

    Raises
    ------
    ObservationError
        If a file may hold observations but is not readable directly, or is named as a copy.
    """
    taken, left = [], []
    for name in sorted(names):
        path = PurePath(name)
        suffix = path.suffix.lower()
        if name.startswith((".", "~$", "#")) or _BACKUP.search(name):
            continue
        if _ABOUT.match(path.stem) or suffix not in {*_TABLES, *_UNREADABLE}:
            left.append(name)
        elif suffix in _UNREADABLE:
            raise ObservationError(
                f"{name} cannot be read as it is; {_UNREADABLE[suffix]}, or move it out of the "
                "folder."
            )
        elif _COPY.search(path.stem):
            raise ObservationError(
                f"{name} is named as a copy of another file, whose observations would count twice; "
                "remove it, or name it after its month or its station if it is none."
            )
        else:
            taken.append(name)
    notes: tuple[str, ...] = ()
    if left:
        which = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
        notes = (f"Of the folder, {which} was left out: not a CSV or netCDF file of observations.",)
    return Chosen(tuple(taken), notes)


def month_in(name: str) -> str | None:
    """Return the month in a file name.

    Parameters
    ----------
    name : str
        Such as ``1997-12.csv``, ``obs_199712.nc``, ``1997_12_london.csv`` or ``12-1997.csv``.

    Returns
    -------
    str or None
        ``YYYY-MM``; None if there is nothing like a month.

    Raises
    ------
    ObservationError
        If it holds a date with a day, a range, or more than one month.
    """
    found, _ = _months(PurePath(name).stem)
    if not found:
        return None
    words = [text for text, _ in found]
    months = [month for _, month in found]
    if len(found) == 1 and months[0] is not None:
        return months[0]
    if len(found) == 1:
        what = f"holds '{words[0]}', which may be a day, a range or the date it was made on"
    else:
        what = f"holds {' and '.join(repr(w) for w in words)}"
    raise ObservationError(
        f"The name of {name} {what}: its month cannot be told; name it such as 1997-12.csv, or add "
        "a column 'time'."
    )


def tell_apart(names: Sequence[str], month: str) -> None:
    """Refuse files of one month that may hold the same observations.

    Several files of a month are assumed to be of different stations: apart from the month, their
    names must not be empty, must differ, and by more than a version.

    Parameters
    ----------
    names : sequence of str
        Names of the files of the month.
    month : str
        ``YYYY-MM``.

    Raises
    ------
    ObservationError
        If the names are too similar.
    """
    seen: dict[str, str] = {}
    for name in names:
        rest = _VERSION.sub("", _months(PurePath(name).stem)[1])
        key = re.sub(r"[\W_]+", "", rest).lower()
        if len(names) > 1 and not key:
            other = next(n for n in names if n != name)
            raise ObservationError(
                f"{name} and {other} are both of {month}; keep one of them, or name each after its "
                f"station, such as {month}_london.csv and {month}_paris.csv."
            )
        if key in seen:
            raise ObservationError(
                f"{seen[key]} and {name} are both of {month} and named alike; keep one of them, or "
                "name each after its station."
            )
        seen[key] = name


# Patterns of digits

_SEP = r"[-_. ]"
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    # Year, month and day; year and month with a number that may be its day or the end of a
    # range; and the same with the year last.
    ("date", re.compile(rf"(\d{{4}}){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}})(?!\d)")),
    ("last", re.compile(rf"(\d{{1,2}}){_SEP}(\d{{1,2}}){_SEP}(\d{{4}})(?!\d)")),
    ("date", re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{2}|\d{4}|\d{6})?(?!\d)")),
    ("date", re.compile(rf"(\d{{4}})(\d{{2}})(?:{_SEP}|to)(\d{{1,2}})(?!\d)")),
    ("date", re.compile(rf"(\d{{4}}){_SEP}(\d{{2}})to(\d{{1,2}})(?!\d)")),
    ("month", re.compile(rf"(\d{{4}}){_SEP}?(\d{{2}})(?!\d)")),
    ("first", re.compile(rf"(\d{{2}}){_SEP}(\d{{4}})(?!\d)")),
)


def _months(stem: str) -> tuple[list[tuple[str, str | None]], str]:
    """Return possible months or dates in a name, and the rest of the name.

    Each with its ``YYYY-MM``, or None if it is not a single month.
    """
    found: list[tuple[str, str | None]] = []
    rest, at = "", 0
    while at < len(stem):
        if not stem[at].isdecimal():
            rest += stem[at]
            at += 1
            continue
        for kind, rule in _RULES:
            match = rule.match(stem, at)
            if match is None:
                continue
            month = _read(kind, match)
            if month is not None:
                found.append((match[0], month or None))
                at = match.end()
                break
        else:
            number = re.compile(r"\d+").match(stem, at)
            end = at + 1 if number is None else number.end()
            rest += stem[at:end]
            at = end
    return found, rest


def _read(kind: str, match: re.Match[str]) -> str | None:
    """Return the month, '' for a date or range, None for other digits."""
    numbers = [int(g) for g in match.groups()]
    if kind == "last":
        day, month, year = numbers
        # Day and month occur in either order.
        good = year in _YEARS and 1 <= day <= 31 and 1 <= month <= 31 and min(day, month) <= 12
        return "" if good else None
    if kind == "first":
        month, year = numbers
        return f"{year:04d}-{month:02d}" if year in _YEARS and 1 <= month <= 12 else None
    year, month = numbers[:2]
    # With a hyphen it is meant as a month, and a wrong year has its own message.
    written = "-" in match[0]
    if not (1 <= month <= 12 and (year in _YEARS or written)):
        return None
    if kind == "month":
        return f"{year:04d}-{month:02d}"
    return "" if 1 <= numbers[2] <= 31 else None
