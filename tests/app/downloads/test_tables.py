"""Tables and curves as CSV: what is shown, with month and units, readable where it is read."""

import io

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner
from visiting import CSV, send, take

from app.charts.cycle import Curves
from app.charts.densities import Curve, Densities, Mark
from app.downloads.tables import FOOT_TABLES, csv_of, cycle_table, foot_table, observations_table
from app.results.panel import Foot
from mlda_core.cli.main import app
from mlda_core.climate.errors import StateError
from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.table import read

VARIABLES = (DEFAULTS["psl"], DEFAULTS["tas"])


def parsed(message):
    return pd.read_csv(io.StringIO(message["text"]))


@pytest.fixture
def foot():
    return Foot(variables=VARIABLES, methods=("vae",), month="1997-12", region="tropics")


@pytest.mark.slow
def test_observations_have_month_units_and_departures(standing):
    message = take(standing, type="download-table", value="observations")
    assert message["name"] == "mlda-1997-12-observations.csv"
    table, known = parsed(message), standing.work.analysis.observations
    assert set(table["time"]) == {"1997-12"}
    units = dict(zip(table["variable"], table["units"], strict=True))
    assert units == {"psl": "hPa", "tas": "K"}
    for name in ("background_departure", "analysis_departure", "standardised_departure"):
        np.testing.assert_allclose(table[name], known[name], rtol=1e-8)
    np.testing.assert_array_equal(table["used"], known["used"])


def test_observations_are_read_again_as_the_same(standing, speedy):
    text = take(standing, type="download-table", value="observations")["text"]
    reading = read(text.encode(), speedy, month="1997-12")
    assert not reading.rejected
    plain = standing.observer.table.plain
    assert reading.table["variable"].tolist() == plain["variable"].tolist()
    for name in ("lat", "lon", "value", "error_sd"):
        np.testing.assert_allclose(reading.table[name], plain[name], rtol=1e-8)
    # Its months are its own: without one that is named it is of the same.
    assert read(text.encode(), speedy).table.equals(reading.table)


@pytest.mark.slow
def test_observations_are_assimilated_by_the_command(standing, repo_root, tmp_path):
    given, out = tmp_path / "given.csv", tmp_path / "out.nc"
    given.write_text(take(standing, type="download-table", value="observations")["text"])
    words = ["assimilate", str(repo_root / "assets/bundles/speedy"), "--obs", str(given)]
    done = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    import xarray as xr

    with xr.open_dataset(out) as data:
        ours = standing.work.analysis.anomalies
        np.testing.assert_allclose(data["tas_anomaly"].values[0], ours[2], atol=2e-3)


def test_rows_of_ones_own_come_back_with_kinds_and_withheld(visit, speedy):
    v = visit("?tool=observe&network=none")
    v.send(type="obs-upload", name="mine.csv", text=CSV)
    v.send(type="obs-put", variable="tas", lat="20", lon="30", **{"as": "tercile-warm"})
    v.settle()
    rows = v.observer.table.plain
    text = csv_of(observations_table(rows, speedy, "1997-12", v.observer.departing))
    again = read(text.encode(), speedy, month="1997-12")
    assert not again.rejected
    assert again.table["withheld"].tolist() == rows["withheld"].tolist()
    np.testing.assert_allclose(again.table["value"], rows["value"], equal_nan=True)
    if "kind" in rows:
        assert again.table["kind"].tolist() == rows["kind"].tolist()


def test_without_an_analysis_the_table_says_that_departures_lack(visit):
    v = visit()
    v.send(type="observing", name="count", value=33)
    send(v.session.bar, type="download-table", value="observations")
    assert "Without departures" in v.status


def test_scores_are_a_row_a_method_and_variable(foot):
    score = {"explained_variance": 0.5, "rmse": 1.25, "r": None, "n": 4608}
    foot.scores = {
        "region": "Tropics",
        "target": {"vae": {"psl": score, "tas": score}},
        "withheld": {},
    }
    table = foot_table("scores", foot)
    assert table["variable"].tolist() == ["psl", "tas"]
    assert table["rmse_units"].tolist() == ["hPa", "K"]
    assert set(table["time"]) == {"1997-12"}
    assert set(table["region"]) == {"Tropics"}
    assert np.isnan(table["r"]).all()
    assert (table["rmse"] == 1.25).all()


