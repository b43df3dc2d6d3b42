"""What the server does before the first visitor."""

import asyncio
import gc
import logging

import pytest
from tornado.websocket import WebSocketClosedError

from app import app_hooks, warm_up


async def _leave(error):
    # What a task does whose exception nobody took, when it is collected: called here by hand,
    # for when that happens is the collector's affair.
    context = {"message": "Task exception was never retrieved", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


@pytest.fixture
def load(monkeypatch):
    """What the server does first, without what it computes; undone after the test."""
    monkeypatch.setattr(warm_up, "warm_up", lambda: None)
    monkeypatch.setattr(warm_up, "warm_seasons", lambda: None)
    monkeypatch.setenv("BOKEH_VALIDATE_DOC", "true")
    before = gc.get_threshold()
    yield lambda: app_hooks.on_server_loaded(None)
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.slow
def test_what_is_loaded_is_no_garbage_of_any_visit(load):
    load()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] > 700


@pytest.mark.slow
def test_a_write_to_a_visitor_who_left_is_not_complained_of(load, monkeypatch, caplog):
    # The filter ends with this test; what other tests' libraries did to the logger does not count.
    logger = logging.getLogger("asyncio")
    for name, value in (("filters", []), ("disabled", False), ("propagate", True)):
        monkeypatch.setattr(logger, name, value)
    caplog.set_level(logging.ERROR, logger="asyncio")
    load()
    asyncio.run(_leave(WebSocketClosedError()))
    assert not caplog.records
    # Whatever else goes wrong in a task is told.
    asyncio.run(_leave(ValueError("wrong")))
    assert "never retrieved" in caplog.text
