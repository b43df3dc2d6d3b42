"""One visitor: messages change the state, the state decides the picture.

The path of every change is the same: a control sends messages, `Session` turns them into one
change of the `State`, one call of `frames.draw` makes the changed panes, and `Figures.write` puts
them into the page within one hold, together with the acknowledgement that lets the browser send
the next one.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import torch
from numpy.typing import NDArray

from app.bundle_menu import Choosing, prepare
from app.bundles import default_key, limits_of, link_of, open_bundle, short_title
from app.components import Bar, Explore, Message, Tools
from app.context import Visit
from app.jobs import background
from app.jobs.analysis import engine_of
from app.jobs.worker import Latest
from app.maps import frames, thumbnails
from app.maps.figures import Figures, legend_html, number
from app.maps.markers import Markers
from app.maps.outlines import Outlines
from app.maps.projections import choices_of, projection
from app.maps.vectors import stretched
from app.results.verification import Verifying
from app.state.observations import Observing
from app.state.store import (
    FIELDS,
    NO_TOOL,
    THEMES,
    TOOLS,
    OtherBundleError,
    Snapshot,
    State,
    StateError,
    from_json,
    from_query,
    rows_fit,
    snap,
    to_json,
    to_query,
)
from app.timeline import SPLIT_WORDS, curve, splits
from app.tools.comparison import Beside
from app.tools.observations import resolve
from app.tools.observe import GREETING, REFUSALS, Observer
from app.tools.observe_actions import Gestures
from app.tools.perturb import Perturber
from app.tools.perturb_actions import REFUSED, PerturbGestures
from mlda_core.climate.errors import BundleError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

FIRST_SLIDERS = 12
# Seconds between two months that are made in the background.
REST = 3.0

# What can be done during a walk without ending it: it leaves z and the history alone.
WALKS_ON = frozenset(
    {"walk", "walked", "theme", "home", "share", "save", "rest", "seed", "tool", "obs_hover"}
    | {"column", "hatch", "foot", "impact", "foot_region", "foot_change", "drivers"}
    | {"series_start", "series_cancel", "obs_download"}
)
# What dragging over a map does while something is to be drawn there; else it pans.
DRAGS = {"lasso": "lasso", **dict.fromkeys(("box", "region", "over", "within"), "box")}
# In the order of the tabs; the first that is shown is the state's first.
TOOL_LABELS = {"explore": "Explore", "observe": "Observe", "perturb": "Perturb"}


def bundle_of_process(key: str = "") -> Bundle:
    """Load a bundle, once per process.

    Parameters
    ----------
    key : str
        As links call it; by default the one that ``MLDA_BUNDLE`` names, or the first that ships.

    Raises
    ------
    mlda_core.bundle.bundle.BundleError
        If it is broken or there is none of that name; the message is one sentence.
    """
    # One thread decodes one state fastest, and leaves a core to the browser beside it: two threads
    # on two busy cores took 117 ms a state instead of 16.
    torch.set_num_threads(1)
    return open_bundle(key)


# Bundles whose seasons are made, or under way.
_WARMED: weakref.WeakSet[Bundle] = weakref.WeakSet()


def warm_up() -> None:
    """Make what all sessions share: bundle, projections, datashader's compiled loops.

    A broken bundle is not complained of here: the page does, where it is read. It ends early if
    the server does.
    """
    with contextlib.suppress(BundleError):
        if background.stopping():
            return
        bundle = bundle_of_process()
        month = limits_of(bundle).first_month()
        prepare(bundle)
        z = np.asarray(bundle.code(month), dtype=np.float32)
        for choice in choices_of(bundle.grid):
            if background.stopping():
                return
            projection(choice.key)
            frames.draw(bundle, frames.Request(month, z, choice.key, full=False))
        for k in range(min(FIRST_SLIDERS, bundle.n_latent)):
            if background.stopping():
                return
            thumbnails.latent(bundle, k, int(month[5:]))
        # The decoder's Jacobian of the season, and the factors of the first network: 5 s.
        table = resolve(Observing(), bundle, month).plain
        with contextlib.suppress(ValueError):
            for part in (*GREETING, 1):
                if background.stopping():
                    return
                engine_of(bundle).run(table[: len(table) // part], month)


def warm_seasons(bundle: Bundle | None = None, *, wait: float = 0.0) -> None:
    """Make what the first analysis in each calendar month would wait for: 1 to 5 s a month.

    Parameters
    ----------
    bundle : Bundle, optional
        That of the process by default.
    wait : float
        Seconds before the first one.
    """
    with contextlib.suppress(BundleError):
        bundle = bundle or bundle_of_process()
        if bundle in _WARMED:
            return
        _WARMED.add(bundle)
        if background.pause(wait):
            return
        if bundle.has_statistics:
            # Not the first response of the tool Perturb: its dense networks take 20 s of a core,
            # and the first visitor's own analysis waited for them.
            for month in range(1, 13):
                bundle.jacobian(month)
                # A pause, for it takes a core that a slider needs: 35 ms a frame instead of 28.
                if background.pause(REST):
                    return


def draw_of(seed: int, n_latent: int) -> NDArray[np.float32]:
    """Return the draw from N(0, I) that a seed stands for."""
    return np.random.default_rng(seed).standard_normal(n_latent).astype(np.float32)


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
        key: str = "",
        notice: str = "",
    ) -> None:
        self.bundle = bundle
        self.key = key or default_key()
        self.limits = limits_of(bundle, link_of(self.key))
        self._worker = Latest(schedule, self._job_failed)
        self._walk: tuple[NDArray[np.float32], NDArray[np.float32], str] | None = None
        self._rest_open = False
        self._thumb_month = 0

        message = notice
        try:
            start = from_query(query, self.limits)
        except StateError as error:
            start = self.limits.first_view()
            message = f"{error} The page shows its first view instead."
        self.state = State(self.limits)
        self._restore(start)
        self.state.forget()
        visit = Visit(
            bundle,
            self.state,
            schedule,
            self._on_messages,
            redraw=self.redraw,
            say=self._say,
            done=self._done,
        )
        self.observer = Observer(visit)
        self.gestures = Gestures(visit, self.observer)
        self.perturber = Perturber(visit)
        self.perturb_gestures = PerturbGestures(visit, self.perturber)
        self.beside = Beside(visit, self.observer)
        self.observer.greeting = self.observer.waiting = greet
        self.choosing = Choosing(
            self.key, self.state, schedule, go=self._go, stay=self._stay, say=self._say
        )
        self.verifying = Verifying(visit, self.observer)
        self._frame = frames.draw(bundle, self._request())
        scale = self._frame.request.scale
        self._bars: tuple[bool, Any, int, str] = (self.state.fields == "full", None, scale, "model")
        self.figures = Figures(bundle, self._frame, self.state.theme)
        self.markers = Markers(self.figures.figures)
        self.gestures.attach(self.markers)
        self.perturb_gestures.attach(self.markers)
        if self.perturber.sea:
            self.perturber.outlines = Outlines(self.figures.figures, self.perturber.sea)
        self.legends = {
            variable.name: pn.pane.HTML(
                legend_html(variable, full=self.state.fields == "full"),
                stylesheets=[_legend_css()],
                sizing_mode="stretch_both",
                margin=0,
            )
            for variable in stretched(bundle.variables, scale)
        }
        latents = [
            thumbnails.plain(bundle, k).to_dict()
            for k in range(min(FIRST_SLIDERS, bundle.n_latent))
        ]
        self.explore = Explore(
            self._on_messages,
            z=self.state.z.tolist(),
            latents=latents,
            walk_from=self.state.month,
            walk_to="draw 7",
            sizing_mode="stretch_width",
            margin=0,
        )
        self.bar = Bar(
            self._on_messages,
            bundle=bundle.title,
            name_short=short_title(bundle.title),
            about=f"{bundle.title}: {bundle.n_latent} latents, {len(bundle.months)} months",
            bundles=self.choosing.choices(),
            bundle_key=self.key,
            splits=splits(bundle),
            split_words=SPLIT_WORDS,
            projections=[[choice.key, choice.label] for choice in choices_of(bundle.grid)],
            curve=list(curve(bundle)[0]),
            curve_words=curve(bundle)[1],
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
                [tool, label] for tool, label in TOOL_LABELS.items() if tool in self.limits.tools
            ],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.redraw()

    def begin(self) -> None:
        """Start what waited for the browser to have the page."""
        for control in (self.bar, self.verifying.foot):
            control.ready = True
        if self.observer.waiting:
            self.observer.waiting = False
            self.redraw()

    # -- from messages to the state --------------------------------------------------------

    def _on_messages(self, batch: list[Message]) -> None:
        """Act on one batch, then draw once."""
        try:
            for message in batch:
                self._act(message)
        except (StateError, *REFUSALS, *REFUSED) as error:
            self._say(str(error), failed=True)
        except Exception:
            self._say("Something went wrong here; undo, or load the page again.", failed=True)
            raise
        finally:
            self.redraw()

    def _act(self, message: Message) -> None:
        kind = str(message.get("type")).replace("-", "_")
        own = getattr(self, f"_do_{kind}", None)
        parts = (
            *(self.gestures, self.verifying, self.perturb_gestures),
            *(self.choosing, self.beside),
        )
        observers = next(filter(None, (getattr(part, f"do_{kind}", None) for part in parts)), None)
        if own is None and observers is None:
            raise StateError("The page sent something that this server does not know; reload it.")
        if kind not in WALKS_ON:
            self._leave_walk()
        if own is not None:
            own(message)
        elif observers is not None:
            words = observers(message)
            if words is not None:
                self._done(words)

    def _do_month(self, message: Message) -> None:
        month = message.get("value")
        if month not in self.limits.months:
            raise StateError(f"There is no month '{str(month)[:24]}' in this bundle.")
        with self.state.gesture():
            self.state.month = month
            if self.state.model == "code":
                self._follow()
        self._done()

    def _do_z(self, message: Message) -> None:
        k, value = message.get("k"), message.get("value")
        if not isinstance(k, int) or not 0 <= k < self.limits.n_latent:
            raise StateError("The page sent a latent that this bundle does not have; reload it.")
        if not isinstance(value, int | float) or not np.isfinite(value) or abs(value) > 8:
            raise StateError("A latent must be a number from -8 to 8.")
        if value != float(self.state.z[k]):
            z = self.state.z.copy()
            z[k] = value
            words = self._origin()
            if not words.endswith(", then by hand"):
                words = f"{words}, then by hand"
            self.state.param.update(z=snap(z), model="own", origin=words)
        if message.get("done"):
            self.state.commit()
            self._done()

    def _do_encode(self, _: Message) -> None:
        with self.state.gesture():
            self._follow()
        self._done(f"{self.state.month} encoded: the model shows what its encoder makes of it.")

    def _do_prior(self, _: Message) -> None:
        with self.state.gesture():
            self._set_z(np.zeros(self.limits.n_latent, dtype=np.float32), "prior mean")
        self._done("Prior mean: all latents are zero.")

    def _do_random(self, message: Message) -> None:
        self._do_seed(message)
        seed = self.state.seed
        with self.state.gesture():
            self._set_z(draw_of(seed, self.limits.n_latent), f"random draw, seed {seed}")
            # The field then shows the seed of the next draw; this one's stands in words.
            self.state.seed = seed + 1
        self._done(f"Random draw, seed {seed}: weather that never was.")

    def _do_seed(self, message: Message) -> None:
        text = str(message.get("seed", "")).strip()
        if not text.isdecimal() or not int(text) < 2**31 - 1:
            self.explore.param.trigger("seed")
            raise StateError("The seed must be a whole number from 0 to 2147483646.")
        self.state.seed = int(text)

    def _do_projection(self, message: Message) -> None:
        self._choose("projection", message.get("value"), self.limits.projections)

    def _do_fields(self, message: Message) -> None:
        self._choose("fields", message.get("value"), FIELDS)

    def _do_tool(self, message: Message) -> None:
        tool = message.get("value")
        if tool in TOOLS and tool not in self.limits.tools:
            raise StateError(NO_TOOL[tool])
        self._choose("tool", tool, self.limits.tools)

    def _do_theme(self, message: Message) -> None:
        self._choose("theme", message.get("value"), THEMES)

    def _choose(self, name: str, value: Any, allowed: tuple[str, ...]) -> None:
        if value not in allowed:
            raise StateError(f"There is no {name} '{str(value)[:24]}'.")
        with self.state.gesture():
            self.state.param.update(**{name: value})
        self._done()

    def _do_home(self, _: Message) -> None:
        self.figures.reset_view()

    def _do_undo(self, _: Message) -> None:
        self._done("Undone." if self.state.undo() else "There is nothing to undo.")

    def _do_redo(self, _: Message) -> None:
        self._done("Redone." if self.state.redo() else "There is nothing to redo.")

    def _do_share(self, _: Message) -> None:
        # What failed before is over: the browser then says whether the link is copied.
        self._say("")
        snapshot = self.state.snapshot()
        query = to_query(snapshot, self.limits)
        self.bar.query = query
        if not rows_fit(snapshot):
            self._say(
                "The link holds the network, not what was done to it by hand: that is too much "
                "for a link, so save it as a file."
            )
        self.bar._send_msg({"type": "link", "query": query})  # noqa: SLF001 - Panel's own way

    def _do_save(self, _: Message) -> None:
        text = to_json(self.state.snapshot(), self.limits)
        name = f"mlda-{self.state.month}.json"
        self.bar._send_msg({"type": "file", "name": name, "text": text})  # noqa: SLF001
        self._say(f"Saved as {name}.")

    def _do_load(self, message: Message) -> None:
        try:
            snapshot = from_json(str(message.get("text", "")), self.limits)
        except OtherBundleError as error:
            self.choosing.elsewhere(error)
            return
        self._restore(snapshot)
        self.state.commit()
        self._done("The saved state is loaded.")

    def _do_visit(self, message: Message) -> None:
        """Take over the state of a URL: the browser went back or forward."""
        query = str(message.get("query", ""))
        self._restore(from_query(query, self.limits))
        self.state.commit()
        self.bar.query = query.lstrip("?")
        self._say("")

    def _do_rest(self, _: Message) -> None:
        self._rest_open = True
        if not self.explore.rest:
            self.explore.rest = [
                thumbnails.plain(self.bundle, k).to_dict()
                for k in range(FIRST_SLIDERS, self.limits.n_latent)
            ]
            self._thumb_month = 0

    def _do_walk_from(self, message: Message) -> None:
        ends = [self._end(message.get(name)) for name in ("from", "to")]
        words = f"walk from {message.get('from')} to {message.get('to')}"
        self._walk = (ends[0], ends[1], words)
        self.explore.walk_id += 1
        self._say(f"{words[0].upper()}{words[1:]}.")

    def _do_walk(self, message: Message) -> None:
        t = message.get("t")
        if self._walk is None or not isinstance(t, int | float) or not 0 <= t <= 1:
            return
        start, stop, words = self._walk
        z = snap((1 - t) * start + t * stop)
        self.state.param.update(z=z, model="own", origin=f"{words}, {100 * t:.0f} %")

    def _do_walked(self, _: Message) -> None:
        if self._walk is None:
            return
        self._walk = None
        self.state.commit()
        self._done("The walk has ended.")

    def _leave_walk(self) -> None:
        """End a walk because something else is done: where it came to is one step of undo."""
        if self._walk is None:
            return
        self._walk = None
        self.state.commit()
        over = {"type": "walk-over", "id": self.explore.walk_id}
        self.explore._send_msg(over)  # noqa: SLF001 - Panel's own way

    def _end(self, text: Any) -> NDArray[np.float32]:
        """Return the latent vector at one end of a walk."""
        given = str(text or "").strip().lower()
        if given in self.limits.months:
            return self._code(given)
        seed = given.removeprefix("draw").strip()
        if seed.isdecimal() and int(seed) < 2**31:
            return draw_of(int(seed), self.limits.n_latent)
        raise StateError(
            f"A walk goes between months such as {self.state.month} and draws such as 'draw 7'; "
            f"'{given[:24]}' is neither."
        )

    def _set_z(self, z: NDArray[np.float32], origin: str) -> None:
        self.state.param.update(z=snap(z), model="own", origin=origin)

    def _follow(self) -> None:
        month = self.state.month
        self.state.param.update(z=self._code(month), model="code", origin=f"code of {month}")

    def _origin(self) -> str:
        """Return where z came from, in words."""
        return "analysis" if self.state.model == "analysis" else self.state.origin

    def _code(self, month: str) -> NDArray[np.float32]:
        return np.clip(np.asarray(self.bundle.code(month), dtype=np.float32), -8.0, 8.0)

    def _restore(self, snapshot: Snapshot) -> None:
        self.state.restore(snapshot)
        if snapshot.model == "code":
            self._follow()

    # -- from the state to the page --------------------------------------------------------

    def _request(self) -> frames.Request:
        scene = self.perturber.scene()
        if scene is not None:
            return frames.Request(
                month=self.perturber.month,
                z=self.state.z,
                projection=self.state.projection,
                full=self.state.fields == "full" and not scene.spans,
                analysis=scene.second,
                column=scene.right,
                scene=scene,
            )
        return frames.Request(
            month=self.state.month,
            z=self.state.z,
            projection=self.state.projection,
            full=self.state.fields == "full",
            analysis=self.observer.shown,
            beyond=self.observer.beyond,
            column=self.observer.column(),
            scene=self.beside.scene(),
            scale=self.state.observing.scale,
            arrows=self.state.observing.arrows,
        )

    def redraw(self) -> None:
        """Bring the page to the state: one frame, one hold."""
        self.observer.refresh()
        self.beside.refresh()
        self.perturber.refresh()
        request = self._request()
        column = "model"
        if self.beside.method and request.scene is not None:
            column = request.scene.left.kind
        bars = (request.full, self.perturber.legend_look(), request.scale, column)
        with pn.io.hold():
            frame = frames.draw(self.bundle, request, self._frame)
            self.figures.wait(any(self._stale()))
            self.figures.write(frame)
            self.figures.set_theme(self.state.theme)
            self._frame = frame
            if bars != self._bars:
                self._bars = bars
                for i, variable in enumerate(stretched(self.bundle.variables, request.scale)):
                    self.legends[variable.name].object = legend_html(
                        variable, full=bars[0], look=bars[1], i=i, column=column
                    )
            # Beside another analysis the scatter has no axis for what was observed.
            other = self.perturber.active or self.beside.method
            withheld = {} if other else self.observer.withheld_points()
            self.figures.write_withheld(withheld)
            self.observer.show()
            self.beside.show()
            self.perturber.show()
            mode = self.perturber.mode if self.perturber.active else self.observer.panel.mode
            self.markers.drag(DRAGS.get(mode, "place"))
            self.verifying.show()
            self._show_controls()
        self._make_thumbnails()

    def _stale(self) -> tuple[bool, bool]:
        """Whether what each column shows is still of another month than the heading's."""
        if self.perturber.active:
            return self.perturber.stale, self.perturber.stale
        return self.beside.stale, self.observer.stale

    def _show_controls(self) -> None:
        state, month = self.state, self.state.month
        self.bar.put(
            month=month,
            projection=state.projection,
            fields=state.fields,
            theme=state.theme,
            can_undo=state.can_undo,
            can_redo=state.can_redo,
            nino=_nino_words(
                self._frame.nino,
                (
                    self.perturber.nino_words()
                    if self.perturber.active
                    else (self.beside.label, "model")
                ),
                self._stale(),
            ),
        )
        changes: dict[str, Any] = {
            "origin": f"z: {self._origin()}",
            "follow": state.model == "code",
            "seed": state.seed,
        }
        z = state.z.tolist()
        if z != self.explore.z:
            changes["z"] = z
        marks = self._code(month).tolist()
        if marks != self.explore.marks:
            changes["marks"] = marks
        self.explore.put(**changes)
        # Perturb shows no model that could have left the analysis.
        paused = "" if self.perturber.active else self.observer.paused()
        self.tools.put(tool=state.tool, paused=paused)

    def _make_thumbnails(self) -> None:
        """Draw the sliders' pictures for the season shown, in the background."""
        month = self._request().calendar_month
        if month == self._thumb_month:
            return
        self._thumb_month = month
        bundle = self.bundle
        count = bundle.n_latent if self._rest_open else min(FIRST_SLIDERS, bundle.n_latent)

        def job(stale: Callable[[], bool]) -> list[dict[str, Any]]:
            made = []
            for k in range(count):
                if stale():
                    break
                made.append(thumbnails.latent(bundle, k, month).to_dict())
            return made

        def deliver(made: list[dict[str, Any]]) -> None:
            with pn.io.hold():
                self.explore.latents = made[:FIRST_SLIDERS]
                if len(made) > FIRST_SLIDERS:
                    self.explore.rest = made[FIRST_SLIDERS:]

        self._worker.submit(job, deliver)

    def _job_failed(self, error: Exception) -> None:
        self._say(f"The pictures beside the sliders failed ({type(error).__name__}).", failed=True)

    def _done(self, words: str = "") -> None:
        """End a gesture: words on the page, the state in the address bar."""
        self._say(words)
        self.bar.query = to_query(self.state.snapshot(), self.limits)

    def _say(self, words: str, *, failed: bool = False) -> None:
        self.bar.param.update(status=words, failed=failed)

    def _go(self, query: str, with_file: bool) -> None:
        """Send the browser to another bundle's page, with the file that it has read or without."""
        message = {"type": "go", "query": query, "file": with_file}
        self.bar._send_msg(message)  # noqa: SLF001 - Panel's own way

    def _stay(self, words: str) -> None:
        """Stay at this bundle: another could not be opened."""
        self._say(words, failed=True)

    def close(self) -> None:
        """Let go of everything, when the visitor has left."""
        self._worker.cancel()
        self.choosing.close()
        self.observer.close()
        self.beside.close()
        self.verifying.close()
        self.perturber.close()
        self.tools.listen(None)
        self.bar.listen(None)
        self.explore.listen(None)


def _nino_words(
    nino: tuple[float, float] | None,
    names: tuple[str, str] | None,
    stale: tuple[bool, bool],
) -> str:
    if nino is None or names is None:
        return ""
    # Under the heading of one month no number of another.
    first, second = (
        "…" if late else f"{'+' if v > 0 else ''}{number(v)} K"
        for v, late in zip(nino, stale, strict=True)
    )
    return f"Niño 3.4: {names[0]} <b>{first}</b>, {names[1]} <b>{second}</b>"


@lru_cache(maxsize=1)
def _legend_css() -> str:
    return (Path(__file__).resolve().parent / "web" / "legend.css").read_text(encoding="utf-8")
