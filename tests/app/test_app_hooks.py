"""What the server does before the first visitor."""

import asyncio
import logging

from tornado.websocket import WebSocketClosedError

from app import app_hooks, warm_up


async def _leave(error):
    # What a task does whose exception nobody took, when it is collected: called here by hand,
    # for when that happens is the collector's affair.
    context = {"message": "Task exception was never retrieved", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


def test_a_write_to_a_visitor_who_left_is_not_complained_of(monkeypatch, caplog):
    # The filter ends with this test; what other tests' libraries did to the logger does not count.
    logger = logging.getLogger("asyncio")
    for name, value in (("filters", []), ("disabled", False), ("propagate", True)):
        monkeypatch.setattr(logger, name, value)
    caplog.set_level(logging.ERROR, logger="asyncio")
    monkeypatch.setattr(warm_up, "warm_up", lambda: None)
    monkeypatch.setattr(warm_up, "warm_seasons", lambda: None)
    app_hooks.on_server_loaded(None)
    asyncio.run(_leave(WebSocketClosedError()))
    assert not caplog.records
    # Whatever else goes wrong in a task is told.
    asyncio.run(_leave(ValueError("wrong")))
    assert "never retrieved" in caplog.text
