"""The page's *Download*: figures and netCDF files made in the background, tables at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.components import Message
from app.context import Action, SessionContext
from app.downloads import tables
from app.downloads.fields import figure_of, netcdf_of
from app.downloads.figure import FORMATS, draw_figure
from app.downloads.film import LENGTHS, FilmRequest, draw_film
from app.jobs import background
from app.jobs.worker import Latest
from mlda_core.climate.errors import StateError, UserError

if TYPE_CHECKING:
    from app.downloads.parts import Parts

# One thread for all visitors: Matplotlib's figures are a process' own, and one is drawn at a time.
_POOL = background.pool(1, "mlda-download")
NETCDF = "application/netcdf"
CSV = "text/csv"
GIF = "image/gif"
# What the page calls the tables, in the order of its menu; those of the results panel as there.
TABLES = {
    "observations": "Observations",
    "cycle": "Errors by day",
    "scores": "Verification",
    "series": "Series",
    "ranks": "Ranks",
    "densities": "Densities",
    "drivers": "Drivers",
    "impact": "Impact",
}
Send = Callable[[dict[str, Any]], None]
# Says that nobody waits for a job any more.
Stale = Callable[[], bool]


class Downloads:
    """What a visitor takes away.

    Parameters
    ----------
    context : SessionContext
    parts : Parts
        What it is made from.
    send : callable
        Gives the browser a message with the file.
    """

    def __init__(self, context: SessionContext, parts: Parts, send: Send) -> None:
        self._context, self._parts, self._send = context, parts, send
        self._work = Latest(context.schedule, self._broken, pool=_POOL)
        self._making = ""

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about downloads does."""
        return {
            "download-figure": self.draw_maps,
            "download-film": self.draw_film,
            "download-stop": self.stop,
            "download-fields": self.write_fields,
            "download-table": self.give_table,
            "obs-download": lambda _: self.give_table({"value": "observations"}),
        }

    @property
    def making(self) -> str:
        """What is being made, in words; '' when nothing is."""
        return self._making

    @property
    def _month(self) -> str:
        """The month or day that the maps show; '' where they are a mean of many."""
        return "" if self._parts.perturb.compared else self._parts.frame().request.month

    def offered(self) -> list[list[str]]:
        """Return key and label of the tables that are there to be taken."""
        parts = self._parts
        there = {part for part in parts.foot.unfolded if part in tables.FOOT_TABLES}
        if parts.shows in ("analysis", "state") and len(parts.observe.table):
            there.add("observations")
        if parts.shows == "cycle" and parts.cycle.labels:
            there.add("cycle")
        return [[key, label] for key, label in TABLES.items() if key in there]

    # -- messages ----------------------------------------------------------------------------

    def draw_maps(self, message: Message) -> None:
        """Draw the maps as a figure: all rows, or one that is enlarged."""
        kind = str(message.get("value"))
        if kind not in FORMATS:
            raise StateError(f"A figure cannot be a '{kind[:24]}'; choose png, svg or pdf.")
        self._refuse_second()
        variable = str(message.get("variable") or "")
        request = figure_of(self._parts, variable)
        what = "-".join(["maps", *([variable] if variable else [])])
        self._make(
            lambda _: draw_figure(request, kind),
            _name(self._month, what, kind),
            FORMATS[kind],
            "The figure",
            "Drawing the figure: some seconds …",
        )

    def draw_film(self, message: Message) -> None:
        """Draw the month shown and those after it as a film, and say how far it is."""
        count = message.get("value")
        if count not in LENGTHS:
            raise StateError(
                f"A film cannot have '{str(count)[:24]}' pictures; choose one of "
                f"{', '.join(map(str, LENGTHS))}."
            )
        self._refuse_second()
        parts, variable = self._parts, str(message.get("variable") or "")
        request = FilmRequest.of(parts, int(count), variable)
        total, context = len(request.times), self._context

        def draw(stale: Stale) -> bytes:
            def say(done: int) -> None:
                # It may have been stopped since.
                if not stale():
                    context.say(f"Drawing the film: {done} of {total} …")

            return draw_film(request, lambda done: context.schedule(lambda: say(done)), stale)

        name = _name(parts.state.month, "film", "gif")
        words = f"Drawing the film: {total} pictures, a second or two each …"
        self._make(draw, name, GIF, "The film", words)

    def stop(self, _: Message) -> None:
        """Stop what is being made; what runs ends with its picture."""
        if not self._making:
            return
        what, self._making = self._making, ""
        self._work.cancel()
        self._context.say(f"{what} was stopped.")

    def write_fields(self, _: Message) -> None:
        """Write what the maps show as netCDF."""
        self._refuse_second()
        job, what = netcdf_of(self._parts)
        name = _name(self._month, what, "nc")
        self._make(lambda _: job(), name, NETCDF, "The netCDF file", "Writing the netCDF file …")

    def give_table(self, message: Message) -> str:
        """Give a table or a curve as CSV."""
        key = str(message.get("value"))
        if key not in TABLES:
            raise StateError(f"The page has no table '{key[:24]}'.")
        parts, month = self._parts, self._parts.state.month
        name, words = _name(month, key, "csv"), ""
        if key == "observations":
            analysis = parts.observe.departing
            rows = parts.observe.table.plain
            made = tables.observations_table(rows, parts.bundle, month, analysis)
            if analysis is None:
                words = " Without departures: the analysis is not there yet."
        elif key == "cycle":
            cycle = parts.cycle
            made = tables.cycle_table(cycle.curves(), cycle.variable, cycle.region)
        else:
            parts.refuse_stale()
            asked = parts.state.asked
            made = tables.foot_table(key, parts.foot, None if asked is None else asked[1:])
        text = tables.csv_of(made)
        self._send({"type": "file", "name": name, "text": text, "media": CSV})
        return f"Saved as {name}.{words}"

    # -- in the background -------------------------------------------------------------------

    def _refuse_second(self) -> None:
        if self._making:
            raise StateError(f"{self._making} is still being made; wait for it.")

    def _make(
        self, job: Callable[[Stale], bytes], name: str, media: str, what: str, words: str
    ) -> None:
        self._making = what
        self._context.say(words)

        def deliver(data: bytes) -> None:
            self._making = ""
            self._send({"type": "file", "name": name, "bytes": data, "media": media})
            self._context.say(f"Saved as {name}.")
            self._context.redraw()

        self._work.submit(job, deliver)

    def _broken(self, error: Exception) -> None:
        what, self._making = self._making, ""
        if isinstance(error, UserError):
            words = str(error)
        else:
            words = f"{what} could not be made ({type(error).__name__}); try another kind of file."
        self._context.complain(words)
        self._context.redraw()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()


def _name(month: str, what: str, ending: str) -> str:
    """Return the name of a file.

    >>> _name("1997-12", "analysis", "nc")
    'mlda-1997-12-analysis.nc'
    """
    return "-".join(["mlda", *([month] if month else []), what]) + f".{ending}"
