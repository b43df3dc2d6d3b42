"""``mlda calibrate``: what it refuses; test_main.py calibrates."""

import pytest
from commands import mlda, refusal
from model_config import make_toml
from small import make_bare

from mlda_core.cli.calibrate import _numbers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrate")
    make_bare(folder)
    (folder / "small.toml").write_text(make_toml())
    return folder


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("halfwidth=1", "'halfwidth'"),
        ("half_width=far", "half_width=far"),
        ("half_width", "write it as name=number, such as half_width=8000"),
        ("hybrid_sea=2", "'hybrid_sea' is 2.0; it must be within 0 to 1"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_written(folder, setting, words):
    before = {p: p.stat().st_mtime_ns for p in (folder / "made").iterdir()}
    done = mlda("calibrate", "made", "--config", "small.toml", "--set", setting, cwd=folder)
    assert words in refusal(done)
    assert {p: p.stat().st_mtime_ns for p in (folder / "made").iterdir()} == before


def test_folders_and_files_that_are_not_there_are_named(folder):
    done = mlda("calibrate", "nowhere", "--config", "small.toml", cwd=folder)
    assert "nowhere" in refusal(done)
    done = mlda("calibrate", "made", "--config", "absent.toml", cwd=folder)
    assert "absent.toml" in refusal(done)


def test_settings_are_numbers_and_the_last_word_counts():
    assert _numbers(["half_width = 8e3", "sea_share=0.5", "sea_share=0.25"]) == {
        "half_width": 8000.0,
        "sea_share": 0.25,
    }
