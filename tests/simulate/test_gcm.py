"""The atmosphere model itself: what only a run of it can tell.

Run with ``make test-simulate``: the model is in an environment of its own, and these tests are
collected only where they are asked for.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli import console
from mlda_core.cli import main as cli
from mlda_core.climate.regions import REGIONS, regional_mean
from mlda_core.climate.time_step import DAY
from mlda_core.perturbation.sst_patches import Patch
from mlda_core.simulate import SimulationError, files, gcm
from mlda_core.simulate.sea import Sea, packaged
from mlda_core.sources.speedy import read_speedy


@pytest.fixture(scope="module")
def boundary():
    return packaged()


@pytest.fixture(scope="module")
def bundle(repo_root):
    return load_bundle(repo_root / "assets" / "bundles" / "speedy")


@pytest.fixture(scope="module")
def model():
    gcm.one_thread()
    return gcm.Gcm("1996-07-01")


# The sea that comes with the package


def test_grid_and_sea_are_those_of_the_bundled_months(boundary, bundle):
    np.testing.assert_allclose(boundary.grid.lat, bundle.grid.lat, atol=1e-3)
    np.testing.assert_allclose(boundary.grid.lon, bundle.grid.lon, atol=1e-3)
    assert boundary.years == (1979, 2013)
    sea = Sea(boundary)
    for year in (1982, 1997):
        found = sea.monthly(sea.surface(year), year)
        for month in (1, 7, 12):
            name = f"{year}-{month:02d}"
            there = bundle.target(name) + bundle.climatology(month)
            there = there[bundle.sea_row] + 273.15
            np.testing.assert_array_equal(np.isnan(there), np.isnan(found[month - 1]))
            # Where there is ice the Fortran model makes another sea of the same fields.
            apart = np.abs(there - found[month - 1])[np.abs(boundary.grid.lat) < 50]
            assert np.nanmean(apart) < 0.08
            assert np.nanpercentile(apart, 99) < 0.5


# The model


def test_the_ground_is_as_the_dynamics_have_it(model, boundary):
    assert 4000 < model.height.max() < 6000
    # Truncation leaves ripples over the sea, which the pressure must be reduced through.
    assert 50 < np.abs(model.height[boundary.land == 0]).max() < 1000
    assert np.corrcoef(model.height.ravel(), boundary.land.ravel())[0, 1] > 0.4


def test_a_day_and_the_same_day_again_from_a_file(model, boundary, tmp_path):
    sea, warm = (Sea(boundary, patches=p) for p in ((), [Patch.parse("globe:+5K")]))
    forcing = model.forcing(sea.surface(1996))
    model.rest(3)
    first = model.day(forcing)
    assert str(model.date) == "1996-07-02"
    model.save(tmp_path / "state")
    second = model.day(forcing)
    model.load(tmp_path / "state")
    again = model.day(forcing)
    assert str(model.date) == "1996-07-03"
    for name, values in second.items():
        np.testing.assert_array_equal(values, again[name])
    # Another sea under the same air.
    model.load(tmp_path / "state")
    warmer = model.day(model.forcing(warm.surface(1996)))
    tropics = (np.abs(boundary.grid.lat)[:, None] < 20) & (boundary.land == 0)
    assert (warmer["tas"] - second["tas"])[tropics].mean() > 0.5
    assert np.abs(warmer["tas"] - second["tas"])[boundary.land == 1].mean() < 0.2
    # Another seed is another member, and the same seed the same.
    model.rest(4)
    other = model.day(forcing)
    assert np.abs(other["psl"] - first["psl"]).max() > 0
    model.rest(3)
    np.testing.assert_array_equal(model.day(forcing)["psl"], first["psl"])


def test_days_are_told_in_the_units_of_the_files(model, boundary):
    model.rest(0)
    forcing = model.forcing(Sea(boundary).surface(1996))
    for _ in range(3):
        day = model.day(forcing)
    assert set(day) == set(files.VARIABLES) - {"tos"}
    mean = {
        name: float(regional_mean(values[None], boundary.grid, REGIONS["globe"])[0])
        for name, values in day.items()
    }
    # As much air as the Earth has.
    assert mean["psl"] == pytest.approx(101_325, abs=200)
    assert mean["tas"] == pytest.approx(287, abs=5)
    # It starts dry.
    assert day["pr"].min() >= 0
    assert mean["pr"] * 86_400 < 5
    assert mean["zg500"] == pytest.approx(5800, abs=200)
    assert np.abs(day["ua850"]).max() < 60
    # The ground of Tibet, 400 hPa, is gone from the pressure: a low over it is left.
    tibet = (np.abs(boundary.grid.lat - 33)[:, None] < 4) & (np.abs(boundary.grid.lon - 88) < 6)
    assert model.height[tibet].min() > 2500
    assert np.abs(day["psl"][tibet] - mean["psl"]).max() < 5000


def test_the_state_at_the_end_of_a_day_and_its_rain(model, boundary, tmp_path):
    forcing = model.forcing(Sea(boundary).surface(1996))
    model.rest(3)
    model.day(forcing)
    model.save(tmp_path / "state")
    mean, next_mean = model.day(forcing), model.day(forcing)
    model.load(tmp_path / "state")
    state = model.state(forcing)
    assert str(model.date) == "1996-07-03"
    assert set(state) == set(mean)
    # The same day: its rain is the mean of the same steps, and the day after goes on from it.
    np.testing.assert_allclose(state["pr"], mean["pr"], rtol=1e-3, atol=1e-9)
    again = model.day(forcing)
    for name, values in next_mean.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-4, atol=1e-4 * np.ptp(values))
    # The state at 00 UTC lies between the means of the day before and of the day after.
    for name in ("psl", "tas", "zg500", "ua850", "va850"):
        between = 0.5 * (mean[name] + next_mean[name])
        off = np.sqrt(np.mean((state[name] - between) ** 2))
        assert 0 < off < np.sqrt(np.mean((next_mean[name] - mean[name]) ** 2)), name


def test_a_state_that_is_none_is_told(model, tmp_path):
    (tmp_path / "state").write_bytes(b"nothing")
    with pytest.raises(SimulationError, match="is no state to go on from; delete it"):
        model.load(tmp_path / "state")


# The command


# The reader refuses what is not possible on Earth.
REST = {"psl": 1e5, "tas": 288.0, "pr": 3e-5, "zg500": 5500.0, "ua850": 0.0, "va850": 0.0}


class Still:
    """Air that does not move: the command's way without the model's hours."""

    def __init__(self, start):
        self.start = np.datetime64(start)

    def rest(self, seed):
        self.date, self.seed = self.start, seed

    def forcing(self, surface):
        return surface

    def day(self, _forcing):
        self.date = self.date + 1
        return {name: np.full((48, 96), at_rest) for name, at_rest in REST.items()}

    def state(self, forcing):
        return self.day(forcing)

    def save(self, path):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{self.date} {self.seed}")

    def load(self, path):
        date, seed = path.read_text().split()
        self.date, self.seed = np.datetime64(date), int(seed)


@pytest.fixture
def mlda(monkeypatch, tmp_path):
    monkeypatch.setattr(gcm, "Gcm", Still)
    monkeypatch.setattr(console.errors, "_width", 300)
    monkeypatch.setattr(console.out, "_width", 300)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli.app, ["simulate", *words])


def test_years_members_and_a_change_and_the_rest_of_them_later(mlda, tmp_path):
    done = mlda("--years", "1997-1998", "--members", "0,2", "--sst", "nino34:+2K", "--out", "x")
    assert done.exit_code == 0, done.stderr
    assert "2 members, 1997-1998, 60 months simulated now" in done.stdout
    done = mlda("--years", "1997-1999", "--members", "0,2", "--sst", "nino34:+2K", "--out", "x")
    assert "24 months simulated now" in done.stdout
    again = mlda("--years", "1997-1999", "--members", "0,2", "--sst", "nino34:+2K", "--out", "x")
    assert "0 months simulated now" in again.stdout
    plain = mlda("--years", "1997", "--out", "plain")
    assert plain.exit_code == 0
    assert json.loads((tmp_path / "x/experiment.json").read_text())["model"].endswith("jcm 3.0.0")
    warm, cold = (read_speedy(tmp_path / name) for name in ("x", "plain"))
    assert (warm.sizes["member"], warm.sizes["time"]) == (2, 36)
    change = warm["tos"].values[0, :12] - cold["tos"].values[0]
    patch = Patch.parse("nino34:+2K").weights(packaged().grid)
    assert patch.max() > 0.9
    expected = np.where(np.isfinite(change), 2.0 * patch, np.nan)
    np.testing.assert_allclose(change, expected, atol=2e-3)
    assert np.nanmax(np.abs(change[:, np.abs(warm["lat"].values) > 15])) == 0
    assert warm.attrs["source"].startswith("SPEEDY in JAX")


def test_days_of_a_leap_year_are_what_the_reader_reads(mlda, tmp_path):
    done = mlda("--years", "1996", "--daily", "--out", "x")
    assert done.exit_code == 0, done.stderr
    assert "mlda data prepare x --source speedy --step day" in done.stdout
    data = read_speedy(tmp_path / "x", step=DAY)
    assert data.sizes["time"] == 366
    assert (tmp_path / "x/d00_1996.nc").exists()
    other = mlda("--years", "1996", "--out", "x")
    assert other.exit_code == 2
    assert "was begun with time step day, not month" in other.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--years", "97"), "--years '97' are not years; write them as 1979-1988."),
        (("--years", "1998-1997"), "end before they begin"),
        (("--years", "1978-1980"), "The observed sea is there for 1979-2013"),
        (("--years", "1997", "--members", "a"), "--members 'a' is not a list"),
        (("--years", "1997", "--members", "100"), "are not within 0 to 99"),
        (("--years", "1997", "--sea", "mars"), "There is no sea 'mars'"),
        (("--years", "1997", "--sst", "nino34"), "'nino34' is not a change of the sea"),
        (("--years", "1997", "--sst", "40:48:85:105:+1K"), "touches no open sea in any month"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_leave_nothing(mlda, tmp_path, options, words):
    done = mlda(*options, "--out", "x")
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_benchmark_times_the_model_and_the_decoder(repo_root, monkeypatch):
    monkeypatch.setattr(gcm, "Gcm", Still)
    monkeypatch.setattr(console.out, "_width", 300)
    monkeypatch.setattr(Still, "date", np.datetime64("2001-01-01"), raising=False)
    monkeypatch.setattr(Still, "seed", 0, raising=False)
    words = ["bench", "gcm", str(repo_root / "assets/bundles/speedy"), "--rounds", "2"]
    done = CliRunner().invoke(cli.app, [*words, "--days", "2", "--batch", "5", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["gcm"]["label"] == "SPEEDY in JAX, jcm 3.0.0"
    assert found["batch"]["label"] == "decoder, 5 at once"
    done = CliRunner().invoke(cli.app, [*words, "--days", "2", "--batch", "5"])
    assert "SPEEDY in Fortran, as documented" in done.stdout
    assert "it simulates no weather" in done.stdout
    done = CliRunner().invoke(cli.app, [*words, "--days", "90"])
    assert done.exit_code == 2
    assert "their product below 180" in done.stderr
