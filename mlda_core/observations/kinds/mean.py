"""The mean over a region or a box, with a normal error."""

from mlda_core.observations.gaussian import GaussianKind

KIND = GaussianKind(
    "mean",
    "Mean of a region",
    "The mean over a region or a box, with a normal error",
    "docs/observations.md",
    rank=20,
    area="mean",
)
