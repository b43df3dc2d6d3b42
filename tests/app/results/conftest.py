"""The results below the maps, before a part is opened."""

import pytest

from app.results.impacts import now_for, series_for
from app.results.panel import Foot
from app.results.view import FootView
from mlda_core.bundle.bundle import load_bundle
from mlda_core.impact.files import load_impact


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


@pytest.fixture
def impact(repo_root):
    """The Thames beside the real world's maps."""
    world = load_bundle(repo_root / "assets/bundles/real")
    head = load_impact("thames", world)
    foot = Foot(variables=world.variables, month="1998-01", impacts=[["thames", head.title]])
    view = FootView(foot)
    z = world.code("1998-01")
    foot.param.update(
        impact=series_for(head),
        impact_now=now_for(head, "1998-01", head.predict(z, "1998-01")),
        opened=["impact"],
    )
    view.foot, view.head, view.world = foot, head, world
    return view
