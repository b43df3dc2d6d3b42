"""Observations: the one edge where rows are checked, converted and refused with a reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.units import to_display
from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.table import (
    COLUMNS,
    DEFAULT_ERROR,
    ObservationError,
    default_error,
    empty,
    load,
    local_spread,
    read,
    read_months,
    to_csv,
    to_netcdf,
)

ROOT = Path(__file__).parents[3]
GOOD = {"variable": "tas", "lat": 51.0, "lon": 10.0, "value": 2.5, "error_sd": 0.5}


@pytest.fixture(scope="module")
def bundle(speedy: Bundle) -> Bundle:
    return speedy


def table(*rows, **more):
    return pd.DataFrame([{**GOOD, **more, **r} for r in (rows or ({},))])


def only_reason(bundle, month=None, **cells):
    """Return why a row is refused, with a good row on either side that must be kept."""
    found, rejected, _ = read(table({}, cells, {"label": "last"}), bundle, month=month)
    assert list(found["lat"]) == [51.0, 51.0]
    assert [r.row for r in rejected] == [2]
    return rejected[0].reason


def test_a_checked_table_has_the_columns_types_and_index_of_the_contract(bundle):
    found, rejected, _ = read(table({}, {"lon": -170, "withheld": "yes", "label": "B"}), bundle)
    assert not rejected
    assert tuple(found.columns) == COLUMNS == tuple(empty().columns)
    assert list(found.index) == [0, 1]
    assert list(found["withheld"]) == [False, True]
    assert list(found["lon"]) == [10.0, 190.0]
    assert list(found["label"]) == ["", "B"]
    assert found.dtypes.equals(empty().dtypes)
    assert found["withheld"].dtype == bool


def test_checking_twice_changes_nothing(bundle):
    once = read(table({}, {"variable": "tos", "lat": -5, "lon": 200, "withheld": 1}), bundle).table
    again, rejected, _ = read(once, bundle, month=7)
    pd.testing.assert_frame_equal(again, once)
    assert not rejected


def test_nothing_is_a_table_too(bundle):
    found, rejected, _ = read(empty(), bundle)
    pd.testing.assert_frame_equal(found, empty())
    assert not rejected
    pd.testing.assert_frame_equal(read("variable,lat,lon,value\n", bundle)[0], empty())


def test_the_given_table_stays_as_it_was(bundle):
    given = table({}, {"lat": 95.0})
    before = given.copy()
    read(given, bundle)
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"variable": "foo"}, ["variable 'foo'", "psl, tos, tas, pr"]),
        ({"variable": None}, ["variable is empty"]),
        ({"lat": 95}, ["lat '95'", "-90 to 90"]),
        ({"lat": np.nan}, ["lat is empty"]),
        ({"lat": "north"}, ["lat 'north'"]),
        ({"lon": np.inf}, ["lon 'inf'"]),
        ({"value": "1013 hPa"}, ["'hPa' are no units of 2 m air temperature"]),
        ({"value": np.inf}, ["value 'inf'"]),
        ({"value": "1\x00\n2" + "9" * 500}, ["value '1??2999", "…' is no number"]),
        ({"value": "NA"}, ["value is empty"]),
        ({"units": "m" + "*m" * 3000}, ["m*m*m", "…' are no units"]),
        ({"error_sd": 0}, ["error_sd '0'", "above 0"]),
        ({"error_sd": -1}, ["error_sd '-1'"]),
        ({"error_sd": "big"}, ["error_sd 'big'"]),
        ({"withheld": "maybe"}, ["withheld 'maybe'", "true nor false"]),
        ({"kind": "relative"}, ["kind 'relative'", "anomaly or absolute"]),
        ({"units": "furlong"}, ["'furlong'", "give K"]),
        ({"units": "hPa"}, ["'hPa'", "2 m air temperature"]),
        ({"variable": "tos"}, ["no sea surface temperature at 51.00°N 10.00°E", "land"]),
        ({"variable": "psl", "value": 1013.2}, ["1013 hPa", "at most 120", "kind or units"]),
        ({"kind": "absolute"}, ["absolute", "needs a month"]),
    ],
)
def test_a_bad_row_is_refused_by_number_and_reason_and_the_rest_kept(bundle, cells, words):
    reason = only_reason(bundle, **cells)
    for word in words:
        assert word in reason
    assert reason[-1] != "."
    assert len(reason) < 200
    assert reason.isprintable()


def test_negative_rain_is_refused_where_it_is_a_full_field_only(bundle):
    reason = only_reason(bundle, 6, variable="pr", lat=0, value=-1, kind="absolute")
    assert "cannot be negative" in reason
    found, rejected, _ = read(table(variable="pr", lat=0.0, value=-1.0), bundle, month=6)
    assert len(found) == 1
    assert not rejected


def test_absolute_values_lose_the_climatology_of_their_month_at_their_place(bundle):
    grid = bundle.grid
    lat, lon = grid.lat[30], grid.lon[40]
    for month in (1, 7):
        climatology = bundle.climatology(month)
        rows = [
            {"variable": v.name, "value": float(climatology[i, 30, 40]) + 0.75}
            for i, v in enumerate(bundle.variables)
            if bundle.mask[i, 30, 40]
        ]
        given = table(*rows, lat=lat, lon=lon, kind="Absolute")
        found, rejected, _ = read(given, bundle, month=f"1997-{month:02d}")
        assert not rejected
        np.testing.assert_allclose(found["value"], 0.75, atol=1e-4)


@pytest.mark.parametrize(
    ("variable", "units", "given", "kind", "shown"),
    [
        ("psl", "Pa", 250.0, "anomaly", 2.5),
        ("psl", "mbar", -3.0, "anomaly", -3.0),
        ("psl", "mb", -3.0, "anomaly", -3.0),
        ("psl", "inHg", 0.1, "anomaly", 3.38639),
        ("tas", "degF", 9.0, "anomaly", 5.0),
        ("tas", "degC", 2.0, "anomaly", 2.0),
        ("tas", "K", 2.0, "anomaly", 2.0),
        ("pr", "kg m-2 s-1", 1 / 86_400, "anomaly", 1.0),
        ("pr", "inch/day", 0.1, "anomaly", 2.54),
        ("pr", "m s-1", 1e-3 / 86_400, "anomaly", 1.0),
    ],
)
def test_units_are_converted_and_errors_with_them(bundle, variable, units, given, kind, shown):
    cells = {"variable": variable, "lat": 0.0, "value": given, "units": units, "kind": kind}
    found, rejected, _ = read(table(cells, error_sd=abs(given)), bundle, month=3)
    assert not rejected
    assert found["value"][0] == pytest.approx(shown, rel=1e-4)
    assert found["error_sd"][0] == pytest.approx(abs(shown), rel=1e-4)


@pytest.mark.parametrize(
    ("variable", "units", "given", "shown"),
    [("tas", "K", 273.15, 0.0), ("tas", "degF", 212.0, 100.0), ("psl", "Pa", 101_325, 1013.25)],
)
def test_an_offset_belongs_to_absolute_values_alone(variable, units, given, shown):
    scale, offset = to_display(units, DEFAULTS[variable])
    assert given * scale + offset == pytest.approx(shown)


def test_a_misplaced_absolute_value_says_so_rather_than_pass(bundle):
    """A kelvin taken for degrees Celsius is 273 off, and must not reach the analysis."""
    assert "correct its value, kind or units" in only_reason(
        bundle, 5, value=287.15, kind="absolute"
    )
    fine, rejected, _ = read(table(value=283.15, kind="absolute", units="K"), bundle, month=5)
    assert not rejected
    assert abs(fine["value"][0]) < 20


def test_default_error_is_a_fifth_of_the_local_spread(bundle):
    blank = ({"error_sd": e} for e in ("", None, "NaN", np.nan))
    found = read(table(*blank), bundle, month=12).table
    normaliser, tas = bundle.normaliser, [v.name for v in bundle.variables].index("tas")
    places = bundle.operator.locate([tas], [51.0], [10.0])
    spread = bundle.operator.apply(places, normaliser.spread[11])[0]
    np.testing.assert_allclose(found["error_sd"], DEFAULT_ERROR * spread, rtol=1e-6)
    without = read(table().drop(columns="error_sd"), bundle).table
    yearly = bundle.operator.apply(places, normaliser.spread.mean(axis=0))[0]
    assert without["error_sd"][0] == pytest.approx(DEFAULT_ERROR * yearly, rel=1e-6)


def test_spread_of_rain_is_taken_back_through_its_transform(bundle):
    """The standard deviation of the shipped months, at cells where it rains."""
    pr = [v.name for v in bundle.variables].index("pr")
    july = np.stack([bundle.target(m)[pr] for m in bundle.months if m.endswith("-07")])
    wet = bundle.climatology(7)[pr] > 3
    ratio = local_spread(bundle, 7)[pr][wet] / july.std(axis=0)[wet]
    assert 0.9 < np.median(ratio) < 1.1


def test_errors_are_above_zero_even_where_it_never_rains(bundle):
    lat, lon = (a.ravel() for a in np.meshgrid(bundle.grid.lat, bundle.grid.lon, indexing="ij"))
    assert default_error(bundle, "pr", 7, lat, lon).min() > 0


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["variable", "lat", "lon"], ["no column 'value'", "variable, lat, lon, value"]),
        (["variable", "lat", "lon", "value", "err_95"], ["'err_95'", "'error_sd'"]),
        (["variable", "lat", "lon", "value", "witheld"], ["'witheld'", "'withheld'"]),
        (["variable", "lat", "latitude", "lon", "value"], ["two columns 'lat'"]),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_as_a_whole(bundle, columns, words):
    with pytest.raises(ObservationError) as found:
        read(",".join(columns) + "\n", bundle)
    for word in words:
        assert word in str(found.value)


def test_other_names_and_further_columns_are_taken(bundle):
    text = (
        "Variable, Latitude ,LONGITUDE,value,quality,analysis_departure\ntas,51,10,2.5,good,0.1\n"
    )
    found, rejected, _ = read(text, bundle)
    assert list(found["value"]) == [2.5]
    assert not rejected


@pytest.mark.parametrize("month", ["1997-13", "97-12", "December", 0, 13])
def test_a_month_that_is_none_is_refused(bundle, month):
    with pytest.raises(ObservationError, match="month"):
        read(table(), bundle, month=month)


# Files


def test_rows_are_counted_as_the_user_counts_them(bundle):
    text = (
        "# stations of mine\nvariable,lat,lon,value\ntas,51,10,1\ntas,51\n\ntas,x,10,1\ntas,5,5,2\n"
    )
    found, rejected, _ = read(text, bundle)
    assert list(found["value"]) == [1.0, 2.0]
    assert [r.row for r in rejected] == [2, 3]
    assert "2 cells" in rejected[0].reason
    assert str(rejected[1]) == "Row 3: lat 'x' is no latitude, a number from -90 to 90."


@pytest.mark.parametrize(
    "text",
    [
        "variable,lat,lon,value\ntas,51.5,10,-2.5\n",
        "variable;lat;lon;value\ntas;51,5;10;-2,5\n",
        "variable\tlat\tlon\tvalue\r\ntas\t51.5\t10\t-2.5\r\n",
        '"variable","lat","lon","value"\n"tas","51.5","10","-2.5"\n',
    ],
)
def test_separators_and_decimals_of_all_spreadsheets(bundle, tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    for source in (path, text, path.read_bytes()):
        found, rejected, _ = read(source, bundle)
        assert not rejected
        assert found.loc[0, ["lat", "lon", "value"]].tolist() == [51.5, 10.0, -2.5]


def some(n, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "variable": "tas" if i % 2 else "psl",
            "lat": rng.uniform(-90, 90),
            "lon": rng.uniform(0, 360),
            "value": rng.normal(),
            "error_sd": rng.uniform(0.1, 1),
            "withheld": bool(i % 3),
            "label": f'Ø, {i}; "a"',
        }
        for i in range(n)
    ]
    return pd.DataFrame(rows).astype({"variable": "str", "label": "str"})


@pytest.mark.parametrize("n", [0, 1, 20])
def test_csv_and_netcdf_give_back_what_was_written(bundle, tmp_path, n):
    given = some(n) if n else empty()
    to_netcdf(given, tmp_path / "mine.nc", {"history": "made by a test"})
    from_netcdf, rejected, _ = read(tmp_path / "mine.nc", bundle)
    pd.testing.assert_frame_equal(from_netcdf, given)
    assert not rejected
    from_csv, rejected, _ = read(to_csv(given), bundle)
    pd.testing.assert_frame_equal(from_csv, given, rtol=1e-9)
    assert not rejected
    assert [p.name for p in tmp_path.iterdir()] == ["mine.nc"]


def test_netcdf_of_somebody_else(bundle, tmp_path):
    """Fixed-length characters, a time axis, units as an attribute, a missing value."""
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("obs", 3)
        file.createDimension("strlen", 3)
        file.createDimension("other", 7)
        names = file.createVariable("variable", "S1", ("obs", "strlen"))
        names[:] = np.array([list("psl")] * 3, "S1")
        for name, values in (("latitude", [10, 20, 30]), ("longitude", [0, 1, 2])):
            file.createVariable(name, "f4", ("obs",))[:] = values
        value = file.createVariable("value", "f4", ("obs",), fill_value=-9999.0)
        value.units = "Pa"
        value[:] = [100, -9999, 300]
        time = file.createVariable("time", "i4", ("obs",))
        time.units = "days since 1997-01-01"
        time[:] = [14, 14, 45]
        file.createVariable("level", "f4", ("other",))[:] = 0
    found, rejected, _ = read(tmp_path / "mine.nc", bundle, month="1997-01")
    assert found["value"].tolist() == [1.0]
    assert [r.row for r in rejected] == [2]
    assert "value is empty" in rejected[0].reason
    months = read_months(tmp_path / "mine.nc", bundle)
    assert list(months) == ["1997-01", "1997-02"]
    assert months["1997-02"].table["value"].tolist() == [3.0]
    with pytest.raises(ObservationError, match="2 months, 1997-01 to 1997-02; say which"):
        read(tmp_path / "mine.nc", bundle)


def test_files_that_are_none_say_so_in_a_sentence(bundle, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"variable,lat,lon,value\ntas,5,5,1\x81")
    (tmp_path / "b.nc").write_bytes(b"\x89HDF\r\n\x1a\nnonsense")
    (tmp_path / "c.csv").write_text("\n# nothing\n")
    for name, words in (
        ("a.csv", "UTF-8"),
        ("b.nc", "cannot be read as netCDF"),
        ("c.csv", "is empty"),
        ("d.csv", "No such file"),
    ):
        with pytest.raises(ObservationError, match=words) as found:
            read(tmp_path / name, bundle)
        assert name in str(found.value)
        assert "\n" not in str(found.value)


# Many months

MONTHS = """time,variable,lat,lon,value
1997-12,tas,51,10,1
1998-01-15,tas,51,10,2
not yet,tas,51,10,3
1997-12-15T00:00:00,tas,51,,4
199801,tas,51,10,5
"""


def test_a_column_of_times_is_split_by_month(bundle):
    found = read_months(MONTHS, bundle)
    assert list(found) == ["", "1997-12", "1998-01"] or list(found) == ["1997-12", "1998-01", ""]
    assert found["1997-12"][0]["value"].tolist() == [1.0]
    assert [r.row for r in found["1997-12"][1]] == [4]
    assert found["1998-01"][0]["value"].tolist() == [2.0, 5.0]
    assert [r.row for r in found[""][1]] == [3]
    assert "'not yet'" in found[""][1][0].reason
    assert load(MONTHS).has_times


def test_one_month_of_many_can_be_read_alone(bundle):
    found, rejected, _ = read(MONTHS, bundle, month="1997-12")
    assert found["value"].tolist() == [1.0]
    # A row whose month is not understood may be of this one.
    assert [r.row for r in rejected] == [3, 4]
    with pytest.raises(ObservationError, match="no observation of 2001-01; it holds 1997-12 to"):
        read(MONTHS, bundle, month="2001-01")


def test_months_without_a_column_of_times_cannot_be_told(bundle):
    with pytest.raises(ObservationError, match="no column 'time'"):
        read_months("variable,lat,lon,value\n", bundle)


# Any table


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "variable": st.sampled_from(["tas", "psl", "tos", "pr", "x", ""]),
                "lat": st.floats(-100, 100) | st.just("?"),
                "lon": st.floats(-1000, 1000),
                "value": st.floats(-20, 20) | st.sampled_from(["", "NaN", "1e999"]),
                "error_sd": st.floats(-1, 5) | st.just(""),
                "withheld": st.sampled_from(["", "true", "No", 1, 0.0, "perhaps"]),
                "kind": st.sampled_from(["", "absolute", "anomaly", "?"]),
                "units": st.sampled_from(["", "K", "hPa", "mm/day", "nonsense"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_row_is_either_kept_or_refused_once_and_what_is_kept_is_sound(bundle, rows):
    found, rejected, _ = read(pd.DataFrame(rows), bundle, month=4)
    refused = [r.row for r in rejected]
    assert refused == sorted(set(refused))
    assert len(found) + len(refused) == len(rows)
    kept = [r for i, r in enumerate(rows, 1) if i not in refused]
    assert [r["variable"] for r in kept] == list(found["variable"])
    assert np.isfinite(found[["lat", "lon", "value", "error_sd"]].to_numpy()).all()
    assert (found["error_sd"] > 0).all()
    assert ((found["lon"] >= 0) & (found["lon"] < 360)).all()
    names = [v.name for v in bundle.variables]
    index = [names.index(v) for v in found["variable"]]
    assert bundle.operator.observable(index, found["lat"], found["lon"]).all()


def test_ten_thousand_rows_are_quick_enough_for_a_page(bundle):
    import time

    rows = pd.concat([table()] * 10_000, ignore_index=True)
    read(rows.head(), bundle)
    begin = time.perf_counter()
    found = read(rows, bundle, month=1).table
    assert len(found) == 10_000
    # 0.12 s when this was written, on one core.
    assert time.perf_counter() - begin < 2


def test_starting_loads_neither_pandera_nor_units():
    program = (
        "import sys, mlda_core.bundle.bundle, mlda_core.observations.networks\n"
        "print([m for m in ('pandera', 'cf_units', 'scipy.spatial') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
