"""Whatever a table holds, reading it ends in a Reading or in one sentence, never in a traceback."""

from __future__ import annotations

import re

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import make_bare

from mlda_core.climate.errors import UserError
from mlda_core.observations.table import COLUMNS, Reading, TableOptions, load, read, read_months

MANY = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
FEWER = settings(MANY, max_examples=150)
OPTIONS = st.builds(
    TableOptions,
    keep_codes=st.booleans(),
    merge_repeated=st.booleans(),
    base_period=st.sampled_from([None, "1979-1988", "1980-1984", "1850-1900", "long ago"]),
    day_first=st.sampled_from([None, True, False]),
)
MONTHS = st.sampled_from([None, "1980-02", 2, 7, "1999-12", pd.NaT, np.datetime64("1980-02-01")])
ROLES = {
    "variable": ["variable", "Variable", "VARIABLE "],
    "lat": ["lat", "latitude", "Lat (deg)", "LATITUDE [degrees_north]", "lat (rad)"],
    "lon": ["lon", "long", "Longitude (°E)"],
    "value": ["value", "Value", "Value (K)", "value [hPa]", "value (degrees Celsius)"],
}
EXTRA = [
    *(
        "error_sd",
        "sigma",
        "std",
        "Obs Err",
        "error (2 sigma)",
        "error_variance",
        "uncertainty [K]",
    ),
    *("time", "date", "valid_time", "year", "month", "YEAR", "mm", "yyyymm", "decimal_year", "day"),
    *("units", "unit", "kind", "withheld", "label", "station", "base_period", "baseline", ""),
    *("Datum", "quality", "witheld", "lat", "standardised_departure", "n", "time (UTC)"),
]
NUMBERS = [
    *("0", "1", "-1.5", "47.4", "8,5", "-9.99", "-99.9", "9999", "1e20", "9.96921e36", "1e9"),
    *("1,013", "1.013", "1,013.2", "1.013,2", "1 013,2", "1'013.2", "−4.0", "–4,0", "4.0 K"),
    *("1013.2 hPa", "47.4N", "8.5°W", "47°24'N", "47 24 36 N", "47:24", "N47", "-33S", "+.5", "5."),
    *(
        "",
        "nan",
        "-",
        "--",
        ".",
        ",",
        "1,2,3",
        "0x10",
        "1_000",
        "١٢",
        "inf",
        "-inf",
        "0.0",
        "1e-300",
    ),
]
TIMES = [
    *("1980-02", "198002", "198002.0", "1980-02-15", "15.02.1980", "15/02/1980", "02/15/1980"),
    *(
        "02/03/1980",
        "1980/2/3",
        "Feb 1980",
        "15-Feb-1980",
        "1980.125",
        "1980.12",
        "1980.083",
        "1980",
    ),
    *("1980-02-01T00:00:00Z", "1980-02-01T00:30:00+02:00", "1980-13", "31.12.80", "12", "2", "Feb"),
]
WORDS = [
    *(
        "psl",
        "tos",
        "tas",
        "pr",
        "TAS",
        "air_temperature",
        "?",
        "x" * 300,
        "true",
        "no",
        "absolute",
    ),
    *("anomaly", "K", "degC", "degrees Celsius", "hPa", "%", "mm/month", "furlong", "1979-1988"),
    *("1951-1980", "1980-1984", "Zürich", "a\x00b", "\ufeff", "\u2028", '"', "=1+1", "#"),
]
CELLS = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(TIMES),
    st.sampled_from(WORDS),
    st.floats().map(repr),
    st.text(max_size=8),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bare(tmp_path_factory.mktemp("small"))


def outcome(source, bundle, month, options):
    """Read a source in every way, and hold what comes of it to the contract."""
    readings = []
    try:
        cells = load(source)
        readings = list(read_months(cells, bundle, options=options).values())
    except UserError as error:
        check_sentence(error)
    try:
        readings.append(read(source, bundle, month=month, options=options))
    except UserError as error:
        check_sentence(error)
    for reading in readings:
        check_reading(reading, bundle)
    return readings


def check_sentence(error):
    text = str(error)
    assert text.isprintable(), repr(text)
    assert text.endswith(".")
    assert 20 < len(text) < 500


def check_reading(reading, bundle):
    assert isinstance(reading, Reading)
    table = reading.table
    assert tuple(table.columns) == COLUMNS
    assert np.isfinite(table[["lat", "lon", "value", "error_sd"]].to_numpy()).all()
    assert (table["error_sd"] > 0).all()
    assert ((table["lon"] >= 0) & (table["lon"] < 360)).all()
    assert table["withheld"].dtype == bool
    names = [v.name for v in bundle.variables]
    which = [names.index(v) for v in table["variable"]]
    assert bundle.operator.observable(which, table["lat"], table["lon"]).all()
    limits = np.array([10 * v.anomaly_limit for v in bundle.variables])
    assert (np.abs(table["value"]) <= limits[which]).all()
    rows = [bad.row for bad in reading.rejected]
    assert rows == sorted(set(rows))
    for bad in reading.rejected:
        assert bad.reason.isprintable(), repr(bad.reason)
        assert bad.reason
        assert not bad.reason.endswith(".")
    for note in reading.notes:
        assert note.endswith(".")
        assert note.isprintable(), repr(note)