def test_a_series_is_a_row_a_month_and_variable(foot):
    months = ["1997-11", "1997-12"]
    foot.series = {"months": months, "split": "vT", "target": {"psl": [1.0, 2.0], "tas": [3, 4]}}
    foot.analysis = {"values": {"psl": [None, 2.5], "tas": [3.5, None]}}
    table = foot_table("series", foot)
    assert table["time"].tolist() == months * 2
    assert table["split"].tolist() == ["validation", "test"] * 2
    assert table["units"].tolist() == ["hPa", "hPa", "K", "K"]
    np.testing.assert_array_equal(table["analysis"], [np.nan, 2.5, 3.5, np.nan])
    assert set(table["region"]) == {dict(foot.regions)["tropics"]}
    foot.mode = "perturb"
    foot.changed = {"name": "perturbed SST", "values": {"psl": [1.5, 2.5], "tas": [3.5, 4.5]}}
    changed = foot_table("series", foot)
    np.testing.assert_array_equal(changed["perturbed_sst"], [1.5, 2.5, 3.5, 4.5])


def test_ranks_are_shares_of_bins(foot):
    foot.ranks = {"used": [0.1] * 10, "withheld": [], "words": "some"}
    table = foot_table("ranks", foot)
    assert set(table["observations"]) == {"used"}
    np.testing.assert_allclose(table["rank_to"] - table["rank_from"], 0.1)


def test_densities_are_points_of_curves_and_marks(foot):
    curve = Curve("after", "analysis", np.array([0.0, 1.0]), np.array([0.2, 0.3]))
    chart = Densities([curve], [Mark("target", "text", 0.7)], "K")
    foot.densities = {"variable": "tas", "chart": chart}
    table = foot_table("densities", foot, (51.5, 0.0))
    assert table["curve"].tolist() == ["after", "after", "target"]
    assert set(table["units"]) == {"K"}
    assert set(table["lat"]) == {51.5}
    assert "region" not in table
    assert set(foot_table("densities", foot)["region"]) == {dict(foot.regions)["tropics"]}


def test_drivers_are_parts_and_their_sum(foot):
    foot.drivers = {
        "month": "1997-12", "variable": "tas", "region": "Tropics", "held": "SST only",
        "units": "K", "value": 0.9, "normal": 0.1, "linear": 0.7, "remainder": 0.1,
        "parts": [{"label": "Pacific", "contribution": 0.7, "share": 1.0, "anomaly": 1.2}],
    }  # fmt: skip
    table = foot_table("drivers", foot)
    assert table["part"].tolist()[0] == "Pacific"
    assert table["part"].tolist()[-1] == "analysis"
    assert table["contribution"].iloc[1:4].sum() == pytest.approx(table["contribution"].iloc[-1])
    assert set(table["units"]) == {"K"}


def test_an_impact_is_a_row_a_month_and_the_state_shown(foot):
    foot.impact = {
        "name": "thames", "units": "m³/s", "months": ["1997-12"], "split": "T",
        "observed": [85.0], "low": [60.0], "median": [90.0], "high": [130.0],
    }  # fmt: skip
    foot.impact_now = {
        "month": "1997-12", "observed": 85.0, "low": 50.0, "median": 70.0, "high": 99.0
    }  # fmt: skip
    table = foot_table("impact", foot)
    assert table["of"].tolist() == ["the month's own data", "the state shown"]
    assert table["median"].tolist() == [90.0, 70.0]
    assert set(table["units"]) == {"m³/s"}


def test_errors_of_a_cycle_are_a_row_a_day():
    days = ("1984-03-01", "1984-03-02", "1984-03-03")
    curves = Curves(
        days,
        {"chosen": np.array([1.0, 2.0]), "earlier": np.array([5.0, 6.0, 7.0])},
        {"chosen": "3D-Var: analysis", "earlier": "LETKF"},
        earlier_days=days,
        units="hPa",
    )
    table = cycle_table(curves, "psl", "globe")
    assert table["time"].tolist() == list(days[:2])
    assert table["3d_var_analysis"].tolist() == [1.0, 2.0]
    assert table["letkf"].tolist() == [5.0, 6.0]
    assert set(table["units"]) == {"hPa"}


@pytest.mark.parametrize("part", FOOT_TABLES)
def test_a_part_that_shows_nothing_says_what_to_do(foot, part):
    with pytest.raises(StateError, match="yet"):
        foot_table(part, foot)
