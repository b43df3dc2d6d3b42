"""What the tool Cycle says."""

import pytest

from app.tools.cycle_text import begin_words, network_words, run_label, run_words
from mlda_core.page_state.cycle_runs import CycleRequest
from mlda_core.page_state.cycles import CycleSettings

LABELS = ("1997-01-01", "1997-01-02", "1997-01-03")


@pytest.mark.parametrize(
    ("done", "how", "said"),
    [
        (0, {"running": True}, "Preparing climatology and forecast, once for all visitors …"),
        (1, {"running": True}, "Cycling to 2 January 1997: 1 of 3 days …"),
        (1, {"running": True, "playing": True}, "Running: 1 of 3 days."),
        (2, {}, "2 of 3 days are cycled, to 2 January 1997."),
        (3, {}, "The run has ended: 3 of 3 days."),
        (3, {"failed": "No."}, "No."),
    ],
)
def test_where_a_run_is(done, how, said):
    how = {"running": False, "playing": False} | how
    assert run_words(LABELS, done, "1997-01-02", **how).startswith(said)


def test_a_day_that_is_not_of_the_run():
    said = run_words(LABELS, 3, "1996-01-02", running=False, playing=False)
    assert said.startswith("2 January 1996 is not of this run, which goes from 1 January 1997 to")
    assert "90" in begin_words()


def test_the_network_on_the_way():
    settings = CycleSettings(changes=(("1997-01-02", "europe"), ("1997-01-03", "")))
    assert network_words(settings, "1997-01-02") == (
        "Withheld on the day shown: Europe. The network: without Europe from 2 January 1997, all "
        "stations from 3 January 1997."
    )
    assert network_words(settings, "1997-01-01").startswith("The network")
    assert network_words(CycleSettings(), "1997-01-01") == ""


def test_what_tells_two_runs_apart():
    here = CycleRequest("3dvar", 100, "1997-01-01", (("1997-01-02", "europe"),))

    def label(**other):
        made = {**vars(here), **other}
        return run_label(CycleRequest(**made), "LETKF", here)

    assert label(method="letkf") == "earlier: LETKF"
    assert label(stations=30) == "earlier: 30 stations"
    assert label(changes=()) == "earlier: all stations"
    assert label(changes=(("1997-01-02", "asia"),)) == "earlier: without Northern Asia"
    assert label(first="1997-01-05") == "earlier: from 5 January 1997"
