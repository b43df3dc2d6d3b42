"""From the settings of Observe to the table of observations of a month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.observations.areas import area_of
from mlda_core.observations.default_errors import spread_of
from mlda_core.observations.kinds import PLAIN, kind_of
from mlda_core.observations.networks import NETWORKS, NetworkSpec, places, synthesise
from mlda_core.observations.operators import shown_operator
from mlda_core.observations.options import TableOptions
from mlda_core.observations.rows import rows_of
from mlda_core.observations.synthetic import place_noise, synthesise_reports
from mlda_core.observations.table import (
    COLUMNS,
    KIND_COLUMNS,
    empty,
    load,
    observation_table,
    read,
    variable_rows,
)
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import MAX_ROWS, InvalidObservationError, Row, check_row

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.observations.reading import Reading


@dataclass(frozen=True, eq=False)
class Table:
    """The observations of a month.

    Parameters
    ----------
    rows : DataFrame
        Columns of `mlda_core.observations.table.COLUMNS`, and ``touched``: changed or placed by
        hand.
    sources : ndarray of int
        Where each row came from: its number in the network, or -1, -2, ... for one's own.
    everywhere : DataFrame
        Where there are observations in any month: the rows, and those that this month has no
        value for.
    sampled : int
        How many values are sampled from the target.
    foreign : mapping of str to int
        How many values were observed in another month, by month, and stand as they are.
    moved : mapping of str to int
        The same of absolute values: they are anomalies from this month's climatology.
    """

    rows: pd.DataFrame
    sources: NDArray[np.int64]
    everywhere: pd.DataFrame
    sampled: int = 0
    foreign: Mapping[str, int] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)

    @property
    def absent(self) -> int:
        """How many places this month has no value for."""
        return len(self.everywhere) - len(self.rows)

    @cached_property
    def plain(self) -> pd.DataFrame:
        """The table as the library takes it: the same object each time."""
        kinds = KIND_COLUMNS if "kind" in self.rows else ()
        return self.rows[[*COLUMNS, *kinds]]

    def __len__(self) -> int:
        return len(self.rows)


def no_table() -> Table:
    """Return a table without rows."""
    none = empty()
    touched = np.zeros(0, dtype=bool)
    return Table(none.assign(touched=touched), np.zeros(0, dtype=np.int64), none)


def spec_of(settings: ObservationSettings) -> NetworkSpec:
    """Return the library's specification of a network: only the settings that its kind uses."""
    heeds = NETWORKS[settings.kind].settings
    given: dict[str, Any] = {
        name: getattr(settings, name)
        for name in ("variables", "domain", "region", "seed", "year")
        if name in heeds
    }
    if "spacing_km" in heeds and settings.spacing:
        given["spacing_km"] = float(settings.spacing)
    elif "count" in heeds:
        given["count"] = settings.count
    return NetworkSpec(kind=settings.kind, **given)


@lru_cache(maxsize=32)
def _places(spec: NetworkSpec, bundle: Bundle) -> pd.DataFrame:
    return places(spec, bundle)


def network_rows(settings: ObservationSettings, bundle: Bundle) -> pd.DataFrame:
    """Return the places of the network itself, before anything was done by hand."""
    return _places(spec_of(settings), bundle)


def row_of(settings: ObservationSettings, source: int, bundle: Bundle) -> Row:
    """Return a row as it was placed: without what is sampled."""
    if source < 0:
        return settings.own[-1 - source]
    changed = dict(settings.changed)
    if source in changed:
        return changed[source]
    place = network_rows(settings, bundle).iloc[source]
    return Row(place["variable"], float(place["lat"]), float(place["lon"]), label=place["label"])


