"""Change of bundle: it is loaded in the background, then the browser opens its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from app.bundles import open_bundle, taken_along, travelling
from app.components import Message
from app.context import Action, SessionContext
from app.jobs.worker import Latest
from mlda_core.bundle.shipped import BundleInfo, offers
from mlda_core.climate.errors import UserError
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import OtherBundleError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle


class BundleMenu:
    """What a visitor can do to see another bundle.

    Parameters
    ----------
    context : SessionContext
    key : str
        Of the bundle shown.
    go : callable
        Sends the browser to a query, with or without the file that it has just read.
    """

    def __init__(
        self, context: SessionContext, key: str, *, go: Callable[[str, bool], None]
    ) -> None:
        self.key, self._state, self._go = key, context.state, go
        self._say, self._complain = context.say, context.complain
        self._work = Latest(context.schedule, self._refused)

    def actions(self) -> Mapping[str, Action]:
        """Return what each message of the menu does."""
        return {"bundle": self.choose}

    def choices(self) -> list[list[str]]:
        """Return key, title and contents of each bundle that can be chosen."""
        return [[offer.key, offer.title, offer.words] for offer in offers()]

    def choose(self, message: Message) -> None:
        """Go to a bundle's page."""
        self._open(_offer_of(str(message.get("value", ""))), with_file=False)

    def elsewhere(self, error: OtherBundleError) -> None:
        """Go to the bundle that a saved state is of, taking the state along.

        Raises
        ------
        OtherBundleError
            If it is not here.
        """
        named = (offer for offer in offers() if error.bundle in (offer.name, offer.key))
        offer = next(named, None)
        if offer is None or offer.key == self.key:
            raise error
        self._open(offer, with_file=True)

    def _open(self, offer: BundleInfo, *, with_file: bool) -> None:
        if offer.key == self.key:
            return
        state = self._state
        parts = {name: getattr(state, name) for name in travelling()}
        if state.projection == state.limits.projections[0]:
            # A default, not a choice: the other bundle has its own.
            del parts["projection"]

        self._load(
            offer,
            lambda bundle: urlencode(taken_along(parts, bundle, offer.key), safe=",:"),
            with_file=with_file,
        )

    def follow(self, key: str, query: str) -> None:
        """Go to a link to a bundle.

        Raises
        ------
        InvalidStateError
            If the bundle is not here.
        """
        self._load(_offer_of(key), lambda _: query, with_file=False)

    def _load(
        self, offer: BundleInfo, query_of: Callable[[Bundle], str], *, with_file: bool
    ) -> None:
        def job(_: Callable[[], bool]) -> str:
            # Loaded now, so that the page that opens does not wait for it.
            bundle = open_bundle(offer.key)
            prepare(bundle)
            return query_of(bundle)

        self._say(f"Opening {offer.title} …")
        self._work.submit(job, lambda query: self._go(query, with_file))

    def _refused(self, error: Exception) -> None:
        known = isinstance(error, UserError)
        other = f"That bundle could not be opened ({type(error).__name__}); choose another."
        self._complain(str(error) if known else other)

    def close(self) -> None:
        """Let go of everything, when the visitor has left."""
        self._work.cancel()


def _offer_of(key: str) -> BundleInfo:
    known = {offer.key: offer for offer in offers()}
    if key not in known:
        raise InvalidStateError(f"There is no bundle '{key[:40]}' here; choose another.")
    return known[key]


def prepare(bundle: Bundle) -> None:
    """Load a bundle and compute what each of its pages needs first."""
    from app.timeline import curve_paths, splits

    curve_paths(bundle)
    splits(bundle)
