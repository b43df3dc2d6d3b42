"""A series: what is done stays, and another region is an average away."""

from __future__ import annotations

import numpy as np
import pytest
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.regional_series import Series, SeriesError, months_of, observer
from mlda_core.climate.regions import REGIONS, drawn_box, regional_mean
from mlda_core.observations.networks import NetworkSpec


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def assimilator(small):
    return Assimilator(small)


@pytest.fixture(scope="module")
def stations(small):
    return observer(NetworkSpec(kind="stations", count=60, seed=2), small, error=0.1)


def nothing(month):
    raise AssertionError(f"{month} is not to be observed")


def encoded(bundle, month):
    return bundle.decode_anomalies(bundle.code(month), int(month[5:]))


def test_test_months_come_first_and_all_months_once(bundle):
    test, every = months_of(bundle, "test"), months_of(bundle, "all")
    assert len(test) == 60
    assert {m[:4] for m in test} == {"1989", "1997", "1998", "2010", "2011"}
    assert every[:60] == test
    assert sorted(every) == list(bundle.months)
    # What is tuned on and fitted comes in order after them.
    assert list(every[60:]) == sorted(every[60:])


@pytest.mark.parametrize(
    "region", [REGIONS["globe"], REGIONS["nino34"], drawn_box(-20, 5, 350, 30)]
)
def test_means_are_the_areas_means_whatever_region_is_asked_for_later(bundle, region):
    series = Series(bundle, nothing)
    assert np.isnan(series.means(region).analysis).all()
    months = months_of(bundle, "test")[:3]
    for month in months:
        series.add(month, encoded(bundle, month))
    made = series.means(region)
    for i, month in enumerate(bundle.months):
        expected = regional_mean(bundle.target(month), bundle.grid, region)
        np.testing.assert_allclose(made.target[i], expected, rtol=1e-6)
        if month in months:
            expected = regional_mean(encoded(bundle, month), bundle.grid, region)
            # Half precision is 0.0005 of a value: nothing of a mean of anomalies that anyone reads.
            np.testing.assert_allclose(made.analysis[i], expected, atol=2e-3)
        else:
            assert np.isnan(made.analysis[i]).all()
    assert made.split[bundle.months.index("1997-12")] == "test"


def test_means_of_both_are_over_the_cells_that_the_month_has(bundle, monkeypatch):
    target = bundle.target
    north = bundle.grid.lat > 20

    def with_gaps(month):
        fields = np.array(target(month))
        fields[0][north] = np.nan
        fields[1] = np.nan
        return fields

    monkeypatch.setattr(bundle, "target", with_gaps)
    series = Series(bundle, nothing)
    whole = target("1997-12")
    series.add("1997-12", whole)
    made = series.means()
    row = bundle.months.index("1997-12")
    # An analysis that is right has the target's mean.
    np.testing.assert_allclose(made.analysis[row, 0], made.target[row, 0], rtol=2e-3)
    # What the month lacks altogether is analysed all the same.
    assert np.isnan(made.target[row, 1])
    np.testing.assert_allclose(
        made.analysis[row, 1], regional_mean(whole, bundle.grid, REGIONS["globe"])[1], rtol=2e-3
    )


def test_what_was_handed_out_does_not_change_under_the_reader(bundle):
    series = Series(bundle, nothing)
    before = series.means()
    series.add("1997-12", encoded(bundle, "1997-12"))
    assert np.isnan(before.analysis).all()
    assert np.isfinite(series.means().analysis).sum() == 4


def test_a_variable_that_a_region_lacks_has_no_mean(bundle):
    series = Series(bundle, nothing)
    series.add("1997-12", encoded(bundle, "1997-12"))
    made = series.means(drawn_box(45, 55, 80, 100))
    tos = [v.name for v in bundle.variables].index("tos")
    assert np.isnan(made.target[:, tos]).all()
    assert made.score(tos)[1] == 0


def test_the_same_month_twice_is_the_newer_one(bundle):
    series = Series(bundle, nothing)
    fields = encoded(bundle, "1997-12")
    series.add("1997-12", fields)
    series.means()
    series.add("1997-12", 2 * fields)
    row = bundle.months.index("1997-12")
    np.testing.assert_allclose(
        series.means().analysis[row],
        2 * regional_mean(fields, bundle.grid, REGIONS["globe"]),
        atol=4e-3,
    )


def test_scores_count_test_months_alone_unless_asked(bundle):
    series = Series(bundle, nothing)
    for month in ("1997-01", "1997-02", "1997-03", "1995-01"):
        series.add(month, bundle.target(month))
    made = series.means(REGIONS["tropics"])
    found, months = made.score(0)
    assert months == 3
    assert found.rmse == pytest.approx(0, abs=2e-3)
    assert found.r == pytest.approx(1, abs=1e-3)
    assert made.score(0, test_only=False)[1] == 4


