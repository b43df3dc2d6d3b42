"""DART's sequences of observations."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
from archive_files import NOW, SURFACE, lines, put, refused
from published import obs_seq, obs_seq_binary

from mlda_core.observations.archives.registry import convert
from mlda_core.observations.archives.selection import Wanted


def dart(tmp_path, observations, **options):
    return put(tmp_path, obs_seq__final=obs_seq(observations, **options))


def test_dart_types_become_variables_with_the_root_of_their_variance(tmp_path):
    paths = dart(
        tmp_path,
        [
            ("METAR_ALTIMETER", 51.5, -0.1, 25.0, SURFACE, (1013.2, 0), NOW, 1.0),
            ("METAR_ALTIMETER", 47.0, 8.0, 450.0, SURFACE, (1020.0, 0), NOW, 1.0),
            ("MARINE_SFC_PRESSURE", -36.5, 200.0, 0.0, SURFACE, (99870.0, 0), NOW, 10000.0),
            ("LAND_SFC_TEMPERATURE", 51.5, -0.1, 25.0, SURFACE, (285.2, 0), NOW, 6.25),
            ("SATELLITE_INFRARED_SST", 0.0, 200.0, 0.0, -2, (28.5, 0), NOW, 0.25),
            ("SATELLITE_BLENDED_SST", 0.0, 200.0, 0.0, -2, (301.0, 0), NOW, 0.0),
            ("MARINE_SFC_ALTIMETER", 0.0, 200.0, 0.0, -2, (1010.0, 0), NOW, 1.0),
            ("RADIOSONDE_TEMPERATURE", 51.5, -0.1, 85000.0, 2, (275.0, 0), NOW, 1.0),
            ("LAND_SFC_TEMPERATURE", 51.5, -0.1, 25.0, SURFACE, (-888888.0, 0), NOW, 6.25),
        ],
    )
    archive, table, tally = convert(paths)
    assert archive.key == "dart"
    assert set(table["time"]) == {"1997-12"}
    shown = table[["variable", "label", "units"]].to_numpy().tolist()
    assert shown == [
        ["psl", "MARINE_SFC_PRESSURE", "hPa"],
        ["psl", "METAR_ALTIMETER", "hPa"],
        ["tas", "LAND_SFC_TEMPERATURE", "K"],
        ["tos", "SATELLITE_BLENDED_SST", "K"],
        ["tos", "SATELLITE_INFRARED_SST", "K"],
    ]
    np.testing.assert_allclose(table["value"], [998.7, 1013.2, 285.2, 301.0, 301.65])
    np.testing.assert_allclose(table["error_sd"], [1.0, 1.0, 2.5, np.nan, 0.5])
    np.testing.assert_allclose(table["lat"], [-36.5, 51.5, 51.5, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(table["lon"], [200.0, 359.9, 359.9, 200.0, 200.0])
    assert tally.left_out == {
        "pressure higher than the sea, or at no stated height": 2,
        "RADIOSONDE_TEMPERATURE has no counterpart in the table": 1,
        "missing values": 1,
    }


def test_dart_keeps_what_its_quality_control_used(tmp_path):
    def air(*values):
        return ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, values, NOW, 1.0)

    many = [air(280.0 + qc, 0, qc) for qc in (0, 1, 2, 4, 7)]
    qcs = ("Data QC", "DART quality control")
    _, table, tally = convert(dart(tmp_path, many, qcs=qcs))
    assert list(table["value"]) == [280.0, 281.0]
    assert tally.left_out == {f"DART quality control {qc}": 1 for qc in (2, 4, 7)}
    kept = convert(dart(tmp_path, many, qcs=qcs), wanted=Wanted(keep_flagged=True)).table
    assert len(kept) == 5
    # Without it the incoming quality control counts, up to DART's threshold.
    incoming = [air(280.0 + qc, qc) for qc in (0, 3, 4)]
    _, table, tally = convert(
        dart(tmp_path, incoming, copies=("NCEP BUFR observation",), qcs=("NCEP QC index",))
    )
    assert list(table["value"]) == [280.0, 283.0]
    assert tally.left_out == {"NCEP_QC_index above 3": 1}


def test_dart_refuses_damaged_observations_by_line_and_reads_the_rest(tmp_path):
    def air(value):
        return ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, (value, 0), NOW, 1.0)

    text = obs_seq([air(280.0), air(281.5), air(282.0)])
    begin = text.splitlines().index(" OBS            2") + 1
    packed = tmp_path / "obs_seq.final.gz"
    packed.write_bytes(gzip.compress(text.replace("281.5", "28x.5").encode()))
    _, table, tally = convert([packed])
    assert list(table["value"]) == [280.0, 282.0]
    (line,) = tally.damaged
    assert line.startswith(f"obs_seq.final.gz, line {begin}: OBS 2 cannot be read (")
    assert "28x.5" in line


def test_dart_reads_binary_sequences_as_those_in_ascii(tmp_path):
    many = [
        ("METAR_ALTIMETER", 51.5, 359.9, 25.0, SURFACE, (1013.2, 0), NOW, 1.0),
        ("LAND_SFC_TEMPERATURE", 51.5, 359.9, 25.0, SURFACE, (285.2, 0), NOW, 6.25),
        ("LAND_SFC_TEMPERATURE", 51.5, 359.9, 25.0, SURFACE, (285.2, 9), NOW, 6.25),
    ]
    packed = tmp_path / "obs_seq.2019-12-31.gz"
    packed.write_bytes(gzip.compress(obs_seq_binary(many)))
    archive, table, tally = convert([packed])
    assert archive.key == "dart"
    pd.testing.assert_frame_equal(table, convert(dart(tmp_path, many)).table)
    assert tally.left_out == {"Data_QC above 3": 1}
    packed.write_bytes(gzip.compress(obs_seq_binary(many)[:-30]))
    assert "obs_seq.2019-12-31.gz cannot be read as an observation sequence" in refused([packed])


def test_dart_says_what_a_sequence_lacks(tmp_path):
    air = ("LAND_SFC_TEMPERATURE", 51.5, 0.0, 25.0, SURFACE, (280.0, 0), NOW, 1.0)
    perfect = dart(tmp_path, [air], copies=("truth",))
    assert "has no copy 'observation' but truth" in refused(perfect)
    text = obs_seq([air])
    at = text.splitlines().index("loc3d")
    flat = text.splitlines()
    flat[at : at + 2] = ["loc1d", "   0.0976"]
    assert "no latitudes and longitudes" in refused(put(tmp_path, flat=lines(*flat)))
    cut = put(tmp_path, cut=lines(*text.splitlines()[:4]))
    assert "cut cannot be read as an observation sequence" in refused(cut)
