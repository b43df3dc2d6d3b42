"""The first sentence, and the help's template."""

import jinja2

from app.about import shown, software
from app.glossary import words_html
from app.guide import first_sentences


def test_the_first_sentence_is_of_the_bundle_shown(tiny, monkeypatch):
    what, maps, first = first_sentences(tiny)
    assert what == "See a month of climate as 6 numbers, and change them."
    assert "stations" in maps
    assert "Click" in first
    monkeypatch.setattr(tiny, "has_statistics", False)
    _, maps, first = first_sentences(tiny)
    assert "stations" not in maps
    assert "slider" in first


def test_the_template_escapes_what_comes_from_a_bundle(repo_root, tiny):
    text = (repo_root / "app" / "web" / "guide.html").read_text() + "{{ welcome() }}{{ help() }}"
    tiny.title = "R&D: <b>"
    # As `panel.Template` renders it.
    html = jinja2.Template(text).render(
        first_sentences=first_sentences(tiny),
        first_month="1997-12",
        ideas=[{"key": "k", "label": 'One & "two"', "href": "?bundle=a&b=1"}],
        words_html=words_html(),
        has_sea=False,
        step=tiny.seasons.step,
        about_software=software(),
        about_shown=shown(tiny),
    )
    assert "R&amp;D: &lt;b&gt;" in html
    assert html.count('href="?bundle=a&amp;b=1"') == 2
    assert "Perturb" not in html.split('class="part keys"')[1].split('class="part about"')[0]
    assert '<div data-term="spread">' in html
