"""``mlda validate --coverage``: what is asked, written and printed."""

import json

import pytest
from commands import mlda, refusal
from small import make_linear

from mlda_core.evaluation import coverage


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coverage")
    make_linear(folder)
    return folder


def test_each_years_places_and_scores_are_printed_and_written(folder, monkeypatch):
    def scored(bundle, months, *, years, tick):
        assert [m[:4] for m in months] == ["1984"] * 12
        one = {"all": {"explained_variance": 0.25}, "0_km": {"explained_variance": years[0] / 1e4}}
        methods = {"vae": one, "climatology": {"all": {"explained_variance": 0.0}}}
        scores = {v.name: methods for v in bundle.variables}
        return {str(years[0]): {"places": {"tas": years[0], "psl": 3}} | scores}

    monkeypatch.setattr(coverage, "score_coverage", scored)
    monkeypatch.setattr(coverage, "YEARS", (1880, 1969))
    done = mlda("validate", "made", "--coverage", "--split", "validation", "--out", "out",
                cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    for year in ("1880", "1969"):
        assert f"Coverage of {year} ({year} tas, 3 psl)" in done.stdout
    assert "0.250" in done.stdout
    assert "climatology" not in done.stdout
    written = json.loads((folder / "out/scores.json").read_text())
    assert set(written["coverage"]["validation"]) >= {"1880", "1969"}
    assert not (folder / "made/scores.json").exists()


def test_a_split_without_months_is_named(folder):
    done = mlda("validate", "made", "--coverage", "--split", "tset", cwd=folder)
    assert "No month is in the split 'tset'; choose test, validation" in refusal(done)
