"""Controls: batches of messages in, acknowledgements out."""

import pytest
from visiting import send


def test_every_message_is_acknowledged_even_a_wrong_one(session):
    before = session.explore.panel.ack
    send(session.explore.panel, type="z", k=0, value=1.5)
    send(session.explore.panel, type="z", k=99, value=1.5)
    send(session.explore.panel, type="z", k=0, value="much")
    send(session.explore.panel, type="nonsense")
    assert session.explore.panel.ack == before + 4
    assert session.bar.failed
    assert session.state.z[0] == 1.5


@pytest.mark.parametrize(
    "data", [None, 3, {}, {"batch": "no"}, {"batch": [None, 3, {}]}, {"seq": "x", "batch": []}]
)
def test_malformed_messages_harm_nothing(session, data):
    z = session.state.z
    session.explore.panel._handle_msg(data)
    assert session.state.z is z
