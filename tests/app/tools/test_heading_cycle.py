"""The heading of the columns in the tool Cycle."""

from app.tools.heading_cycle import CycleHeading

VIEWS = {"analysis": "Analysis", "background": "Background", "spread": "Spread"}


def test_widgets_come_when_they_are_built_and_follow_the_view():
    heard = []
    heading = CycleHeading(heard.extend, VIEWS)
    assert not heading.root.objects
    heading.build()
    heading.put(view="background", note="not cycled")
    assert heading.choice.widget.value == "background"
    assert "not cycled" in heading.said.pane.object
    heading.choice.widget.value = "spread"
    assert heard == [{"type": "cycle-set", "name": "view", "value": "spread"}]
    # Nobody took it.
    assert heading.choice.widget.value == "background"
    said = heading.titles()
    assert said["#against-title"] == "Background ↑ against truth →"
    assert said["--second-title"] == "Background"
