"""The benchmark of the assimilation runs, on a small climate: its numbers are the README's."""

from __future__ import annotations

import json

import pytest
from small import make_linear


@pytest.fixture(scope="module")
def benchmark(benchmarks):
    return benchmarks("assimilation")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("bundle"))


@pytest.mark.slow
def test_it_measures_everything_that_is_promised(benchmark, small):
    result = json.loads(json.dumps(benchmark.measure(small, 2), allow_nan=False))
    assert set(result["networks"]) == {
        "300 observations",
        "300 stations",
        "SST only",
        "10,000 observations",
    }
    many = result["networks"]["10,000 observations"]
    assert many["observations"] == 10_000
    assert many["used"] < 2_000
    for network in result["networks"].values():
        for kind in ("first", "linear", "cached"):
            assert 0 < network[kind]["median_ms"] <= network[kind]["max_ms"]
    assert set(result["edits"]) == {
        "another value",
        "one place more",
        "one withheld",
        "influence of one",
        "spread",
    }
    assert len(result["perturbation"]) == 5
    assert all(values["median_ms"] > 0 for values in result["perturbation"].values())
    # Infinite would be no JSON: Adam does reach the minimum, and later.
    assert result["race"]["ratio"] > 1
    words = benchmark.table(result)
    assert "times faster" in words
    assert words.count("\n") > 12
