"""Networks: where observations are made, and synthetic ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from network_sites import sites

from mlda_core.climate.grid import Grid
from mlda_core.observations.land import on_land
from mlda_core.observations.networks import NETWORKS, NetworkError, NetworkSpec, cell_of, places

ROOT = Path(__file__).parents[3]
STATIONS = ROOT / "mlda_core/assets/stations/stations.csv.gz"


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
