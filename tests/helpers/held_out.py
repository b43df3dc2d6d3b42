"""Observations of a month that no statistic knows."""

from mlda_core.observations.networks import places, synthesise

MONTH = "1984-01"  # VALIDATION: nothing is tuned on TEST


def observe(bundle, spec, month=MONTH):
    """Observe a month of the bundle by a network."""
    return synthesise(places(spec, bundle), bundle, bundle.target(month), int(month[5:]))
