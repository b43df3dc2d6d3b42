"""What is taken of an archive, and the count of what is not."""

from __future__ import annotations

from archive_files import REPORT, lines, put, refused
from published import imma

from mlda_core.observations.archives.registry import convert
from mlda_core.observations.archives.selection import Region, Wanted


def test_years_months_and_region_take_a_part(ghcnm):
    def taken(**wanted):
        return list(convert(ghcnm, wanted=Wanted(**wanted)).table["time"])

    assert taken(years=frozenset({1982})) == ["1982-01", "1982-03"]
    assert taken(months=frozenset({4})) == ["1981-04"]
    assert taken(region=Region(20, 30, 180, 240)) == ["1981-01"]
    # Across Greenwich, and once around.
    assert len(taken(region=Region(50, 60, -20, 20))) == 4
    assert len(taken(region=Region(-90, 90, -180, 180))) == 5
    said = refused(ghcnm, wanted=Wanted(years=frozenset({1850})))
    assert said == "GHCN-Monthly: no observation remains; the files hold 1981 to 1982."


def test_values_that_cannot_be_are_left_out(tmp_path):
    text = lines(
        imma(**REPORT, AT=139, SLP=10113),
        imma(**REPORT, AT=999, SLP=8000, SST=999),
    )
    _, table, tally = convert(put(tmp_path, x=text))
    assert list(table["variable"]) == ["psl", "tas"]
    assert tally.left_out == {
        "psl outside 850 to 1095 hPa cannot be": 1,
        "tas outside 180 to 333 K cannot be": 1,
        "tos outside 269 to 313 K cannot be": 1,
    }
