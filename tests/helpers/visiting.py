"""A visit without a browser: messages go to the controls as a browser sends them."""

import contextlib
import queue
import time

from app.session import Session
from mlda_core.page_state.perturbations import PerturbationSettings

SOME = "?network=stations&stations=20&tool=observe"
# Five observations, of which three cannot be.
CSV = """variable,lat,lon,value,error_sd,withheld,label
tas,51.5,-0.1,1.2,0.3,no,London
tas,95,0,1,0.3,no,
psl,-12.4,130.8,-2,0.5,yes,Darwin
tos,50,90,1,0.2,no,Siberia
foo,0,0,1,0.1,no,
"""
PERTURB = "?tool=perturb&network=none&model=code"


def send(control, **message):
    control._handle_msg({"seq": control.ack + 1, "batch": [message]})


class Visit:
    """A session whose event loop is this thread."""

    def __init__(self, bundle, query, **how):
        self.loop = queue.Queue()
        self.session = Session(bundle, query, self.loop.put, **how)
        self.observer = self.session.observe
        self.work = self.observer.analysing
        self.panel, self.view = self.observer.panel, self.observer.view

    def send(self, **message):
        control = self.observer.gestures
        control._handle_msg({"seq": control.ack + 1, "batch": [message]})

    def turn(self, seconds=0.05):
        """Run what is scheduled within some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                self.loop.get(timeout=0.02)()

    def settle(self, until=lambda visit: not visit.work.run, limit=60):
        end = time.monotonic() + limit
        self.turn()
        while not until(self):
            assert time.monotonic() < end, "the analysis did not come"
            self.turn()

    @property
    def rows(self):
        return self.observer.table.rows

    @property
    def status(self):
        return self.session.bar.status


class SeaVisit:
    """The same for the tool Perturb."""

    def __init__(self, bundle, query):
        self.loop = queue.Queue()
        self.session = Session(bundle, query, self.loop.put)
        self.perturb = self.session.perturb
        self.work = self.perturb.work
        self.panel, self.heading = self.perturb.panel, self.perturb.heading

    def send(self, *messages):
        control = self.perturb.gestures
        control._handle_msg({"seq": control.ack + 1, "batch": list(messages)})

    def set(self, name, value):
        self.send({"type": "sea-set", "name": name, "value": value})

    def turn(self, seconds=0.05):
        """Run what is scheduled within some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                self.loop.get(timeout=0.02)()

    def settle(self, limit=240):
        end = time.monotonic() + limit
        self.turn()
        while self.work.busy is not None:
            assert time.monotonic() < end, "the response did not come"
            self.turn()
        return self

    @property
    def p(self) -> PerturbationSettings:
        return self.session.state.perturbations

    @property
    def bar(self):
        return self.session.bar


class CycleVisit:
    """The same for the tool Cycle."""

    def __init__(self, bundle, query):
        self.loop = queue.Queue()
        self.session = Session(bundle, query, self.loop.put)
        self.session.begin()
        self.cycle = self.session.cycle
        self.work, self.form = self.cycle.work, self.cycle.form

    def send(self, *messages):
        control = self.session.bar
        control._handle_msg({"seq": control.ack + 1, "batch": list(messages)})

    def act(self, action):
        self.send({"type": "cycle-run", "action": action})

    def set(self, name, value):
        self.send({"type": "cycle-set", "name": name, "value": value})

    def settle(self, until=lambda visit: not visit.work.running, limit=120):
        end = time.monotonic() + limit
        while not until(self):
            assert time.monotonic() < end, "the days did not come"
            with contextlib.suppress(queue.Empty):
                self.loop.get(timeout=0.02)()
        return self

    @property
    def month(self):
        return self.session.state.month

    @property
    def said(self):
        return self.cycle.panel.words["run"]


def take(visit, limit=240, **message):
    """Ask for a download and return what the browser is given."""
    downloads, given = visit.session.downloads, []
    before, downloads._send = downloads._send, given.append
    try:
        send(visit.session.bar, **message)
        end = time.monotonic() + limit
        while downloads.making:
            assert time.monotonic() < end, "the file did not come"
            with contextlib.suppress(queue.Empty):
                visit.loop.get(timeout=0.02)()
    finally:
        downloads._send = before
    assert not visit.session.bar.failed, visit.session.bar.status
    (found,) = given
    return found