def resolve(settings: ObservationSettings, bundle: Bundle, month: str) -> Table:
    """Make the observations of a month.

    Parameters
    ----------
    settings : ObservationSettings
        The network and what was done to it by hand.
    bundle : Bundle
        Its target of the month is what is sampled.
    month : str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days.

    Returns
    -------
    Table
        The network's rows without those deleted, then one's own; without those that are to be
        sampled where the month has no value.

    Raises
    ------
    ObservingError, NetworkError, ObservationError
        If the network cannot be made, or a row's variable does not exist at its place.
    """
    network = network_rows(settings, bundle)
    kept = np.array([i for i in range(len(network)) if i not in settings.deleted], dtype=np.int64)
    sources = np.concatenate([kept, -1 - np.arange(len(settings.own), dtype=np.int64)])
    where = pd.concat([network.iloc[kept], _frame(settings.own)], ignore_index=True)
    if not len(where):
        return no_table()
    if len(where) > MAX_ROWS:
        raise InvalidObservationError(
            f"More than {MAX_ROWS} observations are too many; choose fewer."
        )
    given: dict[int, Row] = {len(kept) + j: row for j, row in enumerate(settings.own)}
    held = np.isin(sources, list(settings.withheld))
    touched = held | (sources < 0)
    position = {int(source): at for at, source in enumerate(kept)}
    for source, row in settings.changed:
        if source in position:
            at = position[source]
            given[at] = row
            touched[at] = True
            for name in ("variable", "lat", "lon", "label"):
                where[name].array[at] = getattr(row, name)
    kinds = _kinds(given, len(where))
    table = _sampled(where, kinds, settings, bundle, month)
    value, error = table["value"].to_numpy().copy(), table["error_sd"].to_numpy().copy()
    value, own = _with_typed(value, given, where, bundle, month)
    foreign = Counter(row.month for row in own if row.month != month and not row.absolute)
    moved = Counter(row.month for row in own if row.month != month and row.absolute)
    foreign.pop("", None)
    for at, row in given.items():
        if row.error_sd is not None:
            error[at] = row.error_sd
        held[at] |= row.withheld
    everywhere = table.assign(value=value, error_sd=error, withheld=held)
    if kinds is not None:
        everywhere = everywhere.assign(**kinds)
    # A typed value needs no target; a sampled one does.
    there = np.isfinite(value)
    rows = everywhere.assign(touched=touched)[there].reset_index(drop=True)
    return Table(rows, sources[there], everywhere, len(rows) - len(own), foreign, moved)


def _kinds(given: Mapping[int, Row], count: int) -> dict[str, list[str]] | None:
    """Return kind and area of all rows; None where all are values at places."""
    if not any(row.kind or row.area for row in given.values()):
        return None
    kinds = {"kind": [PLAIN] * count, "area": [""] * count}
    for at, row in given.items():
        kinds["kind"][at], kinds["area"][at] = row.kind or PLAIN, row.area
    return kinds


def _sampled(
    where: pd.DataFrame,
    kinds: Mapping[str, list[str]] | None,
    settings: ObservationSettings,
    bundle: Bundle,
    month: str,
) -> pd.DataFrame:
    """Sample rows from the target: values, and of reports their classes; NaN where it has none."""
    target, season = bundle.target(month), bundle.seasons.of(month)
    error, noise = settings.error, settings.noise

    def values(part: pd.DataFrame) -> pd.DataFrame:
        return synthesise(part, bundle, target, season, error=error, seed=noise, missing=True)

    if kinds is None:
        return values(where)
    of_place = np.array([not area for area in kinds["area"]])
    classes = np.array([kind_of(kind)[1] if _is_class(kind) else 0.0 for kind in kinds["kind"]])
    out = where[["variable", "lat", "lon"]].assign(
        value=np.nan, error_sd=np.nan, withheld=False, label=where["label"]
    )
    parts = {0.0: values(where[of_place])}
    for count in set(classes[classes > 0].tolist()):
        # Without a target there is none to report of; the noise is that of the report's own error.
        rows = where[of_place & (classes == count)]
        seen = bundle.operator.locate(
            variable_rows(bundle, list(rows["variable"])), rows["lat"], rows["lon"]
        )
        there = np.isfinite(bundle.operator.apply(seen, target))
        parts[count] = synthesise_reports(
            rows[there], bundle, target, season, classes=int(count), seed=noise
        )
        parts[count].index = rows.index[there]
    parts[0.0].index = where.index[of_place]
    for part in parts.values():
        for name in ("value", "error_sd"):
            out.loc[part.index, name] = part[name]
    wide = np.flatnonzero(~of_place)
    if wide.size:
        found = [kind_of(kinds["kind"][i])[0] for i in wide]
        areas = [area_of(kinds["area"][i], kind) for i, kind in zip(wide, found, strict=True)]
        rows = where.iloc[wide]
        shown = shown_operator(
            bundle,
            variable_rows(bundle, list(rows["variable"])),
            rows["lat"].to_numpy(),
            rows["lon"].to_numpy(),
            areas,
        )
        classes = np.array([kind.classes for kind in found])
        share = np.where(classes, [kind.default_error for kind in found], error)
        sd = share * spread_of(bundle, shown, season)
        # Other noise than that of a value where its marker is.
        names = [
            f"{name} {kinds['area'][i]}" for name, i in zip(rows["variable"], wide, strict=True)
        ]
        drawn = place_noise(names, shown.lat, shown.lon, noise)
        value = bundle.operator.apply(shown, np.asarray(target, np.float64)) + sd * drawn
        out.loc[rows.index, "error_sd"] = sd
        out.loc[rows.index, "value"] = np.where(classes, np.nan, value)
    return observation_table({name: out[name].to_numpy() for name in COLUMNS})


