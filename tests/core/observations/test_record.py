"""A record of observations: the months of a file or of a folder of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest
from small import make_linear

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.options import TableOptions
from mlda_core.observations.record import RecordFiles, read_record
from mlda_core.observations.table import COLUMNS

HEAD = "variable,lat,lon,value,error_sd\n"
GOOD, OTHER, BAD = "tas,50,10,3,1\n", "tas,40,20,2,1\n", "tas,99,10,3,1\n"
TIMED = "variable,lat,lon,value,error_sd,time\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("record"))


def lay(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_files_are_read_from_disk_once(bundle, tmp_path, monkeypatch):
    files = {"1982-05.csv": HEAD + GOOD, "1982-06.csv": HEAD + OTHER}
    lay(tmp_path, files)
    opened = []
    read_bytes = Path.read_bytes

    def count(path):
        opened.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", count)
    found = RecordFiles(tmp_path)
    record = read_record(found, bundle)
    assert opened == ["1982-05.csv", "1982-06.csv"]
    assert found.digest == hashlib.sha256("".join(files.values()).encode()).hexdigest()
    assert [one.month for one in record.months] == ["1982-05", "1982-06"]
    assert [one.table["value"].tolist() for one in record.months] == [[3.0], [2.0]]


@pytest.mark.parametrize(
    ("files", "month", "expected"),
    [
        ({"a.csv": HEAD + GOOD + BAD}, "1982-05", ({"1982-05": 1}, 2, ["Row 2: lat '99'"])),
        (
            {"a.csv": TIMED + "tas,50,10,3,1,1982-05\ntas,50,10,3,1,soon\ntas,9,9,1,1,1982-06\n"},
            None,
            ({"1982-05": 1, "1982-06": 1}, 3, ["Row 2: the time 'soon'"]),
        ),
        (
            {"1982-05.csv": HEAD + GOOD + BAD, "1982-06.csv": HEAD + BAD + OTHER + "tas,1\n"},
            None,
            (
                {"1982-05": 1, "1982-06": 1},
                5,
                ["1982-05.csv, row 2: lat", "1982-06.csv, row 1: lat", "1982-06.csv, row 3: "],
            ),
        ),
        (
            {"1982-05.csv": HEAD + GOOD + BAD, "1982-06.csv": HEAD + BAD + OTHER},
            "1982-06",
            ({"1982-06": 1}, 2, ["1982-06.csv, row 1: lat"]),
        ),
        (
            {"london_1982-05.csv": HEAD + GOOD, "paris_1982-05.csv": HEAD + OTHER},
            None,
            ({"1982-05": 2}, 2, []),
        ),
        # A month that nothing is left of is there, for the analysis is its background.
        (
            {"1982-05.csv": HEAD + BAD, "1982-06.csv": HEAD + OTHER},
            None,
            ({"1982-05": 0, "1982-06": 1}, 2, ["1982-05.csv, row 1"]),
        ),
    ],
)
def test_rows_are_counted_and_refused_ones_named(bundle, tmp_path, files, month, expected):
    months, n_rows, rejected = expected
    lay(tmp_path, files)
    source = tmp_path / "a.csv" if "a.csv" in files else tmp_path
    record = read_record(RecordFiles(source), bundle, month)
    assert {one.month: len(one.table) for one in record.months} == months
    assert record.n_rows == n_rows
    assert len(record.rejected) == len(rejected)
    for told, words in zip(record.rejected, rejected, strict=True):
        assert told.startswith(words)
    for one in record.months:
        assert tuple(one.table.columns) == COLUMNS


@pytest.mark.parametrize("timed", [False, True])
def test_rows_are_counted_as_they_were_before_they_were_merged(bundle, tmp_path, timed):
    tail = ",1982-05" if timed else ""
    rows = [row.strip() + tail for row in [GOOD] * 9 + [BAD]]
    text = "\n".join([(TIMED if timed else HEAD).strip(), *rows]) + "\n"
    (tmp_path / "a.csv").write_text(text)
    month = None if timed else "1982-05"
    files = RecordFiles(tmp_path / "a.csv")
    record = read_record(files, bundle, month, TableOptions(merge_repeated=True))
    assert len(record.months[0].table) == 1
    assert (record.n_rows, len(record.rejected)) == (10, 1)
    assert any("8 rows are merged" in note for note in record.notes)


def test_a_note_is_told_once_and_of_its_months(bundle, tmp_path):
    rows = [f"tas,50,10,3,1,{m}" for m in ("1982-05", "1982-06", "1982-07")]
    text = "variable,lat,lon,value,sigma,time\n" + "\n".join([*rows, rows[1]]) + "\n"
    (tmp_path / "a.csv").write_text(text)
    notes = read_record(RecordFiles(tmp_path / "a.csv"), bundle).notes
    assert sum("'sigma' is taken as error_sd" in note for note in notes) == 1
    (repeated,) = [note for note in notes if "repeat" in note]
    assert repeated.startswith("1982-06: 1 row repeats another's")
    lay(tmp_path, {"1990-01.csv": HEAD + GOOD})
    both = read_record(RecordFiles(tmp_path), bundle).notes
    assert any(note.startswith("a.csv, 1982-06: 1 row repeats") for note in both)


def test_months_of_a_period(bundle, tmp_path):
    names = [f"1982-{m:02d}.csv" for m in range(1, 13)]
    values = {name: HEAD + f"tas,50,10,{i}.5,1\n" + BAD for i, name in enumerate(names)}
    record = read_record(RecordFiles(lay(tmp_path, values)), bundle)
    part = record.within("1982-03", "1982-05")
    assert [one.month for one in part.months] == ["1982-03", "1982-04", "1982-05"]
    assert (part.n_rows, len(part.rejected)) == (6, 3)
    assert (record.n_rows, len(record.rejected)) == (24, 12)


@pytest.mark.parametrize(
    ("files", "month", "words"),
    [
        ({"mine.csv": HEAD + GOOD}, None, "mine.csv does not say which month it is of; name it"),
        ({"1982-05.csv": HEAD + BAD}, None, "no observation that can be used; the first reason: R"),
        (
            {"1982-05.csv": HEAD + GOOD},
            "1982-06",
            "has no observation of 1982-06; it holds 1982-05",
        ),
        ({"0850-05.csv": HEAD + GOOD}, None, "0850-05 is not within 1678 to 2261"),
        ({"1982-05.csv": HEAD + GOOD}, "12", "'12' is not a month"),
        ({}, None, "holds no CSV or netCDF file"),
        ({"README.txt": "mine"}, None, "holds no CSV or netCDF file"),
    ],
)
def test_folders_that_say_nothing_are_refused(bundle, tmp_path, files, month, words):
    with pytest.raises(ObservationError, match=words) as caught:
        read_record(RecordFiles(lay(tmp_path, files)), bundle, month)
    assert str(caught.value).endswith(".")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ObservationError, match=r"nowhere\.csv cannot be read"):
        RecordFiles(tmp_path / "nowhere.csv")


def test_stations_of_one_month_are_one_table_in_the_order_of_their_files(bundle, tmp_path):
    lay(tmp_path, {"b_1982-05.csv": HEAD + OTHER, "a_1982-05.csv": HEAD + GOOD})
    (one,) = read_record(RecordFiles(tmp_path), bundle).months
    pd.testing.assert_index_equal(one.table.index, pd.RangeIndex(2))
    assert one.table["value"].tolist() == [3.0, 2.0]
