"""The heading of the columns in the tool Perturb."""

from app.tools.heading_perturb import PerturbHeading

VIEWS = [("sum", "Analysis + response"), ("response", "Response")]


def test_widgets_come_when_they_are_built_and_follow_the_view():
    heard = []
    heading = PerturbHeading(heard.extend, VIEWS)
    assert not heading.root.objects
    heading.build()
    assert heading.choice.widget.value == "sum"
    assert not heading.faded.widget.visible
    heading.put(view="response", fade=True)
    assert heading.faded.widget.visible
    assert heading.faded.widget.value == ["on"]
    heading.divide.widget.value = ["on"]
    assert heard == [{"type": "sea-set", "name": "per_kelvin", "value": True}]
    # Nobody took it.
    assert heading.divide.widget.value == []


def test_what_is_said_elsewhere_on_the_page():
    heading = PerturbHeading(None, VIEWS)
    heading.put(view="response", pair=["Analysis", "With ↑ without →", "With ↑"])
    said = heading.titles()
    assert said["--first-title"] == said["#first-title"] == "Analysis"
    assert said["--second-title"] == "Response"
    assert said["#against-short"] == "With ↑"


def test_an_empty_column_says_why_and_the_i_follows_the_view():
    heading = PerturbHeading(None, [*VIEWS, ("atlas", "Atlas of patches")])
    heading.build()
    assert heading.titles()["--hint-perturb"] == ""
    heading.put(hint="Computing the first response …", view="atlas")
    assert heading.titles()["--hint-perturb"] == "Computing the first response …"
    assert 'data-term="atlas"' in heading.about.object
    heading.put(view="sum")
    assert 'data-term="response"' in heading.about.object
