"""What the form of Perturb shows, as plain values."""

from app.tools.perturb_panel import PerturbPanel


def test_a_setting_is_asked_for_by_name():
    heard = []
    PerturbPanel(heard.extend).set("held", "outside")
    assert heard == [{"type": "sea-set", "name": "held", "value": "outside"}]


def test_only_what_differs_is_put():
    panel, told = PerturbPanel(), []
    panel.param.watch(lambda *events: told.extend(e.name for e in events), ["busy", "patches"])
    panel.put(busy=False, patches=[])
    panel.put(busy=True, patches=[])
    assert told == ["busy"]
