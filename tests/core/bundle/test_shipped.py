"""Bundles by name: those that ship, and one of your own."""

import pytest

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.shipped import default_key, folder_of, located, offers
from mlda_core.climate.errors import BundleError


def test_what_ships_is_offered_in_words(shelf):
    found = {offer.key: offer for offer in offers()}
    assert list(found) == ["damaged", "grey", "other", "speedy"]
    assert found["other"].title == "The other one"
    assert found["other"].words == (
        "1945\N{EN DASH}1975, Surface temperature, Large-scale sea-level pressure"
    )
    (shelf / "other" / "months.nc").unlink()
    assert "other" in [offer.key for offer in offers()]


def test_a_bundle_is_found_by_its_name(shelf, world_folder, monkeypatch):
    assert folder_of() == folder_of("speedy") == shelf / "speedy"
    assert load_bundle("other").name == "other"
    with pytest.raises(BundleError, match="There is no bundle 'nothere' here; choose one of"):
        folder_of("nothere")
    monkeypatch.setenv("MLDA_BUNDLE", str(world_folder))
    assert (default_key(), folder_of()) == ("world", world_folder)
    assert located("world") == world_folder


def test_a_folder_is_nearer_than_a_name(shelf, tmp_path, monkeypatch):
    mine = tmp_path / "other"
    mine.mkdir()
    monkeypatch.chdir(tmp_path)
    assert located("other").resolve() == mine
    assert located(mine / "deeper") == mine / "deeper"
    assert located("grey") == shelf / "grey"
    with pytest.raises(BundleError, match="nothere"):
        load_bundle("nothere")


def test_a_wheel_has_none(tmp_path, monkeypatch):
    from mlda_core.bundle import shipped

    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "nowhere")
    monkeypatch.delenv("MLDA_BUNDLE", raising=False)
    assert offers() == ()
