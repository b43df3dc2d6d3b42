"""Parts of a folder are found by their files alone."""

from __future__ import annotations

import sys

import pytest

from mlda_core.climate.discovery import discovered


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
