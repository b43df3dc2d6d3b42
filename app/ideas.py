"""What a visitor may try first: links that set the whole state of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mlda_core.bundle.shipped import link_of, offers
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.rows import pack_rows
from mlda_core.page_state.serialize import from_query
from mlda_core.page_state.settings import InvalidStateError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# Two boxes of the Pacific with amounts by least squares between 18°S and 18°N: of the anomaly's
# root mean square there, 1.65 K, they leave 0.59, and of Niño 3.4 +0.02 K of +2.21.
WITHOUT_EL_NINO = "-8:6:197:225:-2.4,-10:6:225:281:-3.4"
# What "Try one alone" places in the bundle of the winds aloft.
ONE_HEIGHT = ["zg500", 21.0, 129.0, -26.0, None, 0, "single observation"]


@dataclass(frozen=True)
class Idea:
    """Something to try.

    Parameters
    ----------
    key : str
        What messages call it.
    label : str
        What the visitor reads.
    bundle : str
        Key of the bundle that shows it; '' for any that can assimilate.
    parts : mapping of str to str
        Parts of a link, but for the bundle's.
    """

    key: str
    label: str
    bundle: str
    parts: Mapping[str, str]

    def query(self, key: str) -> str:
        """Return the query of its link, from the page of the bundle called ``key``."""
        return urlencode({"bundle": self.bundle or key, **self.parts}, safe=",:")


IDEAS = (
    Idea(
        "no-el-nino",
        "December 1997 without its El Niño",
        "speedy",
        {"month": "1997-12", "tool": "perturb", "sea": WITHOUT_EL_NINO},
    ),
    Idea(
        "winter-1963",
        "The winter of 1963 from the stations of 1880",
        "real",
        {"month": "1963-01", "network": "historical", "year": "1880"},
    ),
    Idea(
        "one-height",
        "One observation of height, and the winds it turns",
        "upper",
        {
            "month": "1997-12",
            "network": "none",
            "column": "increment",
            "beside": "enoi",
            "scale": "5",
            "rows": pack_rows({"own": [ONE_HEIGHT]}),
        },
    ),
    Idea(
        "ten-stations",
        "Ten stations: what they leave uncertain",
        "",
        {"stations": "10", "column": "spread"},
    ),
)


def offered(bundle: Bundle, key: str) -> list[dict[str, str]]:
    """Return key, label and link of each idea that can be shown from here.

    Parameters
    ----------
    bundle : Bundle
        That of the page.
    key : str
        What a link calls it.
    """
    here = {offer.key for offer in offers()}
    return [
        {"key": idea.key, "label": idea.label, "href": f"?{idea.query(key)}"}
        for idea in IDEAS
        if (_fits(idea, bundle, key) if idea.bundle in ("", key) else idea.bundle in here)
    ]


def _fits(idea: Idea, bundle: Bundle, key: str) -> bool:
    try:
        from_query(idea.query(key), limits_of(bundle, link_of(key)))
    except InvalidStateError:
        return False
    return bundle.has_statistics


def find(key: Any) -> Idea:
    """Return the idea of a key.

    Raises
    ------
    InvalidStateError
        If there is none.
    """
    found = next((idea for idea in IDEAS if idea.key == key), None)
    if found is None:
        raise InvalidStateError("There is no such thing to try here; reload the page.")
    return found
