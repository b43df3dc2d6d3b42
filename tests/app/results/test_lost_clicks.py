"""A click right after a choice is heard: Panel still holds the choice back when it comes."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import panel as pn
import pytest
from bokeh.client import pull_session
from bokeh.events import ButtonClick
from bokeh.models import Button, RadioGroup

from app.results.panel import Foot
from app.results.view import FootView
from mlda_core.climate.variables import DEFAULTS

MONTHS = [f"{year}-{month:02d}" for year in range(1980, 1990) for month in range(1, 13)]


def pull(url):
    """Return a session of a page, once it is served."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return pull_session(url=url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def click(url, gap, came):
    """Choose all months and press the first button, so many seconds after one another."""
    session = pull(url)
    document = session.document
    models = document.models
    scope = next(m for m in models if isinstance(m, RadioGroup) and "All months" in m.labels)
    run = next(m for m in models if isinstance(m, Button) and m.visible)
    scope.active = 1 - scope.active
    time.sleep(gap)
    document.callbacks.send_event(ButtonClick(run))
    deadline = time.monotonic() + 10
    while not came.is_set() and time.monotonic() < deadline:
        session.force_roundtrip()
        time.sleep(0.02)
    session.close()


@pytest.mark.slow
@pytest.mark.parametrize("gap", [0.0, 0.01, 0.04])
def test_a_click_right_after_a_choice_is_heard(gap):
    heard, came = [], threading.Event()

    def hear(batch):
        heard.extend((message["type"], message.get("value")) for message in batch)
        if heard[-1][0] == "series-start":
            came.set()

    def page():
        foot = Foot(hear, variables=[DEFAULTS["psl"], DEFAULTS["tas"]], month="1985-01")
        foot.opened = ["series"]
        line = np.linspace(-1.0, 1.0, len(MONTHS)).tolist()
        foot.series = {
            "months": MONTHS,
            "split": "T" * len(MONTHS),
            "target": {variable["name"]: line for variable in foot.variables},
        }
        return FootView(foot).root

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    pn.serve(page, port=port, show=False, threaded=True, verbose=False)
    # In a thread of its own, for the tests in a browser leave a running event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(click, f"http://localhost:{port}/", gap, came).result(60)
    assert heard == [("series-start", "all")]
