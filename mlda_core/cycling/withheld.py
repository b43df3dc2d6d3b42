"""Networks that change while a cycle runs: some of the observations of a case are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.regions import Region, inside
from mlda_core.cycling.bundle_case import Case, operator_of
from mlda_core.cycling.problem import Observations, Problem


def with_changes(
    bundle: Bundle, case: Case, changes: Sequence[tuple[int, Region | None]]
) -> Problem:
    """Return the problem of a case whose network changes on the way.

    Values and errors of the observations that stay are those of the case.

    Parameters
    ----------
    bundle : Bundle
    case : Case
    changes : sequence of (int, Region or None)
        From which cycle on what region has no observations, in order; None: all observe again.

    Returns
    -------
    Problem
        That of the case where nothing changes.
    """
    observations = list(case.problem.observations)
    ends = [*(cycle for cycle, _ in changes[1:]), len(observations)]
    for (first, region), end in zip(changes, ends, strict=False):
        if region is None:
            continue
        kept = ~inside(region, case.places.lat, case.places.lon)
        # One operator for all its days: gains are kept by it.
        operator = operator_of(bundle, case.places.where(kept)) if kept.any() else None
        for cycle in range(first, end):
            whole = case.problem.observations[cycle]
            observations[cycle] = (
                None
                if whole is None or operator is None
                else Observations(operator, whole.values[kept], whole.variance[kept])
            )
    return replace(case.problem, observations=observations)
