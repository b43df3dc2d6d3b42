"""A state of the page in Python: opened from a link or a file, and what can be made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.shipped import folder_of, link_of, offers
from mlda_core.climate.errors import BundleError, UserError
from mlda_core.page_state.analyses import AnalysisRequest, remainder
from mlda_core.page_state.cycle_runs import CycleRequest, days_from, offered_methods, run_of
from mlda_core.page_state.latents import code_of, with_remainder
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.responses import ResponseRequest, SensitivityRequest, sensitivity_to
from mlda_core.page_state.serialize import asked_for, from_json, from_query, read_pin, to_query
from mlda_core.page_state.settings import SHOWN, InvalidStateError
from mlda_core.page_state.snapshot import Z_LIMIT, Limits, OtherBundleError, Snapshot
from mlda_core.page_state.tables import Table, resolve

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.adjoint import Sensitivity
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.posterior.ensemble import Ensemble
    from mlda_core.cycling.followed import FollowedDay
    from mlda_core.perturbation.response import Response

Float = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class PageState:
    """A state of the page, and what the page makes of it: the same numbers to the last bit.

    Everything is computed when it is asked for, on one thread as on the page: more threads add up
    in another order.

    Parameters
    ----------
    snapshot : Snapshot
        The settings.
    bundle : Bundle
        The model that they are of.
    limits : Limits
        What the bundle leaves of the settings.
    """

    snapshot: Snapshot
    bundle: Bundle
    limits: Limits

    def __repr__(self) -> str:
        """Say what the state is, in a line."""
        return (
            f"<State of the page: {self.tool}, {self.month}, model '{self.snapshot.model}', "
            f"bundle {self.bundle.name}>"
        )

    @property
    def month(self) -> str:
        """The month shown, ``YYYY-MM``, or the day, ``YYYY-MM-DD``."""
        month: str = self.snapshot.month
        return month

    @property
    def tool(self) -> str:
        """The tool that is open: observe, explore, perturb or cycle."""
        tool: str = self.snapshot.tool
        return tool

    @property
    def link(self) -> str:
        """The link's query: what follows the question mark of the page's address."""
        return to_query(self.snapshot, self.limits)

    # -- Observe and Explore -------------------------------------------------------------------

    @cached_property
    def table(self) -> Table:
        """The observations of the month, and where each came from."""
        return resolve(self.snapshot.observations, self.bundle, self.month)

    def observations(self) -> pd.DataFrame:
        """Return the observations of the month.

        Returns
        -------
        DataFrame
            An observation table: variable, lat, lon, value, error_sd (anomalies in display
            units), withheld, label; with kind and area where rows are of other kinds.

        Raises
        ------
        UserError
            If the network cannot be made of this bundle.
        """
        return self.table.plain.copy()

    @cached_property
    def _request(self) -> AnalysisRequest:
        return AnalysisRequest.of(self.month, self.table.plain, self.snapshot.observations)

    def analysis(self) -> Analysis:
        """Return the analysis of the observations.

        Raises
        ------
        UserError
            If the observations cannot be made, or the bundle has no statistics.
        """
        return self._analysis

    @cached_property
    def _analysis(self) -> Analysis:
        with one_thread():
            return self._request.analysis(self.bundle)

    @cached_property
    def _ensemble(self) -> Ensemble:
        with one_thread():
            return self._request.ensemble(self.bundle, self.snapshot.observations.sampler)

    def ensemble(self) -> Ensemble:
        """Return the members that the page shows: draws from the posterior of the analysis.

        Raises
        ------
        UserError
            If the method has no posterior.
        """
        return self._ensemble

    @property
    def latent(self) -> NDArray[np.float32] | None:
        """The latent vector that the model shows, shape (L,); None where a method has none."""
        snapshot = self.snapshot
        if snapshot.z is not None:
            return np.asarray(snapshot.z, dtype=np.float32)
        if snapshot.model == "code":
            return code_of(self.bundle, self.month)
        z = self.analysis().z
        return None if z is None else np.clip(np.asarray(z, np.float32), -Z_LIMIT, Z_LIMIT)

    def fields(self) -> Float:
        """Return the anomalies that the model shows under Observe and Explore.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units, NaN where a variable is absent: the analysis, a member of it, or what
            the latent vector decodes to; of an analysis moved by hand with what that has beyond
            its latent vector.
        """
        snapshot, bundle = self.snapshot, self.bundle
        if snapshot.model == "analysis":
            if snapshot.observations.column == "member":
                return self.ensemble().anomalies[snapshot.observations.member - 1]
            return self.analysis().anomalies
        season = bundle.seasons.of(self.month)
        with one_thread():
            decoded = bundle.decode_anomalies(np.asarray(self.latent), season)
            if snapshot.origin is None or snapshot.origin.kind != "analysis":
                return decoded
            beyond = remainder(self.analysis(), bundle)
        return decoded if beyond is None else with_remainder(decoded, beyond, bundle, season)

    @cached_property
    def pinned(self) -> PageState | None:
        """The state that is pinned; None where none is."""
        text = self.snapshot.pinned
        if not text:
            return None
        return PageState(read_pin(text, self.limits), self.bundle, self.limits)

    # -- Perturb -------------------------------------------------------------------------------

    @cached_property
    def _response(self) -> Response:
        with one_thread():
            made = ResponseRequest.of(self.month, self.snapshot.perturbations).response(self.bundle)
            _ = made.spread
        return made

    def response(self) -> Response:
        """Return the response of the month to the changes of the sea that count.

        Raises
        ------
        UserError
            If the bundle has no sea, or a change covers no open sea.
        """
        return self._response

    def sensitivity(self) -> Sensitivity:
        """Return the sensitivity to the sea of a variable's mean over a region.

        Raises
        ------
        UserError
            If the bundle has no sea.
        """
        aim = SensitivityRequest.of(self.month, self.snapshot.perturbations, self.bundle)
        with one_thread():
            return sensitivity_to(self.bundle, aim)

    # -- Cycle ---------------------------------------------------------------------------------

    def cycle(self) -> dict[str, FollowedDay]:
        """Return the days of the run up to the day shown, by day.

        Raises
        ------
        UserError
            If there is no run, or it cannot begin where it should.
        """
        settings = self.snapshot.cycles
        methods = offered_methods()
        if "cycle" not in self.limits.tools:
            raise UserError(f"Nothing can be cycled with {self.bundle.title}; open another bundle.")
        if settings.method not in methods:
            raise UserError(
                f"The page does not cycle '{settings.method}'; choose one of {', '.join(methods)}."
            )
        if not settings.first:
            raise UserError("The state has no run yet; begin one on the page, and copy its link.")
        labels = days_from(self.bundle, settings.first)
        last = labels.index(self.month) if self.month in labels else 0
        with one_thread():
            run = run_of(self.bundle, CycleRequest.of(settings))
            days = {label: run.day(i) for i, label in enumerate(labels[: last + 1])}
        return {label: day for label, day in days.items() if day is not None}


def from_link(link: str, bundle: Bundle | str | Path | None = None) -> PageState:
    """Open a link of the page.

    Parameters
    ----------
    link : str
        The address of the page, or what follows its question mark.
    bundle : Bundle, str or Path, optional
        The model, or its folder; by default the one that the link names, of those that ship with
        the project.

    Returns
    -------
    PageState

    Raises
    ------
    UserError
        If the page would refuse it, in the same sentence; if the bundle is not here, or another
        than the link names.
    """
    query = _query_of(link)
    key = asked_for(query)
    opened = _bundle_of(key, bundle)
    limits = limits_of(opened, link_of(key or key_of(opened)))
    return PageState(from_query(query, limits), opened, limits)


def from_file(path: str | Path, bundle: Bundle | str | Path | None = None) -> PageState:
    """Open a state that the page saved as a file.

    Parameters
    ----------
    path : str or Path
        The file, .json.
    bundle : Bundle, str or Path, optional
        The model, or its folder; by default the one that the file names, of those that ship with
        the project.

    Returns
    -------
    PageState

    Raises
    ------
    UserError
        If the page would refuse it, in the same sentence; if the file cannot be read, or the
        bundle is not here.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidStateError("The file is not JSON; choose one that this page saved.") from None
    except OSError as error:
        raise InvalidStateError(
            f"{path} cannot be read ({error.strerror}); give a file that the page saved."
        ) from None
    opened = _bundle_of("", bundle)
    try:
        return _of_text(text, opened)
    except OtherBundleError as error:
        named = (offer for offer in offers() if error.bundle in (offer.name, offer.key))
        offer = next(named, None) if bundle is None else None
        if offer is None:
            raise
        return _of_text(text, load_bundle(offer.path))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as the page does: the last bits depend on how many there are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _of_text(text: str, bundle: Bundle) -> PageState:
    limits = limits_of(bundle, link_of(key_of(bundle)))
    return PageState(from_json(text, limits), bundle, limits)


