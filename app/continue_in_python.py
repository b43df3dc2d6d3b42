"""What the page shows as a program, a notebook and a command line, to go on with."""

from __future__ import annotations

from typing import Any

from mlda_core.page_state.commands import commands_of
from mlda_core.page_state.notebook import notebook_of
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.snippet import snippet_of


def continuation(state: PageState) -> dict[str, Any]:
    """Return the message that lets the browser show how to go on.

    Parameters
    ----------
    state : PageState
        What the page shows.

    Raises
    ------
    UserError
        If the observations cannot be made of this bundle.
    """
    commands = commands_of(state)
    return {
        "type": "python",
        "program": snippet_of(state).text,
        "commands": "\n".join(commands.lines),
        "beyond": list(commands.beyond),
        "name": f"mlda-{state.month}.ipynb",
        "notebook": notebook_of(state),
    }