def test_missing_months_keep_their_order(bundle):
    series = Series(bundle, nothing)
    series.add("1997-02", encoded(bundle, "1997-02"))
    assert series.missing(("1997-03", "1997-02", "1989-01")) == ("1997-03", "1989-01")
    assert series.done == {"1997-02"}


def test_a_month_that_the_bundle_lacks_is_refused(bundle):
    with pytest.raises(SeriesError, match="1979-01 to 2013-12"):
        Series(bundle, nothing).add("1871-01", bundle.target("1997-12"))


def test_an_observer_keeps_places_and_draws_its_noise_anew(bundle):
    spec = NetworkSpec(kind="stations", count=60, seed=4)
    observe = observer(spec, bundle, error=0.3, seed=5)
    one, other = observe("1997-12"), observe("1998-12")
    assert one[["variable", "lat", "lon"]].equals(other[["variable", "lat", "lon"]])
    assert one.equals(observer(spec, bundle, error=0.3, seed=5)("1997-12"))

    def noise(table, month):
        rows = [[v.name for v in bundle.variables].index(n) for n in table["variable"]]
        spots = bundle.operator.locate(rows, table["lat"], table["lon"])
        truth = bundle.operator.apply(spots, bundle.target(month))
        return (table["value"] - truth) / table["error_sd"]

    first, second = noise(one, "1997-12"), noise(other, "1998-12")
    assert first.std() == pytest.approx(1, abs=0.2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3


def test_withheld_rows_of_a_table_stay_withheld(bundle):
    table = observer(NetworkSpec(kind="stations", count=10), bundle)("1997-12")
    table["withheld"] = np.arange(len(table)) % 3 == 0
    again = observer(table, bundle)("1989-06")
    assert again["withheld"].tolist() == table["withheld"].tolist()
    assert not np.allclose(again["value"], table["value"])


def test_a_run_is_what_the_assimilator_makes_of_each_month(small, assimilator, stations):
    months = months_of(small, "test")
    assert len(months) == 12
    series = Series(small, stations)
    points = list(series.run(assimilator, months, REGIONS["tropics"]))
    assert [p.month for p in points] == list(months)
    assert [p.done for p in points] == list(range(1, 13))
    assert {p.total for p in points} == {12}
    for point in points[::5]:
        analysis = assimilator.run(stations(point.month), point.month)
        expected = regional_mean(analysis.anomalies, small.grid, REGIONS["tropics"])
        np.testing.assert_allclose(point.analysis, expected, atol=3e-3)
        expected = regional_mean(small.target(point.month), small.grid, REGIONS["tropics"])
        np.testing.assert_allclose(point.target, expected, rtol=1e-5)
    # Sixty places in eight by sixteen cells tell of the mean: far better than climatology.
    found, count = series.means(REGIONS["globe"]).score(0)
    assert count == 12
    assert found.explained_variance > 0.5


def test_a_cancelled_run_keeps_what_is_done_and_the_next_goes_on(small, assimilator, stations):
    months = months_of(small, "test")
    series = Series(small, stations)
    run = series.run(assimilator, months)
    next(run)
    next(run)
    run.close()
    assert series.done == set(months[:2])
    before = series.means().analysis
    points = list(series.run(assimilator, months))
    assert [p.month for p in points] == list(months[2:])
    assert points[-1].done == points[-1].total == 10
    after = series.means().analysis
    rows = [small.months.index(m) for m in months[:2]]
    np.testing.assert_array_equal(after[rows], before[rows])
    assert list(series.run(assimilator, months)) == []


def test_the_method_and_its_settings_are_those_asked_for(small, assimilator, stations):
    month = months_of(small, "test")[3]
    settings = {"residual": False, "error_scale": 2.0}
    series = Series(small, stations, method="eof", settings=settings)
    (point,) = series.run(assimilator, [month])
    analysis = assimilator.run(stations(month), month, method="eof", **settings)
    expected = regional_mean(analysis.anomalies, small.grid, REGIONS["globe"])
    np.testing.assert_allclose(point.analysis, expected, atol=3e-3)


def test_a_month_that_cannot_be_assimilated_is_named_and_the_others_stay(
    small, assimilator, stations
):
    months = months_of(small, "test")[:3]

    def observe(month):
        table = stations(month)
        if month == months[1]:
            table.loc[4, "value"] = np.nan
        return table

    series = Series(small, observe)
    with pytest.raises(SeriesError, match=f"^{months[1]} cannot be assimilated: .*row 5"):
        list(series.run(assimilator, months))
    assert series.done == {months[0]}
