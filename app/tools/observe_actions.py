"""Actions of the tool Observe: each message changes the settings, or is refused with a reason.

A gesture on a map, in the table or in the panel arrives as a message; it changes only the state,
and returns the text of the status line. What is drawn follows from the state
(`app.tools.observe`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.components import LARGEST_FILE, Message
from app.context import Action, SessionContext
from app.maps.drawings import inside, read_drawing
from app.maps.projections import box_to_region, on_map, to_lonlat, to_map
from app.text import counted, place, region_words
from app.tools import kinds
from app.tools.observe import ObserveTool
from app.tools.observe_text import listed_rows
from app.tools.two_places import First, box_between, difference_row, hint, mean_row, needs_two
from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.areas import area_of
from mlda_core.observations.kinds import KINDS, PLAIN, kind_of
from mlda_core.observations.operators import shown_operator
from mlda_core.observations.said import where
from mlda_core.page_state import observations
from mlda_core.page_state.observations import ROWS, ObservationSettings
from mlda_core.page_state.rows import MAX_ROWS, InvalidObservationError, Row, check_row
from mlda_core.page_state.settings import is_count, number
from mlda_core.page_state.tables import freeze, read_rows, row_of

MODES = ("place", "ask", "box", "lasso", "region", "aim", "mean")
HINTS = {
    "region": "Drag a box over any map: the network is confined to it.",
    "aim": "Drag a box over any map: where next asks about it.",
}
# A long list of refused rows must not fill the page.
SHOWN_REJECTED = 200


class ObserveActions:
    """Actions on the observations.

    Parameters
    ----------
    context : SessionContext
    observe : ObserveTool
        Whose observations these are.
    """

    def __init__(self, context: SessionContext, observe: ObserveTool) -> None:
        self._bundle, self._state, self._observe = context.bundle, context.state, observe
        self._redraw, self._say, self._done = context.redraw, context.say, context.done
        observe.listing.listen(self._edited, self._selected)

    # -- messages ----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about the observations does."""
        return {
            "observing": self.change_setting,
            "obs-place": self.place_clicked,
            "obs-put": self.place_typed,
            "obs-move": self.move,
            "obs-toggle": self.toggle_withheld,
            "obs-hover": self.point_at,
            "obs-ask": self.ask_about,
            "obs-card-close": self.close_card,
            "obs-ask-place": self.ask_about_place,
            "obs-mode": self.choose_mode,
            "obs-as": self.choose_kind,
            "obs-give-up": self.give_up,
            "obs-drawn": self.take_drawing,
            "obs-many": self.change_selected,
            "obs-upload": self.upload,
            "obs-too-large": self.refuse_large_file,
            "run": self.run,
            "resume": self.resume,
            "column": self.choose_column,
            "hatch": self.choose_hatching,
            "member": self.choose_member,
            "event": self.choose_event,
            "threshold": self.choose_threshold,
            **self._observe.choice.actions(),
            **self._observe.next.actions(),
        }

    def _take(self, made: ObservationSettings, *, done: bool = True) -> None:
        self._state.observations = made
        if done:
            self._state.commit()

    def change_setting(self, message: Message) -> str:
        """Change one setting."""
        name, value = str(message.get("name")), message.get("value")
        observed: ObservationSettings = self._state.observations
        if name in ROWS:
            raise InvalidObservationError(f"Rows are changed one by one, not all of '{name}'.")
        if name == "kind":
            self._observe.panel.rejected = []
        if name == "kind" and value == "custom":
            # The rows stay, to be changed one by one.
            self._take(freeze(observed, self._bundle))
            return "These observations are your own now: the network no longer changes them."
        if name in ("count", "spacing"):
            # The one that was set last counts.
            other = {"spacing": 0} if name == "count" else {}
            self._take(observed.adjust({name: value, **other}))
            return ""
        mine = len(observed.own)
        values = {name: value}
        if value == "historical" and int(self._bundle.months[0][:4]) <= observed.year:
            # A historical network begins with the year of the month shown.
            values["year"] = int(self._state.month[:4])
        self._take(observed.adjust(values), done=bool(message.get("done", True)))
        if name != "kind" or not mine or value == observed.kind:
            return ""
        kept = len(self._state.observations.own)
        said = f"Kept: {counted(kept, 'own observation')}." if kept else ""
        if lost := mine - kept:
            said += f" Gone with the old network: {counted(lost, 'row')}. Undo brings them back."
        return said.strip()

    def place_clicked(self, message: Message) -> str:
        """Observe where a map was clicked."""
        variable, (lat, lon) = self._variable(message), self._clicked(message)
        return self._place(variable, lat, lon, message.get("as"))

    def place_typed(self, message: Message) -> str:
        """Observe at typed coordinates."""
        variable = self._variable(message)
        lat, lon = _typed(message)
        return self._place(variable, lat, lon, message.get("as"))

    def _place(self, variable: str, lat: float, lon: float, code: Any) -> str:
        if self._observe.by_station():
            return self._observe.place_station(lat, lon)
        kind, value = kinds.chosen(code)
        if needs_two(kind):
            return self._place_of_two(kind, variable, lat, lon)
        month = "" if value is None else self._state.month
        row = Row(variable, lat, lon, value, label="by hand", month=month, kind=kind)
        row = check_row(row)
        self._exists(row)
        self._take(observations.place(self._state.observations, row))
        word = self._observe.names[variable]
        what = f" ({KINDS[kind].label.lower()})" if kind else ""
        return f"Observed: {word} at {place(row.lat, row.lon)}{what}."

    def _place_of_two(self, kind: str, variable: str, lat: float, lon: float) -> str:
        """Take the first of two places, or observe what both are of."""
        first, mean = self._observe.begun, KINDS[kind].area == "mean"
        here = check_row(Row(variable, lat, lon, value=0.0))
        if not mean:
            self._exists(here)
        if first is None or first.kind != kind:
            self._observe.begun = First(kind, variable, here.lat, here.lon)
            return hint(kind, self._observe.begun, self._observe.names)
        if first.variable != variable:
            raise InvalidObservationError(
                f"The first place is of {self._observe.names[first.variable]}: take the second on "
                "its maps too, or press Escape to give up."
            )
        if not mean:
            return self._place_area(difference_row(first, here.lat, here.lon))
        return self._place_area(mean_row(variable, box_between(first, here.lat, here.lon)))

    def _place_area(self, row: Row) -> str:
        row = check_row(row)
        self._exists(row)
        self._take(observations.place(self._state.observations, row))
        self._observe.begun = None
        word = self._observe.names[row.variable]
        return f"Observed: {word} {where(row._asdict())} ({KINDS[row.kind].label.lower()})."

    def choose_kind(self, message: Message) -> str:
        """Take over as what clicks observe; what was begun is given up."""
        kind, _ = kinds.chosen(message.get("value"))
        self._observe.placing, self._observe.begun = kind or PLAIN, None
        return hint(kind, None, self._observe.names)

    def give_up(self, _: Message) -> str:
        """Forget the first of two places."""
        if self._observe.begun is None:
            return ""
        self._observe.begun = None
        return "Given up: nothing is observed there."

    def move(self, message: Message) -> str:
        """Move an observation with the pointer."""
        at, _ = self._row(message)
        made: ObservationSettings = self._state.observations
        rows = self._observe.station([at]) if self._observe.by_station() else [at]
        try:
            lat, lon = self._clicked(message)
            for source in self._observe.table.sources[rows].tolist():
                old = row_of(made, source, self._bundle)
                _demand_place(old)
                row = check_row(old._replace(lat=lat, lon=lon))
                self._exists(row)
                made = observations.edit(made, source, row)
        except InvalidObservationError:
            # While it is dragged over land or off the globe it stays where it was last.
            if not message.get("done"):
                return ""
            self._observe.show_again()
            self._state.commit()
            raise
        if not message.get("done"):
            self._take(made, done=False)
            return ""
        self._take(made)
        return f"Observation {at + 1} moved to {place(row.lat, row.lon)}."

    def toggle_withheld(self, message: Message) -> str:
        """Withhold an observation, or restore it."""
        at, _ = self._row(message)
        if self._state.observations.column == "influence":
            # With influence shown a click selects the marker.
            self._observe.chosen = set() if self._observe.chosen == {at} else {at}
            return "" if not self._observe.chosen else f"Observation {at + 1} is chosen."
        held = not bool(self._observe.table.rows["withheld"].iloc[at])
        rows = [at]
        if message.get("whole") or self._observe.by_station():
            rows = self._observe.station(rows)
        sources = self._observe.table.sources[rows].tolist()
        self._take(observations.withhold(self._state.observations, sources, held=held))
        done = "withheld: not used, only scored" if held else "restored"
        if len(rows) == 1:
            return f"Observation {at + 1} {done}."
        return f"Station of {counted(len(rows), 'observation')} {done}."

    def ask_about(self, message: Message) -> str:
        """Select one observation, so that its card opens; once more closes it."""
        at, _ = self._row(message)
        self._observe.chosen = set() if self._observe.chosen == {at} else {at}
        return ""

    def ask_about_place(self, message: Message) -> str:
        """Show what is known of a variable where a map was clicked."""
        variable, (lat, lon) = self._variable(message), self._clicked(message)
        self._exists(Row(variable, lat, lon, value=0.0))
        return self._observe.ask_place(variable, lat, lon)

    def close_card(self, _: Message) -> str:
        """Select nothing, so that no card is open."""
        self._observe.chosen = set()
        return ""

    def point_at(self, message: Message) -> str | None:
        """Point at an observation, or at none."""
        row = message.get("row")
        self._observe.hovered = row if is_count(row) and row < len(self._observe.table) else None
        return None

    def choose_mode(self, message: Message) -> str:
        """Return the hint of a pointer mode; the browser holds the mode."""
        mode = _mode(message.get("value"))
        self._observe.mode, self._observe.begun = mode, None
        return HINTS.get(mode, "")

    def take_drawing(self, message: Message) -> str:
        """Select what a box or lasso holds, or take the box as the network's region."""
        mode, variable = _mode(message.get("mode")), self._variable(message)
        drawing = read_drawing(message.get("geometry"), "lasso" if mode == "lasso" else "box")
        if mode == "region":
            region = box_to_region(self._state.projection, drawing)
            made = self._state.observations.adjust({"region": region})
            self._take(made)
            # As it is kept: rounded.
            return f"The network is confined to {region_words(made.region)}."
        if mode == "mean":
            box = box_to_region(self._state.projection, drawing)
            return self._place_area(mean_row(variable, box))
        if mode == "aim":
            return self._observe.next.aim(box_to_region(self._state.projection, drawing))
        table = self._observe.table.rows
        x, y = to_map(self._state.projection, table["lon"].to_numpy(), table["lat"].to_numpy())
        here = inside(drawing, x, y) & (table["variable"].to_numpy() == variable)
        rows = np.flatnonzero(here).tolist()
        whole = bool(message.get("whole"))
        if whole:
            rows = self._observe.station(rows)
        self._observe.chosen = set(rows)
        word = "" if whole else f" of {self._observe.names[variable]}"
        return f"{counted(len(rows), 'observation')}{word} selected."

    def change_selected(self, message: Message) -> str:
        """Do something with what is selected."""
        action = message.get("action")
        if action == "all":
            everything = set(range(len(self._observe.table)))
            self._observe.chosen = set() if self._observe.chosen == everything else everything
            return f"{len(self._observe.chosen):,} selected."
        if action not in ("withhold", "restore", "delete"):
            raise InvalidObservationError(f"Observations cannot be made to '{str(action)[:24]}'.")
        count = len(self._observe.chosen)
        if not count:
            raise InvalidObservationError(
                "No observation is selected; draw a box or lasso, or use the table."
            )
        sources = self._observe.table.sources[sorted(self._observe.chosen)].tolist()
        if action == "delete":
            self._take(observations.delete(self._state.observations, sources))
            self._observe.chosen.clear()
            return f"{counted(count, 'observation')} deleted."
        held = action == "withhold"
        self._take(observations.withhold(self._state.observations, sources, held=held))
        done = "withheld: not used, only scored" if held else "restored"
        return f"{counted(count, 'observation')} {done}."

    def upload(self, message: Message) -> str:
        """Take over the observations of a CSV."""
        text, name = str(message.get("text", "")), str(message.get("name", "the file"))[:60]
        rows, (_, rejected, notes) = read_rows(text, self._bundle, self._state.month)
        self._observe.panel.param.update(
            rejected=[[bad.row, bad.reason] for bad in rejected[:SHOWN_REJECTED]],
            rejected_words=_refused_words(len(rejected), len(rows)),
        )
        if not rows:
            raise InvalidObservationError(
                f"{name} holds no observation that can be used; the list says why for each row."
            )
        if len(rows) > MAX_ROWS:
            raise InvalidObservationError(
                f"{name} has {len(rows):,} observations; {MAX_ROWS:,} are the most."
            )
        plain = self._state.observations.adjust({"kind": "custom"})
        self._take(plain.replace(own=rows))
        refused = f", {counted(len(rejected), 'row refused', 'rows refused')}" if rejected else ""
        return " ".join([f"{name}: {counted(len(rows), 'observation')}{refused}.", *notes])

    def refuse_large_file(self, message: Message) -> str:
        """Refuse a file that is larger than can be read."""
        name, size = str(message.get("name", "the file"))[:60], message.get("size")
        megabytes = size / 1e6 if isinstance(size, int | float) else math.nan
        raise InvalidObservationError(
            f"{name} has {megabytes:.1f} MB; {LARGEST_FILE / 1e6:g} MB are the most: leave columns "
            "or rows out."
        )

    def run(self, message: Message) -> str:
        """Run the analysis, step by step if asked; pause and cancel."""
        action, work = str(message.get("action")), self._observe.analysing
        if action in ("now", "step"):
            self._observe.show_analysis()
            self._observe.begin(self._observe.wanted(), stepwise=action == "step")
            return ""
        actions: dict[str, Callable[[], None]] = {
            "cancel": work.cancel,
            "once": lambda: work.resume(once=True),
            "pause": work.resume if work.run == "paused" else work.pause,
        }
        if action not in actions:
            raise InvalidObservationError(f"An analysis cannot '{action[:24]}'.")
        actions[action]()
        return ""

    def resume(self, _: Message) -> str:
        """Return to the analysis after something else was shown."""
        self._observe.show_analysis()
        return "The model shows the analysis again."

    def choose_column(self, message: Message) -> str:
        """Choose what the model's column shows."""
        made = self._state.observations.adjust({"column": message.get("value")})
        self._take(made)
        return ""

    def choose_hatching(self, message: Message) -> str:
        """Choose the threshold of the hatching."""
        made = self._state.observations.adjust({"hatch": message.get("value")})
        self._take(made)
        return ""

    def choose_member(self, message: Message) -> str:
        """Choose which member of the ensemble is shown."""
        made = self._state.observations.adjust({"member": message.get("value")})
        self._take(made)
        return ""

    def choose_event(self, message: Message) -> str:
        """Choose what the probability is of."""
        made = self._state.observations.adjust({"event": message.get("value")})
        self._take(made)
        return ""

    def choose_threshold(self, message: Message) -> str:
        """Choose the value that the probability is above or below."""
        self._take(self._state.observations.adjust({"threshold": message.get("value")}))
        return ""

    # -- from Tabulator's own events --------------------------------------------------------------

    def _selected(self, rows: list[int]) -> None:
        self._observe.chosen = {row for row in rows if 0 <= row < len(self._observe.table)}
        self._redraw()

    def _edited(self, at: int, column: str, value: Any) -> None:
        """Take over an edited cell of the table, or say why not and put the old one back."""
        try:
            if not 0 <= at < len(self._observe.table):
                raise InvalidObservationError("That row is gone; choose another.")
            source = int(self._observe.table.sources[at])
            if column == "withheld":
                made = observations.withhold(self._state.observations, [source], held=bool(value))
            else:
                old = row_of(self._state.observations, source, self._bundle)
                row = check_row(_with(old, column, value, self._state.month))
                self._exists(row)
                made = observations.edit(self._state.observations, source, row)
            self._take(made)
            self._done(f"Observation {at + 1} changed.")
        except InvalidObservationError as error:
            self._say(str(error), failed=True)
            rows = listed_rows(self._observe.table, self._bundle)
            self._observe.listing.restore(rows, self._observe.misfit())
        self._observe.show_again()
        self._redraw()

    # -- small things --------------------------------------------------------------------------

    def _variable(self, message: Message) -> str:
        name = message.get("variable")
        if name not in [variable.name for variable in self._bundle.variables]:
            raise InvalidObservationError(f"This bundle has no variable '{str(name)[:24]}'.")
        return str(name)

    def _clicked(self, message: Message) -> tuple[float, float]:
        x, y = (
            number("place", message.get(name), -10, 10, InvalidObservationError)
            for name in ("x", "y")
        )
        if not on_map(self._state.projection, x, y):
            raise InvalidObservationError("That is off the globe; click inside its outline.")
        lon, lat = to_lonlat(self._state.projection, np.array([x]), np.array([y]))
        return float(lat[0]), float(lon[0])

    def _row(self, message: Message) -> tuple[int, int]:
        """Return the row that a message is about, and its source."""
        at = message.get("row")
        rows = self._observe.table.rows
        if (
            not is_count(at)
            or at >= len(rows)
            or rows["variable"].iloc[at] != message.get("variable")
        ):
            raise InvalidObservationError("The observations changed meanwhile; try again.")
        return at, int(self._observe.table.sources[at])

    def _exists(self, row: Row) -> None:
        names = [variable.name for variable in self._bundle.variables]
        if row.variable not in names:
            raise InvalidObservationError(f"This bundle has no variable '{row.variable[:24]}'.")
        which = names.index(row.variable)
        if row.area:
            self._area_exists(which, row)
            return
        if not self._bundle.operator.observable([which], [row.lat], [row.lon])[0]:
            label = self._bundle.variables[which].label.lower()
            raise InvalidObservationError(
                f"There is no {label} at {place(row.lat, row.lon)}; choose another place."
            )
        if row.value is not None:
            return
        operator, month = self._bundle.operator, self._state.month
        spot = operator.locate([which], [row.lat], [row.lon])
        if not np.isfinite(operator.apply(spot, self._bundle.target(month))).all():
            # A value that was not typed is sampled from the target, which has none here.
            label = self._bundle.variables[which].label.lower()
            raise InvalidObservationError(
                f"There is no {label} at {place(row.lat, row.lon)} in {month} that could be "
                f"sampled; choose another place or {self._bundle.seasons.step}."
            )

    def _area_exists(self, which: int, row: Row) -> None:
        """Refuse what is of a region or of two places where the variable is not."""
        label, month = self._bundle.variables[which].label.lower(), self._state.month
        area = area_of(row.area, kind_of(row.kind)[0])
        lat, lon = np.array([row.lat]), np.array([row.lon])
        try:
            shown = shown_operator(self._bundle, np.array([which]), lat, lon, [area])
        except ObservationError as error:
            raise InvalidObservationError(
                f"There is no {label} {where(row._asdict())}; choose another box or place."
            ) from error
        target = self._bundle.target(month)
        if row.value is None and not np.isfinite(self._bundle.operator.apply(shown, target)).all():
            raise InvalidObservationError(
                f"The target of {month} has no {label} {where(row._asdict())} that could be "
                f"sampled; choose another box, place or {self._bundle.seasons.step}."
            )


