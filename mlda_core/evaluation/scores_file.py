"""Read and update ``scores.json``, which several commands share without losing others' scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.files import read_scores
from mlda_core.climate.atomic_files import replacing

WEIGHTS = "weights"


def scores_of(bundle: Bundle, path: Path) -> dict[str, Any]:
    """Return the scores of a bundle in a file, to be updated and written again.

    Parameters
    ----------
    bundle : Bundle
    path : Path
        The file.

    Returns
    -------
    dict
        Empty if there is no file, or its scores are of other weights.

    Raises
    ------
    BundleError
        If the file is damaged.
    """
    found = read_scores(path)
    return found if found.get(WEIGHTS) == _weights(bundle) else {}


def put_scores(scores: dict[str, Any], bundle: Bundle, path: Path) -> None:
    """Write scores atomically, so that an interruption leaves the earlier file intact.

    Parameters
    ----------
    scores : dict
        Complete contents of the file: :func:`scores_of`, updated.
    bundle : Bundle
        The bundle scored; its weights are recorded.
    path : Path
        The file; its folder is created if absent.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    noted = {**scores, WEIGHTS: _weights(bundle)}
    with replacing(path) as fresh:
        fresh.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")


def _weights(bundle: Bundle) -> str:
    return str(bundle.config["checksums"]["weights.safetensors"])
