"""The base of every error that a user can mend."""


class UserError(ValueError):
    """Something given from outside cannot be used; the message is one sentence with the remedy."""
