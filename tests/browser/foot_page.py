"""The foot alone, for a browser to look at: real months, and an analysis from the encoder.

It answers as the page does, and writes the messages that it got into the document.
"""

import pandas as pd
import panel as pn

from app.controls import read
from app.foot import Foot
from mlda_core.assimilation.verify import verify
from mlda_core.bundle import load_bundle
from mlda_core.experiments.series import Series, months_of
from mlda_core.regions import REGIONS

PAGE = """{% extends base %}
{% block postamble %}<style>{{ css }}</style>{% endblock %}
{% block contents %}<div class="page"><div class="body"><main id="maps"></main></div>
<footer>{{ embed(roots.foot) }}</footer>{{ embed(roots.heard) }}</div>{% endblock %}"""


def serve() -> None:
    """Put the page into the current document."""
    pn.extension()
    bundle = load_bundle("assets/bundles/speedy")
    target = bundle.target("1997-12")
    decoded = bundle.decode_anomalies(bundle.code("1997-12"), 12)
    series = Series(bundle, lambda _: nothing)
    heard = pn.pane.HTML("", css_classes=["heard"])
    nothing = pd.DataFrame()

    def show(region):
        foot.show_scores(
            verify({"vae": decoded}, bundle, target=target, month="1995-03", region=region)
        )
        foot.show_series(series.means(region), "encoder")

    def act(message):
        kind, value = message["type"], message.get("value")
        if kind == "method":
            foot.method = value
        elif kind == "month":
            foot.month = value
        elif kind == "foot-region":
            foot.region = value
            show(REGIONS[value])
        elif kind == "series-start":
            for month in months_of(bundle, value)[:24]:
                fields = bundle.decode_anomalies(bundle.code(month), int(month[5:]))
                series.add(month, fields)
            foot.show_analysis(series.means(REGIONS[foot.region]))
            foot.show_progress(24, 60)
        elif kind == "series-cancel":
            foot.show_progress(24, 60, running=False, words="Cancelled after 24 months.")

    def on_messages(batch):
        for message in batch:
            act(message)
            heard.object += f"<p>{message['type']} {message.get('value', '')}</p>"

    foot = Foot(on_messages, variables=bundle.variables, month="1997-12", method="vae", margin=0)
    foot.sizing_mode = "stretch_width"
    show(REGIONS["globe"])
    page = pn.Template(PAGE, nb_template="")
    page.add_variable("css", read("page.css"))
    page.add_panel("foot", foot)
    page.add_panel("heard", heard)
    page.servable()


serve()
