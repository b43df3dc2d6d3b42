"""From the settings of Observe to the observations of a month."""

import numpy as np

from mlda_core.page_state.observations import ObservationSettings, place
from mlda_core.page_state.rows import Row
from mlda_core.page_state.tables import freeze, resolve

EARLY, LATE = "1947-02", "1963-02"


STATIONS = ObservationSettings(kind="stations", count=40)


def test_what_a_month_has_no_target_for_is_left_out_and_counted(world):
    early, late = (resolve(STATIONS, world, month) for month in (EARLY, LATE))
    assert set(early.rows["variable"]) == {"tasa"}
    assert set(late.rows["variable"]) == {"tasa", "psl"}
    assert np.isfinite(early.rows["value"]).all()
    assert len(early.rows) + early.absent == len(late.rows) == 80
    assert late.absent == 0
    assert early.absent > 40, "all pressures, and temperatures in the south"
    assert list(early.everywhere["variable"]) == list(late.everywhere["variable"])
    # Rows keep the numbers of their stations.
    names = late.rows["variable"].to_numpy()[early.sources]
    assert (names == "tasa").all()


def test_what_is_typed_needs_no_target(world):
    observed = place(STATIONS, Row("psl", 40.0, 10.0, 3.5))
    table = resolve(observed, world, EARLY)
    last = table.rows.iloc[-1]
    assert (last["variable"], last["value"], table.sources[-1]) == ("psl", 3.5, -1)
    own = freeze(observed, world)
    assert len(own.own) == 81, "the months to come may have what this one lacks"
