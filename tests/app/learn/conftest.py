"""A lesson of the small bundle."""

from __future__ import annotations

import pytest

LESSON = """---
title: Mine
about: A lesson of a teacher
questions:
  - state: month=1997-12&tool=explore&model=code&network=none
    then: http://localhost:5006/app?month=1998-01&tool=explore&model=code&network=none
    ask: What will the pressure do?
    answer: choice
    choices:
      - {say: Fall, below: 0}
      - {say: Rise, from: 0}
    check: {quantity: mean, variable: psl, of: model, as: change}
    explains: 1
  - state: month=1997-12&tool=explore&model=code&network=none
    ask: How much is the first number?
    answer: number
    within: 0.1
    check: {quantity: latent, number: 1}
  - state: month=1997-12&tool=explore&model=code&network=none
    ask: Which number is greatest?
    answer: greatest
    choices:
      - {say: The first, number: 1}
      - {say: The second, number: 2}
    check: {quantity: latent}
---
Before the first heading nothing is shown.

## One

Look at *the maps* <b>now</b>.

### So

It was the **month**.

## Two
### So
## Three
Look.
### So
"""


@pytest.fixture
def text():
    return LESSON


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of one's own, with that lesson."""
    (tmp_path / "20-mine.md").write_text(LESSON, encoding="utf-8")
    monkeypatch.setenv("MLDA_LESSONS", str(tmp_path))
    return tmp_path
