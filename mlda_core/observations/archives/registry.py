"""Registry of the supported archives, and their conversion to one observation table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import pandas as pd

from mlda_core.climate.atomic_files import replacing
from mlda_core.observations.archives import dart, ghcnm, gsom, icoads, isti
from mlda_core.observations.archives.boxes import monthly_means
from mlda_core.observations.archives.documents import ArchiveError, Document, documents
from mlda_core.observations.archives.selection import COLUMNS, Tally, Wanted, check_names
from mlda_core.observations.files import to_csv, to_netcdf

Reader = Callable[[Iterator[Document], Wanted, Tally], Iterator[pd.DataFrame]]
Recogniser = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Archive:
    """An archive format.

    Parameters
    ----------
    key : str
        Its name for ``--format``.
    title : str
    recognise : callable
        Whether the first lines of a document are of this format.
    read : callable
        Converts documents to rows of an observation table.
    companion : callable
        Whether the first lines are of an auxiliary file that the reader needs; never by default.
    single_reports : bool
        Whether values are instantaneous reports rather than monthly means.
    """

    key: str
    title: str
    recognise: Recogniser
    read: Reader
    companion: Recogniser = lambda _head: False
    single_reports: bool = False


ARCHIVES: dict[str, Archive] = {
    archive.key: archive
    for archive in (
        Archive("ghcnm", "GHCN-Monthly", ghcnm.recognise, ghcnm.read, ghcnm.companion),
        Archive("gsom", "Global Summary of the Month", gsom.recognise, gsom.read),
        Archive("isti", "ISTI databank, stage 3", isti.recognise, isti.read),
        Archive("icoads", "ICOADS in IMMA", icoads.recognise, icoads.read, single_reports=True),
        Archive("dart", "DART obs_seq", dart.recognise, dart.read, single_reports=True),
    )
}


class Conversion(NamedTuple):
    """Result of reading an archive.

    Parameters
    ----------
    archive : Archive
    table : DataFrame
        Columns of an observation table; ``kind`` is absolute, ``time`` is ``YYYY-MM``.
    tally : Tally
        Counts of omitted values, by reason.
    """

    archive: Archive
    table: pd.DataFrame
    tally: Tally


def convert(
    paths: Sequence[Path],
    *,
    archive: str | None = None,
    wanted: Wanted | None = None,
    monthly: float | None = None,
) -> Conversion:
    """Convert files of one archive to an observation table.

    Parameters
    ----------
    paths : sequence of Path
        Files, packed or not, and folders of them.
    archive : str, optional
        Key of :data:`ARCHIVES`; by default recognised from the files.
    wanted : Wanted, optional
        Variables, times and region; all by default.
    monthly : float, optional
        For single reports: average them over each month and box of this size, degrees.

    Returns
    -------
    Conversion

    Raises
    ------
    ArchiveError
        If no file is of a known format, files are of several formats, one cannot be read, or no
        observation remains.
    """
    wanted = wanted or Wanted()
    check_names(wanted.variables)
    tally = Tally()
    if archive is not None and archive not in ARCHIVES:
        raise ArchiveError(f"There is no format '{archive}'; --format knows {', '.join(ARCHIVES)}.")
    stream = documents(paths)
    chosen, before = (ARCHIVES[archive], []) if archive else _recognised(stream)
    if monthly is not None and not chosen.single_reports:
        raise ArchiveError(f"{chosen.title} holds monthly means already; leave out --monthly.")
    given = _of(chosen, before, stream, tally, stated=archive is not None)
    parts = [part for part in chosen.read(given, wanted, tally) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    if table.empty:
        raise ArchiveError(_nothing(chosen, tally))
    if chosen.single_reports and monthly is None:
        tally.note(
            f"{chosen.title} holds reports of a moment, but an analysis is of a month: --monthly 2 "
            "makes monthly means of boxes, with their standard errors"
        )
    if monthly is not None:
        table, unknown = monthly_means(table, monthly)
        if unknown:
            tally.note(
                f"{unknown} means are of single reports whose error nothing tells: it is left to "
                "the analysis' default"
            )
    order = table.sort_values(["time", "variable", "label"], kind="stable")
    return Conversion(chosen, order.reset_index(drop=True), tally)


def _recognised(stream: Iterator[Document]) -> tuple[Archive, list[Document]]:
    """Return the archive of the first document recognised, and the documents up to it."""
    before: list[Document] = []
    for document in stream:
        before.append(document)
        found = _archive_of(document)
        if found is not None:
            return found, before
    known = "; ".join(f"{a.key} ({a.title})" for a in ARCHIVES.values())
    names = ", ".join(d.name for d in before[:3]) + (", ..." if len(before) > 3 else "")
    raise ArchiveError(f"{names} is of no known format; say --format, which knows {known}.")


def _archive_of(document: Document) -> Archive | None:
    return next((a for a in ARCHIVES.values() if a.recognise(document.head)), None)


def _of(
    chosen: Archive,
    before: Sequence[Document],
    stream: Iterator[Document],
    tally: Tally,
    *,
    stated: bool,
) -> Iterator[Document]:
    """Yield the documents of one archive; refuse those of other archives."""
    number = 0
    for document in (d for part in (before, stream) for d in part):
        if chosen.recognise(document.head):
            number += 1
            yield document
        elif chosen.companion(document.head):
            yield document
        else:
            other = _archive_of(document)
            if other is not None and not stated:
                raise ArchiveError(
                    f"{document.name} is {other.title}, but others are {chosen.title}; convert "
                    "them one by one, or say --format."
                )
            tally.skipped.append(document.name)
    if not number:
        names = ", ".join(tally.skipped[:3]) or "The files"
        raise ArchiveError(f"{names} does not look like {chosen.title}; check --format.")


def _nothing(chosen: Archive, tally: Tally) -> str:
    """Return why no observation remains."""
    why = []
    if tally.last:
        why.append(f"the files hold {tally.first} to {tally.last}")
    if tally.left_out:
        reason, number = tally.left_out.most_common(1)[0]
        why.append(f"left out {number}: {reason}")
    if tally.damaged:
        why.append(
            f"lines that cannot be read: {len(tally.damaged)}, the first {tally.damaged[0][:-1]}"
        )
    ending = "; ".join(why) or "check what was asked for"
    return f"{chosen.title}: no observation remains; {ending}."


def write(table: pd.DataFrame, path: Path, attrs: dict[str, str]) -> None:
    """Write an observation table for ``mlda assimilate``.

    Parameters
    ----------
    table : DataFrame
        From :func:`convert`.
    path : Path
        ``.csv`` or ``.nc``; written atomically, replacing an existing file.
    attrs : dict
        Global attributes of netCDF, and the first lines of CSV.

    Raises
    ------
    ArchiveError
        If the suffix is different.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ArchiveError(f"{path} has no known suffix; name it .csv or .nc.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        if path.suffix.lower() == ".csv":
            about = "".join(f"# {k}: {v}\n" for k, v in attrs.items())
            part.write_text(about + to_csv(table), encoding="utf-8")
        else:
            # Mid-month, on the time axis that the writer declares.
            months = table["time"].to_numpy(dtype="datetime64[M]").astype("datetime64[D]")
            days = (months - np.datetime64("1850-01-01", "D")).astype(float) + 14.0
            to_netcdf(table.assign(time=days), part, attrs)
            with netCDF4.Dataset(part, "a") as file:
                file["value"].setncatts({"long_name": "full value", "comment": "units by row"})


SUFFIXES = (".csv", ".nc")
