"""A record of observations: the months in a file or a folder of files.

Every file is read from disk once: digest, times and rows use the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.months import MonthError
from mlda_core.climate.seasons import MONTHLY
from mlda_core.observations.file_names import choose, month_in, tell_apart
from mlda_core.observations.options import TableOptions
from mlda_core.observations.row_kinds import KIND_COLUMNS, stacked
from mlda_core.observations.table import Reading, load, read, read_months

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

__all__ = ["MonthOfRecord", "Record", "RecordFiles", "read_record"]

# Years that lie completely within the range of nanosecond time stamps.
_YEARS = range(1678, 2262)
_DEFAULTS = TableOptions()


class RecordFiles:
    """Contents of a record's files.

    Parameters
    ----------
    source : Path
        A file, or a folder of files with a time column or a month in their names.

    Attributes
    ----------
    contents : dict of str to bytes
        By file name, in order.
    in_folder : bool
        Whether the source is a folder.
    notes : list of str
        Files of the folder that were skipped.

    Raises
    ------
    ObservationError
        If there is no file, one cannot be read, or two are identical.
    """

    def __init__(self, source: Path) -> None:
        self.source = source
        self.in_folder = source.is_dir()
        self.notes: list[str] = []
        names = [source]
        if self.in_folder:
            chosen = choose(f.name for f in source.iterdir() if f.is_file())
            self.notes += chosen.notes
            names = [source / name for name in chosen.names]
        if not names:
            raise ObservationError(
                f"{source} holds no CSV or netCDF file; give a folder of observations."
            )
        self.contents = {path.name: _bytes_of(path) for path in names}
        seen: dict[bytes, str] = {}
        for name, data in self.contents.items():
            other = seen.setdefault(hashlib.sha256(data).digest(), name)
            if other != name:
                raise ObservationError(
                    f"{other} and {name} hold the same, byte by byte: their observations would "
                    "count twice; remove one."
                )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the files in sequence."""
        digest = hashlib.sha256()
        for data in self.contents.values():
            digest.update(data)
        return digest.hexdigest()


class MonthOfRecord(NamedTuple):
    """The observations of one month.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    table : DataFrame
        Checked, columns of :data:`mlda_core.observations.table.COLUMNS`.
    rejected : tuple of str
        Rejected rows, as text.
    n_rows : int
        Number of rows read: before merging, rejected ones included.
    """

    month: str
    table: pd.DataFrame
    rejected: tuple[str, ...]
    n_rows: int


class Record(NamedTuple):
    """Observations of many months.

    Parameters
    ----------
    months : tuple of MonthOfRecord
        Ascending.
    unplaced : tuple of str
        Rejected rows without a month, as text.
    notes : tuple of str
        Sentences on interpretations that the user should check.
    """

    months: tuple[MonthOfRecord, ...]
    unplaced: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def rejected(self) -> tuple[str, ...]:
        """All rejected rows, as text."""
        return self.unplaced + tuple(r for one in self.months for r in one.rejected)

    @property
    def n_rows(self) -> int:
        """Number of rows read, rejected ones included."""
        return len(self.unplaced) + sum(one.n_rows for one in self.months)

    def within(self, first: str, last: str) -> Record:
        """Return the months from one ``YYYY-MM`` to another, inclusive."""
        return self._replace(months=tuple(m for m in self.months if first <= m.month <= last))


class _Part(NamedTuple):
    """Observations of one month in one file; the month is '' if unknown."""

    file: str
    month: str
    reading: Reading
    # Before merging, rejected rows included.
    n_rows: int


def read_record(
    files: RecordFiles,
    bundle: Bundle,
    month: str | None = None,
    options: TableOptions = _DEFAULTS,
) -> Record:
    """Read all observations of a record.

    Parameters
    ----------
    files : RecordFiles
    bundle : Bundle
    month : str, optional
        Restrict to this month; required for a file without months. Any form accepted by
        :func:`mlda_core.climate.months.month_of`.
    options : TableOptions

    Returns
    -------
    Record
        With at least one observation.

    Raises
    ------
    ObservationError
        If there are no observations, a month is unknown, or files contain the same
        observations.
    """
    requested = _asked(month, bundle)
    every = list(_parts(files, bundle, requested, options))
    parts = [part for part in every if requested in {"", part.month} or not part.month]
    many = len(files.contents) > 1
    by_month: dict[str, list[_Part]] = {}
    for part in parts:
        by_month.setdefault(part.month, []).append(part)
    months = []
    for name in sorted(set(by_month) - {""}):
        here = by_month[name]
        _check_repeats(here)
        tables = [part.reading.table for part in here]
        table = stacked(tables)
        n_rows = sum(part.n_rows for part in here)
        months.append(MonthOfRecord(name, table, _text_of(here, many=many), n_rows))
    unplaced = _text_of(by_month.get("", []), many=many)
    notes = [*files.notes, *_notes(parts, many=many)]
    held = sorted({part.month for part in every} - {""})
    if requested and held and requested not in held:
        span = held[0] if len(held) == 1 else f"{held[0]} to {held[-1]}"
        raise ObservationError(
            f"{files.source} has no observation of {requested}; it holds {span}."
        )
    if not sum(len(one.table) for one in months):
        lost = _text_of(parts, many=many)
        why = f"; the first reason: {lost[0]}" if lost else "."
        raise ObservationError(f"{files.source} has no observation that can be used{why}")
    for one in months:
        if int(one.month[:4]) not in _YEARS:
            raise ObservationError(f"{one.month} is not within 1678 to 2261; choose another month.")
    return Record(tuple(months), unplaced, tuple(notes))


