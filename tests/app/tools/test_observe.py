"""The tool Observe without a browser: gestures in, observations and analyses out.

With the bundled model and the engine itself: messages go to the controls as a browser sends them.
"""

import numpy as np
import pytest
from visiting import CSV, SOME, Visit

from mlda_core.page_state.serialize import to_query


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.mark.slow
def test_the_first_view_is_an_analysis_from_a_hundred_stations(visit, bundle):
    v = visit("")
    assert v.session.state.month == "1997-12"
    assert len({(r.lat, r.lon) for r in v.rows.itertuples()}) == 100
    scores = v.session._frame.panes
    assert v.work.analysis.converged
    assert "Converged" in v.panel.outcome
    assert f"of {v.work.analysis.statistics.n_used}" in v.panel.outcome
    target = bundle.target("1997-12")
    shown = v.session._frame.model
    assert np.nanmean((shown[0] - target[0]) ** 2) < 0.3 * np.nanmean(target[0] ** 2)
    assert np.allclose(v.session.state.z, v.work.analysis.z, atol=1e-5)
    assert scores is not None


@pytest.mark.slow
def test_a_visitor_sees_the_first_analysis_form(bundle):
    v = Visit(bundle, "", greet=True)
    try:
        v.turn(0.3)
        assert v.work.task is None
        drawn = []
        write = v.observer.markers.write
        v.observer.markers.write = lambda rows, *rest: (drawn.append(len(rows)), write(rows, *rest))
        v.session.begin()
        assert "the first analysis" in v.panel.outcome
        v.settle()
        assert len(drawn) >= 4
        assert drawn[1:] == sorted(drawn[1:])
        assert drawn[-1] == 200
        assert v.work.analysis.statistics.n_used == 200
    finally:
        v.session.close()


@pytest.mark.slow
def test_a_new_observation_is_analysed_and_a_sampled_value_follows_the_month(visit):
    v = visit()
    before = v.work.analysis
    v.send(type="obs-put", variable="tas", lat="0", lon="230")
    v.settle()
    assert v.work.analysis is not before
    assert v.work.analysis.statistics.n_used == before.statistics.n_used + 1
    value = v.rows["value"].iloc[-1]
    v.send(type="month", value="1998-12")
    v.settle()
    assert v.rows["value"].iloc[-1] != value
    assert v.rows["lat"].iloc[-1] == 0


@pytest.mark.slow
def test_withheld_observations_change_nothing_and_are_scored_and_marked(visit):
    v = visit()
    v.send(type="obs-put", variable="psl", lat="40", lon="180")
    v.settle()
    at = len(v.rows) - 1
    v.send(type="obs-toggle", variable="psl", row=at)
    v.settle()
    held = v.work.analysis
    assert held.statistics.n_used == len(v.rows) - 1
    assert np.isfinite(v.observer.misfit()[at])
    observed, analysed = v.view.withheld_points()["psl"]
    assert observed.tolist() == [pytest.approx(v.rows["value"].iloc[at])]
    assert np.isfinite(analysed).all()
    v.send(type="undo")
    v.settle()
    v.send(type="undo")
    v.settle()
    assert len(v.rows) == at
    assert np.array_equal(v.work.analysis.anomalies, held.anomalies, equal_nan=True)


@pytest.mark.slow
def test_not_live_waits_to_be_told(visit):
    v = visit(f"{SOME}&live=0")
    first = v.work.analysis
    v.send(type="obs-put", variable="tas", lat="0", lon="230")
    v.turn(0.3)
    assert v.work.analysis is first
    assert "changed since" in v.panel.outcome
    v.send(type="run", action="now")
    v.settle()
    assert v.work.analysis.statistics.n_used == first.statistics.n_used + 1


