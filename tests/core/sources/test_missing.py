"""Missing values, declared in any form or not."""

import numpy as np
import pytest
from downloads import write_psl
from gridded_files import GLOBE, SAHARA, prepared, ramp, refusal, write
from psl_files import LAT, LON, PSL, R1

from mlda_core.sources.missing import NOTHING, numbers_in, take_out, undeclared
from mlda_core.sources.prepare import read_files


def holes(missing, size=1013.0, dtype="f4"):
    """A field of pressure with two missing cells, and where they are."""
    values = np.full((12, GLOBE[0].size, GLOBE[1].size), size, np.float64)
    gaps = np.zeros(values.shape, bool)
    gaps[3, 4, 5] = gaps[7, 0, 0] = True
    return np.where(gaps, missing, values).astype(dtype), gaps


DECLARED = {
    "in another type": (-999.9, {"missing_value": np.float64(-999.9)}, "f4"),
    "as an integer": (-999.0, {"missing_value": np.int32(-999)}, "f4"),
    "as text": (-999.0, {"missing_value": "-999."}, "f4"),
    "as text of CDL": (-999.0, {"missing_value": "-999.f"}, "f4"),
    "as text in a list": (-999.9, {"missing_value": "-9999, -999.9"}, "f4"),
    "among several": (-99.0, {"missing_value": np.float32([-9999, -99])}, "f4"),
    "of 64 bits": (-9.96921e36, {"missing_value": "-9.96921e+36"}, "f8"),
    "as a word that is no number": (np.nan, {"missing_value": "none"}, "f4"),
    "as text of NaN": (np.nan, {"missing_value": "NaN"}, "f4"),
    "infinite": (np.inf, {"missing_value": np.float32(np.inf)}, "f4"),
    "by its limits": (5000.0, {"valid_range": np.float32([870, 1150])}, "f4"),
    "by limits as text": (5000.0, {"valid_range": "870.f, 1150.f"}, "f4"),
    "by one limit": (-1.0, {"valid_min": 0.0}, "f4"),
}


@pytest.mark.parametrize("how", DECLARED)
def test_missing_values_declared_in_any_form(tmp_path, how):
    missing, attrs, dtype = DECLARED[how]
    values, gaps = holes(missing, dtype=dtype)
    path = write(tmp_path / "slp.nc", "slp", values, units="hPa", attrs=attrs, dtype=dtype)
    psl = prepared(path)["psl"].values[0]
    assert np.array_equal(np.isnan(psl), gaps)
    np.testing.assert_allclose(psl[~gaps], 101_300.0, rtol=1e-6)


PACKED = {
    "packed, of its type": (-999, {"missing_value": np.int16(-999)}, None),
    "packed, of another type": (-999, {"missing_value": np.float64(-999)}, None),
    "packed, as text": (-999, {"missing_value": "-999"}, None),
    "unpacked": (-10_000, {"missing_value": np.float32(0.0)}, None),
    "unpacked, as text": (-20_000, {"missing_value": "-1000."}, None),
    "both forms": (-20_000, {"missing_value": np.float64(-1000.0)}, np.int16(-32767)),
    "of the library": (-32767, {}, None),
    "scale as text": (-999, {"missing_value": np.int16(-999), "scale_factor": "0.1"}, None),
}


@pytest.mark.parametrize("how", PACKED)
def test_missing_values_of_packed_numbers(tmp_path, how):
    missing, attrs, fill = PACKED[how]
    # 1013 hPa is 130 in steps of 0.1 from 1000.
    values, gaps = holes(missing, size=130, dtype="i2")
    attrs = {"scale_factor": np.float64(0.1), "add_offset": np.float64(1000.0), **attrs}
    path = write(
        tmp_path / "slp.nc", "slp", values, units="hPa", attrs=attrs, dtype="i2", fill=fill
    )
    psl = prepared(path)["psl"].values[0]
    assert np.array_equal(np.isnan(psl), gaps)
    np.testing.assert_allclose(psl[~gaps], 101_300.0, rtol=1e-6)


@pytest.mark.parametrize(
    "missing", [9.969209968386869e36, -9.96921e36, 9.97e36, 1e20, -1e30, 9.999e20, 3.4028235e38]
)
def test_numbers_that_can_only_mean_missing(tmp_path, missing):
    values, gaps = holes(missing)
    data = prepared(write(tmp_path / "slp.nc", "slp", values, units="hPa"))
    assert np.array_equal(np.isnan(data["psl"].values[0]), gaps)
    assert np.isfinite(data["psl"].values[0][~gaps]).all()
    note = data["psl"].attrs["comment"]
    assert "slp.nc has 2 values" in note
    assert "does not declare as missing" in note


