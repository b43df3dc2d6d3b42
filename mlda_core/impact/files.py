"""Files of impact heads: description, weights, and the series.

``head.json`` describes the head, its bundle, training and scores; ``head.safetensors`` holds the
weights, ``series.csv`` the measured and predicted values by month. A bundle's own heads are in its
folder ``impacts``.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from mlda_core.bundle.files import IMPACTS, impact_names
from mlda_core.impact.head import (
    Float,
    ImpactError,
    ImpactHead,
    Record,
    Scale,
    Transform,
    Weights,
)

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

SCHEMA_VERSION = 1
KIND = "mlda-impact"
FILES = ("head.safetensors", "series.csv")
_WEIGHTS = ("into", "into_bias", "out", "out_bias", "past")
_NUMBERS = ("observed", "low", "median", "high", "mean")
_COLUMNS = ("month", "split", "seen", *_NUMBERS)


def fingerprint(bundle: Bundle) -> str:
    """Return a fingerprint of a bundle's latent space, hexadecimal.

    Of its weights and climatology; ``mlda calibrate`` does not affect the latent vector.
    """
    parts = [bundle.config["checksums"][name] for name in ("weights.safetensors", "normaliser.nc")]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def checked_name(name: str) -> str:
    """Validate a head's short name, which is used in paths and links.

    Raises
    ------
    ImpactError
        If it is invalid.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise ImpactError(
            f"'{name[:40]}' is no name of a head; use small letters, digits, - and _, such as "
            "thames."
        )
    return name