def _is_class(kind: str) -> bool:
    return kind_of(kind)[0].classes


def _with_typed(
    value: NDArray[np.float64],
    given: Mapping[int, Row],
    where: pd.DataFrame,
    bundle: Bundle,
    month: str,
) -> tuple[NDArray[np.float64], list[Row]]:
    """Put typed values in the place of sampled ones.

    An absolute value of another month is brought from that month's climatology to this one's.

    Returns
    -------
    value : ndarray
        Of all rows.
    own : list of Row
        Those with a value of their own.
    """
    made = value.copy()
    typed = {at: row for at, row in given.items() if row.value is not None}
    for at, row in typed.items():
        made[at] = row.value
    others = {row.month for row in typed.values() if row.absolute and row.month[5:] != month[5:]}
    for other in others:
        here = np.array([at for at, row in typed.items() if row.absolute and row.month == other])
        names = where["variable"].to_numpy()[here]
        lat, lon = (where[name].to_numpy(dtype=float)[here] for name in ("lat", "lon"))
        spots = bundle.operator.locate(variable_rows(bundle, list(names)), lat, lon)
        then, now = (bundle.climatology(bundle.seasons.of(m)) for m in (other, month))
        made[here] += bundle.operator.apply(spots, np.asarray(then) - np.asarray(now))
    return made, list(typed.values())


def freeze(settings: ObservationSettings, bundle: Bundle) -> ObservationSettings:
    """Turn a network into rows of one's own, which stay as they are; values go on being sampled."""
    rows = []
    count = len(network_rows(settings, bundle))
    sources = [i for i in range(count) if i not in settings.deleted]
    for source in [*sources, *(-1 - j for j in range(len(settings.own)))]:
        row = row_of(settings, source, bundle)
        rows.append(check_row(row._replace(withheld=row.withheld or source in settings.withheld)))
    return settings.replace(
        kind="custom",
        withheld=frozenset(),
        deleted=frozenset(),
        changed=(),
        own=tuple(rows),
    )


def read_rows(text: str, bundle: Bundle, month: str) -> tuple[tuple[Row, ...], Reading]:
    """Read a file's observations as rows of one's own.

    Parameters
    ----------
    text : str
        The file.
    bundle : Bundle
    month : str
        The month or day that is shown: of the values, and of the climatology of absolute ones.

    Returns
    -------
    rows : tuple of Row
        An error that the file does not state is absent: it follows the error slider.
    reading : Reading
        Refused rows and notes.

    Raises
    ------
    ObservationError
        If the text cannot be read as observations.
    """
    cells = load(text)
    reading = read(cells, bundle, month=month)
    found = rows_of(cells, bundle.variables, TableOptions(), bundle.seasons.step)
    kept = ~np.isin(found.number, [bad.row for bad in reading.rejected])
    if cells.has_times:
        kept &= np.isin(found.month, [month, ""])
    # A file with months: the value is of this one, absolute or not.
    absolute = found.absolute[kept] & (not cells.has_times)
    stated = np.isfinite(found.error[kept])
    columns = [reading.table[name].tolist() for name in COLUMNS]
    blank = [""] * len(reading.table)
    kinds, areas = (
        reading.table[name].tolist() if name in reading.table else blank for name in KIND_COLUMNS
    )
    # The mean of an area stays as it is in another month.
    rows = [
        check_row(
            Row(*values)._replace(month=month, absolute=moves and not area, kind=kind, area=area)
        )
        for *values, moves, kind, area in zip(
            *columns, absolute.tolist(), kinds, areas, strict=True
        )
    ]
    return tuple(
        row if known else row._replace(error_sd=None)
        for row, known in zip(rows, stated, strict=True)
    ), reading


def _frame(rows: tuple[Row, ...] | list[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "variable": pd.Series([row.variable for row in rows], dtype=object),
            "lat": np.array([row.lat for row in rows], dtype=float),
            "lon": np.array([row.lon for row in rows], dtype=float),
            "label": pd.Series([row.label for row in rows], dtype=object),
        }
    )
