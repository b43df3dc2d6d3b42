"""The base of every error that a user can mend, and those of a bundle and its states."""


class UserError(ValueError):
    """Something given from outside cannot be used; the message is one sentence with the remedy."""


class BundleError(UserError):
    """A bundle cannot be used; the message is one sentence with the remedy."""


class StateError(UserError):
    """A state or latent vector does not fit the bundle; the message says what would."""
