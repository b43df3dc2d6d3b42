"""Files of analyses: months in any order, runs that go on, backgrounds that are read back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.netcdf import AnalysisFileError, provenance, read_background, writing
from mlda_core.observations.networks import NetworkSpec, places, synthesise

MONTHS = ("1982-06", "1982-07")


@pytest.fixture(scope="module")
def analyses(linear):
    engine = Assimilator(linear)
    return {m: engine.run(table(linear, 6, month=m), m) for m in MONTHS}


@pytest.fixture(scope="module")
def plan(analyses):
    return {m: len(analyses[m].observations) for m in MONTHS}


def add(writer, analysis):
    writer.add(analysis.to_dataset(), analysis.observations)


@pytest.fixture
def written(analyses, plan, linear, tmp_path):
    path = tmp_path / "a.nc"
    with writing(path, provenance(linear, {"method": "vae"}), plan) as writer:
        for month in reversed(MONTHS):
            add(writer, analyses[month])
    return path


def test_months_stand_in_order_whatever_they_were_added_in(written, analyses, linear):
    with xr.open_dataset(written) as file:
        assert [str(t)[:7] for t in file["time"].values] == list(MONTHS)
        for i, month in enumerate(MONTHS):
            np.testing.assert_allclose(
                file["tas_anomaly"][i], analyses[month].anomalies[2], atol=1e-4
            )
        assert json.loads(file.attrs["settings"]) == {"method": "vae"}
        assert json.loads(file.attrs["bundle_checksums"]) == linear.config["checksums"]
        assert "plan" not in file.attrs
    with xr.open_dataset(written, group="observations") as group:
        values = np.concatenate([analyses[m].observations["value"] for m in MONTHS])
        np.testing.assert_allclose(group["value"], values, rtol=1e-5)
    assert not written.with_name("a.nc.part").exists()


def test_an_interrupted_run_goes_on_and_another_one_begins_anew(analyses, plan, linear, tmp_path):
    path, about = tmp_path / "b.nc", provenance(linear, {})
    with pytest.raises(RuntimeError, match="1 of 2 months"), writing(path, about, plan) as writer:
        add(writer, analyses[MONTHS[1]])
    assert not path.exists()
    with pytest.raises(RuntimeError, match="1 of 2 months"), writing(path, about, plan) as writer:
        assert writer.months == {MONTHS[1]}
    other = provenance(linear, {"method": "eof"})
    with pytest.raises(RuntimeError, match="0 of 2 months"), writing(path, other, plan) as writer:
        assert writer.months == set()
    # Nothing was written, so nothing is left.
    assert list(tmp_path.iterdir()) == []


def test_a_month_with_other_rows_than_planned_is_an_error(analyses, linear, tmp_path):
    with (
        pytest.raises(RuntimeError, match="rows, not 1"),
        writing(tmp_path / "c.nc", provenance(linear, {}), dict.fromkeys(MONTHS, 1)) as writer,
    ):
        add(writer, analyses[MONTHS[0]])


def test_an_analysis_is_read_back_as_a_background(written, analyses, linear):
    found = read_background(written, linear, MONTHS[1])
    np.testing.assert_allclose(found.z, analyses[MONTHS[1]].z, rtol=1e-6)
    np.testing.assert_allclose(found.anomalies, analyses[MONTHS[1]].anomalies, atol=1e-4)
    with pytest.raises(AnalysisFileError, match="holds 1982-06 to 1982-07, not 1990-01; give"):
        read_background(written, linear, "1990-01")


@pytest.mark.parametrize("content", [None, b"no netCDF"])
def test_what_is_no_analysis_is_refused_in_a_sentence(content, linear, tmp_path):
    path = tmp_path / "d.nc"
    if content is None:
        xr.Dataset({"x": ("time", [1.0])}).to_netcdf(path)
    else:
        path.write_bytes(content)
    with pytest.raises(AnalysisFileError, match="cannot be read as an analysis; give a file"):
        read_background(path, linear, MONTHS[0])


def test_days_are_written_and_read_back_as_days(daily, tmp_path):
    bundle, _ = daily
    day, path = bundle.months[-1], tmp_path / "day.nc"
    where = places(NetworkSpec("stations", ("tas",), count=6), bundle)
    season = bundle.seasons.of(day)
    rows = synthesise(where, bundle, bundle.target(day), season, seed=1)
    analysis = Assimilator(bundle).run(rows, day)
    with writing(path, provenance(bundle, {}), {day: len(rows)}) as writer:
        add(writer, analysis)
        assert writer.months == {day}
    with xr.open_dataset(path) as file:
        assert str(file["time"].values[0])[:10] == day
        assert "daily climatology" in file.attrs["comment"]
    read = read_background(path, bundle, day)
    np.testing.assert_allclose(read.anomalies, analysis.anomalies, rtol=1e-4, atol=1e-4)