def _query_of(link: str) -> str:
    """Return a link's query."""
    if not isinstance(link, str):
        raise InvalidStateError("A link is text; copy it from the page's address bar.")
    text = link.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        raise InvalidStateError("The link is damaged; copy the whole link.") from None
    query = parts.query if "?" in text else "" if parts.scheme else text
    if query and "=" not in query:
        raise InvalidStateError(
            f"'{text[:SHOWN]}' is no link of the page; copy the whole link, or what follows its "
            "question mark."
        )
    return query


def _bundle_of(key: str, given: Bundle | str | Path | None) -> Bundle:
    """Return the bundle that is given, or the one that a link names."""
    if given is None:
        folder = folder_of(key)
        if not folder.exists():
            raise BundleError(
                "No bundle ships with this installation; give the folder of one beside the link."
            )
        return load_bundle(folder)
    opened = given if isinstance(given, Bundle) else load_bundle(given)
    if key and key not in (opened.name, opened.path.name, key_of(opened)):
        raise OtherBundleError(
            f"The link is of the bundle '{key[:40]}', and not of '{opened.name}'; give that one.",
            key,
        )
    return opened


def key_of(bundle: Bundle) -> str:
    """Return what a link calls a bundle."""
    folder = bundle.path.resolve()
    named = (offer.key for offer in offers() if offer.path.resolve() == folder)
    return next(named, folder.name)
