"""``mlda atlas``: from a bundle to a file of responses to all patches."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from commands import mlda as run
from commands import refusal
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.regions import REGIONS
from mlda_core.perturbation.atlas import AtlasRun
from mlda_core.perturbation.responder import Responder

MONTH = "1984-01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("atlas")
    make_small(place, curved=0.03)
    return place / "made"


@pytest.fixture
def mlda(monkeypatch, folder, tmp_path):
    """Run the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made").symlink_to(folder)
    return lambda *arguments: run("atlas", "made", *arguments, "--out", "new/atlas.nc")


@pytest.mark.slow
def test_the_file_is_the_library_s_atlas(mlda, folder, tmp_path):
    done = mlda("--month", MONTH, "--region", "tropics", "--region", "-10,10,180,270")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "new/atlas.nc") as file:
        found = file.load()
    expected = AtlasRun(Responder(Assimilator(load_bundle(folder))), [MONTH])
    # What was interrupted is gone on with: here after three.
    for number in expected.steps():
        if number == 3:
            expected.save(tmp_path / "new/again.nc.part")
    made = expected.atlas()
    assert found["patch"].values.tolist() == [patch.key for patch in made.patches]
    assert np.allclose(found["tas_response"] * 2.0, made.response[:, 2], atol=1e-5, equal_nan=True)
    assert np.allclose(
        found["pr_sensitivity_tropics"] * 86_400, made.sensitivity(REGIONS["tropics"])[:, 3],
        rtol=1e-4,
    )  # fmt: skip
    assert "psl_sensitivity_map_box_m10_10_180_270" in found
    assert found.attrs["Conventions"] == "CF-1.11"
    assert "2023MS003700" in found.attrs["references"]
    settings = json.loads(found.attrs["settings"])
    assert settings == {
        "protocol": "GFMIP",
        "months": [MONTH],
        "amplitude": 2.0,
        "held": "sst_only",
        "method": "vae",
    }
    assert found.attrs["history"].startswith(f"mlda atlas made --month {MONTH} --region tropics")
    assert "tas (K per K)" in done.stdout
    again = run("atlas", "made", "--month", MONTH, "--out", "new/again.nc")
    assert again.returncode == 0, again.stderr
    assert f"3 of {expected.total} done" in again.stdout
    with xr.open_dataset(tmp_path / "new/again.nc") as file:
        assert np.array_equal(file["tas_response"], found["tas_response"], equal_nan=True)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["again.nc", "atlas.nc"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--month"),
        (("--month", MONTH, "--region", "atlantis"), "atlantis"),
        (("--month", MONTH, "--amplitude", "0"), "protocol has 2"),
        (("--month", MONTH, "--held", "outside"), "network of its own"),
        (("--month", "1884-01"), "1884-01"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(mlda, tmp_path, arguments, words):
    assert words in refusal(mlda(*arguments))
    assert not (tmp_path / "new").exists()
