"""The part Ranks."""

from unfolding import unfold


def test_the_histogram_is_drawn_with_what_it_says_once_it_is_open(shown):
    shown.foot.mode = "observe"
    found = {"withheld": [0.1, 0.9], "used": [0.5, 0.5], "words": "too narrow <by far>"}
    shown.foot.ranks = found
    unfold(shown, "ranks")
    view = shown.views["ranks"]
    assert view.chart._sources["withheld"].data["top"] == [0.1, 0.9]
    assert "too narrow" in view.words.object
    assert "<by far>" not in view.words.object
    shown.foot.ranks = {"used": [1.0]}
    assert view.chart._sources["withheld"].data["top"] == []
    # Folded, it draws nothing.
    unfold(shown, "ranks")
    shown.foot.ranks = found
    assert view.chart._sources["withheld"].data["top"] == []
