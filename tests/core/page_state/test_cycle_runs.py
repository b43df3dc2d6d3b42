"""What all cycles of a bundle share."""

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling.methods import CYCLED
from mlda_core.page_state import cycle_runs
from mlda_core.page_state.cycle_runs import (
    CycleRequest,
    case_for,
    days_from,
    material_of,
    offered_methods,
    run_of,
)
from mlda_core.page_state.cycles import MOST_DAYS


def test_the_registry_says_what_is_offered():
    found = offered_methods()
    assert list(found)[:2] == ["static", "3dvar"]
    assert all(CYCLED[key].offered is not None for key in found)
    assert "4dvar_weak" in found
    assert "4dvar" not in found
    for key in found:
        CYCLED[key].configured(**CYCLED[key].offered)


def test_a_run_is_of_test_days_in_a_row(cycled):
    found = days_from(cycled, "1984-03-01")
    assert found[:2] == ("1984-03-01", "1984-03-02")
    assert len(found) == MOST_DAYS
    assert days_from(cycled, "1984-12-30") == ("1984-12-30", "1984-12-31")
    with pytest.raises(UserError, match="1983-05-01 is no TEST day"):
        days_from(cycled, "1983-05-01")
    with pytest.raises(UserError, match="No TEST day follows 1984-12-31"):
        days_from(cycled, "1984-12-31")


def test_it_is_made_once_for_all(cycled):
    assert material_of(cycled) is material_of(cycled)
    one, other = (case_for(cycled, CycleRequest(m, 30, "1984-12-01")) for m in ("static", "3dvar"))
    assert one.problem.background is not None
    assert cycle_runs._background.cache_info().hits > 0
    assert set(other.days.split) == {"test"}


def test_what_is_withheld_is_withheld(cycled):
    request = CycleRequest("3dvar", 30, "1984-12-01", (("1984-12-02", "globe"),))
    run = run_of(cycled, request)
    first, second = run.day(0), run.day(1)
    assert not np.array_equal(first.analysis, first.background)
    np.testing.assert_array_equal(second.analysis, second.background)
