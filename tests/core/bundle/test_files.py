"""The files of a bundle."""

from __future__ import annotations

import pytest

from mlda_core.bundle.files import impact_names, read_scores
from mlda_core.climate.errors import BundleError


def test_names_of_heads_are_those_that_a_link_can_hold(tmp_path):
    for name in ("thames", "rhine-2", "No Name", "empty"):
        folder = tmp_path / "impacts" / name
        folder.mkdir(parents=True)
        if name != "empty":
            (folder / "head.json").touch()
    assert impact_names(tmp_path) == ("rhine-2", "thames")
    assert impact_names(tmp_path / "absent") == ()


@pytest.mark.parametrize("text", ["{", "[]", "3", "[" * 100_000])
def test_scores_are_read_or_refused_with_the_remedy(tmp_path, text):
    file = tmp_path / "scores.json"
    assert read_scores(file) == {}
    file.write_text('{"months": {"test": 24}}')
    assert read_scores(file) == {"months": {"test": 24}}
    file.write_text(text)
    with pytest.raises(BundleError, match=r"scores\.json .*; delete it, or copy the bundle again"):
        read_scores(file)
