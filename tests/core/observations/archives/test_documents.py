"""Files of an archive, packed or not."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pandas as pd
from archive_files import oslo, put, refused
from published import gsom_table

from mlda_core.observations.archives.registry import convert


def test_packed_files_are_unpacked_and_damaged_ones_refused(tmp_path):
    text = gsom_table([oslo("1997-01", "3.1", ",,,E", "1.0", ",E")])
    whole = convert(put(tmp_path, o__csv=text)).table
    (tmp_path / "o.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "o.zip", "w") as packed:
        packed.writestr("readme.txt", "GSOM")
        packed.writestr("in/o.csv", text)
    for name in ("o.csv.gz", "o.zip"):
        pd.testing.assert_frame_equal(convert([tmp_path / name]).table, whole)
    damaged = {
        "cut.csv.gz": gzip.compress(text.encode())[:-12],
        "no.csv.gz": text.encode(),
        "no.tar.gz": b"<html>",
        "no.zip": b"<html>",
    }
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
        said = refused([tmp_path / name])
        assert name in said
        assert "download it again" in said


def test_a_tar_gives_nothing_to_the_disk(tmp_path):
    packed = tmp_path / "evil.tar"
    text = gsom_table([oslo("1997-01", "3.1", ",,,E", "1.0", ",E")]).encode()
    with tarfile.open(packed, "w") as tar:
        info = tarfile.TarInfo("../../outside.csv")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    assert len(convert([packed]).table) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.tar"]
