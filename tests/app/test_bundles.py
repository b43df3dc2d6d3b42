"""Several bundles: which there are, how a visitor goes from one to another, what they share."""

import shutil
from urllib.parse import parse_qs

import pytest
from days import make_daily
from visiting import Visit

from app.bundles import open_bundle, short_title, taken_along
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.shipped import default_key, link_of, offers
from mlda_core.climate.errors import BundleError
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.serialize import asked_for, from_query, to_query


def test_the_servers_own_bundle_comes_first_to_mind(shelf, world_folder, monkeypatch):
    assert (default_key(), link_of("speedy"), link_of("other")) == ("speedy", "", "other")
    monkeypatch.setenv("MLDA_BUNDLE", str(world_folder))
    assert default_key() == "world"
    assert [offer.key for offer in offers()] == ["damaged", "grey", "other", "speedy", "world"]
    # Another page's default may be another: now all links say which bundle they mean.
    assert link_of("speedy") == "speedy"
    assert open_bundle().name == "world"
    assert open_bundle("speedy").name == "speedy"
    monkeypatch.setenv("MLDA_BUNDLE", str(shelf / "other"))
    assert default_key() == "other"
    assert len(offers()) == 4
    # A folder of one's own may have the name of one that ships.
    own = shelf.parent / "mine" / "other"
    shutil.copytree(world_folder, own)
    monkeypatch.setenv("MLDA_BUNDLE", str(own))
    assert default_key() == "other-own"
    assert open_bundle("other").name == "other"
    assert open_bundle("other-own").name == "world"


def test_one_bundle_is_loaded_once(shelf):
    assert shelf.is_dir()
    assert open_bundle("other") is open_bundle("other")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("nothere", "no bundle 'nothere' here"),
        ("damaged", "checksum"),
        ("../other", "no bundle"),
        ("grey", "the colour map 'nosuch' for"),
    ],
)
def test_what_cannot_be_opened_says_why_in_a_sentence(shelf, key, words):
    assert shelf.is_dir()
    with pytest.raises(BundleError, match=words) as error:
        open_bundle(key)
    assert str(error.value).endswith(".")


def test_a_link_says_which_bundle(world):
    assert asked_for("?bundle=other&month=1963-01") == "other"
    assert asked_for("?month=1963-01") == ""
    assert asked_for("?" + "&".join(["a=1"] * 60)) == ""
    limits = limits_of(world, "world")
    view = from_query("?month=1950-01", limits)
    query = to_query(view, limits)
    assert parse_qs(query)["bundle"] == ["world"]
    assert from_query(query, limits) == view


class Uncalibrated:
    """A bundle fresh from training."""

    has_statistics = False

    def __init__(self, bundle):
        self._bundle = bundle

    def __getattr__(self, name):
        return getattr(self._bundle, name)


def test_without_statistics_there_is_the_model_alone(world):
    bundle = Uncalibrated(world)
    limits = limits_of(bundle)
    assert limits.tools == ("explore",)
    assert limits.first_view().model == "code"
    v = Visit(bundle, "")
    try:
        v.turn()
        assert not v.session.bar.failed
        assert v.session.tools.tools == [["explore", "Explore"], ["learn", "Learn"]]
        v.send(type="tool", value="observe")
        assert "mlda calibrate" in v.status
    finally:
        v.session.close()


def test_what_is_taken_along_exists_there(world):
    given = {"month": "1963-01", "theme": "dark", "projection": "north", "tool": "explore"}
    assert taken_along(given, world, "world") == {"bundle": "world"} | given
    elsewhere = {"month": "1997-12", "tool": "perturb", "projection": "region:1,2,3,4"}
    assert taken_along(elsewhere, world, "world") == {"bundle": "world"}


def test_a_loaded_bundle_is_the_one_on_disk(shelf):
    assert open_bundle("other").months == load_bundle(shelf / "other").months


def test_a_narrow_bar_has_the_first_words_of_a_title():
    assert (
        short_title("SPEEDY aloft: 500 hPa height and 850 hPa winds, 1979-2013") == "SPEEDY aloft"
    )
    assert short_title("The real world, 1880-2015") == "The real world"
    assert short_title("Mine") == "Mine"
    assert short_title(": odd") == ": odd"


def test_a_bundle_of_days_opens(tmp_path, monkeypatch):
    bundle, _ = make_daily(tmp_path)
    monkeypatch.setenv("MLDA_BUNDLE", str(bundle.path))
    assert open_bundle().months == bundle.months
    assert next(o for o in offers() if o.path == bundle.path).years == "1983\N{EN DASH}1984"
