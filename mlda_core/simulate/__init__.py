"""A climate of one's own: monthly means of SPEEDY as the package ``jcm`` runs it."""

from mlda_core.climate.errors import UserError


class SimulationError(UserError):
    """A simulation cannot be made or gone on with; the message is one sentence with the remedy."""
