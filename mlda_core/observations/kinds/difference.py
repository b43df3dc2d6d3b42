"""The difference of two places, or of the means of two regions, with a normal error."""

from mlda_core.observations.gaussian import GaussianKind

KIND = GaussianKind(
    "difference",
    "Difference",
    "The difference of two places or regions, with a normal error",
    "docs/observations.md",
    rank=30,
    area="difference",
)
