"""About the page: what CITATION.cff and the bundle say."""

import mlda_core
from app import about


def test_the_software_is_as_cited():
    said = dict(about.software())
    assert list(said) == ["What", "Who", "Version", "Licence", "To cite"]
    assert said["Who"] == "The mlda developers"
    assert said["Licence"] == "BSD 3-clause licence"
    assert said["Version"] == mlda_core.__version__ in said["To cite"]
    assert said["Who"] in said["To cite"]


def test_a_citation_that_cannot_be_read_leaves_the_version(monkeypatch, tmp_path):
    bad = tmp_path / "CITATION.cff"
    monkeypatch.setattr(about, "CITATION", bad)
    for text in (None, "a: [", "- list"):
        if text is not None:
            bad.write_text(text)
        about.cited.cache_clear()
        try:
            assert about.software() == [("Version", mlda_core.__version__)]
        finally:
            about.cited.cache_clear()


def test_the_bundle_shown_is_described(tiny):
    said = dict(about.shown(tiny))
    assert said["Model"] == "Tiny; 6 numbers a month"
    assert "24 months, 1997-01 to 1998-12" in said["Shows"]
    assert "Data" not in said
