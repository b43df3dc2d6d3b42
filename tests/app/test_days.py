"""A bundle of days on the page: the same code as for months, another step."""

import numpy as np
import pytest
from days import make_daily
from visiting import Visit, send

from app.bundles import taken_along
from app.maps import thumbnails
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.rows import InvalidObservationError, Row, check_row
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import Origin

LEAP = "1984-02-29"
PLAIN = f"?month={LEAP}&network=none&model=code&tool=explore"
TABLE = """time,variable,lat,lon,value
1984-02-28,tas,10,20,0.5
1984-02-29,tas,10,20,1.5
1984-02-29,psl,-30,120,-2
"""


@pytest.fixture(scope="module")
def daily(tmp_path_factory):
    return make_daily(tmp_path_factory.mktemp("days"))[0]


@pytest.fixture
def visit(daily):
    made = []

    def start(query):
        made.append(Visit(daily, query))
        made[-1].settle()
        return made[-1]

    yield start
    for one in made:
        one.session.close()


def test_the_first_day_is_a_test_day_and_there_is_no_sea_to_warm(daily):
    limits = limits_of(daily)
    assert daily.split(limits.first_view().month) == "test"
    assert limits.tools == ("observe", "explore")


def test_a_link_and_a_file_hold_the_day(daily):
    limits = limits_of(daily)
    shown = from_query(f"?month={LEAP}", limits)
    assert from_query(to_query(shown, limits), limits).month == LEAP
    coded = shown.replace(
        model="code", z=(0.0,) * daily.n_latent, origin=Origin("code", month=LEAP)
    )
    assert from_json(to_json(coded, limits), limits).origin == Origin("code", month=LEAP)


@pytest.mark.parametrize("other", ["1984-02", "1984-02-30", "1985-01-01", ""])
def test_a_day_that_is_not_there_is_refused_in_a_sentence(daily, other):
    with pytest.raises(InvalidStateError) as caught:
        from_query(f"?month={other}", limits_of(daily))
    assert str(caught.value) == (
        f"There is no day '{other}' in this bundle; choose one from 1983-01-01 to 1984-12-31."
    )


def test_a_month_and_its_days_are_taken_along_to_each_other(daily, world):
    assert taken_along({"month": "1984-02"}, daily, "days")["month"] == "1984-02-01"
    assert taken_along({"month": LEAP}, daily, "days")["month"] == LEAP
    assert taken_along({"month": "1963-02-28"}, world, "world")["month"] == "1963-02"
    assert "month" not in taken_along({"month": "1984-02-29"}, world, "world")


def test_a_chosen_day_is_shown_and_undone(visit, daily):
    v = visit(PLAIN)
    bar = v.session.bar
    assert bar.dates == daily.seasons.dates
    assert bar.split_words["test"] == "test day: the model has never seen it"
    send(bar, type="month", value="1984-03-01")
    assert np.allclose(v.session.state.z, daily.code("1984-03-01"), atol=1e-3)
    assert "month=1984-03-01" in bar.query
    send(bar, type="undo")
    assert (bar.month, v.session.state.month) == (LEAP, LEAP)
    send(v.session.explore.panel, type="walk-from", **{"from": "1984-02", "to": "draw 3"})
    assert bar.status.startswith(f"A walk goes between days such as {LEAP} and draws")


def test_days_of_a_month_share_the_pictures_beside_the_sliders(daily, monkeypatch):
    asked = []
    effect = type(daily).direction_effect
    monkeypatch.setattr(
        type(daily),
        "direction_effect",
        lambda self, k, season: asked.append(season) or effect(self, k, season),
    )
    thumbnails.latent(daily, 0, 12)
    thumbnails.latent(daily, 0, 12)
    assert asked == [daily.seasons.of("1984-12-15")]


def test_a_table_of_days_gives_those_of_the_day_shown(visit):
    v = visit(f"?month={LEAP}&network=none")
    v.send(type="obs-upload", text=TABLE, name="mine.csv")
    assert v.status.startswith("mine.csv: 2 observations.")
    v.settle()
    assert v.rows["value"].tolist() == [1.5, -2.0]
    assert {row.month for row in v.session.state.observations.own} == {LEAP}
    send(v.session.bar, type="month", value="1984-03-01")
    assert f"Observed for {LEAP}, not for 1984-03-01" in v.panel.months
    send(v.session.bar, type="month", value="1984-02-28")
    v.send(type="obs-upload", text=TABLE.replace("1984-02-28", "1984-02"), name="mine.csv")
    assert v.session.bar.failed
    assert "1984-02-28" in v.status


def test_a_value_of_a_month_is_refused_in_a_sentence(visit, daily):
    limits = limits_of(daily)
    shown = from_query(f"?month={LEAP}&network=none&tool=observe", limits)
    row = check_row(Row("tas", 10, 20, 285.0, month="1984-02", absolute=True))
    rows = shown.observations.replace(kind="custom", own=(row,))
    v = visit("?" + to_query(shown.replace(observations=rows), limits))
    assert v.status.startswith("'1984-02' is not a day; write it as YYYY-MM-DD")
    assert not len(v.rows)


def test_a_row_is_of_a_month_or_a_day():
    row = Row("tas", 0, 0, 1.0)
    for good in ("1984-02", LEAP):
        assert check_row(row._replace(month=good)).month == good
    for bad in ("1984-02-30", "1984-2-1", "1984"):
        with pytest.raises(InvalidObservationError, match="or write a day as YYYY-MM-DD"):
            check_row(row._replace(month=bad))


@pytest.mark.slow
def test_members_and_the_table_of_methods_are_of_the_day(visit):
    v = visit(f"?month={LEAP}&network=stations&stations=20&column=member")
    foot = v.session.verification.foot
    v.send(type="foot", value=["members"])
    v.settle(until=lambda _: "image" in foot.members)
    v.send(type="foot", value=["scores"])
    v.send(type="compare")
    v.settle(until=lambda _: {"vae", "enoi", "eof"} <= set(foot.scores["target"]) and not foot.busy)
    assert not foot.scores["words"], "a test day"
    v.send(type="month", value="1984-03-01")
    v.settle()
    assert v.work.month == "1984-03-01"


def test_where_next_is_found_for_the_day(visit):
    v = visit(f"?month={LEAP}&network=stations&stations=20&column=next")
    v.settle(until=lambda one: one.session.observe.next.best is not None)
    assert len(v.session.observe.next.best.best)


def test_the_series_is_of_days(visit, daily):
    v = visit(f"?month={LEAP}&network=stations&stations=20")
    foot = v.session.verification.foot
    foot.opened = ["series"]
    v.session.redraw()
    assert foot.step is daily.seasons.step
    assert list(foot.series["months"]) == list(daily.months)
    foot.send(type="series-start", value="never")
    assert v.status == "There are no days 'never'; choose test or all."
