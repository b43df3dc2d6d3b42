"""Controls: batches of messages in, acknowledgements out."""

import pytest
from visiting import send

from app.components import Tools


def test_every_message_is_acknowledged_even_a_wrong_one(session):
    before = session.explore.panel.ack
    send(session.explore.panel, type="z", k=0, value=1.5)
    send(session.explore.panel, type="z", k=99, value=1.5)
    send(session.explore.panel, type="z", k=0, value="much")
    send(session.explore.panel, type="nonsense")
    assert session.explore.panel.ack == before + 4
    assert session.bar.failed
    assert session.state.z[0] == 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "data", [None, 3, {}, {"batch": "no"}, {"batch": [None, 3, {}]}, {"seq": "x", "batch": []}]
)
def test_malformed_messages_harm_nothing(session, data):
    z = session.state.z
    session.explore.panel._handle_msg(data)
    assert session.state.z is z


def test_a_batch_is_handled_in_order_and_nothing_once_nobody_listens():
    heard = []
    made = Tools(heard.extend)
    made._handle_msg({"seq": 4, "batch": [{"type": "a"}, {"type": "b"}]})
    assert [message["type"] for message in heard] == ["a", "b"]
    assert made.ack == 4
    # The same number again is another batch.
    made._handle_msg({"seq": 4, "batch": []})
    assert made.ack == 5
    made.listen(None)
    made._handle_msg({"seq": 6, "batch": [{"type": "c"}]})
    assert len(heard) == 2
    assert made.ack == 5


def test_a_batch_is_acknowledged_even_where_it_breaks():
    def broken(_):
        raise RuntimeError("broken")

    made = Tools(broken)
    with pytest.raises(RuntimeError, match="broken"):
        made._handle_msg({"seq": 1, "batch": [{"type": "a"}]})
    assert made.ack == 1


def test_only_what_differs_is_put():
    made, told = Tools(None, tool="observe"), []
    made.param.watch(lambda *events: told.extend(e.name for e in events), ["tool", "paused"])
    made.put(tool="observe", paused="")
    assert told == []
    made.put(tool="explore", paused="")
    assert told == ["tool"]
