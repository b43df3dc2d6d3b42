"""The series under a changed sea, and the drivers of a month."""

import contextlib
import queue
import time

import pytest
from linear_responder import Linear

from app.context import SessionContext
from app.results import attribution as foot_attribution
from app.results.attribution import AttributionPanel
from app.results.panel import Foot
from app.state import State
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.perturbations import PerturbationSettings
from mlda_core.page_state.rows import InvalidObservationError
from mlda_core.page_state.snapshot import Limits
from mlda_core.perturbation.sst_patches import Patch


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture
def beside(bundle, monkeypatch):
    """The foot beside the tool that changes the sea, with a responder that takes no time."""
    linear = Linear(bundle)
    monkeypatch.setattr(foot_attribution, "_background", lambda _: linear)
    monkeypatch.setattr(foot_attribution, "responder_of", lambda _: linear)
    loop = queue.Queue()
    state = State(Limits(bundle.name, bundle.months, bundle.n_latent))
    state.perturbations = PerturbationSettings(patches=(Patch(kelvin=2.0, region="nino34"),))
    foot = Foot(variables=bundle.variables, month="1997-12")
    foot.mode, foot.opened = "perturb", ["series", "drivers"]
    said = []
    visit = SessionContext(
        bundle,
        state,
        schedule=loop.put,
        on_messages=lambda _: None,
        redraw=lambda: None,
        say=lambda words, **_: said.append(words),
        done=said.append,
    )
    made = AttributionPanel(visit, foot, lambda: REGIONS["globe"])

    def settle(until, limit=60):
        end = time.monotonic() + limit
        while not until():
            assert time.monotonic() < end, "it did not come"
            with contextlib.suppress(queue.Empty):
                loop.get(timeout=0.05)()

    made.settle, made.linear, made.said, made.foot, made.state = settle, linear, said, foot, state
    made.show()
    yield made
    made.close()


def perturb(beside, **values):
    """Change the sea as the tool does, and redraw."""
    beside.state.perturbations = PerturbationSettings(**values)
    beside.show()


def test_the_target_stands_there_before_anything_is_made(beside):
    foot = beside.foot
    assert len(foot.series["months"]) == 420
    assert foot.scenario == "SST only: Niño 3.4 +2.0 K"
    assert foot.changed == {}
    assert foot.stale == ""


def test_both_series_are_made_cancelled_and_go_on(beside):
    foot = beside.foot
    beside.linear.wait = 0.01
    beside.start("test")
    beside.settle(lambda: foot.progress.get("done", 0) >= 4)
    beside.cancel()
    assert not foot.progress["running"]
    assert "stays" in foot.progress["words"]
    done = len(beside.linear.made)
    assert 8 <= done < 120
    # By season, from that of the month shown: December.
    assert [m for m, _, changed in beside.linear.made if changed][:2] == ["1989-12", "1997-12"]
    beside.linear.wait = 0.0
    beside.start("test")
    beside.settle(lambda: not foot.progress["running"])
    # Sixty months under two seas: what was under way at the cancel is waited for, not made again.
    assert len(beside.linear.made) == 120
    assert foot.changed["difference"]["tas"]["n"] == 60
    assert foot.changed["difference"]["tas"]["mean"] > 0.005
    assert foot.changed["name"] == "perturbed SST"
    beside.start("test")
    assert foot.progress["words"] == "These months are all done."


def test_a_second_start_changes_nothing_and_a_late_cancel_neither(beside):
    foot = beside.foot
    beside.linear.wait = 0.01
    beside.start("test")
    beside.settle(lambda: foot.progress.get("done", 0) >= 4)
    before = foot.progress
    beside.start("test")
    beside.start("all")
    assert foot.progress is before
    beside.linear.wait = 0.0
    beside.settle(lambda: not foot.progress["running"])
    assert len(beside.linear.made) == 120
    words = foot.progress["words"]
    assert words.startswith("60")
    beside.cancel()
    assert foot.progress["words"] == words


def test_another_change_says_so_and_reuses_the_control(beside):
    foot = beside.foot
    beside.start("test")
    beside.settle(lambda: foot.progress.get("words", "").startswith("60"))
    warm = foot.changed["difference"]["tas"]["mean"]
    perturb(beside, patches=(Patch(kelvin=4.0, region="nino34"),))
    assert foot.stale == "Made for other settings; run again for SST only: Niño 3.4 +4.0 K."
    # What is drawn is still told as what it is.
    assert foot.scenario == "SST only: Niño 3.4 +2.0 K"
    assert foot.changed["difference"]["tas"]["mean"] == warm
    beside.linear.made.clear()
    beside.start("test")
    beside.settle(lambda: foot.progress.get("words", "").startswith("60") and not foot.stale)
    assert foot.stale == ""
    assert foot.changed["difference"]["tas"]["mean"] == pytest.approx(2 * warm, rel=0.01)
    assert [changed for *_, changed in beside.linear.made] == [True] * 60
    # Undo: the first is there at once.
    perturb(beside, patches=(Patch(kelvin=2.0, region="nino34"),))
    assert foot.stale == ""
    assert foot.changed["difference"]["tas"]["mean"] == warm