@pytest.mark.slow
def test_a_slider_moves_the_analysis_and_not_what_is_left_of_it(visit, bundle):
    v = visit()
    before = v.session._frame.model
    z = v.session.state.z
    decoded = bundle.decode_anomalies(z, 12)
    # What twenty stations say beyond the hundred numbers.
    assert np.nanmax(np.abs(before - decoded)) > 1
    v.send(type="z", k=0, value=float(z[0]) + 0.01, done=True)
    after = v.session._frame.model
    assert np.nanmax(np.abs(after[:3] - before[:3])) < 0.2
    assert "residual as it was" in v.session.tools.paused
    link = "?" + to_query(v.session.state.snapshot(), v.session.limits)
    reopened = visit(link)
    reopened.settle(lambda visit: visit.view.residual is not None)
    np.testing.assert_allclose(reopened.session._frame.model, after, atol=0.05)
    # A draw has nothing to do with these observations.
    v.send(type="prior")
    np.testing.assert_allclose(
        v.session._frame.model, bundle.decode_anomalies(np.zeros(100), 12), atol=1e-4
    )
    assert "the model shows the prior mean" in v.session.tools.paused


def test_moving_a_slider_pauses_and_tells_what_it_costs_and_resume_returns(visit):
    v = visit()
    z, table = v.session.state.z.copy(), v.observer.table
    analysed = v.session._frame.model
    v.send(type="z", k=0, value=float(z[0]) + 2, done=True)
    assert v.session.state.model == "own"
    v.settle(lambda visit: "Cost" in visit.session.tools.paused)
    least, now = v.work.costs[-1][2], v.work.manual_cost.total
    assert now > least
    assert f"{now:.1f}" in v.session.tools.paused
    v.send(type="obs-put", variable="tas", lat="0", lon="230")
    assert v.work.task.observations is not v.observer.table.plain
    v.send(type="undo")
    v.send(type="resume")
    v.settle()
    assert v.session.tools.paused == ""
    assert np.allclose(v.session.state.z, z, atol=1e-5)
    assert np.allclose(v.session._frame.model, analysed, equal_nan=True, atol=1e-4)
    assert len(v.observer.table) == len(table)


def test_the_columns_show_increment_influence_and_spread(visit):
    v = visit()
    v.send(type="column", value="increment")
    assert np.array_equal(v.view.column().fields, v.work.analysis.increment, equal_nan=True)
    v.send(type="column", value="influence")
    assert v.view.column().fields is None
    assert "Point at an observation" in v.observer.heading.hint
    v.send(type="obs-hover", row=4)
    v.settle(lambda visit: visit.view.column().fields is not None)
    assert v.observer.heading.hint == ""
    assert v.observer.heading.note.startswith("5: ")
    fields = v.view.column().fields
    row = v.rows.iloc[4]
    which = [x.name for x in v.session.bundle.variables].index(row.variable)
    i = np.abs(v.session.bundle.grid.lat - row.lat).argmin()
    j = np.abs(v.session.bundle.grid.lon - row.lon).argmin()
    assert abs(fields[which, i, j]) > 0.5 * np.nanmax(np.abs(fields[which]))
    v.send(type="column", value="spread")
    v.settle(lambda visit: visit.view.column().fields is not None)
    shown = v.view.column()
    assert (shown.fields[0] <= shown.reference[0] * 1.2).all()
    assert (shown.fields[0] > 0).all()


@pytest.mark.slow
def test_the_column_flips_through_members_of_the_posterior(visit):
    v = visit()
    analysed = v.session._frame.model
    v.send(type="column", value="member")
    assert "Drawing members" in v.observer.heading.hint
    v.settle(lambda visit: visit.view.member == 1)
    assert v.observer.heading.hint == ""
    assert v.observer.heading.shows_member
    first = v.session._frame.model
    v.send(type="member", value=7)
    seventh = v.session._frame.model
    ensemble = v.view.ensemble()
    np.testing.assert_array_equal(first, ensemble.anomalies[0])
    np.testing.assert_array_equal(seventh, ensemble.anomalies[6])
    assert np.nanmax(np.abs(first - seventh)) > 1
    assert "member 7" in v.session.bar.nino
    assert "member=7" in v.session.bar.query
    # Looking is no step of the history, and what is refused changes nothing.
    v.send(type="member", value=51)
    assert v.session.state.observations.member == 7
    v.send(type="undo")
    assert v.session.state.observations.column == "model"
    np.testing.assert_array_equal(v.session._frame.model, analysed)


