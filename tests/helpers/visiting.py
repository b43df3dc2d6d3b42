"""A visit without a browser: messages go to the controls as a browser sends them."""

import contextlib
import queue
import time

from app.session import Session


class Visit:
    """A session whose event loop is this thread."""

    def __init__(self, bundle, query, **how):
        self.loop = queue.Queue()
        self.session = Session(bundle, query, self.loop.put, **how)
        self.observer = self.session.observe
        self.work = self.observer.analysing
        self.panel = self.observer.panel

    def send(self, **message):
        control = self.panel
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
