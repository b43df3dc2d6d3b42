"""Observations handed over in Python: in any form, by the check that files pass."""

from __future__ import annotations

import datetime as dt
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from quickest import quickest
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations import intake
from mlda_core.observations.intake import ObservationWarning, is_checked, observations_of
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.options import TableOptions
from mlda_core.observations.table import COLUMNS, observation_table, read, to_csv, to_netcdf

ROWS = [
    {"variable": "psl", "lat": 50.0, "lon": 10.0, "value": 4.0, "error_sd": 1.0},
    {"variable": "tas", "lat": 51.0, "lon": -120.0, "value": -3.0, "error_sd": 0.5},
    {"variable": "tas", "lat": -20.0, "lon": 30.0, "value": 1.5, "error_sd": 0.5},
]
PLAIN = TableOptions()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("intake"))


@pytest.fixture(scope="module")
def engine(bundle):
    return Assimilator(bundle)


@pytest.fixture(scope="module")
def checked(bundle):
    return read(pd.DataFrame(ROWS), bundle, month="1982-07").table


def columns(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


def forms(folder):
    """The three observations in every form."""
    frame = pd.DataFrame(ROWS)
    (folder / "obs.csv").write_text(to_csv(frame))
    to_netcdf(frame, folder / "obs.nc")
    return {
        "DataFrame": frame,
        "list of dicts": ROWS,
        "dict of columns": columns(ROWS),
        "dict of arrays": {k: np.array(v) for k, v in columns(ROWS).items()},
        "Dataset": frame.to_xarray(),
        "path": folder / "obs.csv",
        "netCDF": folder / "obs.nc",
        "text": to_csv(frame),
        "bytes": to_csv(frame).encode(),
        "objects": frame.astype(object),
        "words": frame.astype(str),
        "renamed": frame.rename(columns={"lat": "latitude", "lon": "longitude"}),
        "in Pa": frame.assign(
            units=["Pa", "K", "K"], value=[400.0, -3.0, 1.5], error_sd=[100.0, 0.5, 0.5]
        ),
        "of July among others": pd.concat(
            [frame.assign(time=m, value=frame["value"] + i) for i, m in
             enumerate(("1982-07", "1982-08", "1983-07"))]
        ),
    }  # fmt: skip


@pytest.mark.slow
def test_every_form_makes_the_same_analysis(engine, checked, tmp_path):
    expected = engine.run(checked, "1982-07", method="enoi")
    for name, given in forms(tmp_path).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ObservationWarning)
            found = engine.run(given, "1982-07", method="enoi")
        np.testing.assert_allclose(found.anomalies, expected.anomalies, atol=1e-5, err_msg=name)
        assert list(found.observations.columns[: len(COLUMNS)]) == list(COLUMNS), name


@pytest.mark.parametrize(
    "month",
    [
        "1982-07",
        "July 1982",
        "198207",
        7,
        "7",
        "07",
        np.int64(7),
        dt.date(1982, 7, 1),
        dt.datetime(1982, 7, 31, 12),  # noqa: DTZ001 - as people write them
        pd.Timestamp("1982-07-15"),
        pd.Period("1982-07", "M"),
        np.datetime64("1982-07"),
        np.datetime64("1982-07-15T00:00"),
    ],
    ids=repr,
)
def test_a_month_in_any_usual_form(engine, checked, month):
    expected = engine.run(checked, 7, method="enoi")
    found = engine.run(checked, month, method="enoi")
    assert found.month == 7
    np.testing.assert_array_equal(found.anomalies, expected.anomalies)
    absolute = [{**ROWS[1], "value": 290.0, "kind": "absolute", "units": "K"}]
    told = engine.run(absolute, month, method="enoi").observations
    place = engine.bundle.operator.locate(2, [51.0], [-120.0])
    usual = engine.bundle.operator.apply(place, engine.bundle.climatology(7))
    offset = engine.bundle.variables[2].offset
    assert told["value"][0] == pytest.approx(290.0 + offset - usual[0], abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": 288.0}, "row 2: an anomaly of 288 K is none that"),
        ({"value": -99.9}, "row 2: value -99.9 is a code for a missing value"),
        ({"value": float("nan")}, "row 2: value is empty"),
        ({"value": None}, "row 2: value is empty"),
        ({"lat": 91.0}, "row 2: lat '91' is no latitude"),
        ({"error_sd": 0.0}, "row 2: error_sd '0' is no error"),
        ({"error_sd": float("inf")}, "row 2: error_sd "),
        ({"variable": "zg"}, "row 2: "),
        ({"withheld": "perhaps"}, "row 2: withheld 'perhaps'"),
        ({"kind": "absolut"}, "row 2: kind 'absolut'"),
        ({"units": "furlong"}, "row 2: "),
    ],
)
def test_a_row_that_cannot_be_used_is_never_dropped_in_silence(engine, changes, words):
    rows = [ROWS[0], {**ROWS[1], **changes}, ROWS[2]]
    for given in (rows, pd.DataFrame(rows)):
        with pytest.raises(ObservationError) as caught:
            engine.run(given, "1982-07", method="enoi")
        said = str(caught.value)
        assert said.startswith("1 of the observations cannot be used (row 2: ")
        assert words in said
        assert said.endswith("; correct or remove it, or read the rest by read_observations.")


