"""What the form of Cycle shows, as plain values."""

from app.tools.cycle_panel import CyclePanel


def test_settings_and_acts_are_asked_for():
    heard = []
    panel = CyclePanel(heard.extend)
    panel.set("stations", 30)
    panel.act("run")
    assert heard == [
        {"type": "cycle-set", "name": "stations", "value": 30},
        {"type": "cycle-run", "action": "run"},
    ]
