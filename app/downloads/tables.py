"""Tables and curves of the page as CSV: a row a value or a month, with its units beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from app.charts.densities import Densities
from app.text import SPLIT_LETTERS
from mlda_core.climate.errors import StateError
from mlda_core.evaluation.rank_histogram import BINS
from mlda_core.evaluation.verification import MEASURES
from mlda_core.observations.row_kinds import is_plain

if TYPE_CHECKING:
    from app.charts.cycle import Curves
    from app.results.panel import Foot
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.bundle.bundle import Bundle

# What an analysis adds to the table of its observations.
DEPARTURES = ("background_departure", "analysis_departure", "standardised_departure", "used")
_SPLITS = {letter: name for name, letter in SPLIT_LETTERS.items()}
_NONE = math.nan


def csv_of(table: pd.DataFrame) -> str:
    """Return a table as CSV; numbers as exact as they are known to be."""
    return str(table.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def observations_table(
    rows: pd.DataFrame, bundle: Bundle, month: str, analysis: Analysis | None = None
) -> pd.DataFrame:
    """Return observations with month and units, and with the departures from their analysis.

    The library reads it as the same observations (:func:`mlda_core.observations.table.read`).

    Parameters
    ----------
    rows : DataFrame
        A table of observations.
    bundle : Bundle
    month : str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days.
    analysis : Analysis, optional
        Of these rows.
    """
    units = {variable.name: variable.anomaly_units for variable in bundle.variables}
    said = rows["variable"].map(units).where(is_plain(rows), "")
    table = rows.copy()
    table.insert(list(table.columns).index("value") + 1, "units", said)
    table.insert(0, "time", month)
    if analysis is not None:
        known = analysis.observations
        for name in (*DEPARTURES, "robust_weight"):
            if name in known:
                table[name] = known[name].to_numpy()
    return table


def cycle_table(curves: Curves, variable: str, region: str) -> pd.DataFrame:
    """Return the errors of a cycle, day by day.

    Parameters
    ----------
    curves : Curves
    variable : str
        Name of the variable.
    region : str
        Over which they are averaged.
    """
    lines = {name: line for name, line in curves.lines.items() if name in curves.names}
    count = max((len(v) for name, v in lines.items() if name != "earlier"), default=0)
    table = pd.DataFrame({"time": list(curves.days[:count])})
    table["variable"], table["region"], table["units"] = variable, region, curves.units
    for name, values in lines.items():
        own = curves.earlier_days if name == "earlier" else curves.days
        by_day = dict(zip(own, values, strict=False))
        table[_column(curves.names[name])] = [by_day.get(day, _NONE) for day in table["time"]]
    return table


def foot_table(part: str, foot: Foot, place: tuple[float, float] | None = None) -> pd.DataFrame:
    """Return what an open part of the results panel shows.

    Parameters
    ----------
    part : str
        One of :data:`FOOT_TABLES`.
    foot : Foot
    place : tuple of float, optional
        Latitude and longitude that the densities are of; the region by default.

    Raises
    ------
    StateError
        If the part shows nothing yet.
    """
    if part == "densities":
        return _densities(foot, place)
    return FOOT_TABLES[part](foot)


def region_of(foot: Foot) -> str:
    """Return the name of the region that the panel averages over."""
    return str(dict(foot.regions).get(foot.region, foot.region))


def _scores(foot: Foot) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    units = {v["name"]: v["units"] for v in foot.variables}
    for against in ("target", "withheld"):
        for method, by_variable in foot.scores.get(against, {}).items():
            rows += [
                {
                    "time": foot.month,
                    "region": foot.scores["region"],
                    "against": against if against == "target" else "withheld observations",
                    "method": method,
                    "variable": name,
                    **{m: _number(score[m]) for m in MEASURES},
                    "rmse_units": units[name],
                    "n": score["n"],
                }
                for name, score in by_variable.items()
            ]
    return _filled(rows, "There are no scores yet; wait for the analysis.")


def _series(foot: Foot) -> pd.DataFrame:
    months, split = foot.series.get("months", []), foot.series.get("split", "")
    none: list[float | None] = [None] * len(months)
    perturbs = foot.mode == "perturb"
    rows: list[dict[str, Any]] = []
    for variable in foot.variables:
        name = variable["name"]
        lines = {
            "target": foot.series.get("target", {}).get(name, none),
            "sea_as_it_was" if perturbs else "analysis": foot.analysis.get("values", {}).get(
                name, none
            ),
        }
        if perturbs:
            changed = _column(foot.changed.get("name", "changed sea"))
            lines[changed] = foot.changed.get("values", {}).get(name, none)
        rows += [
            {
                "time": month,
                "split": _SPLITS.get(split[i], ""),
                "region": region_of(foot),
                "variable": name,
                "units": variable["units"],
                **{line: _number(values[i]) for line, values in lines.items()},
            }
            for i, month in enumerate(months)
        ]
    return _filled(rows, "There is no series yet; open the part Series first.")


def _ranks(foot: Foot) -> pd.DataFrame:
    edges = np.linspace(0.0, 1.0, BINS + 1)
    rows = [
        {
            "time": foot.month,
            "observations": kind,
            "rank_from": edges[i],
            "rank_to": edges[i + 1],
            "share": share,
        }
        for kind in ("withheld", "used")
        for i, share in enumerate(foot.ranks.get(kind, []))
    ]
    return _filled(rows, "There are no ranks yet; wait for the members of the posterior.")


def _densities(foot: Foot, place: tuple[float, float] | None) -> pd.DataFrame:
    chart: Densities = foot.densities.get("chart") or Densities()
    where: dict[str, Any] = {"region": region_of(foot)}
    if place is not None:
        where = {"lat": place[0], "lon": place[1]}
    head = {"time": foot.month, **where, "variable": foot.densities.get("variable", "")}
    rows: list[dict[str, Any]] = []
    for curve in chart.curves:
        rows += [
            {**head, "curve": curve.name, "value": x, "units": chart.units, "density": y}
            for x, y in zip(curve.x, curve.y, strict=True)
        ]
    for mark in chart.marks:
        own = {"curve": mark.name, "value": mark.value, "units": chart.units}
        row = {**head, **own, "density": _NONE, "error_sd": mark.error or _NONE}
        if mark.low is not None and mark.high is not None:
            ends = {"low": mark.low, "high": mark.high}
            # An open end has no number.
            row |= {name: v if math.isfinite(v) else _NONE for name, v in ends.items()}
        rows.append(row)
    return _filled(rows, "There are no densities yet; wait for the analysis.")


def _drivers(foot: Foot) -> pd.DataFrame:
    found = foot.drivers
    head = {
        "time": found.get("month"),
        "region": found.get("region"),
        "variable": found.get("variable"),
        "held": found.get("held"),
    }
    units = found.get("units")
    rows = [
        {
            **head,
            "part": part["label"],
            "contribution": _number(part["contribution"]),
            "units": units,
            "share": _number(part["share"]),
            "sea_anomaly_K": _number(part["anomaly"]),
        }
        for part in found.get("parts", [])
    ]
    for words, name in (
        ("sum of basins", "linear"),
        ("usual sea", "normal"),
        ("not explained", "remainder"),
        ("analysis", "value"),
    ):
        if rows:
            rows.append({
                **head, "part": words, "contribution": _number(found[name]), "units": units,
            })  # fmt: skip
    return _filled(rows, "There are no drivers yet; press 'Find the drivers' first.")


def _impact(foot: Foot) -> pd.DataFrame:
    shown, now = foot.impact, foot.impact_now
    head = {"series": shown.get("name", ""), "units": shown.get("units", "")}
    quantiles = ("observed", "low", "median", "high")
    rows: list[dict[str, Any]] = [
        {
            "time": month,
            "of": "the month's own data",
            "split": _SPLITS.get(shown["split"][i], ""),
            **head,
            **{name: _number(shown[name][i]) for name in quantiles},
        }
        for i, month in enumerate(shown.get("months", []))
    ]
    if rows and now.get("median") is not None:
        values = {name: _number(now[name]) for name in quantiles}
        rows.append({"time": now["month"], "of": "the state shown", "split": "", **head, **values})
    return _filled(rows, "There is no impact series yet; open the part Impact first.")


FOOT_TABLES: Mapping[str, Callable[[Foot], pd.DataFrame]] = {
    "scores": _scores,
    "series": _series,
    "ranks": _ranks,
    "densities": lambda foot: _densities(foot, None),
    "drivers": _drivers,
    "impact": _impact,
}


def _filled(rows: list[dict[str, Any]], why: str) -> pd.DataFrame:
    if not rows:
        raise StateError(why)
    return pd.DataFrame(rows)


def _number(value: float | None) -> float:
    return _NONE if value is None else value


def _column(words: str) -> str:
    """Return words as the name of a column.

    >>> _column("3D-Var: analysis")
    '3d_var_analysis'
    """
    kept = "".join(c if c.isalnum() else " " for c in words.lower())
    return "_".join(kept.split())
