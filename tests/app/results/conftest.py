"""The results below the maps, before a part is opened."""

import pytest

from app.results.panel import Foot
from app.results.view import FootView


@pytest.fixture
def shown(speedy):
    heard = []

    def act(batch):
        for message in batch:
            heard.append(message)
            if message["type"] == "foot":
                foot.opened = message["value"]

    foot = Foot(act, variables=speedy.variables, month="1997-12", method="vae")
    view = FootView(foot)
    view.heard, view.foot = heard, foot
    return view
