"""About the page: what it is, who made it, its licence, how to cite it, and what is shown."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

import mlda_core

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

CITATION = Path(__file__).resolve().parent.parent / "CITATION.cff"
LICENCES = {"BSD-3-Clause": "BSD 3-clause licence"}


@cache
def cited() -> dict[str, Any]:
    """Return what CITATION.cff says; nothing where it cannot be read."""
    try:
        found = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _people(authors: Any) -> str:
    """Return names of authors, as CITATION.cff has them.

    >>> _people([{"name": "The developers"}, {"given-names": "Ada", "family-names": "Byron"}])
    'The developers, Ada Byron'
    """
    names = (
        person.get("name") or f"{person.get('given-names', '')} {person.get('family-names', '')}"
        for person in authors or ()
    )
    return ", ".join(name.strip() for name in names)


def software() -> list[tuple[str, str]]:
    """Return what the software is, as pairs of a heading and words."""
    found = cited()
    people = _people(found.get("authors"))
    licence = str(found.get("license", ""))
    title, version = str(found.get("title", "mlda")), mlda_core.__version__
    cite = f"{people}: {title}. Version {version}." if people else ""
    said = [
        ("What", " ".join(str(found.get("abstract", "")).split())),
        ("Who", people),
        ("Version", version),
        ("Licence", LICENCES.get(licence, licence)),
        ("To cite", cite),
    ]
    return [(head, words) for head, words in said if words]


def shown(bundle: Bundle) -> list[tuple[str, str]]:
    """Return what the bundle shown is, as pairs of a heading and words.

    Parameters
    ----------
    bundle : Bundle
        That of the page.
    """
    config: dict[str, Any] = getattr(bundle, "config", {})
    first, last = bundle.months[0], bundle.months[-1]
    step = bundle.seasons.step
    labels = ", ".join(variable.label for variable in bundle.variables)
    said = [
        ("Model", f"{bundle.title}; {bundle.n_latent} numbers a {step}"),
        ("Shows", f"{labels}; {len(bundle.months):,} {step.plural}, {first} to {last}"),
        ("Anomalies", f"from {bundle.base_period}"),
        ("Data", str(config.get("source", ""))),
        ("Its licence", str(config.get("licence", ""))),
    ]
    return [(head, words) for head, words in said if words]