GOOD = {
    "variable": ["psl", "tas", "tas"],
    "lat": ["47.4", "-12.5", "10"],
    "lon": ["8.5", "-170", "100.25"],
    "value": ["1.5", "-2.25", "0.5", "3", "-1.0"],
    "time": ["1980-02", "1980-02-15", "198002"],
    "error": ["0.5", "0.001", ""],
    "kind": ["anomaly", ""],
}
USUAL = [[], ["time"], ["error_sd"], ["date", "sigma"], ["kind", "label"], ["base_period"]]


def mostly(usual, others):
    """Mostly one of the usual, now and then one of the others."""
    return st.integers(0, 15).flatmap(lambda k: others if k == 7 else st.sampled_from(usual))


@st.composite
def heads(draw):
    """Names of columns: the required ones as a rule, in any order, among others."""
    names = [draw(mostly(forms[:2], st.sampled_from(forms))) for forms in ROLES.values()]
    names += draw(mostly(USUAL, st.lists(st.sampled_from(EXTRA), max_size=4)))
    if draw(st.integers(0, 19)) == 7:
        names.pop(0)
    return draw(st.permutations(names))


def likely(name):
    """Cells that belong into a column, mixed with any."""
    bare = re.sub(r"[^a-z_].*", "", name.strip().lower())
    role = {"latitude": "lat", "long": "lon", "longitude": "lon", "date": "time", "obs": "error"}
    role |= dict.fromkeys(("error_sd", "sigma", "std", "uncertainty"), "error")
    usual = GOOD.get(role.get(bare, bare), ["", "0"])
    odd = NUMBERS
    if any(word in bare for word in ("time", "date", "year", "month", "datum", "mm")):
        odd = TIMES
    elif bare in {"units", "unit", "kind", "withheld", "label", "base_period", "baseline"}:
        odd = WORDS
    return mostly(usual, st.one_of(st.sampled_from(odd), CELLS))


@st.composite
def tables(draw):
    names = draw(heads())
    rows = draw(st.lists(st.tuples(*(likely(n) for n in names)), max_size=6))
    return names, rows


@st.composite
def texts(draw):
    """A table as somebody's program may write it."""
    names, rows = draw(tables())
    mark = draw(st.sampled_from([",", ";", "\t", "|", " "]))
    quote = draw(st.sampled_from([True, True, False]))
    first = ["", "", f"sep={mark}\n", "# base period: 1979-1988\n", "# by me\n", "A;b\n"]
    before = draw(st.sampled_from(first))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    tail = draw(st.sampled_from(["", "", mark, mark * 3]))

    def cell(text):
        plain = not quote or not re.search(rf'["\r\n{re.escape(mark)}]', text)
        return text if plain else '"' + text.replace('"', '""') + '"'

    lines = [mark.join(map(cell, row)) + tail for row in (names, *rows)]
    text = before + end.join(lines) + draw(st.sampled_from(["", end]))
    code = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", None]))
    return text if code is None else text.encode(code, "replace")


@pytest.mark.slow
@MANY
@given(texts(), MONTHS, OPTIONS)
def test_any_text_is_read_or_refused_in_a_sentence(bundle, text, month, options):
    outcome(text, bundle, month, options)


@FEWER
@given(st.binary(max_size=200) | st.text(max_size=200), MONTHS, OPTIONS)
def test_any_bytes_are_refused_in_a_sentence(bundle, data, month, options):
    outcome(data, bundle, month, options)


PYTHON = st.one_of(
    CELLS,
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.datetimes(),
    st.dates(),
    st.sampled_from([pd.NaT, pd.NA, np.float32(1), np.datetime64("1980-02"), pd.Period("1980-02")]),
    st.sampled_from([b"tas", (1, 2), {}, 1j, np.timedelta64(1, "D"), np.ma.masked]),
)


@pytest.mark.slow
@FEWER
@given(tables(), st.data(), MONTHS, OPTIONS)
def test_any_python_table_is_read_or_refused_in_a_sentence(bundle, table, data, month, options):
    names, rows = table
    cells = [[data.draw(st.one_of(st.just(c), PYTHON)) for c in row] for row in rows]
    kind = data.draw(st.sampled_from(["frame", "records", "columns", "dataset", "index"]))
    if kind == "records":
        outcome([dict(zip(names, row, strict=True)) for row in cells], bundle, month, options)
        return
    if kind in ("frame", "index"):
        frame = pd.DataFrame(cells, columns=names, dtype=object)
        frame = frame.set_index(names[-1]) if kind == "index" else frame
        outcome(frame, bundle, month, options)
        return
    columns = {n: [row[i] for row in cells] for i, n in enumerate(names)}
    if kind == "dataset":
        made = {}
        for name, column in columns.items():
            held = np.empty(len(column), object)
            for i, cell in enumerate(column):
                held[i] = cell
            made[name] = ("obs", held)
        outcome(xr.Dataset(made), bundle, month, options)
        return
    outcome(columns, bundle, month, options)