@pytest.mark.slow
def test_the_column_shows_the_probability_of_an_event(visit):
    v = visit()
    v.send(type="column", value="probability")
    v.settle(lambda visit: visit.view.column().fields is not None)
    above = v.view.column().fields
    ensemble = v.view.ensemble()
    there = v.session.bundle.mask
    assert (above[there] >= 0).all()
    assert (above[there] <= 100).all()
    np.testing.assert_allclose(
        above[0], 100 * (ensemble.anomalies[:, 0] > 0).mean(axis=0), atol=1e-4
    )
    assert "%" in v.session.figures._key(v.session.bundle.variables[0])
    for event in ("upper", "lower"):
        v.send(type="event", value=event)
        assert f"event={event}" in v.session.bar.query
        fifth = v.view.column().fields
        # Where nothing is known a fifth of the months lies in each fifth.
        assert 5 < np.nanmean(fifth) < 40
        assert np.nanmax(np.abs(fifth - above)) > 20
    v.send(type="event", value="often")
    assert v.session.state.observations.event == "lower"


@pytest.mark.slow
def test_beside_another_method_the_words_follow_the_member(visit):
    v = visit(f"{SOME}&beside=enoi&column=member")
    v.settle(lambda visit: visit.view.member == 1)
    v.settle()
    assert v.session._frame.request.scene.words[1] == "member 1"
    v.send(type="member", value=7)
    assert v.session._frame.request.scene.words[1] == "member 7"
    v.send(type="column", value="model")
    assert v.session._frame.request.scene.words[1] == "model"


def test_members_are_of_the_method_that_was_assimilated(visit):
    v = visit(f"{SOME}&column=member")
    v.settle(lambda visit: visit.view.member == 1)
    v.send(type="observing", name="live", value=False)
    v.send(type="observing", name="method", value="climatology")
    # The analysis shown is still the VAE's, and so are its members.
    assert v.view.member == 1
    assert v.observer.heading.hint == ""


def test_without_a_posterior_the_column_says_why_it_has_no_members(visit):
    v = visit(f"{SOME}&column=member&method=climatology")
    assert "no posterior" in v.observer.heading.hint
    assert v.view.member == 0
    v.send(type="observing", name="method", value="vae")
    v.send(type="observing", name="residual", value=False)
    v.settle()
    assert "residual analysis" in v.observer.heading.hint


@pytest.mark.slow
def test_a_link_and_a_file_restore_the_observations(visit, bundle):
    v = visit(f"{SOME}&live=0")
    v.send(type="obs-put", variable="tas", lat="0", lon="230")
    v.send(type="obs-toggle", variable="psl", row=0)
    v.session.observe_actions._edited(2, "value", 7.5)
    again = Visit(bundle, "?" + v.session.bar.query)
    try:
        assert again.session.state.snapshot() == v.session.state.snapshot()
        assert again.rows.equals(v.rows)
    finally:
        again.session.close()


@pytest.mark.slow
def test_ten_thousand_observations_are_taken(visit):
    v = visit("?network=none&live=0")
    rng = np.random.default_rng(0)
    lines = [
        f"tas,{lat:.2f},{lon:.2f},{value:.2f},0.5"
        for lat, lon, value in zip(
            rng.uniform(-85, 85, 10_000),
            rng.uniform(0, 360, 10_000),
            rng.normal(size=10_000),
            strict=True,
        )
    ]
    v.send(
        type="obs-upload",
        name="many.csv",
        text="variable,lat,lon,value,error_sd\n" + "\n".join(lines),
    )
    assert len(v.rows) == 10_000
    assert v.panel.counts["hidden"]
    v.send(type="share", page="http://localhost:5006/app")
    assert "link holds the network" in v.status
    assert len(v.session.bar.query) < 2000