def _notes(parts: list[_Part], *, many: bool) -> list[str]:
    """Return the notes without duplicates, with their months unless they apply to all."""
    of_file: dict[str, list[str]] = {}
    months_of: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        of_file.setdefault(part.file, []).append(part.month)
        for note in part.reading.notes:
            months_of.setdefault((part.file, note), []).append(part.month)
    out = []
    for (file, note), months in months_of.items():
        where = [file] if many else []
        if len(of_file[file]) > len(months):
            dated = [m for m in months if m]
            more = f" and {len(dated) - 1} months more" if len(dated) > 1 else ""
            where += [f"{dated[0]}{more}"] if dated else []
        out.append(f"{', '.join(where)}: {note}" if where else note)
    return out


def _parts(
    files: RecordFiles, bundle: Bundle, requested: str, options: TableOptions
) -> Iterator[_Part]:
    unmerged = replace(options, merge_repeated=False)
    named: dict[str, list[str]] = {}
    for name, data in files.contents.items():
        cells = load(data, name=name if files.in_folder else str(files.source))
        if cells.has_times and (files.in_folder or not requested):
            found = plain = read_months(cells, bundle, options=options)
            if options.merge_repeated:
                plain = read_months(cells, bundle, options=unmerged)
            for month, reading in found.items():
                yield _Part(name, month, reading, _count(plain[month]))
            continue
        month = _named(name, bundle) if files.in_folder else requested
        if not month:
            remedy = "name it such as 1997-12.csv, or " if bundle.seasons is MONTHLY else ""
            remedy = remedy if files.in_folder else "give --month, or "
            raise ObservationError(
                f"{cells.name} does not say which {bundle.seasons.step} it is of; {remedy}add a "
                "column 'time'."
            )
        if files.in_folder:
            named.setdefault(month, []).append(name)
            tell_apart(named[month], month)
        # For a single file with times, the error lists its months if it lacks this one.
        reading = one = read(cells, bundle, month=month, options=options)
        if options.merge_repeated:
            one = read(cells, bundle, month=month, options=unmerged)
        yield _Part(name, month, reading, _count(one))


def _count(reading: Reading) -> int:
    return len(reading.table) + len(reading.rejected)


def _check_repeats(parts: list[_Part]) -> None:
    """Refuse a file whose observations of a month are all in another file too."""
    keys = ["variable", "lat", "lon", "value", *KIND_COLUMNS]
    blank = dict.fromkeys(KIND_COLUMNS, "")
    tables = [
        part.reading.table if "kind" in part.reading.table else part.reading.table.assign(**blank)
        for part in parts
    ]
    held = [
        (part.file, set(map(tuple, table[keys].to_numpy())))
        for part, table in zip(parts, tables, strict=True)
    ]
    for i, (name, rows) in enumerate(held):
        for j, (other, more) in enumerate(held):
            # Of two equal files, report the later one.
            if i != j and rows and rows <= more and (rows != more or i > j):
                raise ObservationError(
                    f"All that {name} holds of {parts[0].month} stands in {other} too and would "
                    "count twice; remove one."
                )


def _text_of(parts: list[_Part], *, many: bool) -> tuple[str, ...]:
    out = []
    for part in parts:
        for rejected in part.reading.rejected:
            text = str(rejected)
            out.append(f"{part.file}, {text[0].lower()}{text[1:]}" if many else text)
    return tuple(out)


def _named(name: str, bundle: Bundle) -> str:
    """Return the month that a file's name says; of a day no name tells."""
    return (month_in(name) or "") if bundle.seasons is MONTHLY else ""


def _asked(time: str | None, bundle: Bundle) -> str:
    if time is None:
        return ""
    try:
        return bundle.seasons.step.parse(time)
    except MonthError as error:
        raise ObservationError(str(error)) from error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ObservationError(
            f"{path} cannot be read ({error.strerror or error}); check its name."
        ) from error