ODD = st.sampled_from([0, 1, -9999, 9.96921e36, 1e20, np.nan, np.inf, -(2**31), 2**31 - 1])
RANGES = {"lat": (-80, 80), "lon": (0, 350), "value": (-2, 2), "time": (31, 59)}


@st.composite
def netcdfs(draw):
    """The bytes of a file that may hold observations, with any attributes."""
    n = draw(st.integers(1, 4))
    others = st.lists(st.sampled_from(["time", "error_sd", "sigma", "x"]), unique=True)
    form = draw(st.sampled_from(["NETCDF4", "NETCDF3_CLASSIC"]))
    file = netCDF4.Dataset("made", "w", memory=1024, format=form)
    for name, size in (("obs", n), ("one", 1), ("letters", 4)):
        file.createDimension(name, size)
    for name in [*ROLES, *draw(mostly([[], ["time"], ["error_sd"]], others))]:
        along = draw(mostly([("obs",)], st.sampled_from([("one",), (), ("obs", "one")])))
        if name == "variable":
            made = file.createVariable(name, "S1", (*along, "letters"))
            word = draw(mostly(["tas", "psl"], st.sampled_from(["?", ""])))
            made[...] = np.array(list(word.ljust(4, "\0")), "S1")
            continue
        kind = draw(mostly(["f4", "f8"], st.sampled_from(["i4", "i2", "i1"])))
        made = file.createVariable(name, kind, along, fill_value=False)
        made.set_auto_maskandscale(False)
        size = int(np.prod(made.shape))
        usual = st.floats(*RANGES.get(name, (0.3, 2)))
        values = [draw(ODD if draw(st.integers(0, 15)) == 7 else usual) for _ in range(size)]
        with np.errstate(all="ignore"):
            made[...] = np.array(values, float).astype(kind).reshape(made.shape)
        if name == "time":
            made.units = "days since 1980-01-01"
        for key, choices in ATTRIBUTES.items():
            if draw(st.integers(0, 30)) == 7:
                made.setncattr(key, draw(st.sampled_from(choices)))
    if draw(st.integers(0, 9)) == 7:
        file.setncattr("base_period", draw(st.sampled_from(["1979-1988", "1951-1980", "?"])))
    return bytes(file.close())


ATTRIBUTES = {
    "units": [
        *("K", "hPa", "degrees Celsius", "days since 1980-01-01", "months since 1980-01-01"),
        *(
            "hours since 1900-01-01 00:00:0.0",
            "days since yesterday",
            "fortnights since 1980-01-01",
        ),
        *("", "1", "%", "seconds since 1970-01-01", "days since 0000-00-00", "degrees_north"),
    ],
    "missing_value": ["-9999", -9999, -9999.0, np.float32(1e20), "none", [1.0, 2.0], np.nan],
    "scale_factor": [0.01, 1, "0.1", "tenth", 0.0],
    "add_offset": [0.0, 273.15, "273.15", "zero"],
    "calendar": ["standard", "360_day", "noleap", "julian", "mayan"],
    "valid_range": [[-50.0, 50.0], "-5, 5", [5.0]],
}


@pytest.mark.slow
@FEWER
@given(netcdfs(), MONTHS, OPTIONS)
def test_any_netcdf_is_read_or_refused_in_a_sentence(bundle, data, month, options):
    outcome(data, bundle, month, options)


@pytest.mark.slow
@settings(FEWER, max_examples=200)
@given(st.integers(0, 2000), st.binary(max_size=3), MONTHS)
def test_a_damaged_netcdf_is_refused_in_a_sentence(bundle, at, other, month):
    """A file of the classic format that was cut off, or has other bytes in its head."""
    whole = classic()
    outcome(whole[:at], bundle, month, TableOptions())
    outcome(whole[: at % 30 + 4] + other, bundle, month, TableOptions())


def classic():
    file = netCDF4.Dataset("made", "w", memory=1024, format="NETCDF3_CLASSIC")
    file.createDimension("obs", 3)
    for name in ("lat", "lon", "value"):
        file.createVariable(name, "f4", ("obs",))[:] = [1, 2, 3]
    file.createDimension("letters", 3)
    file.createVariable("variable", "S1", ("obs", "letters"))[:] = np.array([list("tas")] * 3, "S1")
    return bytes(file.close())


@pytest.mark.slow
@pytest.mark.parametrize("sources", [texts(), netcdfs()], ids=["text", "netcdf"])
def test_much_of_what_is_made_here_is_read(bundle, sources):
    """Else the tests above would try refusals alone."""
    found = []

    @settings(FEWER, max_examples=150, database=None, derandomize=True)
    @given(sources)
    def run(source):
        found.append(any(len(r.table) for r in outcome(source, bundle, "1980-02", TableOptions())))

    run()
    assert np.mean(found) > 0.3
