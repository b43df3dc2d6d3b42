"""What the parts of one session share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.components import Message

if TYPE_CHECKING:
    from app.state import State
    from mlda_core.bundle.bundle import Bundle

# The action of a message. It returns the text of the status line, which ends a gesture, or None.
Action = Callable[[Message], str | None]


@dataclass(frozen=True)
class SessionContext:
    """A session's bundle and state, and callbacks to its page.

    Parameters
    ----------
    bundle : Bundle
        Shared by all sessions; only read.
    state : State
        Of this session.
    schedule : callable
        Runs a function on this session's event loop.
    on_messages : callable
        Where controls send their messages.
    redraw : callable
        Draws the session.
    say : callable
        Puts words on the page; with ``failed=True`` a complaint.
    done : callable
        Ends a gesture: words on the page, the state in the address bar.
    retract : callable
        Takes a complaint off the page, if it still stands there: what failed has succeeded since.
    """

    bundle: Bundle
    state: State
    schedule: Callable[[Callable[[], None]], Any]
    on_messages: Callable[[list[Message]], None]
    redraw: Callable[[], None]
    say: Callable[..., None]
    done: Callable[[str], None]
    retract: Callable[[str], None] = lambda _: None

    def complain(self, words: str) -> None:
        """Put a complaint on the page."""
        self.say(words, failed=True)


def merge_actions(*parts: Mapping[str, Action]) -> dict[str, Action]:
    """Merge the actions of all parts.

    Parameters
    ----------
    *parts : mapping
        What the messages of each part do, by type.

    Raises
    ------
    ValueError
        If two parts act on the same message: one of them would never be called.
    """
    merged: dict[str, Action] = {}
    for part in parts:
        twice = sorted(merged.keys() & part.keys())
        if twice:
            raise ValueError(f"Two parts of a session act on the message '{twice[0]}'.")
        merged |= part
    return merged
