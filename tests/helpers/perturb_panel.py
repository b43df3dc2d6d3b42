"""The values that the form of Perturb shows, made up, and what the form sends."""

from app.tools.perturb_panel import PerturbPanel

SETTINGS = {
    "held": "sst_only", "within": "", "within_words": "", "view": "sum", "fade": True,
    "gcm": "plus2", "variable": "tas", "over": "globe", "over_words": "",
}  # fmt: skip
WORDS = {"change": "", "beyond": "", "outcome": "", "sensitivity": "", "gcm": "The <GCM>."}


def patch(where, kelvin=2.0, *, on=True, selected=False):
    """Return one change of the sea as the panel has it."""
    return {"where": where, "kelvin": kelvin, "on": on, "selected": selected}


def made_panel(**given):
    """Return a panel whose messages are kept in its ``heard``."""
    heard = []
    settings = {**SETTINGS, **given.pop("settings", {})}
    words = {**WORDS, **given.pop("words", {})}
    made = PerturbPanel(
        heard.extend,
        regions=[["globe", "Globe"], ["nino34", "Niño 3.4"]],
        helds=[["sst_only", "SST only", "The sea alone?"], ["outside", "All outside", "Inside?"]],
        variables=[["tas", "Air temperature"], ["pr", "Precipitation"]],
        experiments=[["plus1", "+1 K"], ["plus2", "+2 K"]],
        settings=settings,
        words=words,
        **given,
    )
    made.heard = heard
    return made
