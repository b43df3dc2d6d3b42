"""Names of methods and the like: underscores in code and links, hyphens where people read them."""

from __future__ import annotations


def key_of(name: str) -> str:
    """Return a name as it is spelled in Python."""
    return str(name).strip().lower().replace("-", "_")


def hyphenated(*keys: str) -> str:
    """Return names as people read them, comma-separated."""
    return ", ".join(key.replace("_", "-") for key in keys)
