"""Numbers and months as charts write them."""

import pytest

from app.charts.texts import MINUS, SPLIT_NAMES, month_text, plain, signed
from app.text import SPLIT_LETTERS


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (0.0, 1, "0.0"),
        (-0.0, 1, "0.0"),
        (-0.049, 1, "0.0"),
        (-0.051, 1, f"{MINUS}0.1"),
        (12.5, 0, "+12"),
        (None, 2, "none"),
    ],
)
def test_a_sign_stands_before_every_number_but_zero(value, decimals, written):
    assert signed(value, decimals) == written
    if value is not None:
        assert plain(value, decimals) == written.replace("+", "")


def test_every_split_has_a_name():
    assert set(SPLIT_NAMES) == set(SPLIT_LETTERS.values())
    with pytest.raises(KeyError):
        month_text("1997-12", "x", [])
    assert month_text("1997-12", "g", [("not computed yet", "")]) == (
        "1997-12, gap month\nnot computed yet"
    )
