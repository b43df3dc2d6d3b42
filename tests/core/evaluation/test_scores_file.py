"""One ``scores.json``, three writers: none loses what another wrote."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small import make_linear

from mlda_core.climate.errors import BundleError
from mlda_core.evaluation.assimilation import write_assimilation
from mlda_core.evaluation.gcm_response import write_perturbation
from mlda_core.evaluation.reconstruction import Report, write_scores
from mlda_core.perturbation.gcm_runs import Runs

RUNS = [
    Runs("plus1", ("1982-01",), *(np.zeros((3, 1, 1, 1), np.float32) for _ in range(2)),
         *(np.zeros((1, 1, 1), np.float32) for _ in range(2)))
]  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("scores"))


def write_reconstruction(bundle, path, split="test", members=8):
    write_scores(
        Report({"reconstruction": {split: {"psl": {"vae": 0.5}}}, "members": members}), bundle, path
    )


WRITERS = {
    "reconstruction": write_reconstruction,
    "assimilation": lambda bundle, path: write_assimilation(
        {"sst_only": {"psl": {}}}, bundle, "test", path
    ),
    "perturbation": lambda bundle, path: write_perturbation(
        {"plus1": {}}, RUNS, bundle, "test", path
    ),
}


@pytest.mark.parametrize("last", WRITERS)
def test_no_writer_loses_what_another_wrote(small, tmp_path, last):
    path = tmp_path / "scores.json"
    for name, write in WRITERS.items():
        if name != last:
            write(small, path)
    before = json.loads(path.read_text())
    WRITERS[last](small, path)
    after = json.loads(path.read_text())
    assert last not in before
    assert set(WRITERS) < set(after)
    assert {k: after[k] for k in before} == before
    assert list(tmp_path.iterdir()) == [path]


def test_reconstruction_of_other_members_replaces_reconstruction_alone(small, tmp_path):
    path = tmp_path / "scores.json"
    for write in WRITERS.values():
        write(small, path)
    write_reconstruction(small, path, split="validation", members=1)
    found = json.loads(path.read_text())
    assert set(found["reconstruction"]) == {"validation"}
    assert found["assimilation"] == {"test": {"sst_only": {"psl": {}}}}
    assert found["perturbation"] == {"plus1": {}}


@pytest.mark.parametrize("writer", WRITERS)
def test_scores_of_other_weights_go(small, tmp_path, writer):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"weights": "of another model", "reconstruction": {"test": 1}}))
    WRITERS[writer](small, path)
    found = json.loads(path.read_text())
    assert found["weights"] == small.config["checksums"]["weights.safetensors"]
    assert found.get("reconstruction") != {"test": 1}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_damaged_file_is_told_and_left_alone(small, tmp_path, writer):
    path = tmp_path / "scores.json"
    path.write_text('{"weights": "cut off')
    with pytest.raises(BundleError, match=r"scores\.json cannot be read as JSON; delete it"):
        WRITERS[writer](small, path)
    assert path.read_text() == '{"weights": "cut off'
