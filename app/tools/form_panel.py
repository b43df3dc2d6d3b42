"""A form's values, plain, and what it sends: the same before its widgets are built."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from app.components import Handler, Message, Sender


class FormPanel(Sender, param.Parameterized):
    """Values that a form of widgets follows.

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    **params
        Any of its parameters.
    """

    __abstract = True

    def __init__(self, handler: Handler | None = None, **params: Any) -> None:
        self._handler = handler
        super().__init__(**params)

    def receive(self, batch: list[Message]) -> None:
        """Pass messages on to the session."""
        if self._handler is not None:
            self._handler(batch)

    def send(self, **message: Any) -> None:
        """Send a message to the session."""
        # All that follows leaves in one message, as with the other controls.
        with pn.io.hold():
            self.receive([message])
