"""The impact series of the foot: what it says of the state shown, and what links hold of it."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from small import make_bare

from app.context import SessionContext
from app.results.impact_view import ImpactView
from app.results.impacts import (
    ImpactPanel,
    figures,
    head_of,
    now_for,
    series_for,
    skill_words,
    units_words,
)
from app.results.panel import Foot
from app.state import State
from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.errors import UserError
from mlda_core.impact.files import load_impact, save_impact
from mlda_core.impact.fitting import Training
from mlda_core.impact.head import ImpactError
from mlda_core.impact.samples import codes_of
from mlda_core.impact.series import MonthlySeries
from mlda_core.impact.training import train_impact
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import InvalidObservationError
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query
from mlda_core.page_state.settings import InvalidStateError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A small bundle with two heads of the same series."""
    made = make_bare(tmp_path_factory.mktemp("impacts"))
    z = codes_of(made)[0]
    rest = np.random.default_rng(3).standard_normal(len(z))
    flow = np.exp(3 + 0.8 * z[:, 0] / z[:, 0].std() + 0.3 * rest)
    months = tuple(m for m in made.months if m != "1982-07")
    kept = flow[[m in months for m in made.months]]
    series = MonthlySeries("A river", "m3/s", months, kept)
    training = Training(n_latent=6, members=2, steps=60)
    for name in ("river", "elbe"):
        head = train_impact(made, series, name=name, training=training, score_test=True)
        save_impact(head, made, made.path / "impacts" / name)
    return load_bundle(made.path)


@pytest.fixture
def head(bundle):
    return load_impact("river", bundle)


@pytest.fixture
def shown(bundle):
    state = State(limits_of(bundle))
    state.param.update(month="1982-05", z=np.zeros(6, np.float32), model="own")
    said = []
    foot = Foot(variables=bundle.variables, month="1982-05")
    visit = SessionContext(
        bundle,
        state,
        schedule=lambda call: call(),
        on_messages=lambda _: None,
        redraw=lambda: None,
        say=lambda words, **_: said.append(words),
        done=said.append,
    )
    return ImpactPanel(visit, foot), state, foot, said


def test_the_number_follows_the_latent_vector(shown, head):
    impacts, state, foot, _ = shown
    assert foot.impacts == [["elbe", "A river"], ["river", "A river"]]
    impacts.show()
    assert foot.impact_now == {}
    state.impact = "river"
    impacts.show()
    assert foot.opened == ["impact"]
    before = dict(foot.impact_now)
    expected = head.predict(np.zeros(6), "1982-05").quantile(np.array([0.1, 0.5, 0.9]))[0]
    assert [before["low"], before["median"], before["high"]] == pytest.approx(expected.tolist())
    series = foot.impact
    state.z = np.array([2, 0, 0, 0, 0, 0], np.float32)
    impacts.show()
    assert foot.impact_now["median"] != before["median"]
    # The months' own stay: a slider sends a few numbers.
    assert foot.impact is series


def test_what_is_said_of_a_month(head, bundle):
    now = now_for(head, "1982-05", head.predict(bundle.code("1982-05"), "1982-05"))
    i = head.record.row["1982-05"]
    assert now["observed"] == head.record.observed[i]
    assert now["words"].startswith(f"A river, 1982-05: {figures(now['median'])} m³/s, 80 %: ")
    assert f"measured {figures(now['observed'])}" in now["words"]
    assert "usual for May" in now["words"]
    gap = now_for(head, "1982-07", head.predict(np.zeros(6), "1982-07"))
    assert gap["observed"] is None
    assert "measured nothing" in gap["words"]
    far = head.predict(20.0 * np.sign(head.weights.past[0, :6]), 5)
    far = now_for(head, "1982-05", far)
    assert "Beyond all training months" in far["note"]


def test_no_number_where_there_is_no_latent_vector(shown):
    impacts, state, foot, _ = shown
    state.param.update(
        impact="river", model="analysis", observations=ObservationSettings(method="enoi")
    )
    impacts.show()
    assert foot.impact_now["median"] is None
    assert "no latent vector" in foot.impact_now["note"]
    state.observations = ObservationSettings(method="vae")
    impacts.show()
    assert foot.impact_now["median"] is not None