def test_a_change_while_it_runs_stops_it_in_words(beside):
    beside.linear.wait = 0.05
    beside.start("all")
    beside.settle(lambda: beside.foot.progress.get("done", 0) >= 1)
    beside.state.perturbations = beside.state.perturbations.replace(held="sst_and_pressure")
    beside.show()
    assert not beside.foot.progress["running"]
    assert "Stopped" in beside.foot.progress["words"]
    assert beside.foot.stale.endswith("run again for SST and pressure: Niño 3.4 +2.0 K.")


def test_the_trend_is_a_change_without_patches(beside):
    foot = beside.foot
    beside.choose_change({"value": "trend"})
    perturb(beside, patches=())
    beside.start("test")
    beside.settle(lambda: foot.progress.get("words", "").startswith("60"))
    assert foot.scenario == "SST only: the sea without its trend"
    assert foot.changed["name"] == "without trend"
    first, last = (foot.series["months"].index(m) for m in ("1989-01", "2011-12"))
    for at, sign in ((first, 1), (last, -1)):
        difference = foot.changed["values"]["tas"][at] - foot.analysis["values"]["tas"][at]
        assert sign * difference > 0.02
    with pytest.raises(InvalidObservationError, match="no such change"):
        beside.choose_change({"value": "moon"})
    beside.choose_change({"value": "patches"})
    with pytest.raises(InvalidObservationError, match="switched on"):
        beside.start("test")


def test_to_hold_everything_is_refused(beside):
    beside.choose_change({"value": "trend"})
    perturb(beside, patches=(), held="outside")
    with pytest.raises(InvalidObservationError, match="none is chosen"):
        beside.start("test")
    with pytest.raises(InvalidObservationError, match="none is chosen"):
        beside.find({"value": "tas"})
    perturb(beside, patches=(), held="outside", within="nino34")
    beside.start("test")
    beside.settle(lambda: beside.foot.progress.get("words", "").startswith("60"))
    assert beside.foot.scenario.startswith("SST and all outside the region")


def test_a_patch_on_land_is_told_and_nothing_is_made(beside):
    perturb(beside, patches=(Patch(kelvin=1.0, box=(45.0, 55.0, 80.0, 110.0), taper=0.0),))
    beside.start("test")
    beside.settle(lambda: beside.foot.progress.get("failed"))
    assert "on land" in beside.foot.progress["words"]
    assert beside.linear.made == []


def test_drivers_are_found_on_demand_and_say_when_they_are_of_another_month(beside):
    foot = beside.foot
    assert "parts" not in foot.drivers
    beside.find({"value": "tas"})
    beside.show()
    assert foot.drivers["busy"] == "Finding the drivers of 1997-12"
    beside.settle(lambda: "parts" in foot.drivers)
    assert foot.drivers["month"] == "1997-12"
    assert not foot.drivers["busy"]
    assert not foot.drivers["stale"]
    beside.state.month = "1998-01"
    beside.show()
    assert foot.drivers["stale"]
    with pytest.raises(InvalidObservationError, match="no variable"):
        beside.find({"value": "zg"})


def test_drivers_are_not_sought_twice_for_two_presses(beside, monkeypatch):
    sought = []
    sensitivity = beside.linear.sensitivity

    def counted(*given, **settings):
        sought.append(given[1])
        return sensitivity(*given, **settings)

    monkeypatch.setattr(beside.linear, "sensitivity", counted)
    beside.find({"value": "tas"})
    beside.find({"value": "tas"})
    beside.settle(lambda: "parts" in beside.foot.drivers)
    once = sought.count("tas")
    # Another variable is another question, and the newest counts.
    beside.find({"value": "psl"})
    beside.settle(lambda: beside.foot.drivers.get("variable") == "psl")
    assert sought.count("psl") == once
    assert not beside.foot.drivers["busy"]


def test_a_failure_of_the_drivers_is_told(beside, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(beside.linear, "sensitivity", broken)
    beside.find({"value": "tas"})
    beside.settle(lambda: beside.said)
    assert "drivers" in beside.said[0]
    assert not beside.foot.drivers["busy"]
