"""The form of Perturb: the list of changes of the sea."""

from perturb_panel import made_panel, patch

from app.tools.form_sea import SeaForm


def test_rows_show_the_changes_and_stay_when_these_go():
    panel = made_panel(patches=[patch("Niño 3.4"), patch("Box", -1.5, on=False, selected=True)])
    form = SeaForm(panel)
    form.show()
    first, second = form.rows
    assert form.changes.objects == [first.root, second.root]
    assert (second.amount.where, second.amount.kelvin, second.amount.counts) == ("Box", -1.5, False)
    assert (first.on.widget.value, second.on.widget.value) == (["on"], [])
    assert list(second.on.widget.options) == ["Box counts"]
    assert second.gone.name == "Delete Box"
    assert "selected" in second.root.css_classes
    assert "selected" not in first.root.css_classes
    assert form.clear.visible
    panel.patches = []
    form.show()
    assert [row.root.visible for row in form.rows] == [False, False]
    assert form.empty.visible
    assert not form.clear.visible
    panel.patches = [patch("Sea")]
    form.show()
    assert form.rows[0] is first
    assert first.root.visible
    assert panel.heard == []


def test_what_is_done_to_a_row_is_said_of_its_change():
    panel = made_panel(patches=[patch("Niño 3.4"), patch("Box")])
    form = SeaForm(panel)
    form.show()
    form.rows[1].on.widget.value = []
    form.rows[0].gone.clicks += 1
    form.rows[1].amount._handle_msg(
        {"seq": 1, "batch": [{"type": "sea-edit", "at": 1, "kelvin": 1.0, "done": False}]}
    )
    form.clear.clicks += 1
    assert panel.heard == [
        {"type": "sea-edit", "at": 1, "enabled": False},
        {"type": "sea-delete", "at": 0},
        {"type": "sea-edit", "at": 1, "kelvin": 1.0, "done": False},
        {"type": "sea-clear"},
    ]


def test_a_region_is_added_and_the_list_asks_for_the_next():
    panel = made_panel()
    form = SeaForm(panel)
    form.show()
    form.add.widget.value = "nino34"
    assert panel.heard == [{"type": "sea-add", "region": "nino34"}]
    assert form.add.widget.value == ""


def test_beside_the_gcm_the_changes_cannot_be_touched():
    panel = made_panel(patches=[patch("Sea")], settings={"view": "gcm"})
    form = SeaForm(panel)
    form.show()
    assert "inert" in form.changes.html_attributes
    panel.settings = {**panel.settings, "view": "sum"}
    form.show()
    assert "inert" not in form.changes.html_attributes


def test_words_are_text():
    form = SeaForm(made_panel(words={"change": "<1 K", "outcome": "Refused: <sea>"}, busy=True))
    form.show()
    assert "&lt;1 K" in form.change.object
    assert "&lt;sea&gt;" in form.outcome.object
    assert "busy" in form.outcome.object
