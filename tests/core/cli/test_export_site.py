"""``mlda export-site``."""

import json

import pytest
from commands import mlda, refusal


@pytest.mark.slow
def test_a_shipped_bundle_is_written_under_twenty_megabytes(tmp_path):
    done = mlda("export-site", "speedy", "--out", "site", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    size = sum(file.stat().st_size for file in (tmp_path / "site").iterdir())
    assert size < 20e6
    said = json.loads((tmp_path / "site" / "site.json").read_text())
    assert said["first"] == "1997-12"
    assert f"Wrote site: {len(said['months'])} months, {size / 1e6:.1f} MB" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("daily", "--out", "site"), "is a bundle of days"),
        (("speedy", "--out", "site", "--month", "1700-01"), "1700-01"),
        (("nothing", "--out", "site"), "nothing"),
    ],
)
def test_what_has_no_site_is_refused_in_a_sentence(tmp_path, words, said):
    assert said in refusal(mlda("export-site", *words, cwd=tmp_path))
    assert not (tmp_path / "site").exists()
