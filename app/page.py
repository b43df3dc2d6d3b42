"""The page around a session: template, address bar, and the end of the visit."""

from __future__ import annotations

import math
import time
from calendar import month_name
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import panel as pn

from app.about import shown, software
from app.bundles import short_title
from app.glossary import info, words_html
from app.guide import first_sentences
from app.ideas import offered
from app.jobs import background
from app.jobs.event_loop import Schedule
from app.learn.shelf import full_link
from app.maps.projections import choices_of
from app.session import Session
from app.timeline import curve, curve_paths, splits
from app.warm_up import bundle_of_process, warm_seasons
from app.web_files import read
from mlda_core.climate.errors import BundleError
from mlda_core.page_state.serialize import asked_for
from mlda_core.page_state.snapshot import View

TITLE = "mlda"
# Seconds within which people come together, as a class does.
TOGETHER = 30.0


class Greeting:
    """Who sees their first analysis form: not those who come right after others.

    Its five more analyses and frames are a sixth of what opening the page costs the server, and
    all of a class would wait for those of all.

    Parameters
    ----------
    clock : callable
        Seconds from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last = clock, -math.inf

    def comes(self) -> bool:
        """Note one more visitor; return whether nobody has come for a while."""
        before, self._last = self._last, self._clock()
        return self._last - before > TOGETHER


_GREETING = Greeting()


class PageTemplate(pn.Template):
    """A template with a short representation.

    `add_panel` writes the template's representation anew each time, all panels in full: 43 times
    a visit, a third of the time in which a session is made.
    """

    def __repr__(self) -> str:
        return type(self).__name__


# A link with nothing else holds no state.
PLAIN = frozenset({"bundle", "theme", "projection", "fields"})


def serve() -> Session | None:
    """Put the page into the current document; None where the bundle is broken."""
    # Panel itself takes a link's ?theme=dark for its widgets, which then stay dark for good; the
    # colours of both themes are the page's own style sheets'.
    pn.extension("tabulator", theme="default")
    document: Any = pn.state.curdoc
    location = pn.state.location
    # A link to a lesson alone is one to its state, and to the bundle of that.
    query = full_link((location.search or "") if location else "")
    key, notice = asked_for(query), ""
    try:
        try:
            bundle = bundle_of_process(key)
        except BundleError as error:
            if not key:
                raise
            # The link is to a bundle that is not here: its state does not fit another.
            bundle = bundle_of_process()
            notice = f"{error} The page shows {bundle.title} instead."
            key, query = "", ""
    except BundleError as error:
        broken(str(error)).servable(title=TITLE)
        return None
    # After the first visitor's own analysis, which computes the season shown.
    background.start(partial(warm_seasons, bundle, wait=20.0), "seasons")

    first_visit = set(parse_qs(query.lstrip("?"), keep_blank_values=True)) <= PLAIN
    schedule = Schedule(document.add_next_tick_callback)
    session = Session(
        bundle,
        query,
        schedule,
        greet=first_visit and _GREETING.comes(),
        waits=first_visit,
        key=key,
        notice=notice,
    )
    pn.state.onload(schedule.begin)
    # Half of a first analysis would be over before a browser has drawn its first frame.
    pn.state.onload(session.begin)
    templates = ("page.html", "bar.html", "guide.html", "continue.html", "share.html")
    page = PageTemplate("".join(map(read, templates)), nb_template="")
    _write_words(page, session)
    _write_guide(page, session, first_visit=first_visit)
    page.add_panel("bar", session.bar)
    page.add_panel("tools", session.tools)
    page.add_panel("explore", session.explore.panel)
    page.add_panel("observe", session.observe.form.root)
    page.add_panel("gestures", session.observe.gestures)
    page.add_panel("listing", session.observe.form.listing)
    page.add_panel("foot", session.verification.view.root)
    session.verification.view.unfold_if_room(document)
    page.add_panel("heading", session.observe.heading.root)
    page.add_panel("beside", session.comparison.heading.root)
    page.add_panel("perturb", session.perturb.form.root)
    page.add_panel("perturb_gestures", session.perturb.gestures)
    page.add_panel("perturb_heading", session.perturb.heading.root)
    if session.cycle.offered:
        page.add_panel("cycle", session.cycle.form.root)
        page.add_panel("cycle_gestures", session.cycle.gestures)
        page.add_panel("cycle_heading", session.cycle.heading.root)
    page.add_panel("learn", session.learn.panel)
    page.add_panel("game", session.game.panel)
    page.add_panel("titles", session.titles)
    for name, legend in session.legends.items():
        page.add_panel(f"{name}_legend", legend)
    for (name, kind), figure in session.figures.figures.items():
        page.add_panel(
            f"{name}_{kind}", pn.pane.Bokeh(figure, sizing_mode="stretch_both", margin=0)
        )
    for name, scores in session.figures.scores.items():
        axes = session.figures.axes[name]
        page.add_panel(f"{name}_axes", pn.pane.Bokeh(axes, sizing_mode="stretch_both", margin=0))
        page.add_panel(
            f"{name}_scores", pn.pane.Bokeh(scores, sizing_mode="stretch_width", margin=0)
        )
    for name, gap in session.figures.gaps.items():
        page.add_panel(f"{name}_gap", pn.pane.Bokeh(gap, margin=0))
    for name, key in session.figures.keys.items():
        page.add_panel(f"{name}_key", pn.pane.Bokeh(key, sizing_mode="stretch_width", margin=0))
    pn.state.on_session_destroyed(partial(_goodbye, session))
    # Else Bokeh collects all models anew for each of 40 roots: 1.7 of the server's 2.0 s.
    with document.models.freeze():
        page.servable(title=f"{bundle.title} · {TITLE}")
    return session


def _write_words(page: PageTemplate, session: Session) -> None:
    """Give the template what it says, panels aside."""
    bundle = session.bundle
    page.add_variable("bundle", bundle)
    page.add_variable("short_title", short_title(bundle.title))
    page.add_variable("bundles", session.bundle_menu.choices())
    page.add_variable("bundle_key", session.key)
    page.add_variable("years", splits(bundle))
    page.add_variable("step", bundle.seasons.step)
    page.add_variable("month_names", month_name[1:])
    page.add_variable("curve", curve_paths(bundle))
    page.add_variable("curve_words", curve(bundle)[1])
    page.add_variable("projections", choices_of(bundle.grid))
    sheets = (
        "page.css",
        "guide.css",
        "continue.css",
        "share.css",
        "info.css",
        "present.css",
        "sheet.css",
    )
    page.add_variable("css", "".join(map(read, sheets)))
    scripts = ("layout.js", "guide.js", "table_focus.js", "resting_pointer.js", "linear_preview.js")
    page.add_variable("scripts", "".join(map(read, scripts)))
    page.add_variable("theme", session.state.theme)
    page.add_variable("present", session.state.present)
    page.add_variable("presentations", presentations())
    page.add_variable("tool", session.state.tool)
    page.add_variable("learning", bool(session.state.lesson))
    page.add_variable("cycles", session.cycle.offered)
    page.add_variable("unfolded", session.verification.view.parts.visible)
    page.add_variable("page_title", f"{bundle.title} · {TITLE}")
    page.add_variable("labels", [variable.label for variable in bundle.variables])
    page.add_variable("source", bundle.title)
    page.add_variable("variables", [variable.name for variable in bundle.variables])


def presentations() -> list[tuple[str, str]]:
    """Return value and label of what can be presented, and last of the way back."""
    found = [(value, label) for label, value in View.param["present"].names.items()]
    return sorted(found, key=lambda choice: not choice[0])


def _write_guide(page: PageTemplate, session: Session, *, first_visit: bool) -> None:
    """Give the template what it says of itself."""
    bundle = session.bundle
    page.add_variable("first_visit", first_visit)
    page.add_variable("first_sentences", first_sentences(bundle))
    page.add_variable("first_month", session.limits.first_month())
    page.add_variable("ideas", offered(bundle, session.key))
    page.add_variable("words_html", words_html())
    page.add_variable("about_split", info("split"))
    page.add_variable("about_base", info("anomaly"))
    page.add_variable("about_scores", info("explained variance"))
    page.add_variable("has_sea", "perturb" in session.limits.tools)
    page.add_variable("about_software", software())
    page.add_variable("about_shown", shown(bundle))


def _goodbye(session: Session, _: Any) -> None:
    session.close()


def broken(message: str) -> pn.Template:
    """Return the page that gives in one sentence the reason why there is nothing to show."""
    page = pn.Template(read("broken.html"), nb_template="")
    page.add_variable("css", read("page.css"))
    page.add_variable("message", message)
    page.add_variable("page_title", TITLE)
    return page
