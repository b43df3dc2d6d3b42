"""Scores of cycled assimilation: explained variance where nothing stands, spread over error."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.cycling.bundle_case import Case
from mlda_core.cycling.cycle import CycledStep
from mlda_core.cycling.learnt_background import SPIN_UP
from mlda_core.evaluation.assimilation import observed_weights

Array = NDArray[np.float64]


def score_cycle(
    bundle: Bundle, case: Case, steps: Iterable[CycledStep], spin_up: int = SPIN_UP
) -> dict[str, Any]:
    """Score a run against the truth of its case.

    Parameters
    ----------
    bundle : Bundle
    case : Case
    steps : iterable of CycledStep
        From the start on; scored as they come.
    spin_up : int
        Cycles at the start that are left out.

    Returns
    -------
    dict
        ``[variable]`` has ``background`` and ``analysis``, the explained variance of anomalies in
        display units where the variable is not observed, and where the method has a spread
        ``spread_over_error`` of the analysis, standardised; ``seconds`` is the time a cycle took,
        ``cycles`` and ``scored`` how many came and how many were scored: without one, no variable
        has scores.
    """
    normaliser, days = bundle.normaliser, case.days
    w = observed_weights(bundle, case.places, ())
    count = len(bundle.variables)
    lost = {"background": np.zeros(count), "analysis": np.zeros(count)}
    power, expected, met = (np.zeros(count) for _ in range(3))
    began, cycles, scored = time.perf_counter(), 0, 0
    spent = 0.0
    for step in steps:
        spent += time.perf_counter() - began
        cycles += 1
        if step.cycle > spin_up:
            scored += 1
            season = days.season[step.cycle : step.cycle + 1]
            truth = days.anomalies[step.cycle].astype(np.float64)
            for name, estimate in (("background", step.background), ("analysis", step.analysis)):
                x = estimate.mean.reshape(1, *bundle.mask.shape)
                made = normaliser.anomalies(normaliser.restore(x, season), season)[0]
                lost[name] += np.nansum(w * (made - truth) ** 2, axis=(1, 2))
            power += np.nansum(w * truth**2, axis=(1, 2))
            if step.analysis.sd is not None:
                error = step.analysis.mean - days.x[step.cycle].ravel()
                flat = w.reshape(count, -1)
                met += (flat * (error**2).reshape(count, -1)).sum(axis=1)
                expected += (flat * (step.analysis.sd**2).reshape(count, -1)).sum(axis=1)
        began = time.perf_counter()
    out: dict[str, Any] = {
        "seconds": spent / max(cycles, 1),
        "cycles": cycles,
        "scored": scored,
    }
    for v, variable in enumerate(bundle.variables if scored else ()):
        out[variable.name] = {name: float(1 - one[v] / power[v]) for name, one in lost.items()}
        if met[v] > 0:
            out[variable.name]["spread_over_error"] = float(np.sqrt(expected[v] / met[v]))
    return out
