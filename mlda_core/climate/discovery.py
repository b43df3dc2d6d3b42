"""Discovery of a folder's parts: one file each, and no other list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from mlda_core.climate.errors import UserError
from mlda_core.climate.spelling import hyphenated, key_of

T = TypeVar("T")


def discovered(package: str, path: Iterable[str], name: str) -> list[Any]:
    """Return what the modules of a package define under one name.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    path : iterable of str
        Its ``__path__``.
    name : str
        Such as ``SAMPLER``; every module must define it.

    Returns
    -------
    list
        In the order of the modules' names.
    """
    modules = pkgutil.iter_modules(path)
    return [getattr(importlib.import_module(f"{package}.{m.name}"), name) for m in modules]


def part_of(parts: Mapping[str, T], name: str, what: str, refuses: Callable[[str], UserError]) -> T:
    """Return a part by its name, with hyphens or underscores.

    Parameters
    ----------
    parts : mapping
        By key.
    name : str
    what : str
        What people call such a part.
    refuses : callable
        The error that is raised, of its sentence.

    Raises
    ------
    UserError
        If there is no such part.
    """
    found = parts.get(key_of(name))
    if found is None:
        raise refuses(f"There is no {what} '{str(name)[:24]}'; use one of {hyphenated(*parts)}.")
    return found
