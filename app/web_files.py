"""The page's HTML, CSS and JavaScript, read from ``app/web``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

WEB = Path(__file__).resolve().parent / "web"


@cache
def read(name: str) -> str:
    """Return the text of a file of ``app/web``."""
    return (WEB / name).read_text(encoding="utf-8")
