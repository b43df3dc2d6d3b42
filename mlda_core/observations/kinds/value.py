"""A value at a place, or of a region, with a normal error."""

from mlda_core.observations.gaussian import GaussianKind

KIND = GaussianKind(
    "value",
    "Value",
    "A value at a place, with a normal error",
    "docs/assimilation.md",
    rank=10,
)
