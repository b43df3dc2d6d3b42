"""Fixtures of tests/core/observations/archives."""

from __future__ import annotations

import pytest
from archive_files import PLACES, lines, put
from published import MISSING, ghcnm_line


@pytest.fixture
def ghcnm(tmp_path):
    data = lines(
        ghcnm_line("ACW00011604", 1981, [-89, (236, " ", "S"), MISSING, (-999, "a", " ")]),
        ghcnm_line("ACW00011604", 1982, [0, (1, "E", " "), (2, " ", "A"), (MISSING, " ", "M")]),
        ghcnm_line("AE000041196", 1981, [2642]),
        ghcnm_line("AE000041196", 1981, [3000, 3100], element="TMAX"),
        ghcnm_line("ZZZ00000000", 1981, [100, 200]),
    )
    return put(tmp_path, v4__qcu__dat=data, v4__qcu__inv=PLACES)
