"""One state of a session, and what its bundle allows."""

import numpy as np
import pytest

from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import (
    FIRST_MONTH,
    Z_LIMIT,
    Z_STEP,
    Limits,
    Snapshot,
    check_z,
    snap,
)

MONTHS = ("1990-01", "1995-06", FIRST_MONTH, "2000-01")


def test_a_snapped_vector_stays_as_it_is_and_within_the_limit():
    z = np.random.default_rng(0).normal(0, 3, 500)
    once = snap(z)
    np.testing.assert_array_equal(snap(once), once)
    np.testing.assert_allclose(once, np.clip(z, -Z_LIMIT, Z_LIMIT), atol=Z_STEP)
    # A link has 16 bits for each.
    steps = snap(np.array([-99.0, 99.0])) / Z_STEP
    assert steps.tolist() == [-32767, 32767]
    assert once.dtype == np.float32


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([0.0, 1.0], r"shape \(2,\), but this bundle needs 3"),
        ([[0.0, 1.0, 2.0]], "needs 3 numbers"),
        ([0.0, 1.0, "much"], "not a number"),
        ([0.0, 1.0, float("nan")], "leaves -8 to 8; correct it"),
        ([0.0, 1.0, 8.001], "leaves -8 to 8"),
        ([0.0, 1.0, 10**400], "not a number|leaves -8 to 8"),
    ],
)
def test_a_vector_from_outside_is_checked(given, words):
    with pytest.raises(InvalidStateError, match=words):
        check_z(given, 3)


def test_a_good_vector_is_taken():
    np.testing.assert_array_equal(check_z([0, -8, 1.5], 3), np.float32([0, -8, 1.5]))
    assert check_z([], 0).size == 0


@pytest.mark.parametrize(
    ("first", "months", "shown"),
    [
        ("1990-01", MONTHS, "1990-01"),
        ("1800-01", MONTHS, FIRST_MONTH),
        ("", MONTHS[:2], "1995-06"),
    ],
)
def test_the_first_month_is_one_that_there_is(first, months, shown):
    limits = Limits("b", months, 3, first=first, projections=("region",), tools=("explore",))
    assert limits.first_month() == shown
    view = limits.first_view()
    assert (view.month, view.projection, view.tool) == (shown, "region", "explore")
    assert view.z is None


def test_options_are_what_the_bundle_leaves_of_them():
    limits = Limits("b", MONTHS, 3, impacts=("thames",))
    assert limits.options["impact"] == ("", "thames")
    assert limits.options["month"] is MONTHS


def test_states_are_equal_by_what_they_say():
    assert Snapshot(month="1990-01") == Snapshot(month="1990-01")
    assert Snapshot(month="1990-01") != Snapshot(month="1990-01", theme="dark")
