"""Values of a form, and what it sends."""

from app.tools.perturb_panel import PerturbPanel


def test_a_message_is_heard_until_nobody_listens():
    heard = []
    panel = PerturbPanel(heard.extend)
    panel.send(type="sea-clear")
    panel.receive([{"type": "a"}, {"type": "b"}])
    assert [message["type"] for message in heard] == ["sea-clear", "a", "b"]
    panel.listen(None)
    panel.send(type="sea-clear")
    assert len(heard) == 3
