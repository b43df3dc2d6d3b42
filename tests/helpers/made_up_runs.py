"""Runs of a GCM whose response is known."""

from __future__ import annotations

import numpy as np

from mlda_core.perturbation.gcm_runs import Runs

YEAR = 1984
MEMBERS = (70, 71, 72)


def made_up(*, members=3, controls=8, noise=0.0, seed=0):
    """Runs with a known response: its shape is (1, 20, 40), and members differ by noise."""
    rng = np.random.default_rng(seed)
    response = rng.standard_normal((4, 20, 40))
    perturbed, control = (
        base + noise * rng.standard_normal((n, 4, 20, 40))
        for n, base in ((members, response), (controls, 0.0))
    )
    sea = np.zeros((1, 20, 40))
    return response, Runs("plus1", ("1984-01",), perturbed, control, sea, sea)
