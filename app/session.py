"""One session: messages change the state, and the page is drawn from the state.

The path of every change is the same: a control sends messages, `Session` turns them into one
change of the `State`, one call of `frames.draw` makes the changed panes, and `Figures.write` puts
them into the page within one hold, together with the acknowledgement that lets the browser send
the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import panel as pn

from app import ideas
from app.bundle_menu import BundleMenu
from app.components import Bar, Message, PageTitles, Tools
from app.context import Action, SessionContext, merge_actions
from app.continue_in_python import continuation
from app.downloads.actions import Downloads
from app.downloads.parts import Parts
from app.learn.game import GameTool
from app.learn.shelf import full_link
from app.learn.tool import LearnTool, check_lesson
from app.maps import frames
from app.maps.area_marks import AreaMarks
from app.maps.figures import Figures
from app.maps.legends import legend_html
from app.maps.markers import Markers
from app.maps.outlines import Outlines, RegionOutlines
from app.maps.slopes import Slope, picture_of, slope_of
from app.maps.vectors import stretched
from app.results.verification import VerificationPanel
from app.share import shared
from app.state import State
from app.text import signed
from app.timeline import split_words, splits
from app.tools.comparison import Comparison
from app.tools.cycle import CycleTool
from app.tools.cycle_actions import CycleActions
from app.tools.explore import ExploreTool, follow
from app.tools.observe import ObserveTool
from app.tools.observe_actions import ObserveActions
from app.tools.perturb import PerturbTool
from app.tools.perturb_actions import PerturbActions
from app.web_files import read
from app.widgets import Words
from mlda_core.bundle.shipped import default_key, link_of
from mlda_core.climate.errors import UserError
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.serialize import (
    from_json,
    from_query,
    pin_fits,
    rows_fit,
    to_json,
    to_query,
)
from mlda_core.page_state.settings import InvalidStateError, options_of
from mlda_core.page_state.snapshot import OtherBundleError, Snapshot, View

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# What can be done during a walk without ending it: it leaves z and the history alone.
WALKS_ON = frozenset(
    {
        "walk",
        "walked",
        "theme",
        "present",
        "home",
        "share",
        "save",
        "python",
        "rest",
        "seed",
        "tool",
        "obs-hover",
    }
    | {"column", "hatch", "member", "event", "foot", "impact", "foot-region", "foot-change"}
    | {"drivers", "series-start", "series-cancel", "obs-download"}
    | {"download-figure", "download-fields", "download-table"}
    | {"cycle-set", "cycle-forecast"}
    | {"learn", "lesson-sheet"}
)
# The tools in the order of their tabs.
TABS = ("explore", "observe", "perturb", "cycle")


class Session:
    """State, figures and controls of one visitor.

    Parameters
    ----------
    bundle : Bundle
        Shared by all sessions; only read.
    query : str
        The URL's query, which may hold a state.
    schedule : callable
        Runs a function on this session's event loop.
    greet : bool
        Let the first analysis form before the visitor's eyes, from `begin` on.
    waits : bool
        Begin the first analysis at `begin` too, but show it at once.
    key : str
        What links call the bundle; '' for the first that ships.
    notice : str
        What the page has to complain of from the start.
    """

    def __init__(
        self,
        bundle: Bundle,
        query: str,
        schedule: Callable[[Callable[[], None]], Any],
        *,
        greet: bool = False,
        waits: bool = False,
        key: str = "",
        notice: str = "",
    ) -> None:
        self.bundle = bundle
        self.key = key or default_key()
        self.limits = limits_of(bundle, link_of(self.key))
        message = notice
        try:
            start = from_query(full_link(query, bundle), self.limits)
            check_lesson(start.lesson)
        except InvalidStateError as error:
            start = self.limits.first_view()
            message = f"{error} The page shows its first view instead."
        self.state = State(self.limits)
        self._restore(start)
        self.state.forget()
        context = SessionContext(
            bundle,
            self.state,
            schedule,
            self._on_messages,
            redraw=self.redraw,
            say=self._say,
            done=self._done,
            retract=self._retract,
        )
        self._refused = False
        self._roles: dict[str, str] = {}
        self.observe = ObserveTool(context)
        self.observe_actions = ObserveActions(context, self.observe)
        self.perturb = PerturbTool(context)
        self.perturb_actions = PerturbActions(context, self.perturb)
        self.cycle = CycleTool(context, offered="cycle" in self.limits.tools)
        self.cycle_actions = CycleActions(context, self.cycle)
        self.comparison = Comparison(context, self.observe)
        self.observe.greeting, self.observe.waiting = greet, greet or waits
        self.bundle_menu = BundleMenu(context, self.key, go=self._go)
        self.verification = VerificationPanel(
            context, self.observe, self.comparison.pinned, lambda: self._frame.model
        )
        self.game = GameTool(context, self.observe, self.key, take=self._take_lesson)
        self.learn = LearnTool(
            context,
            self.key,
            take=self._take_lesson,
            go=self.bundle_menu.follow,
            game=self.game.refused,
        )
        self._frame = frames.draw(bundle, self._request())
        scale = frames.amplification(self._frame.request)["target"]
        self._bars: tuple[bool, Any, int, str] = (self.state.fields == "full", None, scale, "model")
        self.figures = Figures(bundle, self._frame, self.state.theme)
        self._slope: tuple[Slope, tuple[Any, ...]] | None = None
        self.regions = RegionOutlines(self.figures.figures)
        self.markers = Markers(self.figures.figures)
        self.observe.markers = self.markers
        self.observe.areas = AreaMarks(self.figures.figures)
        if self.perturb.sea:
            self.perturb.outlines = Outlines(self.figures.figures, self.perturb.sea)
        self.legends = {
            variable.name: Words(
                legend_html(variable, full=self.state.fields == "full"),
                stylesheets=[read("legend.css")],
                sizing_mode="stretch_both",
                margin=0,
            )
            for variable in stretched(bundle.variables, scale)
        }
        self.explore = ExploreTool(context)
        self.bar = Bar(
            self._on_messages,
            splits=splits(bundle),
            dates=bundle.seasons.dates,
            split_words=split_words(bundle.seasons.step),
            base=f"Anomalies from {bundle.base_period}",
            query=query.lstrip("?"),
            status=message,
            failed=bool(message),
            sizing_mode="stretch_width",
            margin=0,
        )
        self.tools = Tools(
            self._on_messages,
            tools=[
                *(
                    [tool, options_of(View, "tool")[tool]]
                    for tool in TABS
                    if tool in self.limits.tools
                ),
                ["learn", "Learn"],
            ],
            sizing_mode="stretch_width",
            margin=0,
        )
        parts = Parts(
            bundle,
            self.state,
            self.observe,
            self.comparison,
            self.perturb,
            self.cycle,
            self.verification.foot,
            frame=lambda: self._frame,
            stale=self._stale,
            link=lambda: to_query(self.state.snapshot(), self.limits),
        )
        send = self.bar._send_msg  # noqa: SLF001 - Panel's own way
        self.downloads = Downloads(context, parts, send)
        self.titles = PageTitles(margin=0, width=0, height=0)
        self._actions = merge_actions(
            self.actions(),
            self.explore.actions(),
            self.observe_actions.actions(),
            self.perturb_actions.actions(),
            self.cycle_actions.actions(),
            self.comparison.actions(),
            self.verification.actions(),
            self.bundle_menu.actions(),
            self.downloads.actions(),
            self.learn.actions(),
            self.game.actions(),
        )
        self.redraw()

    def begin(self) -> None:
        """Start what has to wait until the browser has loaded the page."""
        self.bar.ready = True
        self.observe.opened = self.perturb.opened = self.cycle.opened = True
        self.observe.waiting = False
        document = pn.state.curdoc
        # The forms are put into the page here: once, and not for each, Bokeh collects its models.
        with document.models.freeze() if document else contextlib.nullcontext():
            self.redraw()

    # -- from messages to the state --------------------------------------------------------

    def _on_messages(self, batch: list[Message]) -> None:
        """Act on one batch, then draw once."""
        try:
            for message in batch:
                self._act(message)
        except UserError as error:
            self._say(str(error), failed=True)
            self._refused = True
        except Exception:
            self._say("Something went wrong here; undo, or load the page again.", failed=True)
            raise
        finally:
            self.redraw()

    def _act(self, message: Message) -> None:
        kind = str(message.get("type"))
        action = self._actions.get(kind)
        if action is None:
            raise InvalidStateError(
                "The page sent something that this server does not know; reload it."
            )
        if kind not in WALKS_ON:
            self.explore.leave_walk()
        words = action(message)
        if words is not None:
            self._done(words)
        elif self._refused and kind != "obs-hover":
            # A complaint about an earlier message goes with the next one that succeeds.
            self._say("")

    def actions(self) -> Mapping[str, Action]:
        """Return what each message of the bar and the tabs does."""
        return {
            "month": self.choose_month,
            "projection": self.choose_projection,
            "fields": self.choose_fields,
            "tool": self.choose_tool,
            "theme": self.choose_theme,
            "present": self.choose_presentation,
            "home": self.show_whole_map,
            "undo": self.undo,
            "redo": self.redo,
            "share": self.share,
            "save": self.save,
            "python": self.continue_in_python,
            "load": self.load,
            "visit": self.visit,
            "try": self.try_idea,
            "start-again": self.start_again,
        }

    def choose_month(self, message: Message) -> str:
        """Show another month."""
        with self.state.gesture():
            self.state.month = View.check("month", message.get("value"), self.limits.options)
            if self.state.model == "code":
                follow(self.state, self.bundle)
        return ""

    def choose_projection(self, message: Message) -> str:
        """Show the maps in another projection."""
        return self._choose("projection", message)

    def choose_fields(self, message: Message) -> str:
        """Show anomalies or full fields."""
        return self._choose("fields", message)

    def choose_tool(self, message: Message) -> str:
        """Open another tool; a lesson that is open waits under Learn."""
        words = self._choose("tool", message)
        self.state.lesson = ""
        return words

    def choose_theme(self, message: Message) -> str | None:
        """Show the page light or dark."""
        words = self._choose("theme", message)
        # A preference of the browser is no gesture: status and address stay as they are.
        return None if message.get("preferred") else words

    def choose_presentation(self, message: Message) -> str:
        """Show maps large and nothing beside them, or the whole page again."""
        self._choose("present", message)
        return ""

    def _choose(self, name: str, message: Message) -> str:
        value = View.check(name, message.get("value"), self.limits.options)
        with self.state.gesture():
            self.state.param.update(**{name: value})
        return ""

    def show_whole_map(self, _: Message) -> None:
        """Zoom out."""
        self.figures.reset_view()

    def undo(self, _: Message) -> str:
        """Return to the state before the last gesture."""
        if not self.state.undo():
            return "There is nothing to undo."
        self.observe.follow_analysis()
        return "Undone."

    def redo(self, _: Message) -> str:
        """Take back an undo."""
        if not self.state.redo():
            return "There is nothing to redo."
        self.observe.follow_analysis()
        return "Redone."

    def share(self, message: Message) -> None:
        """Give the browser the link to copy, and its QR code."""
        # What failed before is over: the browser then says whether the link is copied.
        self._say("")
        snapshot = self.state.snapshot()
        query = to_query(snapshot, self.limits)
        link = shared(message.get("page"), query)
        self.bar.query = query
        if not pin_fits(snapshot):
            self._say(
                "The link does not hold the pinned state, whose observations are too many for a "
                "link: save the page as a file."
            )
        elif not rows_fit(snapshot):
            self._say(
                "The link holds the network, not what was done to it by hand: that is too much "
                "for a link, so save it as a file."
            )
        self.bar._send_msg(link)  # noqa: SLF001 - Panel's own way

    def save(self, _: Message) -> None:
        """Give the browser the state as a file."""
        text = to_json(self.state.snapshot(), self.limits)
        name = f"mlda-{self.state.month}.json"
        self.bar._send_msg({"type": "file", "name": name, "text": text})  # noqa: SLF001
        self._say(f"Saved as {name}.")

    def continue_in_python(self, _: Message) -> None:
        """Give the browser the program that makes what is shown."""
        self._say("")
        state = PageState(self.state.snapshot(), self.bundle, self.limits)
        self.bar._send_msg(continuation(state))  # noqa: SLF001 - Panel's own way

    def load(self, message: Message) -> str | None:
        """Take over the state of a file; one of another bundle opens that bundle."""
        try:
            snapshot = from_json(str(message.get("text", "")), self.limits)
            check_lesson(snapshot.lesson)
        except OtherBundleError as error:
            self.bundle_menu.elsewhere(error)
            return None
        self._restore(snapshot)
        self.observe.follow_analysis()
        self.state.commit()
        return "The saved state is loaded."

    def visit(self, message: Message) -> None:
        """Take over the state of a URL: the browser went back or forward."""
        query = str(message.get("query", ""))
        self._follow(query)
        self.bar.query = query.lstrip("?")
        self._say("")

    def try_idea(self, message: Message) -> str | None:
        """Show one of the ideas of what to try; one of another bundle opens that bundle."""
        idea = ideas.find(message.get("value"))
        query = idea.query(self.key)
        if idea.bundle not in ("", self.key):
            self.bundle_menu.follow(idea.bundle, query)
            return None
        self._follow(query)
        return f"{idea.label}. Undo brings back what was here."

    def _follow(self, query: str) -> None:
        """Take over the state of a link; a theme that it does not say stays as it is."""
        query = full_link(query, self.bundle)
        snapshot = from_query(query, self.limits)
        check_lesson(snapshot.lesson)
        if "theme" not in parse_qs(query.lstrip("?")):
            snapshot = snapshot.replace(theme=self.state.theme)
        self._restore(snapshot)
        self.observe.follow_analysis()
        self.state.commit()

    def _take_lesson(self, query: str) -> None:
        """Take over the state of a lesson's link; theme and presentation stay unless it says so."""
        snapshot = from_query(query, self.limits)
        said = parse_qs(query)
        looks = {name: getattr(self.state, name) for name in ("theme", "present")}
        looks = {name: value for name, value in looks.items() if name not in said}
        self._restore(snapshot.replace(lesson=self.state.lesson, **looks))
        self.observe.follow_analysis()
        self.state.commit()

    def start_again(self, _: Message) -> str:
        """Return to the bundle's first view; a step that can be undone."""
        self._restore(self.limits.first_view().replace(theme=self.state.theme))
        self.figures.reset_view()
        self.observe.follow_analysis()
        self.state.commit()
        return "The first view again; undo brings back what was here."

    def _restore(self, snapshot: Snapshot) -> None:
        self.state.restore(snapshot)
        if snapshot.model == "code":
            follow(self.state, self.bundle)

    # -- from the state to the page --------------------------------------------------------

    def _request(self) -> frames.Request:
        scene = self.perturb.scene() or self.cycle.scene()
        if scene is not None:
            return frames.Request(
                month=self._own.month,
                z=self.state.z,
                projection=self.state.projection,
                full=self.state.fields == "full" and not scene.spans,
                analysis=scene.second,
                column=scene.right,
                scene=scene,
            )
        shown = self.state.observations.values
        return frames.Request(
            month=self.state.month,
            z=self.state.z,
            projection=self.state.projection,
            full=self.state.fields == "full",
            analysis=self.observe.view.fields,
            name=self.observe.view.name,
            residual=self.observe.view.residual,
            column=self.observe.view.column(),
            scene=self.comparison.scene(),
            scale=shown["scale"],
            arrows=shown["arrows"],
        )

    @property
    def _own(self) -> PerturbTool | CycleTool:
        """The tool that draws both columns, where one does."""
        return self.cycle if self.cycle.active else self.perturb

    def redraw(self) -> None:
        """Bring the page to the state: one frame, one hold."""
        self.observe.refresh()
        self.comparison.refresh()
        self.perturb.refresh()
        self.cycle.refresh()
        request = self._request()
        column = "model"
        if self.comparison.method and request.scene is not None:
            column = request.scene.left.kind
        scale = frames.amplification(request)["target"]
        bars = (request.full, self.perturb.legend_look(), scale, column)
        with pn.io.hold():
            frame = frames.draw(self.bundle, request, self._frame)
            self.figures.wait(any(self._stale()))
            self.figures.write(frame)
            self.figures.set_theme(self.state.theme)
            self._frame = frame
            self._give_slope(request)
            roles = self.cycle.roles() if self.cycle.active else self.observe.roles()
            if bars != self._bars or roles != self._roles:
                self._bars, self._roles = bars, roles
                for i, variable in enumerate(stretched(self.bundle.variables, scale)):
                    self.legends[variable.name].object = legend_html(
                        variable,
                        full=bars[0],
                        look=bars[1],
                        i=i,
                        column=column,
                        role=roles.get(variable.name, ""),
                    )
            # Beside another state the scatter has no axis for what was observed.
            other = self._own.active or self.comparison.beside != "target"
            withheld = {} if other else self.observe.view.withheld_points()
            self.figures.write_withheld(withheld)
            self.observe.show()
            self.comparison.show()
            self.perturb.show()
            self.cycle.show()
            self.verification.show()
            outlined = [*self.observe.outlined(), *self.verification.outlined()]
            if self.cycle.active:
                outlined = self.cycle.outlined()
                self.markers.write(self.cycle.table(), self.state.projection, set())
            self.regions.write(outlined, self.state.projection)
            self._show_controls()
        self.explore.make_thumbnails(int(request.month[5:7]))

    def _give_slope(self, request: frames.Request) -> None:
        """Give the browser what it draws with between two frames of a slider that is dragged."""
        picture, k = picture_of(request), self.explore.held
        if self._slope is not None:
            slope, drawn = self._slope
            if drawn == picture and k in (None, slope.k) and slope.near(request.z):
                return
        if picture is not None and k is not None:
            self._slope = slope_of(self.bundle, request, k), picture
            self.figures.write_slope(self._slope[0])
        elif self._slope is not None:
            self._slope = None
            self.figures.write_slope(None)

    def _stale(self) -> tuple[bool, bool]:
        """Whether what each column shows is still of another month or network than the state's."""
        if self._own.active:
            return self._own.stale, self._own.stale
        return self.comparison.stale, self.observe.stale

    def _show_controls(self) -> None:
        state = self.state
        self.bar.put(
            month=state.month,
            projection=state.projection,
            fields=state.fields,
            theme=state.theme,
            present=state.present,
            can_undo=state.can_undo,
            can_redo=state.can_redo,
            tables=self.downloads.offered(),
            making=self.downloads.making,
            pending=(
                self._own.pending
                if self._own.active
                else self.observe.pending or self.comparison.pending
            ),
            nino=_nino_words(
                self._frame.nino,
                (
                    self._own.nino_words()
                    if self._own.active
                    else (
                        self.comparison.label,
                        self.observe.view.name,
                    )
                ),
                self._stale(),
            ),
        )
        self.titles.put(
            words={
                **self.observe.heading.titles(),
                **self.comparison.heading.titles(),
                **self._own.heading.titles(),
            },
            target=self.comparison.heading.beside == "target",
        )
        self.explore.show()
        # Perturb and Cycle do not show the analysis of Observe.
        paused = "" if self._own.active else self.observe.view.paused()
        self.tools.put(tool=state.tool, learning=bool(state.lesson), paused=paused)
        self.learn.show()
        self.game.show()

    def _done(self, words: str = "") -> None:
        """End a gesture: words on the page, the state in the address bar."""
        self._say(words)
        self.bar.query = to_query(self.state.snapshot(), self.limits)

    def _say(self, words: str, *, failed: bool = False) -> None:
        self._refused = False
        self.bar.param.update(status=words, failed=failed)

    def _retract(self, words: str) -> None:
        """Remove a complaint from the page, if it is the one shown."""
        if words and self.bar.failed and self.bar.status == words:
            self._say("")

    def _go(self, query: str, with_file: bool) -> None:
        """Send the browser to another bundle's page, with the file that it has read or without."""
        message = {"type": "go", "query": query, "file": with_file}
        self.bar._send_msg(message)  # noqa: SLF001 - Panel's own way

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.bundle_menu.close()
        self.downloads.close()
        self.explore.close()
        self.observe.close()
        self.comparison.close()
        self.verification.close()
        self.perturb.close()
        self.cycle.close()
        self.learn.close()
        self.game.close()
        self.tools.listen(None)
        self.bar.listen(None)


def _nino_words(
    nino: tuple[float, float] | None,
    names: tuple[str, str] | None,
    stale: tuple[bool, bool],
) -> str:
    if nino is None or names is None:
        return ""
    # No number of another month than the heading's.
    first, second = ("…" if late else f"{signed(v)} K" for v, late in zip(nino, stale, strict=True))
    return f"Niño 3.4: {names[0]} <b>{first}</b>, {names[1]} <b>{second}</b>"
