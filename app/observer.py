"""The tool Observe of one session: gestures change what is observed, and that is analysed.

What is observed stands in the state (`app.observing`); the table of observations follows from it
and the month (`app.table`), the analysis from the table (`app.analysing`). Nothing else is kept
here but what is selected and what the pointer does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app import frames, observing
from app.analysing import Analysing, Task
from app.controls import Heading, Message, Observe
from app.markers import Markers, inside
from app.observation_table import ObservationTable
from app.observing import METHODS, Observing, ObservingError, Row
from app.projections import box_to_region, on_map, to_lonlat, to_map
from app.state import State
from app.table import Table, freeze, no_table, own_rows, resolve, row_of
from app.views import number
from mlda_core.networks import NETWORKS, NetworkError
from mlda_core.observations import ObservationError, read, to_csv

if TYPE_CHECKING:
    from mlda_core.bundle import Bundle

MODES = ("place", "box", "lasso", "region")
METHOD_LABELS = {
    "vae": "VAE",
    "vae_latent_only": "VAE, latents only",
    "eof": "EOFs",
    "eof_latent_only": "EOFs, latents only",
    "enoi": "Ensemble OI",
    "regression": "Regression",
    "adam": "Adam (as in the scripts)",
    "climatology": "Climatology",
}
# A file of bad rows must not fill the page.
SHOWN_REJECTED = 200
REFUSALS = (ObservingError, NetworkError, ObservationError)


class Observer:
    """What the tool Observe knows and does.

    Parameters
    ----------
    bundle : Bundle
        Shared by all sessions; only read.
    state : State
        Of this session.
    schedule : callable
        Runs a function on this session's event loop.
    on_messages : callable
        Where the controls send their messages.
    redraw : callable
        Draws the session.
    say : callable
        Puts a complaint on the page.
    done : callable
        Ends a gesture: words on the page, the state in the address bar.
    """

    def __init__(
        self,
        bundle: Bundle,
        state: State,
        schedule: Callable[[Callable[[], None]], Any],
        on_messages: Callable[[list[Message]], None],
        *,
        redraw: Callable[[], None],
        say: Callable[..., None],
        done: Callable[[str], None],
    ) -> None:
        self._bundle, self._state = bundle, state
        self._redraw, self._say, self._done = redraw, say, done
        self.analysing = Analysing(bundle, schedule, redraw, lambda words: say(words, failed=True))
        self.table = no_table()
        self._table_of: tuple[str, Observing] | None = None
        self._task: Task | None = None
        self._task_of: tuple[Table, Observing] | None = None
        self._column = frames.PLAIN
        self.chosen: set[int] = set()
        self._hovered: int | None = None
        self._markers: Markers | None = None
        self._drawn: Any = None
        self._listed: Any = None
        labels = {variable.name: variable.label for variable in bundle.variables}
        self.panel = Observe(
            on_messages,
            kinds=[[key, kind.label, list(kind.settings)] for key, kind in NETWORKS.items()],
            methods=[[key, METHOD_LABELS.get(key, key)] for key in METHODS],
            variables=[[name, label, name] for name, label in labels.items()],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.heading = Heading(
            on_messages,
            columns=[
                ["model", "Model"],
                ["increment", "Increment"],
                ["difference", "Model − target"],
                ["influence", "Influence of one"],
                ["spread", "Spread"],
            ],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.listing = ObservationTable(bundle.variables, self._edited, self._selected)

    def attach(self, markers: Markers) -> None:
        """Take over the markers of the figures, once these are made."""
        self._markers = markers
        markers.on_geometry(self._circled)

    # -- what is drawn -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring table and analysis to the state; what takes long starts in the background."""
        state = self._state
        observed: Observing = state.observing
        known = self._table_of
        if (
            known is None
            or known[0] != state.month
            or not observing.observed_alike(known[1], observed)
        ):
            self._table_of = (state.month, observed)
            before = len(self.table)
            try:
                self.table = resolve(observed, self._bundle, state.month)
            except REFUSALS as error:
                self.table = no_table()
                self._say(str(error), failed=True)
            if len(self.table) != before:
                self.chosen.clear()
                self._hovered = None
        if state.model == "analysis":
            if self.analysing.z is not None:
                # The analysis moves the sliders.
                z = np.clip(self.analysing.z, -8.0, 8.0)
                if not np.array_equal(z, state.z):
                    state.z = z
            task = self._wanted()
            moved = self._task is None or self._task.month != task.month
            if task is not self._task and (observed.live or moved):
                self._begin(task)
        elif len(self.table) and self._task is not None:
            self.analysing.weigh(state.z, self._wanted())

    def _wanted(self) -> Task:
        """Return the task of the state; the same object while it stays the same."""
        observed: Observing = self._state.observing
        key = self._task_of
        if (
            self._task is not None
            and key is not None
            and key[0] is self.table
            and observing.analysed_alike(key[1], observed)
        ):
            return self._task
        return Task(
            month=self._state.month,
            observations=self.table.plain,
            method=observed.method,
            residual=observed.residual,
            localisation=observed.localisation,
        )

    def _begin(self, task: Task, *, stepwise: bool = False) -> None:
        self._task, self._task_of = task, (self.table, self._state.observing)
        self.analysing.start(task, stepwise=stepwise)

    @property
    def shown(self) -> Any:
        """The analysis that the model shows, anomalies; None where it shows something else."""
        return self.analysing.fields if self._state.model == "analysis" else None

    def paused(self) -> str:
        """Return why the analysis is not shown and what that costs; '' where it is shown."""
        state, work = self._state, self.analysing
        if state.model == "analysis" or not len(self.table):
            return ""
        what = "the code of the month" if state.model == "code" else "a state by hand"
        words = f"Paused: the model shows {what}."
        if work.hand is None or not work.costs or self._wanted() is not self._task:
            return words
        least, now = work.costs[-1][2], work.hand.total
        return f"{words} Cost {least:.1f} → {now:.1f} ({now - least:+.1f})".replace("-", "−")

    @property
    def focus(self) -> int | None:
        """The observation that is pointed at, or the only one selected."""
        if self._hovered is not None:
            return self._hovered
        return next(iter(self.chosen)) if len(self.chosen) == 1 else None

    def column(self) -> frames.Column:
        """Return what the model's column shows; the same object while it stays the same."""
        observed: Observing = self._state.observing
        kind, analysis = observed.column, self.analysing.analysis
        fields = reference = None
        if kind == "increment" and analysis is not None:
            fields = self.analysing.increment()
        elif kind == "influence":
            fields = self.analysing.influence(self.focus)
        elif kind == "spread":
            fields, reference = self.analysing.spread() or (None, None)
        made = frames.Column(kind, fields, reference, observed.hatch)
        old = self._column
        if (made.kind, made.hatch) != (old.kind, old.hatch) or made.fields is not old.fields:
            self._column = made
        return self._column

    def misfit(self) -> Any:
        """Return each row's misfit in standard deviations, or None while it is not known."""
        analysis = self.analysing.analysis
        if analysis is None or self._task is None or not self.analysing.finished:
            return None
        if self._task_of is None or self._task_of[0] is not self.table:
            return None
        if len(analysis.observations) != len(self.table):
            return None
        return analysis.observations["misfit_sd"].to_numpy(dtype=float)

    def withheld_points(self) -> dict[str, tuple[Any, Any]]:
        """Return observed and analysed values of withheld observations, by variable, as shown."""
        misfit = self.misfit()
        analysis = self.analysing.analysis
        if misfit is None or analysis is None or self._state.model != "analysis":
            return {}
        table = analysis.observations
        held = table["withheld"].to_numpy(dtype=bool)
        if not held.any():
            return {}
        y = table["value"].to_numpy(dtype=float)
        x = y - table["analysis_departure"].to_numpy(dtype=float)
        names = table["variable"].to_numpy()
        if self._state.fields == "full":
            mean = self._climatology_at(table)
            x, y = x + mean, y + mean
        return {
            variable.name: (y[held & (names == variable.name)], x[held & (names == variable.name)])
            for variable in self._bundle.variables
        }

    def _climatology_at(self, table: Any) -> Any:
        names = [variable.name for variable in self._bundle.variables]
        operator = self._bundle.operator
        rows = np.array([names.index(name) for name in table["variable"]], dtype=np.int64)
        places = operator.locate(rows, table["lat"], table["lon"])
        return operator.apply(places, self._bundle.climatology(int(self._state.month[5:7])))

    def show(self) -> None:
        """Bring markers, table and controls to what there is; the caller holds the document."""
        state = self._state
        observed: Observing = state.observing
        if self._markers is not None:
            drawn = (self.table, state.projection, frozenset(self.chosen))
            if drawn != self._drawn:
                self._drawn = drawn
                self._markers.write(self.table.rows, state.projection, self.chosen)
        misfit = self.misfit()
        listed = (self.table, misfit is None, id(self.analysing.analysis), frozenset(self.chosen))
        busy_live = self.analysing.run == "live" and self._listed and len(self.table)
        if (
            state.tool == "observe"
            and listed != self._listed
            and not (
                # While one analysis chases the other the table keeps its last misfits.
                busy_live and self._listed[0] is self.table and self._listed[3] == listed[3]
            )
        ):
            self._listed = listed
            self.listing.show(self.table.rows, misfit, sorted(self.chosen))
        self.panel.param.update(
            settings=self._settings(observed),
            region_words=_region_words(observed.region),
            counts=self._counts(),
            costs=self.analysing.costs,
            outcome=self._outcome(),
            run=self.analysing.run,
            reading=self._reading(misfit),
        )
        self.heading.param.update(
            column=observed.column,
            model_label={"analysis": "Analysis", "code": "Model: code of the month"}.get(
                state.model, "Model: by hand"
            ),
            hatch=observed.hatch,
            note=self._note(observed),
        )

    def _settings(self, observed: Observing) -> dict[str, Any]:
        names = (
            "kind", "count", "spacing", "domain", "year", "seed", "error", "noise", "method",
            "residual", "localisation", "live",
        )  # fmt: skip
        made = {name: getattr(observed, name) for name in names}
        made["region"] = observed.region is not None
        made["variables"] = list(observed.variables or NETWORKS[observed.kind].variables) or [
            variable.name for variable in self._bundle.variables
        ]
        return made

    def _counts(self) -> dict[str, Any]:
        held = int(self.table.rows["withheld"].sum()) if len(self.table) else 0
        count = len(self.table)
        words = f"{count:,} observations" if count != 1 else "1 observation"
        if held:
            words += f", {held:,} withheld"
        hidden = self._markers.hidden if self._markers is not None else 0
        more = f"{hidden:,} too dense to draw" if hidden else ""
        return {"n": count, "chosen": len(self.chosen), "words": words, "hidden": more}

    def _outcome(self) -> str:
        words = self.analysing.words
        analysis = self.analysing.analysis
        if not self.analysing.finished or analysis is None or self._task is None:
            return words
        stale = self._state.model == "analysis" and self._wanted() is not self._task
        if stale:
            return "The observations have changed since: assimilate, or switch Live on."
        s = analysis.statistics
        took = f"{1e3 * s.seconds:.0f} ms" if s.seconds < 1 else f"{s.seconds:.1f} s"
        parts = [took] if s.seconds else []
        if s.n_used:
            parts += [f"χ² {s.chi_squared:.2f}", f"{s.degrees_of_freedom:.0f} degrees of freedom"]
        if s.n_thinned:
            parts.append(f"{s.n_thinned:,} thinned")
        return f"{words.rstrip('.')} ({', '.join(parts)})." if words and parts else words

    def _note(self, observed: Observing) -> str:
        if observed.column == "influence":
            row = self.focus
            return "point at or select an observation" if row is None else self._name(row)
        if observed.column in ("increment", "spread") and self.analysing.analysis is None:
            return "after the first analysis"
        return ""

    def scenario(self) -> str:
        """Return what is observed and how, in words."""
        observed: Observing = self._state.observing
        network = NETWORKS[observed.kind].label
        if observed.kind == "stations" and not observed.spacing:
            network = f"{observed.count} stations"
        elif observed.kind == "historical":
            network = f"Stations of {observed.year}"
        method = METHOD_LABELS.get(observed.method, observed.method)
        return f"{network}, error {observed.error:g} of the spread, {method}"

    def _name(self, row: int) -> str:
        item = self.table.rows.iloc[row]
        return f"{row + 1}: {item['variable']} {place_words(item['lat'], item['lon'])}"

    def _reading(self, misfit: Any) -> str:
        row = self.focus
        if row is None or row >= len(self.table):
            return ""
        item = self.table.rows.iloc[row]
        unit = next(
            frames.units(variable, full=False)
            for variable in self._bundle.variables
            if variable.name == item["variable"]
        )
        words = f"{self._name(row)} · {number(item['value'])} ± {number(item['error_sd'])} {unit}"
        if misfit is not None and np.isfinite(misfit[row]):
            words += f" · {number(misfit[row], 1)} sd off"
        words += " · withheld" if item["withheld"] else ""
        return words + (f" · {item['label']}" if item["label"] else "")

    # -- messages ----------------------------------------------------------------------------

    def _take(self, made: Observing, *, done: bool = True) -> None:
        self._state.observing = made
        if done:
            self._state.commit()

    def do_observing(self, message: Message) -> str:
        """Change one setting."""
        name, value = str(message.get("name")), message.get("value")
        observed: Observing = self._state.observing
        if name == "kind":
            self.panel.rejected = []
        if name == "kind" and value == "custom":
            # What is there stays, to be changed row by row.
            self._take(freeze(observed, self.table, self._bundle))
            return "These observations are your own now: the network no longer changes them."
        if name in ("count", "spacing"):
            # One decides, the other waits.
            other = {"spacing": 0} if name == "count" else {}
            self._take(observing.adjust(observed, {name: value, **other}))
            return ""
        lost = len(observed.own)
        self._take(observing.adjust(observed, {name: value}), done=bool(message.get("done", True)))
        if lost and not self._state.observing.own:
            return f"{lost} observations of your own went with the old network; undo brings them."
        return ""

    def do_obs_place(self, message: Message) -> str:
        """Observe where a map was clicked."""
        variable, (lat, lon) = self._variable(message), self._clicked(message)
        return self._place(variable, lat, lon)

    def do_obs_put(self, message: Message) -> str:
        """Observe at typed coordinates."""
        variable = self._variable(message)
        lat, lon = (_typed(message, name) for name in ("lat", "lon"))
        return self._place(variable, lat, lon)

    def _place(self, variable: str, lat: float, lon: float) -> str:
        row = Row(variable, lat, lon, label="by hand")
        row = observing.check_row(row)
        self._exists(row)
        self._take(observing.place(self._state.observing, row))
        return f"{variable} observed at {place_words(row.lat, row.lon)}."

    def do_obs_move(self, message: Message) -> str:
        """Move an observation with the pointer."""
        at, source = self._row(message)
        try:
            lat, lon = self._clicked(message)
            old = row_of(self._state.observing, source, self._bundle)
            row = observing.check_row(old._replace(lat=lat, lon=lon))
            self._exists(row)
        except ObservingError:
            # While it is dragged over land or off the globe it stays where it was last.
            if not message.get("done"):
                return ""
            self._drawn = None
            self._state.commit()
            raise
        if not message.get("done"):
            self._take(observing.edit(self._state.observing, source, row), done=False)
            return ""
        self._take(observing.edit(self._state.observing, source, row))
        return f"Observation {at + 1} moved to {place_words(row.lat, row.lon)}."

    def do_obs_toggle(self, message: Message) -> str:
        """Withhold an observation, or restore it."""
        at, source = self._row(message)
        held = not bool(self.table.rows["withheld"].iloc[at])
        self._take(observing.withhold(self._state.observing, [source], held=held))
        return f"Observation {at + 1} {'withheld: only scored' if held else 'restored'}."

    def do_obs_hover(self, message: Message) -> str | None:
        """Point at an observation, or at none."""
        row = message.get("row")
        self._hovered = row if isinstance(row, int) and 0 <= row < len(self.table) else None
        return None

    def do_obs_mode(self, message: Message) -> str:
        """Choose what the pointer does on maps."""
        mode = message.get("value")
        if mode not in MODES:
            raise ObservingError(f"The pointer cannot '{str(mode)[:24]}' on a map.")
        self.panel.mode = mode
        if self._markers is not None:
            self._markers.drag("box" if mode == "region" else mode)
        return "Drag a box over any map: the network keeps within it." if mode == "region" else ""

    def do_obs_many(self, message: Message) -> str:
        """Do something with what is selected."""
        action = message.get("action")
        if action == "all":
            everything = set(range(len(self.table)))
            self.chosen = set() if self.chosen == everything else everything
            return f"{len(self.chosen):,} selected."
        if action not in ("withhold", "restore", "delete"):
            raise ObservingError(f"Observations cannot be made to '{str(action)[:24]}'.")
        count = len(self.chosen)
        if not count:
            raise ObservingError(
                "No observation is selected; draw a box or lasso, or use the table."
            )
        sources = self.table.sources[sorted(self.chosen)].tolist()
        if action == "delete":
            self._take(observing.delete(self._state.observing, sources))
            self.chosen.clear()
            return f"{count:,} deleted."
        held = action == "withhold"
        self._take(observing.withhold(self._state.observing, sources, held=held))
        return f"{count:,} {'withheld: only scored' if held else 'restored'}."

    def do_obs_upload(self, message: Message) -> str:
        """Take over the observations of a CSV."""
        text, name = str(message.get("text", "")), str(message.get("name", "the file"))[:60]
        table, rejected = read(text, self._bundle, month=self._state.month)
        self.panel.param.update(
            rejected=[[bad.row, bad.reason] for bad in rejected[:SHOWN_REJECTED]],
            rejected_words=f"{len(rejected):,} of {len(rejected) + len(table):,} rows refused"
            + (f", the first {SHOWN_REJECTED} are" if len(rejected) > SHOWN_REJECTED else "")
            + ":",
        )
        if not len(table):
            raise ObservingError(
                f"{name} holds no observation that can be used; the list says why for each row."
            )
        if len(table) > observing.MAX_ROWS:
            raise ObservingError(
                f"{name} has {len(table):,} observations; {observing.MAX_ROWS:,} are the most."
            )
        plain = observing.adjust(self._state.observing, {"kind": "custom"})
        self._take(replace(plain, own=own_rows(table)))
        refused = f", {len(rejected):,} rows refused" if rejected else ""
        return f"{name}: {len(table):,} observations{refused}."

    def do_obs_download(self, _: Message) -> str:
        """Give the observations as a CSV."""
        name = f"observations-{self._state.month}.csv"
        message = {"type": "file", "name": name, "text": to_csv(self.table.plain)}
        self.panel._send_msg(message)  # noqa: SLF001 - Panel's own way
        return f"{len(self.table):,} observations saved as {name}."

    def do_run(self, message: Message) -> str:
        """Run the analysis, step by step if asked; pause and cancel."""
        action, work = message.get("action"), self.analysing
        if action in ("now", "step"):
            self._state.param.update(model="analysis")
            self._state.commit()
            self._begin(self._wanted(), stepwise=action == "step")
            return ""
        actions: dict[Any, Callable[[], None]] = {
            "cancel": work.cancel,
            "once": lambda: work.resume(once=True),
            "pause": work.resume if work.run == "paused" else work.pause,
        }
        if action not in actions:
            raise ObservingError(f"An analysis cannot '{str(action)[:24]}'.")
        actions[action]()
        return ""

    def do_resume(self, _: Message) -> str:
        """Return to the analysis after something else was shown."""
        self._state.param.update(model="analysis")
        self._state.commit()
        return "The model shows the analysis again."

    def do_column(self, message: Message) -> str:
        """Choose what the model's column shows."""
        made = observing.adjust(self._state.observing, {"column": message.get("value")})
        self._take(made)
        return ""

    def do_hatch(self, message: Message) -> str:
        """Choose from where a spread is hatched."""
        made = observing.adjust(self._state.observing, {"hatch": message.get("value")})
        self._take(made)
        return ""

    # -- from Bokeh's and Tabulator's own events -----------------------------------------------

    def _circled(self, variable: str, geometry: dict[str, Any]) -> None:
        """Select what a box or lasso holds, or take the box as the network's region."""
        if self._state.tool != "observe":
            return
        try:
            if self.panel.mode == "region":
                region = box_to_region(self._state.projection, geometry)
                self.do_obs_mode({"value": "place"})
                self._take(observing.adjust(self._state.observing, {"region": region}))
                self._done(f"The network keeps within {_region_words(region)}.")
            else:
                rows = self.table.rows
                x, y = to_map(
                    self._state.projection, rows["lon"].to_numpy(), rows["lat"].to_numpy()
                )
                here = inside(geometry, x, y) & (rows["variable"].to_numpy() == variable)
                self.chosen = set(np.flatnonzero(here).tolist())
                self._say(f"{len(self.chosen):,} observations of {variable} selected.")
        except REFUSALS as error:
            self._say(str(error), failed=True)
        self._redraw()

    def _selected(self, rows: list[int]) -> None:
        self.chosen = {row for row in rows if 0 <= row < len(self.table)}
        self._redraw()

    def _edited(self, at: int, column: str, value: Any) -> None:
        """Take over an edited cell of the table, or say why not and put the old one back."""
        try:
            if not 0 <= at < len(self.table):
                raise ObservingError("That row is gone; choose another.")
            source = int(self.table.sources[at])
            if column == "out":
                made = observing.withhold(self._state.observing, [source], held=bool(value))
            else:
                old = row_of(self._state.observing, source, self._bundle)
                row = observing.check_row(_with(old, column, value))
                self._exists(row)
                made = observing.edit(self._state.observing, source, row)
            self._take(made)
            self._done(f"Observation {at + 1} changed.")
        except ObservingError as error:
            self._say(str(error), failed=True)
            self.listing.restore(self.table.rows, self.misfit())
        self._listed = None
        self._redraw()

    # -- small things --------------------------------------------------------------------------

    def _variable(self, message: Message) -> str:
        name = message.get("variable")
        if name not in [variable.name for variable in self._bundle.variables]:
            raise ObservingError(f"This bundle has no variable '{str(name)[:24]}'.")
        return str(name)

    def _clicked(self, message: Message) -> tuple[float, float]:
        x, y = (observing.number("place", message.get(name), -10, 10) for name in ("x", "y"))
        if not on_map(self._state.projection, x, y):
            raise ObservingError("That is off the globe; click inside its outline.")
        lon, lat = to_lonlat(self._state.projection, np.array([x]), np.array([y]))
        return float(lat[0]), float(lon[0])

    def _row(self, message: Message) -> tuple[int, int]:
        """Return the row that a message is about, and its source."""
        at = message.get("row")
        rows = self.table.rows
        if (
            not isinstance(at, int)
            or not 0 <= at < len(rows)
            or rows["variable"].iloc[at] != message.get("variable")
        ):
            raise ObservingError("The observations changed meanwhile; try again.")
        return at, int(self.table.sources[at])

    def _exists(self, row: Row) -> None:
        names = [variable.name for variable in self._bundle.variables]
        if row.variable not in names:
            raise ObservingError(f"This bundle has no variable '{row.variable[:24]}'.")
        which = names.index(row.variable)
        if not self._bundle.operator.observable([which], [row.lat], [row.lon])[0]:
            label = self._bundle.variables[which].label.lower()
            raise ObservingError(
                f"There is no {label} at {place_words(row.lat, row.lon)}; choose another place."
            )

    def close(self) -> None:
        """Let go of everything, when the visitor has left."""
        self.analysing.close()
        self.panel.listen(None)
        self.heading.listen(None)
        self.listing.close()