def _demand_place(row: Row) -> None:
    """Refuse to move what is of a region, or of two named places: its marker only shows it."""
    area = area_of(row.area, kind_of(row.kind)[0]) if row.area else None
    if area is not None and area.first is not None:
        raise InvalidObservationError(
            f"This observation is {where(row._asdict())}, and its marker only shows it; delete it "
            "and place another."
        )


def _mode(value: Any) -> str:
    if value not in MODES:
        raise InvalidObservationError(f"The pointer cannot '{str(value)[:24]}' on a map.")
    return str(value)


def _refused_words(refused: int, taken: int) -> str:
    listed = f"; the first {SHOWN_REJECTED}" if refused > SHOWN_REJECTED else ""
    return f"{refused:,} of {counted(refused + taken, 'row')} refused{listed}:"


def _typed(message: Message) -> tuple[float, float]:
    """Return the coordinates that were typed; a complaint names all that are wrong."""
    found, wrong = [], []
    for name, words, most in (("lat", "latitude", 90), ("lon", "longitude", 720)):
        text = str(message.get(name, "")).strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not abs(value) <= most:
            what = f"'{text[:24]}' is not a number" if text else "is empty; it must be a number"
            wrong.append(f"The {words} {what} from −{most} to {most}")
        found.append(value)
    if wrong:
        raise InvalidObservationError(f"{'. '.join(wrong)}. Type degrees such as −12.5.")
    return found[0], found[1]


def _with(row: Row, column: str, value: Any, month: str) -> Row:
    fields = {"lat": "lat", "lon": "lon", "value": "value", "error": "error_sd"}
    if column not in fields:
        raise InvalidObservationError("That column cannot be edited.")
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        value = float(value)
    # An emptied cell is sampled from the target again.
    empty = value is None or value == "" or (isinstance(value, float) and np.isnan(value))
    if empty and column in ("value", "error"):
        value = None
    if column in ("lat", "lon"):
        _demand_place(row)
    made = row._replace(**{fields[column]: value})
    # What is typed is an anomaly of the month that is shown.
    return made._replace(month=month, absolute=False) if column == "value" else made
