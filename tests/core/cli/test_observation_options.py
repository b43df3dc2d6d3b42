"""What becomes of rows that are refused."""

import pytest
import typer

from mlda_core.cli.observation_options import REFUSED, Refusals, refused
from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.record import MonthOfRecord, Record
from mlda_core.observations.table import empty


def record(n_rejected, n_notes=0, n_rows=20):
    lines = [f"Row {i}: its lat is no latitude." for i in range(1, n_rejected + 1)]
    month = MonthOfRecord("1982-05", empty(), tuple(lines), n_rows)
    return Record((month,), (), tuple(f"Note {i}." for i in range(n_notes)))


def test_ten_rows_are_printed_and_the_rest_counted(capsys):
    Refusals(strict=False, allowed=False).tell(record(13, n_notes=11))
    said = capsys.readouterr().err
    assert said.count("its lat is no latitude") == 10
    assert "... and 3 rows more." in said
    assert said.count("Note: ") == 10
    assert "... and 1 notes more." in said


def test_strict_refuses_the_whole_with_the_remedy(capsys):
    strict = Refusals(strict=True, allowed=False)
    with pytest.raises(ObservationError, match=r"^1 of 20 rows .* was refused and nothing.*remove"):
        strict.tell(record(1))
    assert "Row 1: " in capsys.readouterr().err
    strict.tell(record(0))


@pytest.mark.parametrize("allowed", [False, True])
def test_the_exit_code_says_that_rows_were_refused_unless_it_may(capsys, allowed):
    after = Refusals(strict=False, allowed=allowed)
    after.end(0, 20)
    assert capsys.readouterr().err == ""
    if allowed:
        after.end(2, 20)
    else:
        with pytest.raises(typer.Exit) as ended:
            after.end(2, 20)
        assert ended.value.exit_code == REFUSED == 3
    assert "2 of 20 rows of observations were refused: what is written" in capsys.readouterr().err


def test_both_at_once_exclude_each_other():
    with pytest.raises(ValueError, match="exclude each other; leave one out"):
        Refusals(strict=True, allowed=True)


def test_one_row_is_singular():
    assert refused(1, 4) == "1 of 4 rows of observations was refused"
