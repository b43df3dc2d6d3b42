"""What the form of Observe is given, and what it sends."""

from observe_panel import STATIONS, made_panel


def test_a_setting_is_asked_for_by_one_message_until_nobody_listens():
    made = made_panel()
    made.set("count", 40)
    assert made.heard == [{"type": "observing", "name": "count", "value": 40}]
    made.listen(None)
    made.set("count", 50)
    assert len(made.heard) == 1


def test_what_network_and_method_have_follows_the_choice():
    made = made_panel()
    assert made.used == STATIONS
    assert made.heeded == ["residual", "localisation"]
    made.put(settings={**made.settings, "kind": "none", "method": "adam"})
    assert made.used == made.heeded == []
