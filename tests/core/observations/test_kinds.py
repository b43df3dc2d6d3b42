"""Kinds of observation: their likelihoods, their columns, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small import make_linear

from mlda_core.climate.combined import CombinedPlaces
from mlda_core.climate.regions import REGIONS, regional_mean
from mlda_core.observations.intake import is_checked
from mlda_core.observations.intervals import log_mass
from mlda_core.observations.kind import Terms
from mlda_core.observations.kinds import KINDS, kind_of, spelled
from mlda_core.observations.kinds.report import THRESHOLDS
from mlda_core.observations.options import TableOptions
from mlda_core.observations.standardised import standardise
from mlda_core.observations.table import COLUMNS, read, read_months, to_csv, to_netcdf
from mlda_core.observations.thresholds import climate_quantiles

HEAD = "variable,lat,lon,value,error_sd,kind,area\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("linear"))


def terms(kind, value, sd=0.4):
    """What rows of a kind say; classes by normal quantiles."""
    value = np.asarray(value, float)
    parameter = np.full(value.size, kind.parameter)
    if kind.classes:
        low, high = (stats.norm.ppf(p) for p in kind.probabilities(value, parameter))
    else:
        low, high = kind.interval(value)
    said = np.where(np.isnan(low), value, np.nan)
    return Terms(said, low, high, np.full(value.size, sd), parameter)


@pytest.mark.parametrize("key", list(KINDS))
def test_slope_and_curvature_are_derivatives_of_the_cost(key):
    kind = KINDS[key]
    said = terms(kind, [-1.0, 0.0, 1.0] if kind.classes else [-1.3, 0.2, 2.0])
    f, step = np.linspace(-1.5, 1.5, 3), 1e-4
    slope = (kind.cost(f + step, said) - kind.cost(f - step, said)) / (2 * step)
    np.testing.assert_allclose(kind.slope(f, said), slope, rtol=1e-5, atol=1e-6)
    curvature = (kind.slope(f + step, said) - kind.slope(f - step, said)) / (2 * step)
    least = 1e-4 / said.sd**2
    np.testing.assert_allclose(
        kind.curvature(f, said), np.maximum(curvature, least), rtol=1e-4, atol=1e-6
    )
    assert (kind.weight(f, said) > 0).all()
    # The normal distribution that a step uses touches the cost and, for a kind that is not
    # log-concave, lies above it everywhere: so no step can raise it.
    if not kind.log_concave:
        there = np.linspace(-6, 6, 41)[:, None]
        above = kind.cost(f, said) + kind.slope(f, said) * (there - f)
        above = above + 0.5 * kind.weight(f, said) * (there - f) ** 2
        assert (above >= kind.cost(there + 0 * f, said) - 1e-9).all()


@pytest.mark.parametrize("key", [k for k, kind in KINDS.items() if not kind.quadratic])
def test_likelihoods_are_finite_far_from_what_a_row_says(key):
    kind = KINDS[key]
    said = terms(kind, [-1.0, 1.0], sd=0.05)
    for f in (-60.0, 60.0):
        at = np.full(2, f)
        for found in (kind.cost(at, said), kind.slope(at, said), kind.curvature(at, said)):
            assert np.isfinite(found).all()
        assert (kind.curvature(at, said) > 0).all()
    assert log_mass(np.array([50.0]), np.array([51.0]))[0] == pytest.approx(
        stats.norm.logsf(50.0), abs=1e-6
    )


@pytest.mark.parametrize("key", ["report", "lower_bound", "upper_bound"])
def test_auxiliary_values_are_truncated_normal(key):
    kind = KINDS[key]
    said = terms(kind, [2.0 if kind.classes else 1.0])
    f = np.full((20_000, 1), 0.3)
    value, variance = kind.utility(f, said, np.random.default_rng(0))
    assert ((value > said.low) & (value < said.high)).all()
    assert variance[0] == said.sd[0] ** 2
    a, b = (said.low[0] - 0.3) / said.sd[0], (said.high[0] - 0.3) / said.sd[0]
    exact = stats.truncnorm(a, b, loc=0.3, scale=said.sd[0])
    assert value.mean() == pytest.approx(exact.mean(), abs=4 * exact.std() / np.sqrt(20_000))
    assert stats.kstest(value[:, 0], exact.cdf).pvalue > 1e-3


def test_many_degrees_of_freedom_are_a_normal_error():
    value, t = terms(KINDS["value"], [0.7]), terms(KINDS["student_t"], [0.7])
    t = t._replace(parameter=np.array([1e8]))
    f = np.array([-0.4])
    for name in ("cost", "slope", "curvature", "weight"):
        found = getattr(KINDS["student_t"], name)(f, t)
        np.testing.assert_allclose(found, getattr(KINDS["value"], name)(f, value), rtol=1e-6)


def test_kinds_are_read_as_they_are_written():
    for key, kind in KINDS.items():
        assert kind_of(key) == (kind, pytest.approx(kind.parameter, nan_ok=True))
        assert spelled(*kind_of(key)) == key
    assert spelled(*kind_of("Upper bound")) == "upper_bound"
    assert spelled(*kind_of("student_t(30)")) == "student_t(30)"
    assert spelled(*kind_of("student_t(4)")) == "student_t"


@pytest.mark.parametrize(
    ("word", "variable", "value", "classes"),
    [
        ("much colder", "tas", -2, 5),
        ("Warmer", "tas", 1, 5),
        ("usual", "tas", 0, 5),
        ("cold", "tas", -1, 2),
        ("wet", "pr", 1, 2),
        ("Much wetter", "pr", 2, 5),
        ("above", "psl", 1, 5),
        ("-2", "psl", -2, 5),
    ],
)
def test_words_are_classes(bundle, word, variable, value, classes):
    place = "0,200" if variable == "tos" else "50,10"
    reading = read(f"{HEAD}{variable},{place},{word},,report,\n", bundle, month=7)
    assert not reading.rejected
    row = reading.table.iloc[0]
    assert row["value"] == value
    assert kind_of(row["kind"])[1] == classes


BAD = {
    "report with a word of rain": ("tas,50,10,wetter,,report,", "no class of a report of tas"),
    "report beyond its classes": ("tas,50,10,3,,report,", "whole number from -2 to 2"),
    "absolute report": ("tas,50,10,cold,,absolute report,", "no absolute value"),
    "mean of nothing": ("tas,50,10,1,,mean,", "kind mean needs an area"),
    "mean of a place": ("tas,50,10,1,,mean,50 10", "is a place"),
    "mean of nowhere": ("tas,50,10,1,,mean,atlantis", "area 'atlantis' is none"),
    "difference of one": ("tas,50,10,1,,difference,nino34", "'FIRST minus SECOND'"),
    "box without area": ("tas,50,10,1,,mean,10 10 0 20", "has no area"),
    "unknown kind": ("tas,50,10,1,,foo,", "is no kind of observation; use one of value"),
    "degrees of freedom": ("tas,50,10,1,,student_t(0),", "degrees of freedom"),
    "absolute difference": ("tas,50,10,1,,absolute difference,minus 40 0", "give its anomaly"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_a_row_that_says_nothing_is_refused_by_its_number(bundle, case):
    line, words = BAD[case]
    reading = read(f"{HEAD}tas,40,10,1,,,\n{line}\n", bundle, month=7)
    assert len(reading.table) == 1
    (rejected,) = reading.rejected
    assert rejected.row == 2
    assert words in rejected.reason


def test_a_table_of_values_has_no_columns_of_kinds(bundle):
    plain = read("variable,lat,lon,value\ntas,50,10,1\n", bundle, month=7).table
    said = read(f"{HEAD}tas,50,10,1,,value,\n", bundle, month=7).table
    assert tuple(said.columns) == COLUMNS
    assert said.equals(plain)


def test_a_table_of_kinds_is_read_again_as_it_is(bundle, tmp_path):
    text = (
        f"{HEAD}tas,50,10,much colder,,report,\npr,40,20,wet,,report,\npsl,,,3,1,mean,40 60 0 40\n"
        "psl,60,10,-4,2,difference,minus 40 10\ntas,30,30,1,,lower bound,\n"
        "tas,30,40,1,,student_t(8),\ntas,20,40,1,,,\n"
    )
    table = read(text, bundle, month=7).table
    assert len(table) == 7
    assert is_checked(table, bundle)
    assert table["lon"].iloc[2] == 20.0
    pd.testing.assert_frame_equal(read(to_csv(table), bundle, month=7).table, table)
    to_netcdf(table, tmp_path / "kinds.nc")
    again = read(tmp_path / "kinds.nc", bundle, month=7).table
    assert again.equals(table)


def test_months_with_and_without_kinds_are_read_together(bundle):
    text = (
        "time,variable,lat,lon,value,kind\n1982-06,tas,50,10,1,\n1982-07,tas,50,10,colder,report\n"
    )
    months = read_months(text, bundle)
    assert tuple(months["1982-06"].table.columns) == COLUMNS
    assert months["1982-07"].table["kind"].tolist() == ["report"]


def test_bounds_and_reports_beside_a_value_are_no_repetition(bundle):
    text = f"{HEAD}tas,50,10,1,,,\ntas,50,10,0,,lower_bound,\ntas,50,10,2,,upper_bound,\n"
    reading = read(text, bundle, month=7, options=TableOptions(merge_repeated=True))
    assert len(reading.table) == 3
    assert not reading.notes


def test_classes_of_a_report_have_their_climatological_share(bundle):
    """The thresholds divide past months at the place as their probabilities say."""
    statistics = bundle.statistics
    row = [v.name for v in bundle.variables].index("tas")
    places = bundle.operator.locate([row], [50.0], [10.0])
    apart = np.abs((statistics.calendar - 7 + 6) % 12 - 6) <= 1
    values = statistics.coefficients[apart] @ places.interpolate(statistics.patterns)[0]
    for classes in THRESHOLDS.values():
        for share in classes:
            found = climate_quantiles(bundle, places, np.array([share]), 7)[0]
            below = float((values < found).mean())
            assert below == pytest.approx(share, abs=0.12)
    lines = [f"tas,50,10,{i},,report," for i in range(-2, 3)]
    likelihoods = standardise(read(HEAD + "\n".join(lines), bundle, month=7).table, bundle, 7)
    ends = likelihoods.likelihoods.terms
    np.testing.assert_allclose(ends.high[:-1], ends.low[1:])
    assert ends.low[0] == -np.inf
    assert ends.high[-1] == np.inf


def test_a_mean_and_a_difference_are_those_of_fields(bundle):
    """Over a state in display units, the operators are what they say."""
    table = read(
        f"{HEAD}psl,,,3,1,mean,tropics\ntas,50,10,1,1,difference,minus 20 100\n"
        "psl,,,1,1,difference,north minus south\n",
        bundle,
        month=7,
    ).table
    observed = standardise(table, bundle, 7)
    field = np.nan_to_num(bundle.target("1982-07").astype(float))
    names = [v.name for v in bundle.variables]
    psl = field[names.index("psl")]
    at = bundle.operator.locate([names.index("tas")] * 2, [50, 20], [10, 100])
    tas = bundle.operator.apply(at, field)
    means = {k: regional_mean(psl, bundle.grid, REGIONS[k]) for k in ("tropics", "north", "south")}
    seen = bundle.operator.apply(observed.likelihoods.shown, field)
    expected = [means["tropics"], tas[0] - tas[1], means["north"] - means["south"]]
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    # And standardised, for variables whose transform is a line.
    x = bundle.normaliser.standardise((field + bundle.climatology(7))[None], np.array([7]))[0]
    there = bundle.operator.apply(observed.places, np.nan_to_num(x))
    departure = observed.likelihoods.terms.value - there
    shown = table["value"].to_numpy() - expected
    scale = table["error_sd"].to_numpy() / observed.likelihoods.terms.sd
    np.testing.assert_allclose(departure * scale, shown, atol=0.05)


def test_combined_places_keep_what_each_is_of(bundle):
    table = read(
        f"{HEAD}psl,,,3,1,mean,tropics\ntas,50,10,1,1,,\npsl,,,1,1,mean,north\n", bundle, month=7
    ).table
    places = standardise(table, bundle, 7).places
    assert isinstance(places, CombinedPlaces)
    back = places.where(np.array([2, 0, 1]))
    assert back.names == [places.names[i] for i in (2, 0, 1)]
    rows = np.random.default_rng(0).standard_normal((3, bundle.mask.size)).astype(np.float32)
    np.testing.assert_array_equal(back.interpolate(rows), places.interpolate(rows)[[2, 0, 1]])
    alone = bundle.operator.locate([places.variable[1]], [50.0], [10.0])
    assert alone.names[0] == places.names[1]
