"""Networks: where observations are made, and synthetic ones."""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.grid import Grid
from mlda_core.climate.sphere import EARTH_RADIUS_KM, lat_lon, unit_vectors
from mlda_core.observations.land import natural_earth, on_land
from mlda_core.observations.networks import (
    NETWORKS,
    NetworkError,
    NetworkSpec,
    cell_of,
    places,
    synthesise,
)
from mlda_core.observations.ship_routes import POINTS, ROUTES, sample_route
from mlda_core.observations.table import COLUMNS, ObservationError, empty, local_spread, read

ROOT = Path(__file__).parents[3]
STATIONS = ROOT / "mlda_core/assets/stations/stations.csv.gz"
MONTH = "1997-12"


@pytest.fixture(scope="module")
def bundle(speedy: Bundle) -> Bundle:
    return speedy


def distances(lat, lon):
    """Great-circle distances in km between places, by the haversine formula."""
    a, b = np.radians(np.asarray(lat)), np.radians(np.asarray(lon))
    h = (
        np.sin((a[:, None] - a) / 2) ** 2
        + np.cos(a[:, None]) * np.cos(a) * np.sin((b[:, None] - b) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def sites(table):
    return table.drop_duplicates(["lat", "lon"])


def nearest(lat, lon):
    gaps = distances(lat, lon)
    np.fill_diagonal(gaps, np.inf)
    return gaps.min(axis=1)


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_kind_gives_places_where_its_variables_exist(bundle, kind):
    found = places(NetworkSpec(kind), bundle)
    assert list(found.columns) == ["variable", "lat", "lon", "label"]
    assert list(found.index) == list(range(len(found)))
    assert (len(found) == 0) == (kind in {"none", "custom"})
    names = [v.name for v in bundle.variables]
    rows = [names.index(v) for v in found["variable"]]
    assert bundle.operator.observable(rows, found["lat"], found["lon"]).all()
    assert found["lon"].between(0, 360, inclusive="left").all()
    wanted = NETWORKS[kind].variables or (names if len(found) else ())
    assert set(found["variable"]) == set(wanted)
    assert not found.duplicated(["variable", "lat", "lon"]).any()
    pd.testing.assert_frame_equal(places(NetworkSpec(kind), bundle), found)


def test_grid_networks_are_the_cells_that_exist(bundle):
    for kind, variables in (
        ("all_fields", ("psl", "tos", "tas", "pr")),
        ("sst_only", ("tos",)),
        ("sst_and_pressure", ("psl", "tos")),
    ):
        found = places(NetworkSpec(kind), bundle)
        for v, variable in enumerate(bundle.variables):
            mine = found[found["variable"] == variable.name]
            marked = np.zeros(bundle.grid.shape, bool)
            row, column = cell_of(bundle, mine["lat"].to_numpy(), mine["lon"].to_numpy())
            marked[row, column] = True
            expected = bundle.mask[v] & (variable.name in variables)
            np.testing.assert_array_equal(marked, expected)
            np.testing.assert_array_equal(bundle.grid.lat[row], mine["lat"])


@pytest.mark.parametrize("count", [1, 2, 10, 30, 100, 300, 1000])
def test_exactly_as_many_stations_as_asked_and_none_close_together(bundle, count):
    found = places(NetworkSpec("stations", count=count), bundle)
    assert found["variable"].value_counts().to_dict() == {"psl": count, "tas": count}
    if count < 2:
        return
    gaps = nearest(*(sites(found)[k].to_numpy() for k in ("lat", "lon")))
    # A hexagonal lattice of as many places would have this distance; thrown ones reach 0.7 of it.
    lattice = EARTH_RADIUS_KM * np.sqrt(8 * np.pi / np.sqrt(3) / count)
    assert gaps.min() > (0.6 * lattice if count > 2 else 5000)


@pytest.mark.parametrize("spacing", [400.0, 1500.0])
def test_stations_at_a_spacing_leave_no_gap_for_another(bundle, spacing):
    found = sites(places(NetworkSpec("stations", spacing_km=spacing, seed=3), bundle))
    lat, lon = found["lat"].to_numpy(), found["lon"].to_numpy()
    assert nearest(lat, lon).min() >= spacing * (1 - 1e-9)
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2000, 3))
    north, east = lat_lon(points / np.linalg.norm(points, axis=1, keepdims=True))
    to_any = distances(np.r_[north, lat], np.r_[east, lon])[:2000, 2000:].min(axis=1)
    # Maximal but for the last few darts.
    assert (to_any < spacing).mean() > 0.98


