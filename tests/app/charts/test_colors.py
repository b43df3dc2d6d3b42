"""Colours of the charts."""

from app.charts.colors import COLORS


def test_colours_of_charts_are_those_of_the_page(repo_root):
    page = (repo_root / "app" / "web" / "page.css").read_text().split('[data-theme="dark"]')
    for theme, css in zip(("light", "dark"), page, strict=True):
        names = {
            "page": "bg",
            **{n: n for n in ("text", "muted", "line", "accent", "warm", "cold")},
        }
        for name, variable in names.items():
            assert f"--{variable}: {COLORS[theme][name]};" in css
