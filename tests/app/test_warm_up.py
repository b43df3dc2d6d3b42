"""What a process computes before its first visitor."""

from types import SimpleNamespace

import pytest
import torch

from app import warm_up
from app.jobs import background
from mlda_core.climate.errors import BundleError
from mlda_core.climate.seasons import MONTHLY


class Seasons:
    """A bundle that says which seasons were asked for."""

    has_statistics = True
    seasons = MONTHLY

    def __init__(self):
        self.made = []

    def jacobian(self, month):
        self.made.append(month)


def test_seasons_are_made_once_with_a_rest_after_each(monkeypatch):
    rests = []
    monkeypatch.setattr(background, "pause", rests.append)
    bundle = Seasons()
    warm_up.warm_seasons(bundle, wait=9.0)
    warm_up.warm_seasons(bundle)
    assert bundle.made == list(range(1, 13))
    assert rests == [9.0, *[warm_up.REST] * 12]


@pytest.mark.parametrize(("stops_at", "made"), [(0, []), (3, [1, 2, 3])])
def test_they_end_where_the_server_does(monkeypatch, stops_at, made):
    rests = []
    monkeypatch.setattr(background, "pause", lambda s: (rests.append(s), len(rests) > stops_at)[1])
    bundle = Seasons()
    warm_up.warm_seasons(bundle)
    assert bundle.made == made


def test_without_statistics_there_is_no_analysis_to_prepare(monkeypatch):
    monkeypatch.setattr(background, "pause", lambda _: False)
    bundle = Seasons()
    bundle.has_statistics = False
    warm_up.warm_seasons(bundle)
    assert bundle.made == []


def test_a_broken_bundle_is_left_for_the_page_to_report(monkeypatch):
    def broken(_key=""):
        raise BundleError("It is broken.")

    monkeypatch.setattr(warm_up, "open_bundle", broken)
    warm_up.warm_up()
    warm_up.warm_seasons()
    with pytest.raises(BundleError):
        warm_up.bundle_of_process()


def test_a_server_that_ends_opens_no_bundle(monkeypatch):
    opened = []
    monkeypatch.setattr(background, "stopping", lambda: True)
    monkeypatch.setattr(warm_up, "open_bundle", opened.append)
    warm_up.warm_up()
    assert opened == []


def test_one_thread_decodes(monkeypatch):
    before = torch.get_num_threads()
    bundle = SimpleNamespace()
    monkeypatch.setattr(warm_up, "open_bundle", lambda key: (key, bundle))
    try:
        torch.set_num_threads(2)
        assert warm_up.bundle_of_process("other") == ("other", bundle)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
