"""The table of scores."""

import pytest
from unfolding import unfold

from mlda_core.evaluation.verification import verify


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture
def table(shown, bundle):
    unfold(shown, "scores")
    target = bundle.target("1997-12")
    made = {"vae": 0.5 * target, "enoi": 0.5 * target, "eof": 0.1 * target}
    shown.foot.show_scores(verify(made, bundle, target=target))
    shown.heard.clear()
    return shown


def rows(view):
    frame = view.views["scores"].table.value
    keys = [key for key, *_ in view.foot.methods]
    return {key: frame.iloc[i] for i, key in enumerate(keys)}


def test_the_table_writes_scores_and_marks_the_best(table):
    found = rows(table)
    assert ">0.75<" in found["vae"]["psl"]
    assert found["vae"]["psl"].startswith("<b")
    assert "least RMSE" in found["vae"]["psl"] + found["enoi"]["psl"]
    assert "as good as the best" in found["vae"]["psl"] + found["enoi"]["psl"]
    assert found["eof"]["psl"].startswith("<span")
    assert "no score" in found["adam"]["psl"]
    assert "4608 cells" in found["vae"]["psl"]


def test_another_measure_is_written_with_its_digits_and_units(table):
    view = table.views["scores"]
    before = rows(table)["vae"]["pr"]
    view.measure.widget.value = "rmse"
    assert rows(table)["vae"]["pr"] != before
    assert view.table.titles["pr"].endswith("(mm/day)")
    view.measure.widget.value = "r"
    # A correlation says nothing of amplitudes: none is the best.
    assert "<b " not in "".join(rows(table)["vae"])


def test_a_click_chooses_a_method_and_a_second_one_leaves_it(table):
    view = table.views["scores"]
    keys = [key for key, *_ in table.foot.methods]
    assert view.table.selection == [keys.index("vae")]
    view.table.selection = [keys.index("enoi")]
    assert table.heard == [{"type": "method", "value": "enoi"}]
    assert view.table.selection == [keys.index("vae")], "until it is shown"
    table.foot.method = "enoi"
    assert view.table.selection == [keys.index("enoi")]
    view.table.selection = []
    assert view.table.selection == [keys.index("enoi")]
    assert len(table.heard) == 1


def test_states_that_are_no_methods_have_rows_and_cannot_be_chosen(table):
    view, foot = table.views["scores"], table.foot
    count, score = len(foot.methods), {"explained_variance": 0.31, "rmse": 2.0, "r": 0.6, "n": 40}
    foot.extra = [["pinned", "Pinned state", "What stays"]]
    foot.scores = {**foot.scores, "target": {**foot.scores["target"], "pinned": {"psl": score}}}
    assert "Pinned state" in view.table.value["method"].iloc[0]
    assert ">0.31<" in view.table.value["psl"].iloc[0]
    keys = [key for key, *_ in foot.methods]
    assert view.table.selection == [1 + keys.index("vae")]
    view.table.selection = [0]
    assert table.heard == []
    view.table.selection = [1 + keys.index("enoi")]
    assert table.heard == [{"type": "method", "value": "enoi"}]
    foot.extra = []
    assert len(view.table.value) == count
    assert view.table.selection == [keys.index("vae")]


def test_withheld_observations_can_be_chosen_where_there_are_any(table):
    view = table.views["scores"]
    assert "withheld" not in view.place.widget.options.values()
    scores = dict(table.foot.scores)
    scores["withheld"] = {"vae": {"tas": {"explained_variance": 0.4, "rmse": 1, "r": 1, "n": 7}}}
    table.foot.scores = scores
    view.place.widget.value = "withheld"
    assert "7 withheld observations" in rows(table)["vae"]["tas"]
    table.foot.scores = {**scores, "withheld": {}}
    assert table.foot.place == "target"