def test_the_series_begins_and_ends_with_what_was_measured(head):
    made = series_for(head)
    assert made["months"][0] == "1979-01"
    assert len(made["months"]) == len(made["observed"]) == len(made["split"]) == 120
    assert made["observed"][made["months"].index("1982-07")] is None
    assert made["median"][made["months"].index("1982-07")] is not None
    assert made["split"][made["months"].index("1982-05")] == "T"
    low, high = made["extremes"][4]
    may = [v for m, v in zip(made["months"], made["observed"], strict=True) if m.endswith("-05")]
    assert (low, high) == pytest.approx((min(may), max(may)), rel=1e-3)


def test_skill_is_said_as_it_is(head):
    assert "11 test months: CRPS skill" in skill_words(head)
    head.scores["test"]["head"]["crps_skill_interval"] = [-0.1, 0.2]
    assert "(90 % interval −10 to 20 %)" in skill_words(head)
    head.scores.clear()
    assert skill_words(head) == ""


def test_opening_folding_and_choosing(shown):
    impacts, state, foot, _ = shown
    assert impacts.opened(["impact"])
    assert state.impact == "elbe"
    assert not impacts.opened(["impact"])
    impacts.choose({"value": "river"})
    impacts.show()
    assert foot.impact["name"] == "river"
    assert impacts.opened(["series"])
    foot.opened = ["series"]
    impacts.show()
    assert foot.opened == ["series"]
    assert state.impact == ""
    with pytest.raises(InvalidObservationError, match="no impact 'rhine'"):
        impacts.choose({"value": "rhine"})


def test_a_broken_head_is_told_once(shown, bundle):
    impacts, state, foot, said = shown
    file = bundle.path / "impacts" / "river" / "head.json"
    text = file.read_text()
    head_of.cache_clear()
    try:
        file.write_text("{")
        state.impact = "river"
        impacts.show()
        impacts.show()
    finally:
        file.write_text(text)
        head_of.cache_clear()
    assert len(said) == 1
    assert "does not describe an impact head" in said[0]
    assert foot.impact_now == {}


def test_a_broken_head_is_not_chosen(shown, bundle):
    impacts, state, foot, _ = shown
    foot.listen(lambda batch: act(impacts, batch))
    state.impact = "elbe"
    impacts.show()
    view = ImpactView(foot)
    file = bundle.path / "impacts" / "river" / "head.json"
    text = file.read_text()
    head_of.cache_clear()
    try:
        file.write_text("{")
        with pytest.raises(ImpactError, match="does not describe an impact head"):
            impacts.choose({"value": "river"})
        view.head.widget.value = "river"
    finally:
        file.write_text(text)
        head_of.cache_clear()
    assert state.impact == foot.impact["name"] == view.head.widget.value == "elbe"
    view.head.widget.value = "river"
    assert state.impact == foot.impact["name"] == view.head.widget.value == "river"


def act(impacts, batch):
    """Act on messages as a session does."""
    with contextlib.suppress(UserError):
        impacts.choose(batch[0])
    impacts.show()


def test_links_and_files_keep_the_impact(bundle):
    limits = limits_of(bundle)
    state = State(limits)
    assert "impact" not in to_query(state.snapshot())
    state.impact = "river"
    query = to_query(state.snapshot())
    assert "impact=river" in query
    assert from_query(query, limits).impact == "river"
    assert from_json(to_json(state.snapshot(), limits), limits).impact == "river"
    with pytest.raises(
        InvalidStateError, match="no impact 'rhine' in this bundle; it has elbe, river"
    ):
        from_query(query.replace("river", "rhine"), limits)


def test_looking_at_an_impact_is_no_step_of_the_history(bundle):
    state = State(limits_of(bundle))
    state.impact = "river"
    assert not state.commit()
    state.month = "1982-06"
    assert state.commit()
    assert state.undo()
    assert state.impact == "river"


def test_figures_and_units():
    assert [figures(v) for v in (0.0123, 4.26, 85.4, 163.2, 1234.0)] == [
        "0.012", "4.3", "85", "163", "1230",
    ]  # fmt: skip
    assert units_words("m3/s") == "m³/s"
    assert units_words("kg m-2 s-1") == "kg m⁻² s⁻¹"
