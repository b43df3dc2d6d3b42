"""The foot without a browser: what it sends to the page is plain, complete and rounded."""

import contextlib
import json
import queue
import time

import numpy as np
import pytest

from app.context import SessionContext
from app.results import attribution as foot_attribution
from app.results.attribution import AttributionPanel
from app.results.panel import Foot, analysis_for, changed_for, drivers_for, scores_for
from app.state.perturbations import PerturbationSettings
from app.state.rows import InvalidObservationError
from app.state.snapshot import Limits
from app.state.store import State
from mlda_core.assimilation.adjoint import Sensitivity
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.regional_series import Means
from mlda_core.climate.regions import BASINS, REGIONS
from mlda_core.evaluation.verification import verify
from mlda_core.perturbation.attribution import drivers
from mlda_core.perturbation.sst_patches import Patch

MONTHS = ("1989-01", "1989-02", "1989-03", "1995-01")
SPLIT = ("test", "test", "gap", "train")


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


def means(n_variables=2):
    target = np.arange(8.0).reshape(4, 2)[:, :n_variables] - 3.00004
    analysis = target + np.array([[0.5], [-0.5], [0.25], [np.nan]])
    return Means(MONTHS, SPLIT, target, analysis)


def strict(value):
    """Read as a browser would: NaN is no JSON."""
    return json.loads(json.dumps(value, allow_nan=False))


def test_scores_travel_as_plain_values(bundle):
    target = bundle.target("1997-12")
    made = verify({"vae": 0.5 * target}, bundle, target=target)
    values = strict(scores_for(made))
    assert values["region"] == "Globe"
    assert values["target"]["vae"]["psl"]["explained_variance"] == pytest.approx(0.75)
    assert values["target"]["vae"]["psl"]["n"] == 48 * 96
    # Climatology has no pattern: its correlation is nothing, not a number.
    assert values["target"]["climatology"]["psl"]["r"] is None
    assert values["withheld"] == {}
    assert values["best"]["target"] == dict.fromkeys(("psl", "tos", "tas", "pr"), "vae")
    assert values["best"]["withheld"] == dict.fromkeys(("psl", "tos", "tas", "pr"))


def test_a_variable_that_is_not_there_has_no_entry(bundle):
    target = bundle.target("1997-12")
    inland = scores_for(verify({"vae": target}, bundle, target=target, region=REGIONS["globe"]))[
        "target"
    ]["vae"]
    assert set(inland) == {"psl", "tos", "tas", "pr"}
    box = type(REGIONS["globe"])("Asia", 45, 55, 80, 100)
    assert (
        "tos"
        not in scores_for(verify({"vae": target}, bundle, target=target, region=box))["target"][
            "vae"
        ]
    )


def test_a_series_travels_with_gaps_where_nothing_is_done():
    values = strict(analysis_for(["psl", "tos"], means()))
    assert values["values"]["psl"] == [-2.5, -1.5, 1.25, None]
    # Only test months count in its scores.
    assert values["scores"]["psl"]["n"] == 2
    assert values["scores"]["psl"]["rmse"] == 0.5


def test_the_parameters_hold_what_was_shown(bundle):
    foot = Foot(variables=bundle.variables, month="1997-12")
    assert [v["name"] for v in foot.variables] == ["psl", "tos", "tas", "pr"]
    assert foot.variables[3]["units"] == "mm/day"
    assert [m[0] for m in foot.methods] == list(METHODS)
    assert ["nino34", REGIONS["nino34"].label] in foot.regions
    four = means()
    wide = Means(MONTHS, SPLIT, np.tile(four.target, 2), np.tile(four.analysis, 2))
    foot.show_series(wide, "SST only")
    assert foot.series["split"] == "TTgt"
    assert foot.series["months"] == list(MONTHS)
    assert foot.series["target"]["pr"] == [-2.0, 0.0, 2.0, 4.0]
    assert foot.scenario == "SST only"
    before = foot.series
    foot.show_analysis(Means(MONTHS, SPLIT, wide.target, wide.target))
    assert foot.series is before
    assert foot.analysis["values"]["pr"] == [-2.0, 0.0, 2.0, 4.0]
    foot.show_progress(3, 60)
    assert foot.progress["running"]
    foot.show_progress(running=False, words="Cancelled.", failed=True)
    assert foot.progress == {
        "done": 0,
        "total": 0,
        "running": False,
        "words": "Cancelled.",
        "failed": True,
    }
    foot.show_scores(None)
    assert foot.scores == {}


