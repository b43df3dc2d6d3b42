"""Base class of errors that a user can correct, and those of bundles and their states."""


class UserError(ValueError):
    """Invalid input from the user; the message is one sentence with the remedy."""


class BundleError(UserError):
    """A bundle cannot be used; the message is one sentence with the remedy."""


class StateError(UserError):
    """A state or latent vector does not fit the bundle; the message says what would."""
