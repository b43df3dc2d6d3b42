"""The part Members."""

import numpy as np
from unfolding import unfold


def test_one_of_two_pictures_is_shown_and_choices_sent(shown):
    shown.foot.mode = "observe"
    unfold(shown, "members")
    view = shown.views["members"]
    image = np.zeros((4, 20), np.uint8)
    shown.foot.members = {
        "image": image, "n": 12, "variable": "psl", "member": 2, "words": "12",
        "projection": "robinson",
    }  # fmt: skip
    assert (view.stamps.figure.visible, view.spaghetti.figure.visible) == (True, False)
    assert not view.level.visible
    assert view.stamps._image.data["image"][0] is image
    # Behind target and analysis.
    assert view.stamps._frame.data["x"] == [3.5]
    assert "hPa" in view.scale.object
    line = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    shown.foot.members = {
        "mode": "spaghetti", "level": 1.5, "lines": {"members": [line, line]},
        "projection": "north",
    }  # fmt: skip
    assert (view.stamps.figure.visible, view.spaghetti.figure.visible) == (False, True)
    assert view.level.visible
    assert view.level.value == 1.5
    # And back: the pane was hidden, which Panel remembers.
    shown.foot.members = {"mode": "stamps"}
    assert (view.stamps.figure.visible, view.spaghetti.figure.visible) == (True, False)
    shown.foot.members = {"mode": "spaghetti", "level": 1.5}
    assert len(view.spaghetti._sources["members"].data["xs"]) == 2
    # What is shown is not sent back as a choice.
    assert [m for m in shown.heard if m["type"].startswith("members")] == []
    view.level.value = 2.0
    view.mode.widget.value = "stamps"
    view.flip.clicks += 1
    assert shown.heard[-3:] == [
        {"type": "members-level", "value": 2.0},
        {"type": "members-mode", "value": "stamps"},
        {"type": "members-flip"},
    ]
