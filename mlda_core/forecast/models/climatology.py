"""Climatology: no anomaly."""

from __future__ import annotations

from mlda_core.forecast.models.persistence import DampedKind

FORECAST = DampedKind(
    "climatology",
    "Climatology",
    "The mean of the season",
    "Murphy 1992, https://doi.org/10.1175/1520-0434(1992)007<0692:CLARPA>2.0.CO;2",
    rank=90,
    factor=0.0,
)
