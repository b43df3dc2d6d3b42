"""The month shown and those after it as a film, by the library's plotting package."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.climate.errors import ExtraError, StateError
from mlda_core.page_state.opened import PageState

if TYPE_CHECKING:
    from app.downloads.parts import Parts

# Pictures of a film: months of a year and of five, or as many days.
LENGTHS = (12, 60)


@dataclass(frozen=True, eq=False)
class FilmRequest:
    """What is to be drawn; it does not change with the page.

    Parameters
    ----------
    state : PageState
    times : tuple of str
        Months or days, of the bundle.
    variables : tuple of str
        The rows; all by default.
    """

    state: PageState
    times: tuple[str, ...]
    variables: tuple[str, ...] = ()

    @classmethod
    def of(cls, parts: Parts, count: int, variable: str = "") -> FilmRequest:
        """Return the film of what is shown, from its month on.

        Parameters
        ----------
        parts : Parts
        count : int
            Pictures; fewer where the bundle ends before.
        variable : str
            Name of the only row; '' for all.

        Raises
        ------
        StateError
            If there is no such variable, or the page shows a run through days.
        """
        bundle, state = parts.bundle, parts.state
        if parts.shows == "cycle":
            raise StateError("A run through days has no film yet; open another tool for one.")
        if state.month not in bundle.months:
            raise StateError(f"{state.month} is not of the bundle; a film begins with one that is.")
        at = bundle.months.index(state.month)
        times = bundle.months[at : at + count]
        opened = PageState(state.snapshot(), bundle, state.limits)
        return cls(opened, tuple(times), parts.rows(variable))


def draw_film(
    request: FilmRequest, tell: Callable[[int], None], stale: Callable[[], bool]
) -> bytes:
    """Draw a film; takes a second or two a picture, and is not safe in two threads at once.

    Parameters
    ----------
    request : FilmRequest
    tell : callable
        Called with the number of pictures drawn.
    stale : callable
        Whether nobody waits for it any more: it ends with the picture under way then.

    Returns
    -------
    bytes
        Of the GIF.

    Raises
    ------
    ExtraError
        If the plotting package is not installed.
    """
    try:
        from mlda_core.plotting.film import pictures_of, save_film
    except ImportError as error:
        raise ExtraError("A film", "plot") from error

    def wanted() -> Iterator[tuple[Any, str]]:
        for pair in pictures_of(request.state, request.times, request.variables):
            yield pair
            if stale():
                return

    with tempfile.TemporaryDirectory(prefix="mlda-") as folder:
        return save_film(wanted(), Path(folder) / "film.gif", tick=tell).read_bytes()
