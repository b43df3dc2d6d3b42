"""The values that the form of Observe shows, made up, and what the form sends."""

from app.tools.observe_panel import ObservePanel
from mlda_core.page_state.observations import ObservationSettings

VARIABLES = [["tas", "Air temperature", "air"], ["psl", "Pressure", "pressure"]]
STATIONS = ["count", "spacing_km", "variables", "domain", "seed", "region"]
SETTINGS = {
    **{
        name: ObservationSettings().values[name]
        for name in (
            "kind", "count", "spacing", "domain", "year", "seed", "error", "noise", "method",
            "residual", "localisation", "live",
        )
    },
    "region": False,
    "variables": ["tas"],
}  # fmt: skip
COUNTS = {"n": 3, "chosen": 0, "words": "3 observations", "hidden": ""}


def made_panel(**given):
    """Return a panel whose messages are kept in its ``heard``."""
    heard = []
    settings = {**SETTINGS, **given.pop("settings", {})}
    counts = {**COUNTS, **given.pop("counts", {})}
    made = ObservePanel(
        heard.extend,
        kinds=[["stations", "Stations", STATIONS], ["historical", "Historical", ["year"]],
               ["none", "None", []]],
        methods=[["vae", "VAE", ["residual", "localisation"]], ["adam", "Adam", []]],
        variables=VARIABLES,
        as_kinds=[["value", "A value"], ["report:-2", "Report: much below usual"]],
        settings=settings,
        counts=counts,
        **given,
    )  # fmt: skip
    made.heard = heard
    return made
