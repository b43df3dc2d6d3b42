"""All kinds of observation: their likelihoods, and tables of them read and written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from kind_rows import HEAD, terms, why_refused

from mlda_core.observations.intake import is_checked
from mlda_core.observations.kind import KindError
from mlda_core.observations.kinds import KINDS, kind_of, spelled
from mlda_core.observations.options import TableOptions
from mlda_core.observations.table import COLUMNS, read, read_months, to_csv, to_netcdf


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


def test_kinds_are_read_as_they_are_written():
    for key, kind in KINDS.items():
        assert kind_of(key) == (kind, pytest.approx(kind.parameter, nan_ok=True))
        assert spelled(*kind_of(key)) == key
    assert spelled(*kind_of("Upper bound")) == "upper_bound"
    assert spelled(*kind_of("student_t(30)")) == "student_t(30)"
    assert spelled(*kind_of("student_t(4)")) == "student_t"
    assert spelled(*kind_of("Student t ( 2.5e-1 )")) == "student_t(0.25)"


@pytest.mark.parametrize("number", ["-4", "4 0", "four", ""])
def test_a_number_in_brackets_is_read_with_its_sign_or_not_at_all(number):
    with pytest.raises(KindError):
        kind_of(f"student_t({number})")


def test_a_kind_that_is_none_is_refused_with_those_that_are(linear):
    reason = why_refused(linear, "tas,50,10,1,,foo,")
    assert "is no kind of observation; use one of value" in reason


def test_a_table_of_kinds_is_read_again_as_it_is(linear, tmp_path):
    text = (
        f"{HEAD}tas,50,10,much colder,,report,\npr,40,20,wet,,report,\npsl,,,3,1,mean,40 60 0 40\n"
        "psl,60,10,-4,2,difference,minus 40 10\ntas,30,30,1,,lower bound,\n"
        "tas,30,40,1,,student_t(8),\ntas,20,40,1,,,\n"
    )
    table = read(text, linear, month=7).table
    assert len(table) == 7
    assert is_checked(table, linear)
    assert table["lon"].iloc[2] == 20.0
    pd.testing.assert_frame_equal(read(to_csv(table), linear, month=7).table, table)
    to_netcdf(table, tmp_path / "kinds.nc")
    again = read(tmp_path / "kinds.nc", linear, month=7).table
    assert again.equals(table)


def test_months_with_and_without_kinds_are_read_together(linear):
    text = (
        "time,variable,lat,lon,value,kind\n1982-06,tas,50,10,1,\n1982-07,tas,50,10,colder,report\n"
    )
    months = read_months(text, linear)
    assert tuple(months["1982-06"].table.columns) == COLUMNS
    assert months["1982-07"].table["kind"].tolist() == ["report"]


def test_bounds_and_reports_beside_a_value_are_no_repetition(linear):
    text = f"{HEAD}tas,50,10,1,,,\ntas,50,10,0,,lower_bound,\ntas,50,10,2,,upper_bound,\n"
    reading = read(text, linear, month=7, options=TableOptions(merge_repeated=True))
    assert len(reading.table) == 3
    assert not reading.notes


@pytest.mark.parametrize("key", KINDS)
def test_what_is_predicted_is_what_draws_of_the_state_and_its_error_say(key):
    """Rows are drawn from the kind's own model, and fall where they are predicted to."""
    kind, rng, n = KINDS[key], np.random.default_rng(1), 400_000
    said = terms(kind, [1.0] if not kind.classes else [-1.0])
    mean, variance = np.array([0.3]), np.array([0.5])
    below, upto = kind.predicted(mean, variance, said)
    f = mean + np.sqrt(variance) * rng.standard_normal(n)
    noise = rng.standard_t(said.parameter[0], n) if key == "student_t" else rng.standard_normal(n)
    seen = f + said.sd * noise
    ends = (said.value, said.value) if np.isnan(said.low[0]) else (said.low, said.high)
    for found, end in zip((below, upto), ends, strict=True):
        assert found[0] == pytest.approx((seen < end).mean(), abs=0.003)
    if not np.isnan(said.low[0]):
        # And so is its likelihood over f.
        likelihood = np.exp(-kind.cost(f[:, None], said)).mean()
        assert upto[0] - below[0] == pytest.approx(likelihood, abs=0.003)
    assert kind.ranked == (key not in ("lower_bound", "upper_bound"))
