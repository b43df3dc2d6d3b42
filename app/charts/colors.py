"""Colours of the charts below the maps, in both themes: those of ``app/web/page.css``."""

from __future__ import annotations

from app.maps.color_scales import THEMES

COLORS: dict[str, dict[str, str]] = {
    "light": {
        "page": THEMES["light"]["page"],
        "text": "#1d2126",
        "muted": "#5d646d",
        "line": "#dcdddb",
        "accent": "#5546c8",
        "accent_soft": "#e6e3f8",
        "analysis": "#c3410b",
        "changed": "#1a5fb4",
        "warm": "#c9564a",
        "cold": "#4a7fb5",
    },
    "dark": {
        "page": THEMES["dark"]["page"],
        "text": "#e9ebee",
        "muted": "#a2a9b4",
        "line": "#343a43",
        "accent": "#a99cff",
        "accent_soft": "#34305c",
        "analysis": "#ff9368",
        "changed": "#7cb7ff",
        "warm": "#d9776c",
        "cold": "#6c9fd0",
    },
}
