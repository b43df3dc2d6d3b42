"""Observing networks: observed places and variables.

Places depend only on the settings and the bundle, so a network is the same in every month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.climate.assets import ASSETS
from mlda_core.climate.regions import REGIONS, Region, drawn_box, inside
from mlda_core.climate.sphere import lat_lon
from mlda_core.observations.land import cell_of, on_land
from mlda_core.observations.poisson_disc import MOST_PLACES, NetworkError, poisson_disc
from mlda_core.observations.ship_routes import ROUTES, sample_route
from mlda_core.observations.synthetic import synthesise
from mlda_core.observations.table import variable_rows

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.variables import Variable

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Domain = Literal["globe", "land", "sea"]
__all__ = [
    "DOMAINS",
    "NETWORKS",
    "SPACINGS",
    "YEARS",
    "Domain",
    "NetworkError",
    "NetworkKind",
    "NetworkSpec",
    "observed_as",
    "observes",
    "offered",
    "on_land",
    "places",
    "synthesise",
]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
# Years of coverage that is known, and kilometres between places.
YEARS = (1850, 2020)
SPACINGS = (50, 20_000)


@dataclass(frozen=True)
class NetworkKind:
    """A kind of observing network, as offered to users.

    Parameters
    ----------
    label : str
        Display name.
    description : str
        One sentence.
    variables : tuple of str
        Default variables, by the names of :func:`observed_as`; all of the bundle's if empty.
    settings : tuple of str
        Settings of :class:`NetworkSpec` that apply to the kind.
    needs : {"all", "any", ""}
        Whether a model must have all or any of `variables`; if '', a model without any of them
        has all of its variables observed.
    """

    label: str
    description: str
    variables: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    needs: Literal["all", "any", ""] = ""


_PART = ("variables", "domain", "region")
NETWORKS: dict[str, NetworkKind] = {
    "none": NetworkKind("None", "Nothing is observed: the analysis is the background."),
    "all_fields": NetworkKind("All fields", "Every cell of every variable.", settings=_PART),
    "sst_only": NetworkKind(
        "SST only (AMIP run)",
        "Every cell of the sea surface, as an atmosphere model is given it.",
        ("tos",),
        ("domain", "region"),
        "all",
    ),
    "sst_and_pressure": NetworkKind(
        "SST + pressure (20th Century Reanalysis)",
        "Every cell of the sea surface and of sea-level pressure.",
        ("tos", "psl"),
        ("domain", "region"),
        "all",
    ),
    "stations": NetworkKind(
        "Stations",
        "Places at random, none nearer to another than a spacing (Poisson disc).",
        ("tas", "psl"),
        (*_PART, "count", "spacing_km", "seed"),
    ),
    "historical": NetworkKind(
        "Historical coverage",
        "Stations whose records cover the decade of a year, at most one a cell; no ships.",
        ("tas", "psl", "pr"),
        (*_PART, "year"),
        "any",
    ),
    "ship_tracks": NetworkKind(
        "Ship tracks",
        "Ships on the main merchant routes, at equal distances.",
        ("tos", "psl", "tas"),
        ("variables", "region", "spacing_km", "seed"),
        "any",
    ),
    "custom": NetworkKind("Custom", "The user's own observations."),
}

# Equivalents of other variables by CF standard name, such as surface temperature, which is measured
# by air and sea thermometers. "air_temperature" is excluded, as it may also be at 500 hPa.
_OBSERVED_AS = {
    "surface_temperature": "tas",
    "surface_temperature_anomaly": "tas",
    "sea_surface_temperature": "tos",
    "sea_surface_temperature_anomaly": "tos",
    "air_pressure_at_mean_sea_level": "psl",
    "air_pressure_at_sea_level": "psl",
    "precipitation_flux": "pr",
}


@dataclass(frozen=True)
class NetworkSpec:
    """Settings of an observing network, JSON-serialisable.

    Parameters
    ----------
    kind : str
        A key of :data:`NETWORKS`.
    variables : tuple of str
        CF names; those of the kind if empty.
    count : int, optional
        Number of stations; 100 if neither it nor a spacing is given.
    spacing_km : float, optional
        Minimum distance of stations, or spacing of ships along a route (500 km by default).
    domain : {"globe", "land", "sea"}
    region : tuple of float, optional
        South, north, west, east in degrees; ``west > east`` crosses Greenwich.
    year : int
        Of historical coverage, 1850 to 2020.
    seed : int
        Of the random places: equal settings give equal places.

    Raises
    ------
    NetworkError
        If a setting is invalid.
    """

    kind: str = "stations"
    variables: tuple[str, ...] = ()
    count: int | None = None
    spacing_km: float | None = None
    domain: Domain = "globe"
    region: tuple[float, float, float, float] | None = None
    year: int = 1900
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", tuple(self.variables))
        _demand(self.kind in NETWORKS, "kind", self.kind, f"one of {', '.join(NETWORKS)}")
        _demand(self.domain in DOMAINS, "domain", self.domain, ", ".join(DOMAINS))
        _demand(_is_integer(self.seed, 0, 2**63 - 1), "seed", self.seed, "a whole number from 0")
        _demand(
            _is_integer(self.year, *YEARS),
            "year",
            self.year,
            f"a year from {YEARS[0]} to {YEARS[1]}",
        )
        if self.count is not None:
            _demand(
                _is_integer(self.count, 1, MOST_PLACES),
                "count",
                self.count,
                f"from 1 to {MOST_PLACES}",
            )
            _demand(self.spacing_km is None, "count", self.count, "None beside a spacing")
        if self.spacing_km is not None:
            least, most = SPACINGS
            fine = isinstance(self.spacing_km, int | float) and least <= self.spacing_km <= most
            _demand(fine, "spacing_km", self.spacing_km, f"from {least} to {most} km")
        if self.region is not None:
            object.__setattr__(self, "region", tuple(self.region))
            fine = len(self.region) == 4 and all(isinstance(d, int | float) for d in self.region)
            _demand(fine, "region", self.region, "south, north, west and east in degrees")
            try:
                drawn_box(*self.region)
            except ValueError as error:
                raise NetworkError(str(error)) from None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, for :meth:`from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkSpec:
        """Build from plain JSON values.

        Raises
        ------
        NetworkError
            If a setting is unknown or invalid.
        """
        unknown = next(iter(set(values) - {f.name for f in fields(cls)}), None)
        if unknown is not None:
            raise NetworkError(f"A network has no setting '{unknown}'; remove it.")
        return cls(**values)


def observed_as(variable: Variable) -> str:
    """Return the name that networks and inventories use for a variable.

    Parameters
    ----------
    variable : Variable

    Returns
    -------
    str
        ``tas``, ``tos``, ``psl`` or ``pr``; the variable's own name otherwise.
    """
    return _OBSERVED_AS.get(variable.standard_name, variable.name)


def observes(kind: str, bundle: Bundle) -> tuple[str, ...]:
    """Return the bundle's variables that a kind of network observes by default.

    Parameters
    ----------
    kind : str
        A key of :data:`NETWORKS`.
    bundle : Bundle

    Returns
    -------
    tuple of str
        Names, in the bundle's order; all of them for user-provided rows.

    Raises
    ------
    NetworkError
        If it observes none of the bundle's variables.
    """
    return tuple(_variables(NetworkSpec(kind), bundle))


def offered(bundle: Bundle) -> dict[str, NetworkKind]:
    """Return the kinds of network with observations of a bundle's variables, by key."""
    found = {}
    for key, kind in NETWORKS.items():
        try:
            observes(key, bundle)
        except NetworkError:
            continue
        found[key] = kind
    return found


