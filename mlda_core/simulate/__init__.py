"""Climate simulations: monthly means or daily states of SPEEDY, run by the package ``jcm``."""

from mlda_core.climate.errors import UserError


class SimulationError(UserError):
    """A simulation cannot be run or resumed; the message is one sentence with the remedy."""
