"""How a reanalysis is divided into tasks."""

from __future__ import annotations

import numpy as np

from mlda_core.reanalysis.run import make_tasks
from mlda_core.reanalysis.store import months_between


# Going on
def test_tasks_hold_years_of_one_calendar_month_that_are_not_done():
    months = months_between("1900-01", "1904-12")
    done = np.zeros(60, bool)
    done[[0, 13]] = True
    tasks = make_tasks(months, done, years=3)
    rows = [i for task in tasks for i in task]
    assert sorted(rows) == [i for i in range(60) if i not in {0, 13}]
    assert all(len({months[i][5:7] for i in task}) == 1 and len(task) <= 3 for task in tasks)
    assert tasks[0] == [12, 24, 36]
