"""The foot alone, for a browser to look at: real months, and an analysis from the encoder.

It answers as the page does, and writes the messages that it got into the document. With ?perturb
it is the foot beside the tool that changes the sea: the changed one is a warmer one, everywhere.
"""

import pandas as pd
import panel as pn
from driver_account import make_drivers

from app.results.panel import Foot
from app.results.view import FootView
from app.web_files import read
from mlda_core.assimilation.regional_series import Analyses, Series, months_of
from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.regions import REGIONS
from mlda_core.evaluation.verification import verify

PAGE = """{% extends base %}
{% block postamble %}<style>{{ css }}</style>
<script>{{ script }}; keepFocusInTables()</script>{% endblock %}
{% block contents %}<div class="page"><div class="body"><main id="maps"></main></div>
<footer>{{ embed(roots.foot) }}</footer>
<div style="position: absolute; height: 0; overflow: hidden">{{ embed(roots.heard) }}</div></div>
{% endblock %}"""


def serve() -> None:  # noqa: C901 - one branch a message
    """Put the page into the current document."""
    pn.extension("tabulator")
    bundle = load_bundle("assets/bundles/speedy")
    target = bundle.target("1997-12")
    decoded = bundle.decode_anomalies(bundle.code("1997-12"), 12)
    series, changed = Series(bundle, lambda _: nothing), Analyses(bundle)
    perturb = "perturb" in (pn.state.location.search or "")
    heard = pn.pane.HTML("", css_classes=["heard"])
    nothing = pd.DataFrame()

    def show(region):
        foot.show_scores(
            verify({"vae": decoded}, bundle, target=target, month="1995-03", region=region)
        )
        foot.show_series(series.means(region), "encoder")
        if changed.done:
            foot.show_changed(series.means(region), changed.means(region))

    def act(message):
        kind, value = message["type"], message.get("value")
        if kind == "method":
            foot.method = value
        elif kind == "month":
            foot.month = value
        elif kind == "foot":
            foot.opened = value
        elif kind == "foot-region":
            foot.region = value
            show(REGIONS[value])
        elif kind == "series-start":
            for month in months_of(bundle, value)[:24]:
                fields = bundle.decode_anomalies(bundle.code(month), int(month[5:]))
                series.add(month, fields)
                if perturb:
                    changed.add(month, fields + 0.5)
            region = REGIONS[foot.region]
            foot.show_analysis(series.means(region))
            if perturb:
                foot.show_changed(series.means(region), changed.means(region))
            foot.show_progress(24, 60)
        elif kind == "series-cancel":
            foot.show_progress(24, 60, running=False, words="Cancelled after 24 months.")
        elif kind == "foot-change":
            foot.sea = value
            foot.stale = "Made for other settings; run again for SST only: without its trend."
        elif kind == "drivers":
            foot.show_drivers(make_drivers(value))

    def on_messages(batch):
        for message in batch:
            act(message)
            heard.object += f"<p>{message['type']} {message.get('value', '')}</p>"

    foot = Foot(on_messages, variables=bundle.variables, month="1997-12", method="vae")
    if perturb:
        foot.mode = "perturb"
    show(REGIONS["globe"])
    page = pn.Template(PAGE, nb_template="")
    page.add_variable("css", read("page.css"))
    page.add_variable("script", read("table_focus.js"))
    page.add_panel("foot", FootView(foot).root)
    page.add_panel("heard", heard)
    page.servable()


serve()
