"""Write the scores of the shipped impact head between the markers of docs/impact.md.

python tools/impact_docs.py          write
python tools/impact_docs.py --check  exit with 1 where the page says something else
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import marks

ROOT = Path(__file__).resolve().parents[1]
HEAD = ROOT / "assets/bundles/real/impacts/thames/head.json"
PAGE = ROOT / "docs/impact.md"
METHODS = {"head": "the head", "ridge": "linear regression", "climatology": "climatology"}


def table() -> str:
    """Return what stands between the markers."""
    head = json.loads(HEAD.read_text(encoding="utf-8"))
    columns = (
        "months", "method", "explained variance", "r", f"CRPS, {head['units']}",
        "CRPS skill (90 %)", "80 % interval holds",
    )  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    stopping = " and ".join(name.upper() for name in head["about"]["stopping"])
    for split, name in (("test", "TEST"), ("validation", stopping)):
        scores = head["scores"][split]
        for method, label in METHODS.items():
            s = scores[method]
            low, high = s["crps_skill_interval"]
            skill = f"{s['crps_skill']:.2f} ({low:.2f} to {high:.2f})"
            cells = (
                f"{name}: {scores['months']} months of {scores['years']} years",
                label,
                f"{s['explained_variance']:.2f}",
                "-" if s["correlation"] is None else f"{s['correlation']:.2f}",
                f"{s['crps']:.1f}",
                "0" if method == "climatology" else skill,
                f"{100 * s['coverage']:.0f} %",
            )
            lines.append(f"| {' | '.join(cells)} |")
    months = head["about"]["months"]
    words = (
        f"Trained on {months['train']} months, with {head['n_used']} of {head['n_latent']} latents "
        f"and their mean over the {head['memory']} months before."
    )
    return "\n".join([*lines, "", words])


def main() -> int:
    """Write or check the page."""
    text = PAGE.read_text(encoding="utf-8")
    made = marks.put(text, "impact", table())
    if "--check" in sys.argv[1:]:
        return int(made != text)
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