def test_many_bad_rows_are_counted_and_the_first_of_each_reason_named(engine):
    rows = [{**ROWS[0], "lat": 99.0}] * 12 + [{**ROWS[0], "value": None}]
    with pytest.raises(ObservationError) as caught:
        engine.run(rows, 7, method="enoi")
    assert str(caught.value) == (
        "13 of the observations cannot be used (rows 1, 2, 3, 4, 5 and 7 more: lat '99' is no "
        "latitude, a number from -90 to 90; row 13: value is empty); correct or remove them, or "
        "read the rest by read_observations."
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["yes", "no", "No"], [True, False, False]),
        (["True", "False", "FALSE"], [True, False, False]),
        (["0", "1", ""], [False, True, False]),
        ([0, 1, 0], [False, True, False]),
        ([np.True_, False, None], [True, False, False]),
    ],
)
def test_words_in_withheld_mean_what_they_say(engine, cells, expected):
    given = pd.DataFrame(ROWS).assign(withheld=cells)
    found = engine.run(given, 7, method="enoi")
    assert found.observations["withheld"].tolist() == expected
    assert found.observations["used"].tolist() == [not held for held in expected]


def test_a_table_of_several_months_needs_one(engine):
    given = pd.concat([pd.DataFrame(ROWS).assign(time=m) for m in ("1982-07", "1983-07")])
    with pytest.raises(ObservationError, match="2 months, 1982-07 to 1983-07; say which"):
        engine.run(given, 7, method="enoi")
    with pytest.raises(ObservationError, match="has no observation of 1984-07"):
        engine.run(given, "1984-07", method="enoi")
    with pytest.raises(StateError, match="'soon' is not a month"):
        engine.run(given, "soon", method="enoi")


@pytest.mark.parametrize("given", [7, None, object(), [1, 2], [[1, 2]], {"lat": [1]}, "", b"", []])
def test_what_is_no_table_is_refused_in_a_sentence(engine, given):
    if given == []:
        assert engine.run(given, 7, method="enoi").statistics.n_used == 0
        return
    with pytest.raises(ObservationError) as caught:
        engine.run(given, 7, method="enoi")
    assert str(caught.value).endswith(".")


def test_notes_are_warned_of_and_kept(engine):
    with pytest.warns(ObservationWarning, match="repeat another's variable") as caught:
        found = engine.run([ROWS[0]] * 9, 7, method="enoi")
    assert any("8 rows repeat" in note for note in found.notes)
    # They point to who called, not into the library.
    assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(ObservationWarning, match="8 rows are merged"):
        merged = engine.run(
            [ROWS[0]] * 9, 7, method="enoi", options=TableOptions(merge_repeated=True)
        )
    assert len(merged.observations) == 1
    assert engine.run(merged.observations[list(COLUMNS)], 7, method="enoi").notes == ()


def test_codes_are_kept_when_asked(engine, bundle):
    rows = [{**ROWS[0], "value": -9.99}]
    table = observation_table({**columns(rows), "withheld": [False], "label": [""]})
    for given in (rows, table):
        with pytest.raises(ObservationError, match=r"row 1: value -9\.99 is a code"):
            engine.run(given, 7, method="enoi")
        found = engine.run(given, 7, method="enoi", options=TableOptions(keep_codes=True))
        assert found.observations["value"].tolist() == [-9.99]


