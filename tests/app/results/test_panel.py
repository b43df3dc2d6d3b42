"""The foot without a browser: what it sends to the page is plain, complete and rounded."""

import json

import numpy as np
import pytest
from linear_responder import Linear

from app.results.panel import Foot, analysis_for, changed_for, drivers_for, scores_for
from app.text import number
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.regional_series import Means
from mlda_core.climate.regions import BASINS, REGIONS
from mlda_core.evaluation.verification import verify
from mlda_core.perturbation.attribution import drivers

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
    # Written with two digits it is what the scatter writes: .39496, and not .395, which is .40.
    near = verify({"vae": (1 - 0.60504**0.5) * target}, bundle, target=target)
    value = scores_for(near)["target"]["vae"]["psl"]["explained_variance"]
    assert value == pytest.approx(0.39496, abs=2e-6)
    assert number(value) == "0.39"
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
