"""Tabulate training runs: the best VALIDATION skill of each, as Markdown.

python benchmarks/training_runs.py runs/speedy runs/speedy-seed1 runs/speedy-seed2
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def main() -> None:
    """Print one row a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    rows = []
    for run in parser.parse_args().runs:
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
        log = [json.loads(line) for line in lines]
        rows.append((run.name, len(log), max(log, key=lambda row: row["score"])))
    names = list(rows[0][2]["skill"])
    print("| run | epochs | best | " + " | ".join(names) + " | mean | seconds an epoch |")
    print("|---|---|---|" + "---|" * (len(names) + 2))
    for name, epochs, best in rows:
        cells = " | ".join(f"{best['skill'][v]:.4f}" for v in names)
        print(
            f"| {name} | {epochs} | {best['epoch']} | {cells} | {best['score']:.4f} "
            f"| {best['seconds']:.0f} |"
        )


if __name__ == "__main__":
    main()