@pytest.mark.parametrize(
    "missing", [-9999.0, -999.9, -999.0, -99.99, -99.9, -9.99, 9999.0, np.inf, -np.inf]
)
def test_other_codes_are_refused_until_they_are_said(tmp_path, missing):
    values, gaps = holes(missing)
    path = write(tmp_path / "slp.nc", "slp", values, units="hPa")
    message = refusal(prepared, path)
    assert f"give --missing {missing:g}" in message
    assert f"{missing:g} hPa" in message
    assert "2021-0" in message
    data = read_files([path], missing=[missing])
    assert np.array_equal(np.isnan(data["psl"].values[0]), gaps)
    np.testing.assert_allclose(data["psl"].values[0][~gaps], 101_300.0, rtol=1e-6)


def test_a_code_within_what_is_possible_stands_alone(tmp_path):
    values = np.broadcast_to(ramp(SAHARA, 30.0, 36.0), (12, 6, 10)).copy()
    values[2, :2, :2] = -9.99
    path = write(tmp_path / "a.nc", "air", values, units="degC", where=SAHARA)
    message = refusal(prepared, path)
    assert "exactly -9.99 degC in 4 cells" in message
    assert "give --missing -9.99" in message
    assert int(np.isnan(read_files([path], missing=[-9.99])["tas"]).sum()) == 4
    # The same number is a temperature where others are like it.
    cold = write(tmp_path / "b.nc", "air", ramp(SAHARA, -9.99, -2.0), units="degC", where=SAHARA)
    assert np.isfinite(prepared(cold)["tas"]).all()


def test_limits_that_leave_nothing_are_refused(tmp_path):
    values, _ = holes(1013.0)
    attrs = {"valid_range": np.float32([-100.0, 100.0])}
    path = write(tmp_path / "slp.nc", "slp", values, units="hPa", attrs=attrs)
    message = refusal(prepared, path)
    assert "slp.nc has no psl within its own valid_range" in message


def test_packing_that_is_no_number_is_refused(tmp_path):
    values, _ = holes(130, dtype="i2")
    for scale in ("a tenth", 0.0, np.nan):
        path = write(tmp_path / "slp.nc", "slp", values, units="hPa", dtype="i2",
                     attrs={"scale_factor": scale})  # fmt: skip
        assert "scale_factor" in refusal(prepared, path)


def test_missing_values_of_every_kind_are_missing(tmp_path):
    holes = PSL / 100
    holes = holes.copy()
    holes[3, 2, 5] = np.nan
    holes[4, 2, 5] = 5000.0  # outside valid_range
    attrs = {**R1, "valid_range": np.float32([870.0, 1150.0])}
    for packed in (None, (0.01, 1000.0)):
        path = tmp_path / "slp.mon.mean.nc"
        write = {**attrs, "valid_range": np.int16([-13000, 15000])} if packed else attrs
        values = np.where(holes == 5000.0, 1200.0, holes) if packed else holes
        write_psl(path, "slp", values, LAT, LON, units="millibars", attrs=write, packed=packed)
        psl = read_files([path])["psl"].values[0]
        gaps = np.isnan(psl)
        assert gaps.sum() == 2
        assert gaps[3, 6, 5]
        assert gaps[4, 6, 5]
        path.unlink()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-999.", [-999]), ("870.f, 1150.f", [870, 1150]), ("-32767s", [-32767]),
        ("1.d20", [1e20]), ("NaN", []), ("none", []), ("", []), ("-9999 or -99", []),
        ("[-999, 1e20]", [-999, 1e20]), (b"-99.9", [-99.9]), (["-9.", "-8."], [-9, -8]),
        (np.float32(1e20), [np.float32(1e20)]), (np.int16([1, 2]), [1, 2]), (None, []),
    ],
)  # fmt: skip
def test_numbers_in_attributes(text, wanted):
    assert numbers_in(text) == pytest.approx(wanted)


def test_numbers_too_large_to_be_data_are_counted_and_masked():
    values = np.array([1.0, NOTHING, -1e30, np.nan, 9.9e14, NOTHING])
    kept, found = undeclared(values)
    np.testing.assert_array_equal(kept, [1.0, np.nan, np.nan, np.nan, 9.9e14, np.nan])
    assert found == {NOTHING: 2, -1e30: 1}
    whole = values[[0, 4]]
    assert undeclared(whole)[0] is whole


def test_the_users_codes_match_within_half_a_step_of_the_packing():
    values = np.array([-9.99, -9.994, -9.996, np.float32(-9.99), np.inf])
    masked = [np.isnan(take_out(values, (-9.99,), step)).tolist() for step in (0.0, 0.01)]
    assert masked[0] == [True, False, False, True, False]
    assert masked[1] == [True, True, False, True, False]
    assert np.isnan(take_out(values, (np.inf,), 0.0)).tolist() == [False] * 4 + [True]
