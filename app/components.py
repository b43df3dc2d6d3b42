"""The controls of the page: Param parameters on the server, plain HTML in the browser.

They are custom components of Panel around native inputs, so that keyboard, screen readers and touch
work, and that a hundred sliders are a hundred lines of HTML: as Bokeh widgets they took seconds to
lay out. A control sends messages and shows parameters; it has no logic of the application.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent
from panel.reactive import Syncable

from app.web_files import read, read_module
from mlda_core.page_state.settings import is_count
from mlda_core.page_state.snapshot import Z_LIMIT

# Panel holds a widget's change back for 50 ms. An event that comes in that time hands the change
# over first, without the document's lock (panel 1.9.4): Bokeh then refuses the first change of a
# source, and the event, such as a click right after a choice, is lost silently.
Syncable._event_coroutine.lock = True  # type: ignore[attr-defined]  # noqa: SLF001

# Of a CSV, in bytes: 20,000 rows take a third of it; Bokeh ends a connection over 20 MB a message.
LARGEST_FILE = 6_000_000

Message = dict[str, Any]
Handler = Callable[[list[Message]], None]


class Sender:
    """Mixin of controls that send messages to a session and show its parameters."""

    param: Any
    _handler: Handler | None

    def put(self, **values: Any) -> None:
        """Set the parameters that differ: setting them all took 2 ms of a slider's frame."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        if changed:
            self.param.update(**changed)

    def listen(self, handler: Handler | None) -> None:
        """Set or clear the handler of messages."""
        self._handler = handler


class Control(Sender, JSComponent):
    """A component that sends batches of messages and gets an acknowledgement for each.

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    """

    ack = param.Integer(default=0, doc="Number of the last batch that is drawn.")

    took = param.Number(default=0.0, doc="Milliseconds the batch before took, sending included.")

    ready = param.Boolean(doc="Whether the server hears: what is sent before waits.")

    __abstract = True

    def __init__(self, handler: Handler | None = None, **params: Any) -> None:
        self._handler = handler
        self._took = 0.0
        super().__init__(**params)

    def _handle_msg(self, data: Any) -> None:
        if not isinstance(data, dict) or self._handler is None:
            return
        batch, seq = data.get("batch"), data.get("seq")
        start = time.perf_counter()
        # The frame and its acknowledgement leave in one message.
        with pn.io.hold():
            try:
                if isinstance(batch, list):
                    self._handler([m for m in batch if isinstance(m, dict)])
            finally:
                number = seq if is_count(seq) and seq != self.ack else self.ack + 1
                self.param.update(ack=number, took=round(self._took, 2))
        self._took = 1e3 * (time.perf_counter() - start)


class Bar(Control):
    """The bar at the top and the line of words below it; what stays is in the page's template."""

    splits = param.Dict(default={}, doc="Letters of splits, one for each date of each year.")
    dates = param.List(default=[], doc="The dates of a year: MM of months, MM-DD of days.")
    split_words = param.Dict(default={}, doc="What each split means, in words.")
    month = param.String()
    projection = param.String()
    fields = param.String()
    theme = param.String()
    present = param.String(doc="What is presented; '' when nothing is.")
    can_undo = param.Boolean()
    can_redo = param.Boolean()
    query = param.String(doc="The state as a URL's query, for the address bar.")
    status = param.String(doc="What happened last, in words.")
    failed = param.Boolean(doc="Whether the status is a complaint.")
    tables = param.List(default=[], doc="Key and label of the tables that can be downloaded.")
    making = param.String(doc="What is being made for download; '' when nothing is.")
    pending = param.Boolean(doc="Whether the month's analysis or response is still to come.")
    nino = param.String(doc="Nino 3.4 of target and model, HTML.")
    base = param.String(doc="Base period of the anomalies.")

    _esm = read_module("bar.js")
    _stylesheets = [read("chrome.css") + read("bar.css") + read("info.css")]  # noqa: RUF012