def places(spec: NetworkSpec, bundle: Bundle) -> pd.DataFrame:
    """Return the places of a network.

    Parameters
    ----------
    spec : NetworkSpec
    bundle : Bundle
        Provides grid, domains and the land mask: cells without SST, or Natural Earth's map if
        the bundle has no sea variable.

    Returns
    -------
    DataFrame
        Columns variable, lat, lon (0..360) and label; one row for each variable and place, index
        0..n-1.

    Raises
    ------
    NetworkError
        If the bundle lacks a variable, or there are no such places.
    """
    if spec.kind in {"none", "custom"}:
        return _frame([])
    names = _variables(spec, bundle)
    if spec.kind == "historical":
        found = _historical(spec.year, names, bundle)
    elif spec.kind == "ship_tracks":
        found = _everywhere(names, *_tracks(spec))
    elif spec.kind == "stations":
        found = _everywhere(names, *_stations(spec, names, bundle))
    else:
        found = _cells(names, bundle)
    lat, lon = found["lat"].to_numpy(np.float64), found["lon"].to_numpy(np.float64)
    good = bundle.operator.observable(variable_rows(bundle, list(found["variable"])), lat, lon)
    good &= inside(_box(spec), lat, lon)
    domain = "sea" if spec.kind == "ship_tracks" else spec.domain
    if domain != "globe":
        good &= on_land(bundle, lat, lon) == (domain == "land")
    return found[good].reset_index(drop=True)


# Kinds of network


def _cells(names: Sequence[str], bundle: Bundle) -> pd.DataFrame:
    parts = []
    for name, v in zip(names, variable_rows(bundle, names), strict=True):
        row, column = np.nonzero(bundle.mask[v])
        lat, lon = bundle.grid.lat[row], np.mod(bundle.grid.lon[column], 360.0)
        parts.append((name, lat, lon, np.full(row.size, "", object)))
    return _frame(parts)


