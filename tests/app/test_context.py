"""What the parts of a session share."""

import pytest

from app.context import merge_actions


def test_two_parts_cannot_act_on_one_message():
    def act(_):
        return None

    assert list(merge_actions({"z": act}, {"seed": act})) == ["z", "seed"]
    with pytest.raises(ValueError, match="'seed'"):
        merge_actions({"z": act, "seed": act}, {"seed": act})
