"""The ISTI databank."""

from __future__ import annotations

import numpy as np
from archive_files import lines, put, values
from published import isti_line

from mlda_core.observations.archives.registry import convert


def test_isti_gives_the_means_and_counts_what_has_none(tmp_path):
    text = lines(
        isti_line("SAVE", 57.7667, 11.8667, "198101", tmax=120, tmin=-298, tavg=-89),
        isti_line("SAVE", 57.7667, 11.8667, "198102", tmax=120),
        isti_line("SAVE", -999.9, -999.9, "198103", tavg=100),
        isti_line("SAVE", 57.7667, 11.8667, "198113", tavg=100),
        isti_line("SAVE", 57.7667, 11.8667, "198104", tavg=100)[:85],
        isti_line("SAVE", 57.7667, 11.8667, "198105", tavg=100).replace("  100", " 1 00"),
        isti_line("MALM\xc3\x96", 55.6, 13.0, "201512", tavg=741),
    )
    archive, table, tally = convert(put(tmp_path, merge_SWM00002512_stage3=text))
    assert archive.key == "isti"
    np.testing.assert_allclose(values(table), [272.26, 280.56])
    assert list(table["time"]) == ["1981-01", "2015-12"]
    assert list(table["label"]) == ["SAVE", "MALMÖ"]
    assert table[["lat", "lon"]].to_numpy().tolist() == [[57.7667, 11.8667], [55.6, 13.0]]
    assert tally.left_out == {
        "no mean, but a maximum or minimum": 1,
        "the place is unknown": 1,
    }
    assert tally.damaged == [
        "merge_SWM00002512_stage3, line 4: its month is 13.",
        "merge_SWM00002512_stage3, line 5: it ends after 85 characters.",
        "merge_SWM00002512_stage3, line 6: its tavg is '1 00'.",
    ]
    assert "no quality control" in tally.notes[0]