def test_the_cost_curve_falls_and_has_one_dot_a_step(visit):
    v = visit()
    costs = [total for _, _, total in v.work.costs]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == len(costs)
    steps = int(v.panel.outcome.split("Converged in ")[1].split(" ")[0])
    assert len(costs) == steps + 1


def test_results_change_the_state_and_redraws_do_not(visit):
    v = visit(SOME)
    state, z = v.session.state, v.session.state.z
    assert np.array_equal(z, np.clip(v.work.z, -8, 8))
    v.work.z = z + 0.25
    v.session.redraw()
    assert state.z is z
    v.observer.follow_analysis()
    assert np.allclose(state.z, z + 0.25)
    # Switched away and back, the sliders are the analysis' again.
    v.send(type="prior")
    assert not state.z.any()
    v.send(type="resume")
    assert np.allclose(state.z, z + 0.25)
    v.send(type="undo")
    assert not state.z.any()
    v.send(type="redo")
    assert np.allclose(state.z, z + 0.25)


def test_where_the_values_come_from_is_said(visit):
    v = visit(f"{SOME}&live=0")
    assert "sampled from the target" in v.panel.values
    assert "seed 1" in v.panel.values
    v.send(type="observing", name="noise", value=7)
    assert "seed 7" in v.panel.values
    v.session.observe_actions._edited(2, "value", 7.5)
    assert "39 sampled" in v.panel.values
    assert "1 of your own" in v.panel.values
    v.send(type="obs-upload", name="mine.csv", text=CSV)
    assert "sampled" not in v.panel.values


@pytest.mark.slow
def test_what_is_drawn_of_another_network_is_said_until_its_analysis_is_there(visit):
    v = visit()
    v.send(type="observing", name="count", value=30)
    assert v.observer.stale
    assert v.observer.heading.note == "still of the old network"
    assert all("…" in said.text for said in v.session.figures.scores.values())
    v.settle()
    assert not v.observer.stale
    assert v.observer.heading.note == ""
    assert all("…" not in said.text for said in v.session.figures.scores.values())
    # A marker by hand is the same network: it follows the hand.
    v.send(type="obs-put", variable="tas", lat="0", lon="230")
    assert not v.observer.stale
    v.settle()


@pytest.mark.slow
def test_a_film_waits_for_the_first_analysis_of_each_month(visit):
    v = visit()
    v.send(type="month", value="1998-01")
    assert v.session.bar.pending
    v.settle(lambda visit: visit.work.month == "1998-01")
    assert not v.session.bar.pending
    # Without an analysis to wait for it goes on.
    v.settle()
    v.send(type="prior")
    v.send(type="month", value="1998-02")
    assert not v.session.bar.pending


@pytest.mark.slow
def test_rows_say_what_is_observed_and_what_is_inferred(visit):
    v = visit()
    legend = {name: pane.object for name, pane in v.session.legends.items()}
    assert {name for name, text in legend.items() if ">observed<" in text} == {"tas", "psl"}
    assert {name for name, text in legend.items() if ">inferred<" in text} == {"tos", "pr"}
    v.send(type="observing", name="variables", value=["tos"])
    v.settle()
    assert ">observed<" in v.session.legends["tos"].object
    v.send(type="obs-many", action="all")
    v.send(type="obs-many", action="withhold")
    v.settle()
    # What is withheld is not given to the analysis.
    assert ">inferred<" in v.session.legends["tos"].object
    v.send(type="prior")
    assert "inferred" not in v.session.legends["tos"].object


