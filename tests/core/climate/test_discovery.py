"""Parts of a folder are found by their files alone."""

from __future__ import annotations

import sys

import pytest

from mlda_core.climate.discovery import discovered, part_of
from mlda_core.climate.errors import StateError


def test_every_file_is_found_in_order_of_names_and_must_define_the_part(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "found_parts"
    folder.mkdir()
    for name, text in (("__init__", ""), ("b", "PART = 2"), ("a", "PART = 1")):
        (folder / f"{name}.py").write_text(text)
    assert discovered("found_parts", [str(folder)], "PART") == [1, 2]
    (folder / "c.py").write_text("")
    with pytest.raises(AttributeError, match="PART"):
        discovered("found_parts", [str(folder)], "PART")
    for name in [m for m in sys.modules if m.startswith("found_parts")]:
        del sys.modules[name]


def test_a_part_is_named_with_hyphens_or_underscores_or_refused_with_what_there_is():
    parts = {"near_by": 1, "far": 2}
    assert [part_of(parts, name, "place", StateError) for name in (" Near-by", "far")] == [1, 2]
    with pytest.raises(StateError) as caught:
        part_of(parts, "x" * 90, "place", StateError)
    assert str(caught.value) == f"There is no place '{'x' * 24}'; use one of near-by, far."
