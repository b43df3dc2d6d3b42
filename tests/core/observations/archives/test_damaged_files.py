"""Damaged archives of every kind give a table or a sentence."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from archive_files import NOW, PLACES, REPORT, SURFACE, lines, oslo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import ghcnm_line, gsom_table, imma, isti_line, obs_seq, obs_seq_binary

from mlda_core.observations.archives.documents import ArchiveError
from mlda_core.observations.archives.registry import convert


def valid():
    """A small file of each archive, and what is needed beside it."""
    rows = [oslo("1997-01", "3.1", ",,,E", "1.0", ",E"), oslo("1997-02", "3.1", "", "", "")]
    air = ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, (280.0, 0), NOW, 1.0)
    return {
        "ghcnm": lines(*[ghcnm_line("ACW00011604", 1981 + i, [-89, 12]) for i in range(3)]),
        "gsom": gsom_table(rows),
        "isti": lines(*[isti_line("SAVE", 57.8, 11.9, f"19810{m}", tavg=m) for m in (1, 2, 3)]),
        "icoads": lines(*[imma(**REPORT, AT=13 + i, SLP=10113) for i in range(3)]),
        "dart": obs_seq([air, air, air]),
        "dart, binary": obs_seq_binary([air, air, air]).decode("latin-1"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(valid()))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files_give_a_table_or_a_sentence(tmp_path_factory, key, data):
    folder = tmp_path_factory.mktemp("damaged")
    text = valid()[key].encode("latin-1")
    (folder / "x.inv").write_text(PLACES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from([0, 1, 2, 5, 40, 400]))
        put_in = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from([b"\n", b" ", b"-9"])))
        text = text[:at] + put_in + text[at + length :]
    (folder / "x.dat").write_bytes(text)
    with contextlib.suppress(ArchiveError):
        table = convert([folder / "x.dat"], archive=key.partition(",")[0]).table
        assert np.isfinite(table[["lat", "lon", "value"]].to_numpy(float)).all()
        assert table["time"].str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])").all()