class Explore(Control):
    """The tool Explore: latent sliders and what sets them all."""

    z = param.List(default=[], doc="The latent vector.")
    limit = param.Number(default=Z_LIMIT, doc="The largest value of a latent, either way.")
    marks = param.List(default=[], doc="The code of the month shown, marked on each slider.")
    latents = param.List(default=[], doc="What stands beside each of the first sliders.")
    rest = param.List(default=[], doc="The same for the others, once asked for.")
    origin = param.String(doc="Where z came from, in words.")
    follow = param.Boolean(doc="Whether the model shows the code of the month.")
    seed = param.Integer(default=1)
    step = param.String(default="month", doc="The bundle's time step.")
    walk_from = param.String()
    walk_to = param.String()
    about = param.String(doc="What explains the marks and the numbers, HTML.")
    walk_id = param.Integer(default=0, doc="Grows with each walk that may start.")

    _esm = read_module("explore.js")
    _stylesheets = [  # noqa: RUF012
        read("chrome.css") + read("track.css") + read("explore.css") + read("info.css")
    ]


class Tools(Control):
    """The tabs of the left column, and what it says when the model no longer shows the analysis."""

    tools = param.List(default=[], doc="Key and label of each tool.")
    tool = param.String()
    learning = param.Boolean(doc="Whether Learn is open in its place.")
    paused = param.String(doc="Why the analysis is not shown, in words; '' where it is.")

    _esm = read_module("tools.js")
    _stylesheets = [read("chrome.css") + read("tools.css")]  # noqa: RUF012


class Members(Control):
    """Which member of the ensemble the model's column shows, and a film of them."""

    member = param.Integer(default=1)
    members = param.Integer(default=1, doc="How many there are.")
    shows_member = param.Boolean(doc="Whether the column shows the one chosen by now.")
    shown = param.Boolean(doc="Whether the column shows members at all: a film ends with that.")

    _esm = read_module("members.js")
    _stylesheets = [read("chrome.css") + read("members.css")]  # noqa: RUF012


class PageTitles(Sender, JSComponent):
    """What the headings of the columns say elsewhere on the page."""

    words = param.Dict(default={}, doc="Text by selector or by name of a variable of CSS.")
    target = param.Boolean(default=True, doc="Whether the target stands beside the model.")

    _esm = read_module("titles.js")


class ObserveGestures(Control):
    """The hand on the maps while the tool Observe is chosen; its form is Panel's widgets."""

    run = param.String(doc="'' or 'live', 'step', 'paused': what is under way.")
    chosen = param.Integer(default=0, doc="How many observations are selected.")
    begun = param.Boolean(doc="Whether the first of two places is given, and Escape gives it up.")
    largest = param.Integer(default=LARGEST_FILE, doc="Bytes of a file that can be read.")

    _esm = read_module("observe_gestures.js")


class SettingSlider(Control):
    """A slider of a setting of the observations."""

    setting = param.String(doc="Its name.")
    label = param.String()
    title = param.String(doc="What the pointer explains.")
    words = param.String(default="{}", doc="What stands around the number, given for '{}'.")
    low = param.Number(default=0.0)
    high = param.Number(default=1.0)
    step = param.Number(default=0.05)
    value = param.Number(default=0.0)
    about = param.String(doc="The (i) that explains it, HTML.")
    idle = param.String(doc="Why it does nothing; '' where it does.")

    _esm = read_module("slider.js")
    _stylesheets = [read("chrome.css") + read("slider.css") + read("info.css")]  # noqa: RUF012


class AmountSlider(Control):
    """The amount of one change of the sea: a number and a slider."""

    at = param.Integer(default=0, doc="Which change it is, from 0.")
    most = param.Number(default=5.0, doc="The largest amount, kelvin, either way.")
    where = param.String()
    kelvin = param.Number(default=0.0)
    counts = param.Boolean(default=True, doc="Whether the change counts.")

    _esm = read_module("amount.js")
    _stylesheets = [read("chrome.css") + read("track.css") + read("amount.css")]  # noqa: RUF012


class PerturbGestures(Control):
    """The hand on the maps while the tool Perturb is chosen; its form is Panel's widgets."""

    view = param.String(doc="What the columns show.")
    chosen = param.Integer(default=-1, doc="Which change of the sea is selected; -1: none.")
    busy = param.Boolean(doc="Whether a response is under way.")

    _esm = read_module("perturb_gestures.js")


class CycleGestures(Control):
    """The hand on the maps while the tool Cycle is chosen; its form is Panel's widgets."""

    clicks = param.Boolean(doc="Whether a click on a map observes there.")
    busy = param.Boolean(doc="Whether a day or a window that is waited for is under way.")

    _esm = read_module("cycle_gestures.js")
