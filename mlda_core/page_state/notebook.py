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
    "fields": """from mlda_core.plotting import state_maps

columns = {"Target": (bundle.target(month), "anomaly"), "Model": (fields, "anomaly")}
state_maps(bundle, columns)""",
}
_SCORES = {
    "analysis": """from mlda_core import verify

scores = verify(
    {analysis.method: analysis.anomalies},
    bundle,
    target=bundle.target(month),
    observations=observations,
    month=month,
)
scores.table("explained_variance").round(2)""",
    "response": """from mlda_core import REGIONS, regional_mean

names = [variable.name for variable in bundle.variables]
for key in ("globe", "tropics", "north", "south"):
    means = regional_mean(response.anomalies, bundle.grid, REGIONS[key])
    print(key, dict(zip(names, means.round(3).tolist())))""",
    "fields": """from mlda_core import compare

for variable, target, model in zip(bundle.variables, bundle.target(month), fields):
    print(variable.name, compare(target, model, bundle.grid.weights))""",
    "days": """names = [variable.name for variable in bundle.variables]
for day, made in days.items():
    rmse = made.errors["analysis"][0]  # over the globe, by variable
    print(day, dict(zip(names, rmse.round(3).tolist())))""",
}


def notebook_of(state: PageState) -> str:
    """Write the notebook that makes a state.

    Parameters
    ----------
    state : PageState

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
    link = f"On the page: `?{state.link}`"
    commands = commands_of(state).lines
    shell = "By command line:\n\n" + "\n".join(f"    {line}" for line in commands)
    parts = [
        _cell("markdown", f"# {state.month}\n\n{bundle}\n\n{lines}\n\n{link}"),
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
