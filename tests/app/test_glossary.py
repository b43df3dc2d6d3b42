"""The page's words are the glossary's."""

import re

import pytest

from app import glossary


def test_the_terms_are_those_of_the_document():
    text = glossary.GLOSSARY.read_text()
    found = glossary.terms()
    assert len(found) > 80
    assert found["spread"].what == "posterior standard deviation"
    assert found["localisation radius"].symbol == "c"
    # A bar within a cell, emphasis, code, and references to other pages.
    assert found["nonlinearity index"].what.startswith("|G(z) - lin(z)| / |G(z)")
    assert "<em>calendar month</em>" in found["month"].what
    assert "<code>month</code>" in found["time step"].what
    assert not [t.name for t in found.values() if "](" in t.what + t.on_page or "`" in t.what]
    # What to say is for those who write.
    assert not any("Say this" in term.section for term in found.values())
    assert text.count("\n## ") == len({term.section for term in found.values()}) + 1


def test_what_a_page_explains_is_in_the_glossary(repo_root):
    sources = [*(repo_root / "app").rglob("*.py"), *(repo_root / "app" / "web").rglob("*.*")]
    asked = set()
    for path in sources:
        text = path.read_text()
        asked |= set(re.findall(r'\binfo\("([^"]+)"\)', text))
        # Not those whose name a program writes.
        asked |= set(re.findall(r'\bterm="([^"{}$]+)"', text))
    assert asked <= set(glossary.terms())


def test_without_a_glossary_there_is_nothing_to_explain(monkeypatch, tmp_path):
    monkeypatch.setattr(glossary, "GLOSSARY", tmp_path / "none.md")
    glossary.terms.cache_clear()
    try:
        assert glossary.terms() == {}
        assert glossary.info("spread") == ""
    finally:
        monkeypatch.undo()
        glossary.terms.cache_clear()


def test_a_button_names_its_term():
    html = glossary.info("spread")
    assert 'data-term="spread"' in html
    assert 'aria-label="What is: spread?"' in html
    assert glossary.info("no such thing") == ""


@pytest.mark.parametrize("cell", ["<script>", "a & b"])
def test_what_it_says_is_text(cell):
    head = "| term | symbol | in the code | on the page | what |\n|---|---|---|---|---|\n"
    (term,) = glossary.read(f"{head}| x | | | | {cell} |").values()
    assert term.what == cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