def place_words(lat: float, lon: float) -> str:
    """Return a place as people write it.

    >>> place_words(-12.46, 130.84)
    '12.5°S 130.8°E'
    """
    east = (lon + 180.0) % 360.0 - 180.0
    return f"{abs(lat):.1f}°{'S' if lat < 0 else 'N'} {abs(east):.1f}°{'W' if east < 0 else 'E'}"


def _region_words(region: tuple[float, float, float, float] | None) -> str:
    if region is None:
        return ""
    south, north, west, east = region

    def lat(value: float) -> str:
        return f"{abs(value):.0f}°{'S' if value < 0 else 'N'}"

    def lon(value: float) -> str:
        turned = (value + 180.0) % 360.0 - 180.0
        side = "" if round(abs(turned)) in (0, 180) else "W" if turned < 0 else "E"
        return f"{abs(turned):.0f}°{side}"

    if east - west >= 360:
        return f"{lat(south)}–{lat(north)}"
    return f"{lat(south)}–{lat(north)} {lon(west)}–{lon(east)}"


def _typed(message: Message, name: str) -> float:
    text = str(message.get(name, "")).strip()
    try:
        return float(text)
    except ValueError:
        raise ObservingError(
            f"The {name} '{text[:24]}' is not a number of degrees; type one such as -12.5."
        ) from None


def _with(row: Row, column: str, value: Any) -> Row:
    fields = {"variable": "variable", "lat": "lat", "lon": "lon", "value": "value"}
    fields["error"] = "error_sd"
    if column not in fields:
        raise ObservingError("That column cannot be edited.")
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        value = float(value)
    # An emptied cell is sampled from the target again.
    empty = value is None or value == "" or (isinstance(value, float) and np.isnan(value))
    if empty and column in ("value", "error"):
        value = None
    return row._replace(**{fields[column]: value})