def test_stations_are_even_over_the_sphere(bundle):
    found = sites(places(NetworkSpec("stations", count=1000), bundle))
    # As many in each tenth of the sphere's area from pole to pole, give or take a few.
    bands = np.floor((np.sin(np.radians(found["lat"])) + 1) * 5).clip(0, 9)
    assert np.bincount(bands.astype(int)).min() > 80
    quarters = np.bincount((found["lon"] // 90).astype(int))
    assert quarters.min() > 210


def test_the_seed_decides_the_places(bundle):
    one, again, other = (
        places(NetworkSpec("stations", count=50, seed=s), bundle) for s in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, again)
    assert not np.isin(one["lat"], other["lat"]).any()


def test_land_sea_and_regions(bundle):
    for domain in ("land", "sea"):
        found = places(NetworkSpec("stations", count=200, domain=domain), bundle)
        assert len(sites(found)) == 200
        lat, lon = found["lat"].to_numpy(), found["lon"].to_numpy()
        assert (on_land(bundle, lat, lon) == (domain == "land")).all()
    # Across Greenwich.
    box = (30.0, 60.0, 340.0, 40.0)
    for spec in (
        NetworkSpec("stations", count=60, region=box),
        NetworkSpec("historical", year=1950, region=box),
        NetworkSpec("sst_only", region=box),
        NetworkSpec("ship_tracks", region=box),
    ):
        found = places(spec, bundle)
        assert len(found) > 0
        assert found["lat"].between(30, 60).all()
        assert ((found["lon"] >= 340) | (found["lon"] <= 40)).all()
    assert len(sites(places(NetworkSpec("stations", count=60, region=box), bundle))) == 60


def test_stations_of_the_sea_alone_stand_in_the_sea(bundle):
    found = places(NetworkSpec("stations", ("tos",), count=150), bundle)
    assert found["variable"].tolist() == ["tos"] * 150


def test_the_models_land_is_that_of_natural_earth_but_for_the_coasts(bundle, monkeypatch):
    lat, lon = (a.ravel() for a in np.meshgrid(bundle.grid.lat[4:], bundle.grid.lon, indexing="ij"))
    model = on_land(bundle, lat, lon)
    # The same question of a bundle that has no variable of the sea.
    others = tuple(replace(v, domain="globe") for v in bundle.variables)
    monkeypatch.setattr(bundle.normaliser.__class__, "variables", others, raising=False)
    monkeypatch.setitem(bundle.normaliser.__dict__, "variables", others)
    mapped = on_land(bundle, lat, lon)
    assert 0.25 < mapped.mean() < 0.4
    assert (model == mapped).mean() > 0.88


@pytest.mark.parametrize(
    ("lat", "lon", "land"),
    [(48.9, 2.3, True), (0, 190, False), (-80, 0, True), (42, 51, False), (-75, 179.9, False)],
)
def test_natural_earth_knows_land_seas_and_the_caspian(lat, lon, land):
    import shapely

    assert bool(shapely.contains_xy(natural_earth(), lon if lon <= 180 else lon - 360, lat)) == land


# Historical coverage


@pytest.mark.parametrize("year", [1850, 1880, 1903, 1969, 2009, 2020])
def test_historical_stations_are_at_most_one_a_cell_and_active(bundle, year):
    found = places(NetworkSpec("historical", year=year), bundle)
    row, column = cell_of(bundle, found["lat"].to_numpy(), found["lon"].to_numpy())
    assert not found.assign(row=row, column=column).duplicated(["variable", "row", "column"]).any()
    shipped = pd.read_csv(STATIONS, keep_default_na=False)
    decade = year // 10 * 10
    keys = ["variable", "lat", "lon", "label"]
    joined = found.merge(shipped, on=keys)
    last = 2020 if year == 2020 else decade + 9
    years = joined["last"].clip(upper=last) - joined["first"].clip(lower=decade) + 1
    good = joined[years >= (1 if year == 2020 else 5)]
    assert len(good.drop_duplicates(keys)) == len(found)
    assert "tos" not in set(found["variable"])


def test_coverage_grows_from_europe_to_the_world(bundle):
    def counted(year, **box):
        return len(places(NetworkSpec("historical", ("tas",), year=year, **box), bundle))

    assert counted(1850) < counted(1880) < counted(1910) < counted(1960)
    assert counted(1850, region=(35, 70, 350, 40)) > 0.2 * counted(1850)
    # Antarctica was not observed before the Geophysical Year 1957/58.
    assert counted(1930, region=(-90, -65, 0, 360)) == 0
    assert counted(1965, region=(-90, -65, 0, 360)) >= 5
    assert counted(1903) == counted(1907)


def test_the_shipped_table_is_small_and_sound():
    assert STATIONS.stat().st_size < 400_000
    shipped = pd.read_csv(STATIONS, keep_default_na=False)
    assert set(shipped["variable"]) == {"tas", "psl", "pr"}
    assert shipped["lat"].between(-90, 90).all()
    assert shipped["lon"].between(0, 360, inclusive="left").all()
    assert (shipped["first"] <= shipped["last"]).all()
    with gzip.open(STATIONS, "rt", encoding="utf-8") as stream:
        assert stream.readline() == "variable,lat,lon,first,last,label\n"


def test_the_tool_keeps_the_longest_record_of_each_cell_and_decade(repo_root, tmp_path):
    import subprocess
    import sys

    head = "variable,location,country,longitude,latitude,altitude,start,end,source\n"
    rows = [
        "t2m,LONG,X,0.5,50.5,1,1851,1990,A",
        "t2m,SHORT,X,1.0,51.0,1,1931,1960,A",
        "t2m,EARLY,X,1.0,51.5,1,1840,1856,A",
        "t2m,BRIEF,X,90,10,1,1895,1899,A",
        "t2m,TOO BRIEF,X,120,10,1,1896,1903,A",
        "slp,NOW,X,-10,60,1,2019,2022,A",
        "t2m,OLD,X,30,30,1,1701,1840,A",
    ]
    with gzip.open(tmp_path / "stations.csv.gz", "wt") as stream:
        stream.write(head + "\n".join(rows) + "\n")
    done = subprocess.run(
        [
            sys.executable,
            repo_root / "tools/make_stations.py",
            tmp_path,
            "--target",
            tmp_path / "o",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    kept = pd.read_csv(tmp_path / "o/stations.csv.gz")
    # Early has 7 years of the 1850s, long 9: the longest record counts, not the longest overlap.
    assert sorted(kept["label"]) == ["Brief", "Long", "Now"]
    assert kept.set_index("label").loc["Now", "lon"] == 350.0
    assert "3 records" in done.stdout


# Ships


def test_routes_are_great_circles_at_equal_steps():
    for names in ROUTES.values():
        lat, lon = sample_route(names, 100.0)
        steps = np.diagonal(distances(lat, lon), 1)
        # Equal along the route; at a corner the straight distance is shorter.
        assert steps.max() < 100.0 + 1e-6
        assert np.median(steps) == pytest.approx(100.0)
        assert distances([lat[0], POINTS[names[0]][0]], [lon[0], POINTS[names[0]][1]])[0, 1] < 1e-4
    quarter = unit_vectors(*np.array([POINTS["Balboa"], POINTS["Mala"]]).T)
    assert np.linalg.norm(quarter, axis=1) == pytest.approx(1.0)


def test_ships_keep_to_the_sea():
    """By a map of 1:110 million, on which Malacca and Gibraltar are closed."""
    import shapely

    runs = [sample_route(names, 25.0) for names in ROUTES.values()]
    lat, lon = (np.concatenate([r[i] for r in runs]) for i in (0, 1))
    on = shapely.contains_xy(natural_earth(), (lon + 180) % 360 - 180, lat)
    assert on.mean() < 0.01
    length = 25.0 * lat.size
    assert 100_000 < length < 200_000


def test_ships_are_in_the_sea_and_move_with_the_seed(bundle):
    found = places(NetworkSpec("ship_tracks", seed=1), bundle)
    assert not on_land(bundle, found["lat"].to_numpy(), found["lon"].to_numpy()).any()
    assert set(found["variable"]) == {"tos", "psl", "tas"}
    assert len(sites(found)) > 200
    other = places(NetworkSpec("ship_tracks", seed=2), bundle)
    assert not np.isin(found["lat"], other["lat"]).any()
    denser = places(NetworkSpec("ship_tracks", spacing_km=250), bundle)
    assert len(denser) > 1.7 * len(found)


# Settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "everything"}, "'everything'; it must be one of none"),
        ({"count": 0}, "count is 0; it must be from 1"),
        ({"count": 2.5}, "count is 2.5"),
        ({"count": True}, "count is True"),
        ({"count": 10, "spacing_km": 500}, "beside a spacing"),
        ({"spacing_km": 1}, "from 50 to 20000 km"),
        ({"spacing_km": "far"}, "'far'"),
        ({"domain": "lake"}, "'lake'; it must be globe, land, sea"),
        ({"year": 1700}, "1850 to 2020"),
        ({"seed": -1}, "seed is -1"),
        ({"region": (1, 2, 3)}, "south, north, west and east"),
        ({"region": (10, 10, 0, 20)}, "no area"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(settings, words):
    with pytest.raises(NetworkError, match=words):
        NetworkSpec(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"variables": ("zg500",)}, "no variable 'zg500'"),
        ({"spacing_km": 60}, "more than 10000; widen it"),
        ({"domain": "land", "region": (-2, 2, 195, 205)}, "nowhere in the region"),
    ],
)
def test_networks_that_cannot_be_laid_out_say_why(bundle, settings, words):
    with pytest.raises(NetworkError, match=words):
        places(NetworkSpec("stations", **settings), bundle)


def test_settings_survive_json():
    spec = NetworkSpec(
        "stations", ("tas",), count=7, domain="land", region=(0, 10, 350, 20), seed=9
    )
    again = NetworkSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert hash(again) == hash(spec)
    with pytest.raises(NetworkError, match="no setting 'size'"):
        NetworkSpec.from_dict({"kind": "none", "size": 3})


def test_a_regional_bundle_scatters_its_stations_inside(bundle, monkeypatch):
    """Europe alone: an operator and grid of 20 x 20 cells of the bundle's."""
    from types import SimpleNamespace

    from mlda_core.climate.interpolation import ObservationOperator

    rows, columns = slice(28, 46), slice(0, 20)
    grid = Grid(bundle.grid.lat[rows], bundle.grid.lon[columns])
    mask = bundle.mask[:, rows, columns]
    europe = SimpleNamespace(
        grid=grid, mask=mask, variables=bundle.variables, operator=ObservationOperator(grid, mask)
    )
    found = sites(places(NetworkSpec("stations", count=40), europe))
    assert len(found) == 40
    assert found["lat"].between(*grid.lat_edges[[0, -1]]).all()
    turned = (found["lon"] - grid.lon_edges[0]) % 360
    assert turned.between(0, grid.lon_edges[-1] - grid.lon_edges[0]).all()
    assert 0 < len(places(NetworkSpec("historical", year=1950), europe)) < 500


# Synthetic observations


@pytest.fixture(scope="module")
def somewhere(bundle):
    return places(NetworkSpec("stations", ("psl", "tos", "tas", "pr"), count=300), bundle)


def test_values_are_the_target_at_the_place_plus_noise_of_the_stated_size(bundle, somewhere):
    target = bundle.target(MONTH)
    exact = synthesise(somewhere, bundle, target, 12, error=1e-9)
    names = [v.name for v in bundle.variables]
    spots = bundle.operator.locate(
        [names.index(v) for v in exact["variable"]], exact["lat"], exact["lon"]
    )
    np.testing.assert_allclose(exact["value"], bundle.operator.apply(spots, target), atol=1e-6)
    found = synthesise(somewhere, bundle, target, 12, error=0.3)
    assert tuple(found.columns) == COLUMNS
    assert found.dtypes.equals(empty().dtypes)
    spread = bundle.operator.apply(spots, local_spread(bundle, 12))
    # Where it hardly ever rains there is a least error.
    rainy = spread > 0.01
    np.testing.assert_allclose(found["error_sd"][rainy], 0.3 * spread[rainy], rtol=1e-6)
    assert rainy.mean() > 0.98
    z = (found["value"] - exact["value"]) / found["error_sd"]
    assert abs(z.mean()) < 0.1
    assert z.std() == pytest.approx(1, abs=0.07)
    again, rejected, _ = read(found, bundle, month=MONTH)
    pd.testing.assert_frame_equal(again, found)
    assert not rejected


def test_errors_can_be_given_in_display_units(bundle, somewhere):
    found = synthesise(somewhere, bundle, bundle.target(MONTH), 12, error={"psl": 1.5})
    default = synthesise(somewhere, bundle, bundle.target(MONTH), 12)
    psl = found["variable"] == "psl"
    assert set(found["error_sd"][psl]) == {1.5}
    pd.testing.assert_frame_equal(found[~psl], default[~psl])


def test_noise_belongs_to_seed_variable_and_place(bundle, somewhere):
    target = bundle.target(MONTH)
    all_of_them = synthesise(somewhere, bundle, target, 12, seed=5)
    fewer = somewhere[3::2]
    some = synthesise(fewer, bundle, target, 12, seed=5)
    expected = all_of_them.iloc[3::2].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected)
    for other_seed in (6, (5, 1)):
        other = synthesise(somewhere, bundle, target, 12, seed=other_seed)
        assert (other["value"] != all_of_them["value"]).all()
    zero = np.zeros_like(target)
    december, july = (synthesise(somewhere, bundle, zero, m, seed=5) for m in (12, 7))
    np.testing.assert_allclose(
        december["value"] / december["error_sd"], july["value"] / july["error_sd"], rtol=1e-9
    )


def test_noise_is_normal_and_independent_between_places_seeds_and_variables(bundle):
    cells = places(NetworkSpec("all_fields"), bundle)
    zero = np.zeros(bundle.mask.shape)

    def noise(seed):
        found = synthesise(cells, bundle, zero, 1, seed=seed)
        return (found["value"] / found["error_sd"]).to_numpy()

    one, two = noise(0), noise(1)
    n = one.size
    for z in (one, two):
        assert abs(z.mean()) < 4 / np.sqrt(n)
        assert z.std() == pytest.approx(1, abs=0.025)
        assert abs(np.mean(z**3)) < 0.1
        assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.007)
        assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 4 / np.sqrt(n)
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(n)
    by_name = {k: one[cells["variable"] == k] for k in ("psl", "tas", "pr")}
    for a, b in itertools.combinations(by_name.values(), 2):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(a.size)


