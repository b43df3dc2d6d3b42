"""A state in words."""

import pytest

from mlda_core.climate.errors import UserError
from mlda_core.page_state.described import described
from mlda_core.page_state.opened import from_link


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("stations=10&month=1997-12", "Stations: 20 observations, 10 of psl, 10 of tas"),
        ("stations=10&method=eof&residual=0", "without residual analysis"),
        ("model=code&tool=explore", "the code of the month"),
        ("tool=perturb&sea=nino34:2", "Sea: Niño 3.4 +2.0 K"),
        ("tool=perturb&sea=nino34:1:off", "nothing is changed"),
        ("tool=perturb&view=sensitivity&of=pr", "of pr over north_atlantic"),
    ],
)
def test_a_state_is_told_in_a_few_lines(speedy, query, words):
    lines = described(from_link(f"?{query}", speedy))
    assert lines[0] == f"{speedy.title} (speedy)"
    assert words in "\n".join(lines)
    assert len(lines) < 6


def test_a_cycle_is_told(cycled):
    query = "?tool=cycle&cycle_from=1984-03-01&cycle_without=1984-03-02:europe,1984-03-04:"
    lines = described(from_link(query, cycled))
    assert "3dvar cycled from 1984-03-01 with 100 stations" in lines
    assert lines[-1] == "From 1984-03-04 on all stations observe"
    assert "No run has begun." in described(from_link("?tool=cycle", cycled))


def test_what_cannot_be_made_is_refused(world):
    with pytest.raises(UserError, match="no variable 'tos'"):
        described(from_link("?network=sst_only", world))
