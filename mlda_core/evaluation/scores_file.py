"""``scores.json``: several commands put scores into one file, and none may lose another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.files import read_scores

WEIGHTS = "weights"


def scores_of(bundle: Bundle, path: Path) -> dict[str, Any]:
    """Return what a file holds of a bundle's scores, to be changed and written again.

    Parameters
    ----------
    bundle : Bundle
    path : Path
        The file.

    Returns
    -------
    dict
        Empty where there is no file, or where its scores are of other weights.

    Raises
    ------
    BundleError
        If the file is damaged.
    """
    found = read_scores(path)
    return found if found.get(WEIGHTS) == _weights(bundle) else {}


def put_scores(scores: dict[str, Any], bundle: Bundle, path: Path) -> None:
    """Write scores; a kill at any moment leaves the earlier file whole.

    Parameters
    ----------
    scores : dict
        All that the file shall hold: :func:`scores_of`, with what is new.
    bundle : Bundle
        That was scored; its weights are noted.
    path : Path
        The file; its folder is made if absent.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    noted = {**scores, WEIGHTS: _weights(bundle)}
    fresh.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def _weights(bundle: Bundle) -> str:
    return str(bundle.config["checksums"]["weights.safetensors"])