def test_a_drawn_box_can_be_offered_and_taken_away(bundle):
    foot = Foot(variables=bundle.variables, month="1997-12")
    named = list(foot.regions)
    foot.set_box("Box 10S to 10N, 0 to 20E")
    foot.region = "box"
    foot.set_box("Box 0 to 20N, 0 to 20E")
    assert foot.regions == [*named, ["box", "Box 0 to 20N, 0 to 20E"]]
    foot.set_box(None)
    assert foot.regions == named
    assert foot.region == "globe"


def test_every_method_of_a_table_has_a_label_in_words():
    foot = Foot(methods=["vae", "enoi"])
    assert foot.methods[0][:2] == ["vae", "VAE"]
    assert foot.methods[1] == ["enoi", "Ensemble OI", METHODS["enoi"].sentence]


def test_what_the_visitor_does_reaches_the_handler_until_the_visit_ends(bundle):
    heard = []
    foot = Foot(heard.extend, variables=bundle.variables)
    foot.send(type="series-start", value="test")
    assert heard == [{"type": "series-start", "value": "test"}]
    foot.listen(None)
    foot.send(type="compare")
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("before", "part", "after"),
    [
        ([], "scores", ["scores"]),
        (["scores"], "series", ["scores", "series"]),
        (["scores", "series"], "scores", ["series"]),
        # Table and drivers take the same room, an impact all of it.
        (["scores", "series"], "drivers", ["series", "drivers"]),
        (["series", "drivers"], "scores", ["series", "scores"]),
        (["scores", "series"], "impact", ["impact"]),
        (["impact"], "series", ["series"]),
        (["impact"], "impact", []),
    ],
)
def test_parts_make_room_for_each_other(before, part, after):
    heard = []
    foot = Foot(heard.extend, opened=before)
    foot.unfold(part)
    assert heard == [{"type": "foot", "value": after}]


# -- the series under perturbed SST, and the drivers


class Linear:
    """A responder of its own: every variable follows the sea of its own cell, one to one."""

    def __init__(self, bundle):
        self.bundle, self.made, self.wait = bundle, [], 0.0

    def inside(self, *_):
        return None

    def analysis(self, month, held, *, change=None, **_):
        time.sleep(self.wait)
        self.made.append((month, held, change is not None))
        sea = np.nan_to_num(self.bundle.target(month)[self.bundle.sea_row])
        fields = np.tile(sea if change is None else sea + change, (4, 1, 1))
        return np.where(self.bundle.mask, fields, np.nan).astype(np.float32)

    def sensitivity(self, *given, **_):
        row = [v.name for v in self.bundle.variables].index(given[1])
        weights = self.bundle.grid.weights * self.bundle.mask[row]
        at_sea = np.where(self.bundle.mask[self.bundle.sea_row], weights / weights.sum(), 0.0)
        return Sensitivity(0.0, "K", at_sea, at_sea)


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


def test_both_lines_travel_with_what_the_change_does():
    control = means()
    changed = Means(MONTHS, SPLIT, control.target, control.analysis + 0.25)
    values = strict(changed_for(["psl", "tos"], control, changed))
    assert values["values"]["psl"] == [-2.25, -1.25, 1.5, None]
    assert values["difference"]["psl"] == {"mean": 0.25, "n": 3}
    none = Means(MONTHS, SPLIT, control.target, np.full_like(control.target, np.nan))
    assert strict(changed_for(["psl"], none, none))["difference"]["psl"]["mean"] is None


def test_drivers_travel_as_plain_values(bundle):
    found = drivers(Linear(bundle), "1997-12", "tas", REGIONS["globe"])
    values = strict(drivers_for(found))
    assert values["held"] == "SST only"
    assert len(values["parts"]) == len(BASINS)
    assert values["parts"][0]["label"] == "Tropical Pacific, east"
    assert values["linear"] + values["normal"] + values["remainder"] == pytest.approx(
        values["value"], abs=2e-4
    )


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