def save_impact(head: ImpactHead, bundle: Bundle, folder: Path) -> None:
    """Write a head.

    Parameters
    ----------
    head : ImpactHead
    bundle : Bundle
        The bundle it was trained on.
    folder : Path
        Created if absent; its files are replaced.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: np.ascontiguousarray(getattr(head.weights, n), np.float32) for n in _WEIGHTS}
    tensors["before"] = np.ascontiguousarray(head.record.before, np.float16)
    save_file(tensors, folder / FILES[0])
    # safetensors creates files readable by the owner only; heads are shared.
    (folder / FILES[0]).chmod(0o644)
    _write_series(head.record, folder / FILES[1])
    transform = head.scale.transform
    description = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "name": head.name,
        "title": head.title,
        "units": head.units,
        "bundle": {"name": bundle.name, "title": bundle.title, "fingerprint": fingerprint(bundle)},
        "n_latent": head.n_latent,
        "n_used": head.n_used,
        "memory": head.memory,
        "transform": {
            "power": transform.power, "shift": transform.shift, "bounded": transform.bounded,
        },
        "centre": head.scale.centre.tolist(),
        "spread": head.scale.spread.tolist(),
        "usual": head.usual.tolist(),
        "extremes": list(head.extremes),
        "scores": head.scores,
        "about": head.about,
        "checksums": {name: _checksum(folder / name) for name in FILES},
    }  # fmt: skip
    text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
    (folder / "head.json").write_text(text, encoding="utf-8")


def load_impact(folder: str | Path, bundle: Bundle) -> ImpactHead:
    """Load a head, checking schema, checksums, shapes, and that it belongs to this bundle.

    Parameters
    ----------
    folder : path
        Its folder, or the name of one of the bundle's heads.
    bundle : Bundle

    Returns
    -------
    ImpactHead

    Raises
    ------
    ImpactError
        One sentence with the fault and the remedy.
    """
    path = Path(folder)
    if str(folder) in impact_names(bundle.path):
        path = bundle.path / IMPACTS / str(folder)
    try:
        return _load(path, bundle)
    except OSError as error:
        raise ImpactError(
            f"{error.filename or path} cannot be read ({error.strerror or error}); copy the head "
            "again."
        ) from error
    except ImpactError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, SafetensorError) as error:
        words = (str(error).strip() or type(error).__name__).splitlines()[0][:160].rstrip(".")
        raise ImpactError(
            f"{path} does not fit together ({words}); copy or train the head again."
        ) from error


def _load(path: Path, bundle: Bundle) -> ImpactHead:
    file = path / "head.json"
    if not file.is_file():
        own = ", ".join(impact_names(bundle.path))
        has = f"its own are {own}" if own else "it has none of its own"
        raise ImpactError(
            f"{path} is not an impact head: it has no head.json; give a folder that 'mlda impact "
            f"train' wrote, or the name of one of the bundle's ({has})."
        )
    try:
        about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        kind, version = about["kind"], about["schema_version"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ImpactError(f"{file} does not describe an impact head; copy it again.") from error
    if kind != KIND or version != SCHEMA_VERSION:
        raise ImpactError(
            f"{path} has schema {version} of {kind}, and this program reads {SCHEMA_VERSION} of "
            f"{KIND}; install the matching version of mlda or train the head again."
        )
    if about["bundle"]["fingerprint"] != fingerprint(bundle):
        raise ImpactError(
            f"{path} was trained on another bundle ({str(about['bundle']['title'])[:60]}) than "
            f"{bundle.path}; give that bundle, or train the head again on this one."
        )
    for name in FILES:
        if not (path / name).is_file():
            raise ImpactError(f"{path} lacks {name}; copy the head again.")
        if _checksum(path / name) != about["checksums"][name]:
            raise ImpactError(
                f"{path / name} is damaged (its checksum is not the one in head.json); copy the "
                "head again."
            )
    tensors = load_file(path / FILES[0])
    weights = Weights(*(tensors[name].astype(np.float64) for name in _WEIGHTS))
    transform = Transform(
        float(about["transform"]["power"]),
        float(about["transform"]["shift"]),
        bounded=bool(about["transform"]["bounded"]),
    )
    centre, spread, usual = (_numbers(about[name]) for name in ("centre", "spread", "usual"))
    low, high = _numbers(about["extremes"]).tolist()
    head = ImpactHead(
        name=checked_name(str(about["name"])),
        title=str(about["title"]),
        units=str(about["units"]),
        n_latent=int(about["n_latent"]),
        n_used=int(about["n_used"]),
        memory=int(about["memory"]),
        scale=Scale(transform, centre, spread),
        weights=weights,
        usual=usual,
        extremes=(low, high),
        scores=dict(about["scores"]),
        record=_read_series(path / FILES[1], tensors["before"].astype(np.float32)),
        about=dict(about["about"]),
    )
    _check_shapes(head, bundle)
    return head


def _check_shapes(head: ImpactHead, bundle: Bundle) -> None:
    """Refuse inconsistent parts, which would otherwise fail only in use."""
    members, hidden, _ = head.weights.into.shape
    width = head.n_used * (1 + bool(head.memory)) + 2
    months = len(head.record.months)
    wanted = {
        "n_latent": (head.n_latent, bundle.n_latent),
        "into": (head.weights.into.shape, (members, hidden, width)),
        "into_bias": (head.weights.into_bias.shape, (members, hidden)),
        "out": (head.weights.out.shape, (members, 2, hidden)),
        "out_bias": (head.weights.out_bias.shape, (members, 2)),
        "past": (head.weights.past.shape, (members, width)),
        "centre": (head.scale.centre.shape, (12,)),
        "spread": (head.scale.spread.shape, (12,)),
        "usual": (head.usual.shape, (12, 3)),
        "before": (head.record.before.shape, (months, head.n_used if head.memory else 0)),
    }
    for name, (have, want) in wanted.items():
        if have != want:
            raise ValueError(f"{name} has the shape {have}, not {want}")
    arrays = (*(getattr(head.weights, n) for n in _WEIGHTS), head.scale.centre, head.usual)
    if not all(np.isfinite(a).all() for a in arrays) or not (head.scale.spread > 0).all():
        raise ValueError("a weight is not finite")


def _numbers(values: Any) -> Float:
    return np.array(values, dtype=np.float64)


def _write_series(record: Record, file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for i, month in enumerate(record.months):
            numbers = (float(getattr(record, name)[i]) for name in _NUMBERS)
            writer.writerow([
                month, record.splits[i], int(record.seen[i]),
                *("" if math.isnan(v) else f"{v:.4g}" for v in numbers),
            ])  # fmt: skip


def _read_series(file: Path, before: Any) -> Record:
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.reader(opened))
    if not rows or tuple(rows[0]) != _COLUMNS:
        raise ValueError(f"{file.name} has other columns")
    columns = list(zip(*rows[1:], strict=True))
    observed, low, median, high, mean = (
        np.array([float(v) if v else np.nan for v in column]) for column in columns[3:]
    )
    return Record(
        tuple(columns[0]), tuple(columns[1]), observed,
        np.array([v == "1" for v in columns[2]]), low, median, high, mean, before,
    )  # fmt: skip


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