def _stations(
    spec: NetworkSpec, names: Sequence[str], bundle: Bundle
) -> tuple[Float, Float, Sequence[str]]:
    rows = variable_rows(bundle, names)

    def usable(lat: Float, lon: Float) -> Bool:
        seen = np.any([bundle.operator.observable(r, lat, lon) for r in rows], axis=0)
        if spec.domain != "globe":
            seen &= on_land(bundle, lat, lon) == (spec.domain == "land")
        return np.asarray(seen)

    count = spec.count or (None if spec.spacing_km else 100)
    region = _box(spec)
    if spec.region is None and not bundle.grid.is_global:
        edges = bundle.grid.lon_edges
        region = drawn_box(*bundle.grid.lat_edges[[0, -1]], *edges[[0, -1]])
    points = poisson_disc(usable, region, count=count, spacing_km=spec.spacing_km, seed=spec.seed)
    lat, lon = lat_lon(points)
    return lat, lon, [f"S{i + 1}" for i in range(lat.size)]


def _tracks(spec: NetworkSpec) -> tuple[Float, Float, Sequence[str]]:
    spacing = spec.spacing_km or 500.0
    begin = np.random.default_rng(spec.seed).uniform(0.0, spacing, len(ROUTES))
    runs = [
        (name, *sample_route(points, spacing, start))
        for (name, points), start in zip(ROUTES.items(), begin, strict=True)
    ]
    labels = [f"{name}, {i + 1}" for name, lat, _ in runs for i in range(lat.size)]
    return np.concatenate([r[1] for r in runs]), np.concatenate([r[2] for r in runs]), labels


def _historical(year: int, names: Sequence[str], bundle: Bundle) -> pd.DataFrame:
    stations = _inventory()
    decade = year - year % 10
    if decade >= YEARS[1]:
        active = (stations["first"] <= decade) & (stations["last"] >= decade)
    else:
        years = stations["last"].clip(upper=decade + 9) - stations["first"].clip(lower=decade) + 1
        active = years >= 5
    known_as = {v.name: observed_as(v) for v in bundle.variables if v.name in names}
    stations = stations[active]
    chosen = pd.concat(
        [stations[stations["variable"] == a].assign(variable=n) for n, a in known_as.items()]
    ).sort_index(kind="stable")
    row, column = cell_of(bundle, chosen["lat"].to_numpy(), chosen["lon"].to_numpy())
    # One station in each cell, with the longest record: the table is sorted by length.
    chosen = chosen.assign(row=row, column=column)
    chosen = chosen.drop_duplicates(["variable", "row", "column"])
    return chosen[["variable", "lat", "lon", "label"]].sort_index(ignore_index=True)


@lru_cache(maxsize=1)
def _inventory() -> pd.DataFrame:
    """Return the packaged table of stations, longest records first."""
    kinds = {"variable": "str", "label": "str"}
    path = ASSETS / "stations" / "stations.csv.gz"
    stations = pd.read_csv(path, dtype=kinds, keep_default_na=False)
    length = stations["last"] - stations["first"]
    return stations.iloc[np.argsort(-length.to_numpy(), kind="stable")].reset_index(drop=True)


# Helpers


def _variables(spec: NetworkSpec, bundle: Bundle) -> list[str]:
    """Return the bundle's variables that a network observes, in the bundle's order."""
    kind = NETWORKS[spec.kind]
    known = [v.name for v in bundle.variables]
    requested = () if kind.needs == "all" else spec.variables
    lacking = next((n for n in requested if n not in known), None)
    if lacking is None and kind.needs == "all":
        there = {observed_as(v) for v in bundle.variables}
        lacking = next((n for n in kind.variables if n not in there), None)
    if lacking is not None:
        raise NetworkError(
            f"This model has no variable '{lacking}'; choose another network or variable."
        )
    if requested or not kind.variables:
        return [n for n in known if not requested or n in requested]
    found = [v.name for v in bundle.variables if observed_as(v) in kind.variables]
    if not found and kind.needs:
        raise NetworkError(
            f"This model has none of {', '.join(kind.variables)}; choose another network, or the "
            "network's variables."
        )
    return found or known


def _box(spec: NetworkSpec) -> Region:
    return REGIONS["globe"] if spec.region is None else drawn_box(*spec.region)


def _everywhere(
    names: Sequence[str], lat: Float, lon: Float, labels: Sequence[str]
) -> pd.DataFrame:
    """Observe every variable at each place, the variables of a place together."""
    found = _frame([(n, lat, lon, np.array(labels, object)) for n in names])
    order = np.argsort(np.tile(np.arange(lat.size), len(names)), kind="stable")
    return found.iloc[order].reset_index(drop=True)


def _frame(parts: Sequence[tuple[str, Float, Float, NDArray[np.object_]]]) -> pd.DataFrame:
    joined = {
        "variable": [n for n, lat, _, _ in parts for _ in range(lat.size)],
        "lat": np.concatenate([np.empty(0), *(p[1] for p in parts)]),
        "lon": np.concatenate([np.empty(0), *(p[2] for p in parts)]),
        "label": [label for p in parts for label in p[3]],
    }
    return pd.DataFrame(joined).astype({"variable": "str", "label": "str"})


def _is_integer(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _demand(fine: bool, name: str, value: Any, wanted: str) -> None:
    if not fine:
        raise NetworkError(f"The network's {name} is {value!r}; it must be {wanted}.")
