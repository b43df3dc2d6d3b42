"""The folder of a page without a server."""

import json
import re

import pytest

from mlda_core.climate.assets import ASSETS
from mlda_core.climate.errors import StateError, UserError
from mlda_core.plotting.site.export import export_site, months_for_site


def months_of_test(bundle):
    return [m for m in bundle.months if bundle.split(m) == "test"]


def test_a_site_is_whole_and_replaces_an_earlier_one(engine, tmp_path):
    bundle = engine.bundle
    months = bundle.months[:2]
    told = []
    made = export_site(
        bundle, tmp_path / "site", months=months, tick=lambda *said: told.append(said)
    )
    assert made.months == tuple(months)
    assert told[-1][1] == told[-1][2]
    names = {file.name for file in made.path.iterdir()}
    own = {file.name for file in (ASSETS / "site").iterdir()}
    assert own | {"site.json", "maps.json", "bokeh.min.js", "decoder.bin"} <= names
    said = json.loads((made.path / "site.json").read_text())
    assert said["first"] == months[-1]
    assert [m["label"] for m in said["months"]] == list(months)
    for entry in said["files"].values():
        assert (made.path / entry["file"]).stat().st_size == entry["size"]
    assert made.size == sum(file.stat().st_size for file in made.path.iterdir())
    again = export_site(bundle, tmp_path / "site", months=months[:1])
    assert json.loads((again.path / "site.json").read_text())["first"] == months[0]
    assert [file.name for file in tmp_path.iterdir()] == ["site"]


def test_the_page_names_no_other_host():
    for file in (ASSETS / "site").iterdir():
        text = file.read_text(encoding="utf-8")
        found = set(re.findall(r"(?:https?|wss?)://[\w.:]*\w", text))
        assert found <= {"http://localhost:8000"}, file.name


def test_months_by_default_are_test_months_of_one_calendar_month(engine):
    test = months_of_test(engine.bundle)
    found = months_for_site(engine.bundle, test[3])
    assert test[3] in found
    assert {m[5:] for m in found} == {test[3][5:]}
    assert set(found) <= set(test)
    assert test[-1] in months_for_site(engine.bundle, "1800-01")


def test_what_cannot_be_written_is_refused_and_nothing_is_lost(engine, tmp_path):
    bundle, month = engine.bundle, engine.bundle.months[0]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("all of it")
    with pytest.raises(UserError, match=r"holds thesis\.tex"):
        export_site(bundle, other, months=[month])
    published = export_site(bundle, tmp_path / "published", months=[month]).path
    (published / ".git").mkdir()
    with pytest.raises(UserError, match=r"holds \.git, which is not of a site"):
        export_site(bundle, published, months=[month])
    assert (published / "site.json").is_file()
    with pytest.raises(UserError, match="is a file"):
        export_site(bundle, other / "thesis.tex", months=[month])
    with pytest.raises(StateError):
        export_site(bundle, tmp_path / "site", months=["1700-01"])
    with pytest.raises(UserError, match="at least one month"):
        export_site(bundle, tmp_path / "site", months=[])
    with pytest.raises(UserError, match="none of the site's months"):
        export_site(bundle, tmp_path / "site", months=[month], first="1700-01")
    assert (other / "thesis.tex").read_text() == "all of it"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other", "published"]
