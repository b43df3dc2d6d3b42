"""YAML of files that people write: plain values, and the line on which each key stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]


class SourceError(ValueError):
    """A text is no YAML, or says a key twice; the message names the line."""


@dataclass(frozen=True)
class Source:
    """A text that was read.

    Parameters
    ----------
    values : object
        As `yaml.safe_load` gives them.
    lines : dict
        The line of each key or item by its path, from 1.
    """

    values: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of a path, or that of the nearest one above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load(text: str, first: int = 1) -> Source:
    r"""Read a text.

    Parameters
    ----------
    text : str
    first : int
        On which line of its file it begins.

    Raises
    ------
    SourceError
        If it is no YAML, or has a key twice.

    >>> load("a: 1\nb: {c: x}").line(("b", "c"))
    2
    """
    try:
        values = yaml.safe_load(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first + (mark.line if mark else 0)
        raise SourceError(f"line {line} is no YAML ({error.problem or error.context})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SourceError(f"line {first} ff. are no YAML ({str(error)[:80]})") from None
    lines: dict[Path, int] = {(): first}
    if root is not None:
        _walk(root, (), first, lines)
    return Source(values, lines)


def _walk(node: yaml.Node, path: Path, first: int, lines: dict[Path, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            line = first + key.start_mark.line
            if below in lines:
                raise SourceError(f"line {line} says '{str(key.value)[:24]}' a second time")
            lines[below] = line
            _walk(value, below, first, lines)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            lines[*path, i] = first + item.start_mark.line
            _walk(item, (*path, i), first, lines)
