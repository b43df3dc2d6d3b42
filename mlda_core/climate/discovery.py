"""Discovery of a folder's parts: one file each, and no other list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any


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
