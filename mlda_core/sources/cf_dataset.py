"""Any CF dataset: variables by their standard names, or as mapped by the user.

Variables that may not be the mean of a canonical variable (daily extremes, pressure levels,
in monthly files snapshots, spreads, anomalies under the name of the full field) need ``--map``.
The names are those of
https://cfconventions.org/Data/cf-standard-names/current/build/cf-standard-name-table.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import xarray as xr

from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.sources import SourceError
from mlda_core.sources.cell_methods import is_point, methods_of
from mlda_core.sources.layout import Known, Layout

KEY = "cf"
STANDARD_NAMES = {
    "air_pressure_at_mean_sea_level": "psl",
    "air_pressure_at_sea_level": "psl",
    "sea_surface_temperature": "tos",
    "air_temperature": "tas",
    "precipitation_flux": "pr",
    "lwe_precipitation_rate": "pr",
    "precipitation_amount": "pr",
    "lwe_thickness_of_precipitation_amount": "pr",
    "duration_of_sunshine": "sund",
    "surface_temperature_anomaly": "tasa",
    "air_temperature_anomaly": "tasa",
}
# Descriptions of two-metre temperature in files that give no height.
_NEAR_SURFACE = re.compile(
    r"^(tas|t2m?|2t|trefht|t_?2m|tmp2m|temp2m?)$|\b2[ -]?m(et(er|re)s?)?\b|near[ -]surface"
    r"|surface air",
    re.IGNORECASE,
)
_OF_DAYS = re.compile(
    r"\btime\s*:\s*(max\w*|min\w*|standard_deviation|variance|range|mid_range|median|mode)\b"
)
_SUM = re.compile(r"\btime\s*:\s*sum\b")
_SPREAD = re.compile(
    r"spread|standard (deviation|error)|uncertain|number of (obs|stations)|\bvariance\b",
    re.IGNORECASE,
)
_TEXTS = ("long_name", "statistic", "var_desc")
_VERTICAL = re.compile(r"^(plev|lev|level|pressure|isobaric\w*|height|altitude|depth|z)\d*$")
_PRESSURES = re.compile(r"^(h?pa|mb|m?bar|millibars?|hectopascals?|pascals?)$", re.IGNORECASE)
_LOW, _HIGH = 0.5, 10.0  # m: the height of screens and model diagnostics of air at the surface


@dataclass(frozen=True)
class CfLayout(Layout):
    """A dataset whose variables are identified by standard names or by the user.

    Parameters
    ----------
    names : tuple of (str, str)
        Canonical names and the files' names of these variables.
    step : TimeStep
        Of the files.
    """

    names: tuple[tuple[str, str], ...] = ()
    step: TimeStep = MONTH

    def find(self, data: xr.Dataset) -> dict[str, Known]:
        """Return the known variables of a file, by their names in the file.

        Raises
        ------
        SourceError
            If two variables of a file match the same canonical one.
        """
        found = {
            name: Known((name,), canonical)
            for canonical, name in self.names
            if name in data.data_vars
        }
        mapped = {canonical for canonical, _ in self.names}
        candidates: dict[str, list[str]] = {}
        for name in map(str, data.data_vars):
            canonical = STANDARD_NAMES.get(_standard_name(data[name]), "")
            if not canonical or canonical in mapped or name in found:
                continue
            if not why_not(data[name], canonical, self.step):
                candidates.setdefault(canonical, []).append(name)
        for canonical, names in candidates.items():
            if len(names) > 1:
                raise SourceError(
                    f"{data.encoding.get('source', 'A file')} has {' and '.join(names)}, and each "
                    f"may be {canonical}; say which by --map {canonical}={names[0]}."
                )
            found[names[0]] = Known((names[0],), canonical)
        return found


def layout(names: tuple[tuple[str, str], ...] = (), step: TimeStep = MONTH) -> CfLayout:
    """Return the layout of any CF dataset.

    Parameters
    ----------
    names : tuple of (str, str)
        Canonical names and the files' names, where standard names are not enough.
    step : TimeStep
        Of the files.
    """
    return CfLayout(
        key=KEY,
        title="Gridded data by CF names",
        known=(),
        recognises=recognises,
        names=names,
        step=step,
    )


def recognises(data: xr.Dataset, step: TimeStep = MONTH) -> bool:
    """Whether a file holds a variable with a known standard name."""
    return any(
        not why_not(data[name], STANDARD_NAMES[_standard_name(data[name])], step)
        for name in data.data_vars
        if _standard_name(data[name]) in STANDARD_NAMES
    )


def held(data: xr.Dataset, step: TimeStep = MONTH) -> str:
    """Return the contents of a file and why none is read, for a message."""
    parts = []
    for name in map(str, data.data_vars):
        field = data[name]
        if field.ndim < 2 or str(name).lower().endswith(("_bnds", "_bounds")):
            continue
        standard = _standard_name(field)
        canonical = STANDARD_NAMES.get(standard, "")
        why = why_not(field, canonical, step) if canonical else ""
        parts.append(f"{name} ({', '.join(filter(None, [standard or 'no standard name', why]))})")
    more = f" and {len(parts) - 4} more" if len(parts) > 4 else ""
    return ", ".join(parts[:4]) + more if parts else "no field"


def why_not(field: xr.DataArray, canonical: str, step: TimeStep = MONTH) -> str:
    """Return why a variable may not be a canonical one, or ''.

    Parameters
    ----------
    field : DataArray
        Its standard name matches the canonical one.
    canonical : str
        A key of the canonical variables.
    step : TimeStep
        Of the file: a state may be that of a day, and is no mean over a month.
    """
    methods = methods_of(field)
    method = _OF_DAYS.search(methods)
    if method:
        return f"a {method[1]} in time and no mean"
    if is_point(field) and step is MONTH:
        return "a point in time and no mean"
    if _SUM.search(methods) and canonical not in {"pr", "sund"}:
        return "a sum in time and no mean"
    words = " ".join([str(field.name), *(str(field.attrs.get(n, "")) for n in _TEXTS)])
    if _SPREAD.search(words):
        return "a spread or an uncertainty"
    if "anomal" in words.lower() and canonical != "tasa":
        return "an anomaly"
    return _no_height(field, words) if canonical == "tas" else ""


def _no_height(field: xr.DataArray, words: str) -> str:
    """Return why a temperature may not be the near-surface one, or ''."""
    levels = [c for n, c in field.coords.items() if c.ndim <= 1 and _is_vertical(str(n), c)]
    for level in levels:
        units = str(level.attrs.get("units", "")).strip()
        value = float(level.values.flat[0]) if level.size and level.dtype.kind in "iuf" else -1.0
        if _PRESSURES.match(units) or level.size > 1:
            return f"on levels '{level.name}'"
        if units.lower() in {"m", "metre", "metres", "meter", "meters"} and _LOW <= value <= _HIGH:
            return ""
    named = _NEAR_SURFACE.search(str(field.name)) or _NEAR_SURFACE.search(words)
    if named and not levels:
        return ""
    return f"at a '{levels[0].name}' that is not 2 m" if levels else "at no height that is given"


def _is_vertical(name: str, coordinate: xr.DataArray) -> bool:
    attrs = coordinate.attrs
    if str(attrs.get("axis", "")).upper() == "Z" or "positive" in attrs:
        return True
    return bool(_VERTICAL.match(name.lower()))


def _standard_name(field: xr.DataArray) -> str:
    return str(field.attrs.get("standard_name", "")).strip()
