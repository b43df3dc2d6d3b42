"""Base class of errors that a user can correct, and those of bundles and their states."""


class UserError(ValueError):
    """Invalid input from the user; the message is one sentence with the remedy."""


class ExtraError(UserError):
    """A package that an extra brings is not installed.

    Parameters
    ----------
    what : str
        What needs it, to begin a sentence with.
    extra : str
        Its name in pyproject.toml.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra '{extra}'; install it with: "
            f"pip install 'mlda-climate[{extra}]'."
        )


class BundleError(UserError):
    """A bundle cannot be used; the message is one sentence with the remedy."""


class StateError(UserError):
    """A state or latent vector does not fit the bundle; the message says what would."""