@pytest.mark.slow
def test_what_is_observed_is_said_of_the_analysis_drawn(visit):
    v = visit(f"{SOME}&live=0")

    def observed():
        return {n for n, pane in v.session.legends.items() if ">observed<" in pane.object}

    assert observed() == {"tas", "psl"}
    v.send(type="observing", name="variables", value=["tos"])
    v.turn(0.3)
    assert set(v.rows["variable"]) == {"tos"}
    assert observed() == {"tas", "psl"}, "the maps are still of these"
    v.send(type="run", action="now")
    v.settle()
    assert observed() == {"tos"}
    v.send(type="observing", name="kind", value="none")
    v.send(type="run", action="now")
    v.settle()
    assert v.observer.roles() == {}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_step_begins_at_the_background(visit, method):
    v = visit(f"{SOME}&method={method}")
    background = v.work.analysis.background
    drawn = []
    draw = v.session.figures.write
    v.session.figures.write = lambda frame: (drawn.append(frame.model), draw(frame))
    v.send(type="run", action="step")
    v.settle(lambda _: any(np.allclose(x, background, atol=1e-4, equal_nan=True) for x in drawn))
    v.settle()
    assert not np.allclose(drawn[-1], background, atol=1e-2, equal_nan=True)
    if method == "vae":
        # The curve begins with its cost.
        assert v.work.costs[0][0] == 0
        assert v.work.costs[-1][2] < 0.9 * v.work.costs[0][2]


def test_the_settings_that_a_method_heeds_are_told(visit):
    v = visit()
    told = {key: rest for key, _, rest in v.panel.methods}
    assert told["vae"] == ["residual", "localisation"]
    assert told["enoi"] == ["localisation"]
    assert told["adam"] == []


def test_a_month_keeps_its_hyphen_where_numbers_have_a_minus(visit):
    v = visit()
    v.send(**{"type": "walk-from", "from": "1997-12", "to": "draw 7"})
    v.send(type="walk", t=0.5)
    v.settle(lambda visit: "Cost" in visit.session.tools.paused)
    assert "1997-12 to draw 7" in v.session.tools.paused
    assert "-" not in v.session.tools.paused.replace("1997-12", "")


def test_what_numbers_are_of_is_outlined(visit):
    v = visit(f"{SOME}&live=0")
    outline = v.session.regions.source.data
    assert not outline["xs"]
    v.send(type="foot", value=["scores"])
    assert not v.session.regions.source.data["xs"]
    v.send(type="foot-region", value="north_pacific")
    drawn = v.session.regions.source.data
    assert drawn["xs"]
    assert max(max(xs) - min(xs) for xs in drawn["xs"]) < 3
    v.send(type="foot", value=[])
    assert not v.session.regions.source.data["xs"]
    # That of the network is there as long as it is in force, and once only.
    v.send(type="observing", name="region", value=[-10, 20, 150, 210])
    own = v.session.regions.source.data
    assert len(own["xs"]) == 1
    v.send(type="foot", value=["scores"])
    v.send(type="foot-region", value="box")
    assert v.session.regions.source.data["xs"] == own["xs"]
    v.send(type="foot", value=[])
    v.send(type="tool", value="explore")
    assert not v.session.regions.source.data["xs"]


def test_the_table_of_scores_says_what_it_scores_where_perturb_shows_something_else(visit):
    v = visit()
    v.send(type="foot", value=["scores"])
    foot = v.session.verification.foot
    assert foot.method == "vae"
    plain = foot.scores["words"]
    v.send(type="tool", value="perturb")
    assert foot.method == ""
    assert any("Observe" in words for words in foot.scores["words"])
    v.send(type="tool", value="observe")
    assert foot.method == "vae"
    assert foot.scores["words"] == plain


@pytest.mark.slow
def test_hovering_names_the_analysis_as_its_heading_does(visit):
    v = visit()
    meta = v.session.figures._meta["psl"]
    assert meta.data["what"] == ["target", "analysis"]
    v.send(type="column", value="difference")
    assert meta.data["what"] == ["target", "analysis − target"]
    v.send(type="prior")
    assert meta.data["what"] == ["target", "model − target"]
