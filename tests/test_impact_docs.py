"""What the docs say of the shipped impact head is what it scored; and it fits its bundle."""

import subprocess
import sys

import numpy as np
import pytest

from mlda_core.bundle.bundle import load_bundle
from mlda_core.impact.files import load_impact


def test_scores_in_the_docs_are_those_of_the_head(repo_root):
    done = subprocess.run(
        [sys.executable, repo_root / "tools" / "impact_docs.py", "--check"], check=False
    )
    assert done.returncode == 0, "run: python tools/impact_docs.py"


def test_the_shipped_head_is_of_its_bundle_and_says_what_its_record_says(repo_root):
    bundle = load_bundle(repo_root / "assets/bundles/real")
    assert "thames" in bundle.impacts
    head = load_impact("thames", bundle)
    assert (head.title, head.units) == ("Thames at Kingston", "m3/s")
    record, month = head.record, "1998-01"
    made = head.predict(bundle.code(month), month)
    low, median, high = made.quantile(np.array([0.1, 0.5, 0.9]))[0]
    i = record.row[month]
    assert record.splits[i] == "test"
    assert (record.low[i], record.median[i], record.high[i]) == pytest.approx(
        (low, median, high), rel=5e-3
    )
    # Months without pressure are neither trained on nor scored.
    assert not record.seen[record.row["1932-05"]]
    assert head.scores["test"]["months"] == 84
