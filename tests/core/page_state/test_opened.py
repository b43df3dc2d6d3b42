"""A state of the page in Python."""

import json

import numpy as np
import pytest

import mlda_core
from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.errors import BundleError, UserError
from mlda_core.page_state.latents import code_of
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.opened import from_file, from_link, key_of
from mlda_core.page_state.serialize import from_query, pack, to_json
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import OtherBundleError
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch


@pytest.fixture(scope="module")
def month(world):
    return world.months[-1]


def same(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_link_is_an_address_or_what_follows_its_question_mark(world, month):
    query = f"month={month}&stations=12&method=eof"
    links = (query, f"?{query}", f" http://localhost:5006/app?{query}#maps ")
    states = [from_link(link, world) for link in links]
    assert len({state.link for state in states}) == 1
    assert (states[0].month, states[0].tool) == (month, "observe")
    assert month in repr(states[0])
    assert from_link("http://localhost:5006/app", world).month == limits_of(world).first_month()
    assert mlda_core.from_link is from_link
    assert from_link(query, str(world.path)).link == states[0].link


def test_a_state_is_made_as_the_library_makes_it(world, month):
    state = from_link(f"?month={month}&stations=12&method=eof&reach=0.5", world)
    made = Assimilator(world).run(state.observations(), month, method="eof", localisation=0.5)
    same(state.analysis().anomalies, made.anomalies)
    same(state.fields(), made.anomalies)
    assert state.latent is None, "EOFs have no latent vector"
    assert state.analysis() is state.analysis()
    member = from_link(f"?month={month}&stations=12&method=eof&column=member&member=3", world)
    same(member.fields(), member.ensemble().anomalies[2])
    other = from_link(f"?month={month}&stations=12&sampler=perturbed&column=member", world)
    assert other.ensemble().sampler == "perturbed"
    drawn = Assimilator(world).ensemble(other.observations(), month, sampler="perturbed")
    same(other.fields(), drawn.anomalies[0])
    lacking = from_link(f"?month={month}&stations=12&sampler=guided&column=member", world)
    with pytest.raises(UserError, match="diffusion prior"):
        lacking.fields()
    decoded = from_link(f"?month={month}&stations=12", world)
    same(decoded.latent, np.clip(decoded.analysis().z, -8, 8).astype(np.float32))


def test_what_is_returned_is_ones_own(world, month):
    state = from_link(f"?month={month}&stations=12", world)
    state.observations()["value"] = 0.0
    assert state.observations()["value"].abs().max() > 0


def test_latent_vectors_are_those_of_the_link(world, month):
    code = from_link(f"?month={month}&model=code&tool=explore", world)
    same(code.latent, code_of(world, month))
    season = world.seasons.of(month)
    same(code.fields(), world.decode_anomalies(code.latent, season))
    z = np.linspace(-1, 1, world.n_latent)
    own = from_link(f"?month={month}&tool=explore&z={pack(z)}", world)
    np.testing.assert_allclose(own.latent, z, atol=1 / 4096)
    same(own.fields(), world.decode_anomalies(own.latent, season))
    upon = from_link(f"?month={month}&z={pack(z)}&upon=analysis&stations=12", world)
    assert not np.array_equal(upon.fields(), own.fields(), equal_nan=True)


@pytest.mark.parametrize(
    "query",
    [
        "month=1700-01",
        "tool=perturb",
        "method=guess",
        "z=AAAA",
        "model=own",
        "stations=0",
        "&".join(["a=1"] * 60),
    ],
)
def test_what_the_page_refuses_is_refused_in_the_same_sentence(world, query):
    with pytest.raises(InvalidStateError) as page:
        from_query(query, limits_of(world))
    with pytest.raises(InvalidStateError) as here:
        from_link(f"http://localhost/app?{query}", world)
    assert str(here.value) == str(page.value)


@pytest.mark.parametrize(
    ("link", "words"),
    [(7, "is text"), ("hello", "'hello' is no link"), ("http://[", "damaged")],
)
def test_what_is_no_link_is_refused(world, link, words):
    with pytest.raises(InvalidStateError, match=words):
        from_link(link, world)


def test_a_network_that_cannot_be_is_refused_when_it_is_asked_for(world):
    state = from_link("?network=sst_only", world)
    with pytest.raises(UserError, match="no variable 'tos'"):
        state.observations()
    with pytest.raises(UserError, match="no variable 'tos'"):
        state.analysis()


def test_the_bundle_is_the_links(shelf, world):
    assert from_link("?bundle=other").bundle.name == "other"
    state = from_link("")
    assert (key_of(state.bundle), state.link) == ("speedy", f"month={state.month}")
    assert "bundle=other" in from_link("?bundle=other").link
    with pytest.raises(BundleError, match="There is no bundle 'nothere' here; choose one of"):
        from_link("?bundle=nothere")
    with pytest.raises(OtherBundleError, match="of the bundle 'other', and not of 'world'"):
        from_link("?bundle=other", world)
    assert shelf.is_dir()


def test_where_nothing_ships_a_folder_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr("mlda_core.bundle.shipped.SHIPPED", tmp_path / "none")
    monkeypatch.delenv("MLDA_BUNDLE", raising=False)
    with pytest.raises(BundleError, match="give the folder of one"):
        from_link("?tool=observe")


def test_a_saved_state_is_opened(shelf, world, month, tmp_path):
    state = from_link(f"?month={month}&stations=12&method=eof", world)
    path = tmp_path / "state.json"
    path.write_text(to_json(state.snapshot, state.limits))
    opened = from_file(path, world)
    assert opened.link == state.link
    same(opened.analysis().anomalies, state.analysis().anomalies)
    data = json.loads(path.read_text()) | {"bundle": "other"}
    path.write_text(json.dumps(data))
    assert from_file(path).bundle.name == "other", "found by its name"
    with pytest.raises(OtherBundleError, match="state of the bundle 'other'"):
        from_file(path, world)
    path.write_text(json.dumps(data | {"bundle": "gone"}))
    with pytest.raises(OtherBundleError, match="'gone'"):
        from_file(path)
    assert shelf.is_dir()


def test_a_file_that_is_none_is_refused(world, tmp_path):
    with pytest.raises(InvalidStateError, match=r"cannot be read \(No such file"):
        from_file(tmp_path / "gone.json", world)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidStateError, match="not JSON"):
        from_file(tmp_path / "a.json", world)
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(InvalidStateError, match="not a saved state"):
        from_file(tmp_path / "b.json", world)


