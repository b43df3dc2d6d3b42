"""The bar of months."""

import pytest

from mlda_core.cli import console
from mlda_core.cli.speed_bar import speed_bar, ticker


def test_the_bar_says_months_a_second_once_it_knows(monkeypatch):
    now = [0.0]
    bar = speed_bar()
    monkeypatch.setattr(bar, "get_time", lambda: now[0])
    tick = ticker(bar, "assimilating")
    (task,) = bar.tasks
    column = next(c for c in bar.columns if type(c).__name__ == "_SpeedColumn")
    assert task.description == "assimilating"
    assert task.total is None
    assert column.render(task).plain == "- months/s"
    for done in range(5):
        now[0] += 2.0
        tick(done, 12)
    assert (task.completed, task.total) == (4, 12)
    assert column.render(task).plain == "0.5 months/s"
    # Ten minutes count: one task may take a minute.
    now[0] += 300.0
    tick(10, 12)
    assert task.speed == pytest.approx(10 / 308, rel=0.1)
    assert bar.console is console.errors
