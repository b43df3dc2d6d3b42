"""The folder of an experiment."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlda_core.perturbation.sst_patches import Patch
from mlda_core.simulate import SimulationError, files


def test_a_folder_is_of_one_experiment(tmp_path):
    pattern = tmp_path / "blob.nc"
    pattern.write_bytes(b"one")
    patches = [Patch.parse("nino34:+2K"), Patch.parse(f"{pattern}:0.5")]
    folder = tmp_path / "x"
    about = files.describe(1981, "observed", patches, "model 1")
    files.begin(folder, about)
    files.begin(folder, json.loads(json.dumps(about)))
    for other, words in (
        (files.describe(1982, "observed", patches, "model 1"), "first year 1981, not 1982"),
        (files.describe(1981, "climatology", patches, "model 1"), "sea observed, not climatology"),
        (files.describe(1981, "observed", patches[:1], "model 1"), "changes of the sea"),
        (files.describe(1981, "observed", patches, "model 2"), "model model 1, not model 2"),
    ):
        with pytest.raises(SimulationError, match=words):
            files.begin(folder, other)
    pattern.write_bytes(b"two")
    with pytest.raises(SimulationError, match="changes of the sea"):
        files.begin(folder, files.describe(1981, "observed", patches, "model 1"))
    (folder / "experiment.json").write_text("{")
    with pytest.raises(SimulationError, match="is damaged; give another folder"):
        files.begin(folder, about)


def test_a_folder_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SimulationError, match=r"such as thesis\.tex; give a new folder"):
        files.begin(tmp_path, files.describe(1981, "observed", [], "model 1"))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_year_that_cannot_be_written_leaves_nothing(boundary, tmp_path):
    fields = {"psl": np.zeros((12, 1, 1))}
    with pytest.raises(ValueError, match="conflicting sizes"):
        files.write_year(tmp_path / "m00_1981.nc", fields, boundary.land, boundary.grid, {})
    assert not list(tmp_path.iterdir())
