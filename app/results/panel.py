"""The foot of the page: the verification table, the series over all months, and the drivers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import param

from app.components import Handler, Sender
from app.text import SPLIT_LETTERS
from mlda_core.assimilation.methods import METHODS
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.climate.variables import Variable
from mlda_core.evaluation.verification import MEASURES, Verification
from mlda_core.observations.networks import observed_as
from mlda_core.perturbation.response import HELD

if TYPE_CHECKING:
    from mlda_core.assimilation.regional_series import Means
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.attribution import Drivers

PARTS = ("scores", "series", "ranks", "densities", "members", "drivers", "impact")
# They take the same room: one of them is open.
ONE_OF = ("scores", "ranks", "densities", "members", "drivers")
# What the line of a series under patches is called.
CHANGED = "perturbed SST"


def regions_of(bundle: Bundle) -> list[list[str]]:
    """Return key and label of the regions that a bundle has cells in, the whole of it first."""
    if bundle.grid.is_global:
        return [[key, region.label] for key, region in REGIONS.items()]
    found = [["globe", "Everywhere"]]
    exists = bundle.mask.any(axis=0)
    for key, region in REGIONS.items():
        inside = region_mask(bundle.grid, region)[exists]
        # What holds all of it is the same as the whole.
        if 0.5 < inside.sum() < 0.999 * inside.size:
            found.append([key, region.label])
    return found


class Foot(Sender, param.Parameterized):
    """Verification (methods by variables), the series of regional means, and a month's drivers.

    Plain values only: `app.results.view` shows them, from when a part is first opened. It has no
    logic of the application: it sends messages and holds what it is given. Where `mode` is
    "perturb" the series has a third line, under a perturbed SST, and there are drivers.

    How to use it::

        foot = Foot(session.on_messages, variables=bundle.variables, month="1997-12")
        foot.show_scores(verify({"vae": analysis.anomalies}, bundle, target=..., ...))
        foot.show_series(series.means(REGIONS["globe"]), "100 stations, error 0.2, seed 1, VAE")
        foot.show_analysis(series.means(region))      # while it runs, a few times a second
        foot.show_progress(done=12, total=60)         # and at its end, running=False
        foot.show_changed(control, changed)           # where the mode is "perturb"

    Messages it sends, as the other controls do:

    ===============================================  ===============================================
    ``{type: "foot", value: ["scores", "series"]}``  Which of the parts are open now; scores need
                                                     be made only while "scores" is among them.
    ``{type: "foot-region", value: key}``            Another region for both parts: set `region` and
                                                     call `show_scores` and `show_series` again.
    ``{type: "method", value: method}``              Show this method in the model column (and run
                                                     it, where it was not); set `method`.
    ``{type: "compare"}``                            Run every method for the table.
    ``{type: "month", value: label}``                Go to this month or day, as from the bar.
    ``{type: "series-start", value: scope}``         Run the scenario over the months of `scope`
                                                     ("test" or "all") that are missing.
    ``{type: "series-cancel"}``                      Stop it; what is done stays.
    ``{type: "foot-change", value: kind}``           Another change of the sea for the series:
                                                     "patches" or "trend" (taken away).
    ``{type: "density-where", value: where}``        Densities at the "place" or over the "region".
    ``{type: "density-variable", value: variable}``  Densities of another variable.
    ``{type: "members-mode", value: mode}``          Members as "stamps" or "spaghetti".
    ``{type: "members-level", value: level}``        The value of their contours.
    ``{type: "members-flip"}``                       Show one of the two that differ most.
    ``{type: "member-shown", value: number}``        Show this member in the model column.
    ``{type: "drivers", value: variable}``           Find the drivers of the month shown.
    ``{type: "impact", value: name}``                Show another impact head.
    ===============================================  ===============================================

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    variables : sequence of Variable
        Those of the bundle.
    methods : sequence of str, optional
        Those that can be compared, in the table's order; all that there are by default.
    **params
        Any of the parameters below, such as ``month``.
    """

    variables = param.List(default=[], doc="Names, label, units and decimals of each variable.")
    methods = param.List(default=[], doc="Key, label and explanation of each method.")
    extra = param.List(default=[], doc="The same of what is scored besides: a pinned state.")
    regions = param.List(default=[], doc="Key and label of each region; see set_box.")
    region = param.String(default="globe", doc="Key of the region of both parts.")
    method = param.String(doc="The method in the model column, '' where it is none of them.")
    month = param.String(doc="The month shown, YYYY-MM, or the day, YYYY-MM-DD.")
    step = param.ClassSelector(class_=TimeStep, default=MONTH, doc="The bundle's time step.")
    theme: Any = param.Selector(default="light", objects=["light", "dark"])
    opened = param.List(default=[], doc="The parts that are unfolded, of PARTS.")
    mode: Any = param.Selector(default="observe", objects=["observe", "perturb"])
    sea = param.String(default="patches", doc="What the changed sea is: 'patches' or 'trend'.")
    scores = param.Dict(default={}, doc="What show_scores made.")
    busy = param.String(doc="What is being computed for the table, in words; '' when nothing is.")
    series = param.Dict(default={}, doc="Months, splits and targets: what show_series made.")
    analysis = param.Dict(default={}, doc="Analyses and their scores: what show_analysis made.")
    changed = param.Dict(default={}, doc="Under a changed sea: what show_changed made.")
    stale = param.String(doc="What the lines were made for, where it is not what is set now.")
    ranks = param.Dict(default={}, doc="Shares of ranks of withheld and used observations.")
    densities = param.Dict(default={}, doc="What is known of a variable somewhere.")
    members = param.Dict(default={}, doc="The picture of all members of the ensemble.")
    drivers = param.Dict(default={}, doc="What show_drivers made.")
    scenario = param.String(doc="What the series is of, in words.")
    progress = param.Dict(default={}, doc="What show_progress made.")
    impacts = param.List(default=[], doc="Name and title of each impact head of the bundle.")
    impact = param.Dict(default={}, doc="The series of the head shown: see app.results.impacts.")
    impact_now = param.Dict(default={}, doc="What it predicts for the state shown.")

    # Choices that nothing outside this panel depends on.
    variable = param.String(doc="Name of the variable of series and drivers.")
    measure: Any = param.Selector(default="explained_variance", objects=list(MEASURES))
    place: Any = param.Selector(default="target", objects=["target", "withheld"])
    scope: Any = param.Selector(
        default="test", objects=["test", "all"], doc="Months of the series."
    )
    impact_scope: Any = param.Selector(default="near", objects=["near", "test", "all"])

    def __init__(
        self,
        handler: Handler | None = None,
        *,
        variables: Sequence[Variable] = (),
        methods: Sequence[str] = tuple(METHODS),
        **params: Any,
    ) -> None:
        self._handler = handler
        self._names = [v.name for v in variables]
        self.records = tuple(variables)
        params.setdefault("regions", [[key, r.label] for key, r in REGIONS.items()])
        if variables:
            # Air temperature first: global means of pressure and rain hardly move, and say little.
            air = [v.name for v in variables if observed_as(v) == "tas"]
            params.setdefault("variable", (air or self._names)[0])
        super().__init__(
            variables=[
                {
                    "name": v.name,
                    "label": v.label,
                    "units": v.anomaly_units,
                    "decimals": v.decimals,
                }
                for v in variables
            ],
            methods=[[m, METHODS[m].label, METHODS[m].sentence] for m in methods],
            **params,
        )

    def send(self, **message: Any) -> None:
        """Send a message to the session."""
        if self._handler is None:
            return
        # All that follows leaves in one message, as with the other controls.
        with pn.io.hold():
            self._handler([message])

    @property
    def shown(self) -> dict[str, Any]:
        """The variable of series and drivers."""
        found: dict[str, Any] = next(v for v in self.variables if v["name"] == self.variable)
        return found

    @property
    def offered(self) -> list[str]:
        """The parts that the panel has headings for, in the tool at hand."""
        observes = self.mode == "observe"
        offered = {
            "ranks": observes,
            "densities": observes,
            "members": observes,
            "drivers": not observes,
            "impact": bool(self.impacts),
        }
        return [part for part in PARTS if offered.get(part, True)]

    @property
    def unfolded(self) -> list[str]:
        """The parts that are open and can be."""
        return [part for part in self.offered if part in self.opened]

    def unfold(self, part: str) -> None:
        """Open or fold a part, as its button does."""
        opened = [p for p in self.opened if p != part]
        self.send(type="foot", value=opened if part in self.opened else self.beside(part))

    def beside(self, part: str) -> list[str]:
        """Return the parts that are open once a part is opened."""
        # An impact takes all of the room.
        others = {"impact", *(ONE_OF if part in ONE_OF else ())}
        kept = [] if part == "impact" else [p for p in self.opened if p not in others]
        return [*kept, part]

    def set_box(self, label: str | None) -> None:
        """Offer a drawn box as region ``"box"`` under a label; None takes it away."""
        named = [r for r in self.regions if r[0] != "box"]
        self.regions = named if label is None else [*named, ["box", label]]
        if label is None and self.region == "box":
            self.region = "globe"

    def show_scores(self, verification: Verification | None) -> None:
        """Show a verification; None empties the table."""
        self.scores = {} if verification is None else scores_for(verification)

    def show_series(self, means: Means, scenario: str) -> None:
        """Show a series over a region: its target, and its analysis as far as it is made.

        Parameters
        ----------
        means : Means
            Of the region chosen.
        scenario : str
            What it is of, in words.
        """
        self.param.update(
            series={
                "months": list(means.months),
                "split": "".join(SPLIT_LETTERS.get(s, "t") for s in means.split),
                "target": _columns(self._names, means.target),
            },
            analysis=analysis_for(self._names, means),
            scenario=scenario,
        )

    def show_analysis(self, means: Means) -> None:
        """Show how far the series is now; its target, region and scenario are as before."""
        self.analysis = analysis_for(self._names, means)

    def show_changed(
        self, control: Means | None, changed: Means | None, name: str = CHANGED
    ) -> None:
        """Show the series under a changed sea beside that under the sea as it was, or none.

        Parameters
        ----------
        control, changed : Means, optional
            Of one region.
        name : str
            What stands beside the line.
        """
        if control is None or changed is None:
            self.changed = {}
        else:
            self.changed = {**changed_for(self._names, control, changed), "name": name}

    def show_drivers(self, drivers: Drivers | None, *, stale: bool = False, busy: str = "") -> None:
        """Show a month's drivers.

        Parameters
        ----------
        drivers : Drivers, optional
            None where none are found yet.
        stale : bool
            Whether they are of another month or of other settings than those shown.
        busy : str
            What is being computed, in words.
        """
        made = {} if drivers is None else drivers_for(drivers)
        self.drivers = {**made, "stale": stale, "busy": busy}

    def show_progress(
        self,
        done: int = 0,
        total: int = 0,
        *,
        running: bool = True,
        words: str = "",
        failed: bool = False,
    ) -> None:
        """Show how far a run of the series is.

        Parameters
        ----------
        done, total : int
            Months of this run.
        running : bool
            Whether it goes on.
        words : str
            How it ended.
        failed : bool
            Whether these words are a complaint.
        """
        self.progress = {
            "done": done,
            "total": total,
            "running": running,
            "words": words,
            "failed": failed,
        }


def scores_for(verification: Verification) -> dict[str, Any]:
    """Return a verification as plain values for the table: None where there is no score."""

    def part(where: Any) -> dict[str, dict[str, Any]]:
        made: dict[str, dict[str, Any]] = {}
        for method in verification.methods:
            for variable in verification.variables:
                score = verification.score(method, variable, where)
                if score.n:
                    # Rounded once, where it is written: twice, .3949 is .40 here and .39 beside it.
                    values = {m: _plain(getattr(score, m), 9) for m in MEASURES}
                    made.setdefault(method, {})[variable] = {**values, "n": score.n}
        return made

    return {
        "region": verification.region.label,
        "target": part("target"),
        "withheld": part("withheld"),
        "best": {
            where: {v: verification.best(v, where) for v in verification.variables}
            for where in ("target", "withheld")
        },
        "words": list(verification.words),
    }


def analysis_for(names: Sequence[str], means: Means) -> dict[str, Any]:
    """Return the analysed part of a series as plain values, with its scores over test months."""
    scores = {}
    for v, name in enumerate(names):
        found, months = means.score(v)
        scores[name] = {"r": _plain(found.r, 3), "rmse": _plain(found.rmse, 4), "n": months}
    return {"values": _columns(names, means.analysis), "scores": scores}


def changed_for(names: Sequence[str], control: Means, changed: Means) -> dict[str, Any]:
    """Return the series under a changed sea as plain values, with the mean of what it changes."""
    differences = changed.analysis - control.analysis
    means = {}
    for v, name in enumerate(names):
        found = differences[np.isfinite(differences[:, v]), v]
        mean = _plain(found.mean(), 4) if found.size else None
        means[name] = {"mean": mean, "n": int(found.size)}
    return {"values": _columns(names, changed.analysis), "difference": means}


def drivers_for(found: Drivers) -> dict[str, Any]:
    """Return drivers as plain values."""
    return {
        "month": found.month,
        "variable": found.variable,
        "region": found.region.label,
        "held": HELD[found.held].label,
        "units": found.units,
        "value": _plain(found.value, 4),
        "normal": _plain(found.normal, 4),
        "linear": _plain(found.linear, 4),
        "remainder": _plain(found.remainder, 4),
        "parts": [
            {
                "label": part.label,
                "contribution": _plain(part.contribution, 4),
                "share": None if part.share is None else _plain(part.share, 3),
                "anomaly": _plain(part.anomaly, 2),
            }
            for part in found.parts
        ],
        "words": list(found.words),
    }


def _columns(names: Sequence[str], table: Any) -> dict[str, list[float | None]]:
    return {name: _list(table[:, v]) for v, name in enumerate(names)}


def _list(values: Iterable[float]) -> list[float | None]:
    return [_plain(v, 4) for v in values]


def _plain(value: float, digits: int) -> float | None:
    """Return a number that JSON has: None where it is not finite."""
    return round(float(value), digits) if math.isfinite(value) else None
