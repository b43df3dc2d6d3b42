"""The configuration of a small model, as settings and as the TOML that commands read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Sections = Mapping[str, Mapping[str, Any]]

# Of the climate that `climate.make_climate` writes.
SMALL: Sections = {
    "model": {
        "name": "small",
        "title": "A small climate",
        "base_period": "1979-1988, training years",
        "source": "made up",
        "licence": "CC0",
        "variables": ["psl", "tos", "tas", "pr"],
    },
    "splits": {"test": [1982], "validation": [1984], "calibration": [1986]},
    "data": {"observed": "climate.nc"},
    "network": {
        "n_latent": 6,
        "n_patterns": 8,
        "width": 8,
        "encoder_width": 8,
        "position_channels": 2,
    },
    "training": {"epochs": 2, "batch": 32, "half": False, "information": 200.0},
}


def make_toml(**changes: Mapping[str, Any]) -> str:
    """Return the small model's TOML, with other settings by section.

    >>> "epochs = 3" in make_toml(training={"epochs": 3})
    True
    """
    lines: list[str] = []
    for section, settings in SMALL.items():
        # Strings, numbers, booleans and lists of these are written alike in JSON and in TOML.
        made = {**settings, **changes.get(section, {})}
        lines += [f"[{section}]", *(f"{name} = {json.dumps(v)}" for name, v in made.items()), ""]
    return "\n".join(lines)