def test_influence_and_cost_take_what_run_takes(engine, checked):
    with pytest.warns(ObservationWarning):
        one = engine.influence([*ROWS, ROWS[0]], dt.date(1982, 7, 1), 1)
    np.testing.assert_allclose(one, engine.influence(checked, 7, 1), atol=1e-5)
    z = np.zeros(engine.bundle.n_latent)
    assert engine.cost_of(z, ROWS, "July 1982").total == pytest.approx(
        engine.cost_of(z, checked, 7).total, rel=1e-6
    )


# Tables that have passed the check


def test_a_checked_table_passes_as_it_is(bundle, checked, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("checked again")

    monkeypatch.setattr(intake, "read", refuse)
    for month in ("1982-07", 7):
        table, notes = observations_of(checked, bundle, month, PLAIN)
        assert table is checked
        assert notes == ()
    for same in (
        checked.astype({"variable": object, "label": object}),
        checked.iloc[[2, 0]],
        checked[checked["variable"] == "tas"],
        checked.iloc[:0],
    ):
        assert observations_of(same, bundle, 7, PLAIN)[0] is same


def test_what_read_returned_is_known_and_unchanged_by_another_check(bundle):
    where = places(NetworkSpec("stations", count=100), bundle)
    table = synthesise(where, bundle, bundle.target("1982-07"), 7)
    assert is_checked(table, bundle)
    again = read(table, bundle, month=7)
    assert again.rejected == []
    pd.testing.assert_frame_equal(again.table, table, check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(more=1),
        lambda t: t[list(COLUMNS[::-1])],
        lambda t: t.drop(columns="label"),
        lambda t: t.assign(value=t["value"].astype("float32")),
        lambda t: t.assign(value=t["value"].astype(str)),
        lambda t: t.assign(lat=[50, 51, -20]),
        lambda t: t.assign(withheld=["False", "False", "False"]),
        lambda t: t.assign(withheld=[0, 0, 0]),
        lambda t: t.assign(label=[1, 2, 3]),
        lambda t: t.assign(variable="zg"),
        lambda t: t.assign(value=np.nan),
        lambda t: t.assign(value=288.0),
        lambda t: t.assign(value=-9.99),
        lambda t: t.assign(value=np.float64(np.float32(-9.99))),
        lambda t: t.assign(value=[30.0, 40.0, 40.0]).pipe(lambda u: pd.concat([u, u, u])),
        lambda t: t.assign(error_sd=0.0),
        lambda t: t.assign(error_sd=np.inf),
        lambda t: t.assign(lat=91.0),
        lambda t: t.assign(lon=np.inf),
        lambda t: t.set_index(pd.date_range("1982-07-01", periods=3)),
        lambda t: t.set_index(pd.Index([1, 2, 3], name="time")),
        lambda t: t.set_index(pd.Index(["a", "b", "c"])),
        lambda t: t.to_dict("list"),
    ],
)
def test_what_needs_the_check_is_not_taken_for_checked(bundle, checked, change):
    assert is_checked(checked, bundle)
    assert not is_checked(change(checked.copy()), bundle)


def test_a_base_period_is_never_overlooked(bundle, checked):
    table = checked.copy()
    table.attrs["base_period"] = "1951-1980"
    assert not is_checked(table, bundle)


def test_the_quick_test_is_quick(bundle):
    """The page asks it 20 times a second: a twelfth of what the whole check takes of 300 rows."""
    where = places(NetworkSpec("stations", count=150), bundle)
    table = synthesise(where, bundle, bundle.target("1982-07"), 7)
    assert len(table) >= 200
    assert is_checked(table, bundle)
    whole = quickest(lambda: read(table, bundle), 5)
    assert quickest(lambda: is_checked(table, bundle), 20) < whole / 4


def test_an_analysis_read_again_is_the_same(engine, tmp_path):
    """What the table says beside the columns is left out, with a note of none of ours."""
    first = engine.run(ROWS, 7, method="enoi", robust=True)
    again = engine.run(first.observations, 7, method="enoi", robust=True)
    assert again.notes == ()
    np.testing.assert_array_equal(again.anomalies, first.anomalies)
    records = json.loads(first.observations.to_json(orient="records"))
    third = engine.run(records, 7, method="enoi", robust=True)
    np.testing.assert_allclose(third.anomalies, first.anomalies, atol=1e-5)
