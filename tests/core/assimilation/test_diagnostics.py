"""What is said of each observation."""

from __future__ import annotations

from exact import table
from held_out import MONTH, observe

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.observations.networks import NetworkSpec


def test_a_far_observation_is_named(bundled):
    observations = table(bundled, 20, month="1997-12")
    observations.loc[6, "value"] += 40.0
    analysis = Assimilator(bundled).run(observations, "1997-12")
    assert analysis.outcome.startswith("converged in ")
    assert "observation 7 (sea-level pressure at " in analysis.outcome
    assert "withhold it, raise its error or ask for a robust analysis" in analysis.outcome
    assert analysis.observations["standardised_departure"].abs().idxmax() == 6


def test_the_worst_are_named_with_their_places(bundled, engine):
    table = observe(bundled, NetworkSpec("stations", count=30))
    table.loc[[3, 8, 20, 40], "value"] += [40.0, 60.0, 90.0, 25.0]
    table.loc[8, "label"] = "Potsdam"
    outcome = engine.run(table, MONTH).outcome
    assert f"4 of {len(table)} observations are more than 4 σ from what" in outcome
    named = outcome.partition("the worst ")[2]
    assert named.count(" σ)") == 3
    assert "Potsdam, " in named
    assert outcome.endswith("withhold them, raise their errors or ask for a robust analysis")
