"""``mlda validate`` by its other scores: what is asked, and what is printed."""

import pytest
from commands import mlda, refusal
from model_config import make_toml
from rich.console import Console
from small import make_bare

from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli.scores import _months_and_file, _networks, _posterior_table, _table
from mlda_core.evaluation.assimilation import networks_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    make_bare(folder)
    (folder / "small.toml").write_text(make_toml())
    return folder


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder / "made")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--assimilation", "--networks", "moon"), "no network 'moon'"),
        (("--assimilation", "--networks", "sst_only, moon"), "no network 'moon'"),
        (("--assimilation",), "mlda calibrate"),
        (("--assimilation", "--split", "tset"), "No month is in the split 'tset'"),
        (("--posterior", "--networks", "moon"), "no network 'moon'"),
        (("--posterior", "--split", "tset"), "No month is in the split 'tset'"),
        (("--learning-curve",), "--learning-curve needs --config"),
        (
            ("--learning-curve", "--config", "small.toml", "--split", "test"),
            "VALIDATION months, not on 'test'",
        ),
        (("--perturbation", "--runs", "runs"), "--perturbation needs --config"),
    ],
)
def test_what_cannot_be_scored_is_told_in_a_sentence(folder, options, words):
    before = sorted(folder.rglob("*"))
    assert words in refusal(mlda("validate", "made", *options, cwd=folder))
    assert sorted(folder.rglob("*")) == before


def test_networks_are_those_asked_for_or_all_of_the_bundle(bundle):
    assert _networks(bundle, None) == list(networks_of(bundle))
    assert _networks(bundle, "stations_10, sst_only") == ["stations_10", "sst_only"]


def test_with_a_configuration_every_member_is_scored_into_the_bundle(bundle, folder, monkeypatch):
    monkeypatch.chdir(folder)
    made = folder / "made"
    months, target = _months_and_file(bundle, made, None, "test", None)
    assert target.parts == ("runs", "validate-small-test", "scores.json")
    assert set(months.split) == {"test"}
    assert len(months) == 12
    assert _months_and_file(bundle, made, None, "test", folder / "out")[1].parent.name == "out"
    months, target = _months_and_file(bundle, made, folder / "small.toml", "test", None)
    assert target == made / "scores.json"
    assert len(months) == 2 * 12


def printed(table):
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in capture.get().splitlines()
        if "│" in line
    ]


def test_a_table_has_a_row_a_method_and_a_gap_where_it_has_no_score(bundle):
    one = {"explained_variance": 0.51234, "rmse": 1.239}
    scores = {v.name: {"vae": one} for v in bundle.variables}
    scores["tas"]["ceiling"] = {"explained_variance": 0.75}
    assert printed(_table(bundle, "sst_only", scores)) == [
        ["vae", *["0.512 (1.24)"] * 4],
        ["ceiling", "", "", "0.750", ""],
    ]


def test_calibration_is_printed_in_percent_and_units(bundle):
    found = {"crps": 0.4444, "spread_over_error": 0.987, "coverage_50": 0.49, "coverage_90": 0.91}
    scores = {"tas": found | {"withheld": {"spread_over_error": 1.1}}, "pr": found}
    assert printed(_posterior_table(bundle, "stations_10", scores)) == [
        ["tas (K)", "0.444", "0.99", "49", "91", "1.10"],
        ["pr (mm/day)", "0.444", "0.99", "49", "91", "-"],
    ]
