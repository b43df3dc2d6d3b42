"""Charts of all members."""

from app.charts.members import SpaghettiChart, StampsChart


def test_charts_are_repainted_in_another_theme(speedy):
    stamps, spaghetti = (
        StampsChart(lambda _: None, "light", speedy.variables[0]),
        SpaghettiChart("light"),
    )
    for chart, glyph in (
        (stamps, stamps._box.glyph),
        (spaghetti, spaghetti._lines["target"].glyph),
    ):
        before = glyph.line_color
        chart.set_theme("dark")
        assert glyph.line_color != before