def test_a_cycle_comes_day_by_day(cycled):
    query = "?tool=cycle&model=code&cycle_from=1984-03-01&cycle_stations=30"
    days = from_link(f"{query}&month=1984-03-03", cycled).cycle()
    assert list(days) == ["1984-03-01", "1984-03-02", "1984-03-03"]
    assert days["1984-03-03"].errors["analysis"].shape[1] == len(cycled.variables)
    with pytest.raises(UserError, match="no run yet"):
        from_link("?tool=cycle&model=code", cycled).cycle()
    with pytest.raises(UserError, match="does not cycle '4dvar'"):
        from_link(f"{query}&cycled=4dvar", cycled).cycle()


def test_what_a_bundle_lacks_is_said(world, month):
    state = from_link(f"?month={month}", world)
    with pytest.raises(UserError, match="Nothing can be cycled"):
        state.cycle()
    with pytest.raises(UserError, match="no sea surface temperature"):
        state.response()


@pytest.mark.slow
def test_response_and_sensitivity_are_the_states(speedy):
    state = from_link("?tool=perturb&month=1997-12&sea=nino34:1&of=tas&over=tropics", speedy)
    response = state.response()
    own = Responder(Assimilator(speedy)).respond("1997-12", [Patch(1.0, region="nino34")])
    same(response.anomalies, own.anomalies)
    assert response.spread.shape == response.anomalies.shape
    assert np.isfinite(state.sensitivity().smooth).any()
