"""YAML with the lines of its keys."""

import pytest

from app.learn.yaml_source import SourceError, load


def test_each_key_has_its_line():
    source = load("a: 1\nlist:\n  - b: x\n    c: y\n", first=5)
    assert source.values == {"a": 1, "list": [{"b": "x", "c": "y"}]}
    assert source.line(("list", 0, "c")) == 8
    # The nearest above it, where there is none.
    assert source.line(("list", 0, "missing", 3)) == 7
    assert load("").values is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: [1\nc: 2", "line 3 is no YAML"),
        ("a: 1\na: 2", "line 2 says 'a' a second time"),
        ("a: !!python/object/apply:os.system [ls]", "no YAML"),
    ],
)
def test_what_is_none_is_refused_with_its_line(text, words):
    with pytest.raises(SourceError, match=words):
        load(text)
