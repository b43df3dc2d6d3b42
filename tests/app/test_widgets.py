"""Widgets of the results."""

import panel as pn
from bokeh.document import Document
from panel.io.state import set_curdoc

from app import widgets
from app.widgets import Choice, attributes, button, span


def test_entries_of_one_label_stay_apart():
    heard = []
    made = Choice("Series", heard.append, {"a": "Thames", "b": "Thames", "c": "Rhine"}, "a")
    assert list(made.widget.options.values()) == ["a", "b", "c"]
    assert len(set(made.widget.options)) == 3
    assert "Rhine" in made.widget.options
    made.widget.value = "b"
    assert heard == ["b"]
    made.show("c", {"a": "Thames", "c": "Rhine"})
    assert list(made.widget.options) == ["Thames", "Rhine"]
    assert heard == ["b"]


def test_what_is_shown_is_not_heard_as_chosen():
    heard = []
    made = Choice("Scores", heard.append, {"a": "A", "b": "B"}, "a", segments=True)
    made.show("b")
    made.show("c", {"c": "C"})
    assert heard == []
    assert made.widget.value == "c"
    assert made.widget.html_attributes == {"role": "radiogroup", "aria-label": "Scores"}


def test_words_are_text_and_whole_under_the_pointer():
    assert span("words", 'a < "b"') == (
        '<span class="words" title="a &lt; &quot;b&quot;">a &lt; &quot;b&quot;</span>'
    )
    assert 'role="status"' in span("words", "done", status=True)
    assert attributes() == {}
    assert attributes("Months", title="Why") == {"aria-label": "Months", "title": "Why"}


def test_a_press_is_heard_once():
    pressed = []
    made = button("Start", lambda: pressed.append(1), "Begin")
    made.clicks += 1
    assert pressed == [1]
    assert made.html_attributes == {"title": "Begin"}


def test_words_may_end_with_the_i_of_a_term():
    plain, about = widgets.text("<p>cost</p>"), widgets.text("<p>cost</p>", term="cost")
    assert "info" not in plain.object
    assert 'data-term="cost"' in about.object
    assert ".info {" in "".join(about.stylesheets)
    assert ".info {" not in "".join(plain.stylesheets)
    assert widgets.explained("no such term").object == ""


def test_new_words_are_sent_alone_and_no_models_are_collected_for_them(monkeypatch):
    document = Document()
    words = widgets.text("before", "status")
    with set_curdoc(document):
        page = pn.Template("{{ embed(roots.words) }}", nb_template="")
        page.add_panel("words", words)
        page.server_doc(document)
        model, _ = next(iter(words._models.values()))
        collected = []
        monkeypatch.setattr(document.models, "recompute", lambda: collected.append(1))
        changed = []
        document.on_change(lambda event: changed.append(event.attr))
        words.object = "<b>after</b>"
        assert changed == ["text"]
        assert "after" in model.text
        words.visible = False
    assert model.visible is False
    assert collected == []
