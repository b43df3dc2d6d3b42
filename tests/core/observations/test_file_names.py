"""Names of files of observations: which are read, and of which month each is."""

from __future__ import annotations

import pytest

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.file_names import choose, month_in, tell_apart


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("1997-12.csv", "1997-12"),
        ("199712.csv", "1997-12"),
        ("1997_12.csv", "1997-12"),
        ("1997.12.csv", "1997-12"),
        ("12-1997.csv", "1997-12"),
        ("obs_199712.nc", "1997-12"),
        ("obs-1997-12.CSV", "1997-12"),
        ("1997-12_london.csv", "1997-12"),
        ("london 1997-12.tsv", "1997-12"),
        ("v2_1997-12.csv", "1997-12"),
        # A base period, a year and stations' numbers are no months.
        ("1961-1990_anomalies_1997-12.csv", "1997-12"),
        ("GHCNM_ITE00100554_1997-12.csv", "1997-12"),
        ("station_03772_199712.csv", "1997-12"),
        ("wmo_101012_1997-12.csv", "1997-12"),
        ("wmo_037720_1997-12.csv", "1997-12"),
        # The year is refused later, by what can be assimilated.
        ("0850-05.csv", "0850-05"),
        ("mine.csv", None),
        ("stations_1997.csv", None),
        ("1997-13.csv", None),
        ("1961-1990.csv", None),
        ("wmo_03772.csv", None),
        ("101012.csv", None),
    ],
)
def test_a_name_with_one_month_says_it(name, month):
    assert month_in(name) == month


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2024-05-02_stations_1997-12.csv", "'2024-05-02' and '1997-12'"),
        ("20240502_1997-12.csv", "'20240502' and '1997-12'"),
        ("1997-12_made_02.05.2024.csv", "'1997-12' and '02.05.2024'"),
        ("stations_1997-12_20240502T101500.csv", "'1997-12' and '20240502'"),
        ("stations_1997-12_20240502101500.csv", "'1997-12' and '20240502101500'"),
        ("obs_199701-199712.csv", "'199701' and '199712'"),
        ("1997-01_to_1997-12.csv", "'1997-01' and '1997-12'"),
        ("1997-01to1997-12.csv", "'1997-01' and '1997-12'"),
        ("1997-12_1997-12.csv", "'1997-12' and '1997-12'"),
        ("2024-05-02.csv", "'2024-05-02', which may be a day"),
        ("1997-12-1.csv", "'1997-12-1', which may be a day"),
        ("19971201.csv", "'19971201', which may be a day"),
        ("199701-12.csv", "'199701-12', which may be a day, a range"),
        ("199701to12.csv", "'199701to12', which may be a day, a range"),
        ("1997-01to12.csv", "'1997-01to12', which may be a day, a range"),
        ("1997-12 2.csv", "'1997-12 2', which may be"),
        ("05-12-1997.csv", "'05-12-1997', which may be a day"),
    ],
)
def test_a_name_with_more_than_a_month_is_refused_with_the_remedy(name, words):
    with pytest.raises(ObservationError) as caught:
        month_in(name)
    said = str(caught.value)
    assert said.startswith(f"The name of {name} holds {words}")
    assert said.endswith("name it such as 1997-12.csv, or add a column 'time'.")


def test_what_is_no_table_is_left_out():
    names = [
        "1997-12.csv",
        "1998-01.NC",
        "1998-02.nc4",
        "1998-03.txt",
        "._1997-12.csv",
        ".hidden.csv",
        ".DS_Store",
        "1997-12.csv~",
        "1997-12.csv.bak",
        "1997-12.csv.part",
        "#1997-12.csv#",
        "~$1997-12.csv",
    ]
    assert choose(names) == (("1997-12.csv", "1998-01.NC", "1998-02.nc4", "1998-03.txt"), ())


def test_what_is_left_out_and_not_hidden_is_named():
    found = choose(["1997-12.csv", "README.txt", "plot_1997-12.png", "readme_1.csv", "LICENSE"])
    assert found.names == ("1997-12.csv",)
    (note,) = found.notes
    assert note == (
        "Of the folder, LICENSE, README.txt, plot_1997-12.png and 1 more was left out: not a CSV "
        "or netCDF file of observations."
    )
    # No README: a station may begin so.
    assert choose(["Readmoor_1997-12.csv", "noticeable.csv"]).notes == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("1997-12 (1).csv", "named as a copy"),
        ("1997-12(2).nc", "named as a copy"),
        ("1997-12 - Copy.csv", "named as a copy"),
        ("Copy of 1997-12.csv", "named as a copy"),
        ("1997-12 copy 2.csv", "named as a copy"),
        ("1997-12_copy.csv", "named as a copy"),
        ("1997-12 - Kopie.csv", "named as a copy"),
        ("1997-12.csv.gz", "unpack it"),
        ("1997-12.xlsx", "save it as CSV"),
    ],
)
def test_copies_and_files_of_other_kinds_are_refused(name, words):
    with pytest.raises(ObservationError, match=words) as caught:
        choose(["1997-12.csv", name])
    assert str(caught.value).startswith(name)


def test_copernicus_is_no_copy():
    assert choose(["copernicus_1997-12.csv", "Kopieczyn_1997-12.csv"]).notes == ()


@pytest.mark.parametrize(
    "names",
    [
        ("1997-12.csv",),
        ("1997-12_london.csv", "1997-12_paris.csv"),
        ("london_199712.csv", "paris_199712.csv"),
        ("03772_1997-12.csv", "07156_1997-12.csv"),
        ("temperature_1997-12.nc", "pressure_1997-12.csv"),
    ],
)
def test_files_of_several_stations_are_of_one_month(names):
    tell_apart(names, "1997-12")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("1997-12.csv", "1997-12.nc"), "both of 1997-12; keep one"),
        (("1997-12.csv", "199712.csv"), "both of 1997-12; keep one"),
        (("1997-12.csv", "1997-12_london.csv"), "both of 1997-12; keep one"),
        (("obs_1997-12.csv", "obs_199712.csv"), "named alike"),
        (("OBS 1997-12.csv", "obs_1997-12.nc"), "named alike"),
        (("london_1997-12.csv", "london_1997-12_v2.csv"), "named alike"),
        (("london_v1_1997-12.csv", "london_v2_1997-12.csv"), "named alike"),
        (("london_1997-12.csv", "london_1997-12_final.csv"), "named alike"),
        (("1997-12.csv", "1997-12_new.csv"), "both of 1997-12; keep one"),
    ],
)
def test_files_of_one_month_that_may_be_the_same_are_refused(names, words):
    with pytest.raises(ObservationError, match=words):
        tell_apart(names, "1997-12")
