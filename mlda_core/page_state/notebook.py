"""A state as a notebook: the program that makes the same, pictures and scores."""

from __future__ import annotations

import json
from typing import Any

from mlda_core.page_state.commands import commands_of
from mlda_core.page_state.described import described
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.snippet import snippet_of

_PICTURES = {
    "analysis": "analysis.plot()",
    "response": "response.plot()",
    "fields": (
        "from mlda_core.plotting import state_maps\n"
        "\n"
        'state_maps({"target": bundle.target(month), "model": fields}, bundle)'
    ),
}
_SCORES = {
    "analysis": (
        "from mlda_core import verify\n"
        "\n"
        "scores = verify(\n"
        "    {analysis.method: analysis.anomalies},\n"
        "    bundle,\n"
        "    target=bundle.target(month),\n"
        "    observations=observations,\n"
        "    month=month,\n"
        ")\n"
        'scores.table("explained_variance").round(2)'
    ),
    "response": (
        "from mlda_core import REGIONS, regional_mean\n"
        "\n"
        'for name in ("globe", "tropics", "north", "south"):\n'
        "    means = regional_mean(response.anomalies, bundle.grid, REGIONS[name])\n"
        "    print(name, dict(zip([v.name for v in bundle.variables], means.round(3).tolist())))"
    ),
    "fields": (
        "from mlda_core import compare\n"
        "\n"
        "for i, variable in enumerate(bundle.variables):\n"
        "    found = compare(bundle.target(month)[i], fields[i], bundle.grid.weights)\n"
        "    print(variable.name, found)"
    ),
    "days": (
        "for day, made in days.items():\n"
        '    rmse = made.errors["analysis"][0]  # over the globe, by variable\n'
        "    print(day, dict(zip([v.name for v in bundle.variables], rmse.round(3).tolist())))"
    ),
}


def notebook_of(state: PageState, address: str = "") -> str:
    """Write the notebook that makes a state.

    Parameters
    ----------
    state : PageState
    address : str
        Of the page, to which the notebook links; '' for none.

    Returns
    -------
    str
        Jupyter's notebook format 4.5, without outputs.

    Raises
    ------
    UserError
        If the observations cannot be made of this bundle.
    """
    snippet = snippet_of(state)
    bundle, *words = described(state)
    lines = "\n".join(f"- {line}" for line in words)
    link = f"[The same on the page]({address}?{state.link})." if address else ""
    commands = commands_of(state).lines
    shell = "By command line:\n\n" + "\n".join(f"    {line}" for line in commands)
    parts = [
        _cell("markdown", f"# {state.month}\n\n{bundle}\n\n{lines}\n\n{link}".rstrip()),
        _cell("code", snippet.text.rstrip()),
    ]
    if snippet.made in _PICTURES:
        parts.append(
            _cell("markdown", "Pictures need the extra `plot`: `pip install 'mlda-climate[plot]'`.")
        )
        parts.append(_cell("code", _PICTURES[snippet.made]))
    if snippet.made in _SCORES:
        parts.append(_cell("code", _SCORES[snippet.made]))
    if commands:
        parts.append(_cell("markdown", shell))
    for number, part in enumerate(parts):
        part["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {
        "cells": parts,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _cell(kind: str, source: str) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": "", "metadata": {}}
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    return made | {"source": source.splitlines(keepends=True)}