def test_two_observations_at_one_place_have_errors_of_their_own(bundle, somewhere):
    twice = pd.concat([somewhere, somewhere.iloc[:5]], ignore_index=True)
    target = bundle.target(MONTH)
    found = synthesise(twice, bundle, target, 12)
    pd.testing.assert_frame_equal(
        found.iloc[: len(somewhere)], synthesise(somewhere, bundle, target, 12)
    )
    assert (found["value"].iloc[-5:].to_numpy() != found["value"].iloc[:5].to_numpy()).all()


def test_withheld_and_labels_are_kept(bundle, somewhere):
    table = synthesise(somewhere, bundle, bundle.target(MONTH), 12)
    table.loc[::3, "withheld"] = True
    again = synthesise(table, bundle, bundle.target("1998-01"), 1)
    assert again["withheld"].tolist() == table["withheld"].tolist()
    assert again["label"].tolist() == somewhere["label"].tolist()


def test_places_without_a_value_are_left_out(bundle, somewhere):
    target = bundle.target(MONTH).copy()
    target[0, :24] = np.nan
    found = synthesise(somewhere, bundle, target, 12)
    assert 0 < len(found) < len(somewhere)
    assert np.isfinite(found["value"]).all()
    assert list(found.index) == list(range(len(found)))


def test_what_cannot_be_observed_is_said_in_words(bundle):
    land = pd.DataFrame({"variable": ["tos"], "lat": [50.0], "lon": [90.0]})
    target = bundle.target(MONTH)
    with pytest.raises(ObservationError, match=r"50\.00N 90\.00E"):
        synthesise(land, bundle, target, 12)
    for error in (0.0, -1.0, float("nan"), {"tas": 0.0}):
        with pytest.raises(ObservationError, match="not above 0"):
            synthesise(land.assign(variable="tas"), bundle, target, 12, error=error)
    with pytest.raises(ObservationError, match="no variable 'zg'"):
        synthesise(land.assign(variable="zg"), bundle, target, 12)
