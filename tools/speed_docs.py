"""Write the times of two benchmarks into README.md and docs/results.md.

make --silent bench ARGS=--json > slider.json
make --silent bench-assimilation ARGS=--json > assimilation.json
python tools/speed_docs.py slider.json assimilation.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import marks

ROOT = Path(__file__).resolve().parents[1]


def _machine(on: dict[str, Any]) -> str:
    return (
        f"{on['cores']} cores of a processor that calls itself {on['processor']}, "
        f"load average {on['load_average']:.1f} at the end, {on['day']}"
    )


def _took(ms: float) -> str:
    """Write milliseconds as people read them."""
    return f"{ms:.0f} ms" if ms < 995 else f"{ms / 1000:.1f} s"


def sentence(slider: dict[str, Any], assimilation: dict[str, Any]) -> str:
    """Return the README's sentence."""
    analysis = assimilation["networks"]["300 observations"]["cached"]["median_ms"]
    return (
        f"A slider's frame takes {_took(slider['server_ms']['p50'])} on the server and "
        f"{_took(slider['end_to_end_ms']['p50'])} to pixels, an analysis of 300 observations "
        f"{_took(analysis)} once its network is known: medians on {slider['cores']} cores "
        f"({slider['processor']}) without a GPU, measured on {slider['day']}."
    )


def slider_text(slider: dict[str, Any]) -> str:
    """Return what `make bench` found."""
    took = {k: _took(slider[k]["p50"]) for k in ("server_ms", "end_to_end_ms", "first_paint_ms")}
    return (
        f"Medians: {took['server_ms']} on the server for a frame (decode, scores, eight panes), "
        f"{took['end_to_end_ms']} from slider event to changed pixels, "
        f"{slider['drag_3s']['fps']:.0f} frames a second in a drag, "
        f"{_took(slider['lag_after_release_ms'])} from release to the last change, "
        f"{took['first_paint_ms']} until the maps are there. A page that computes nothing but "
        f"paints as many panes for the same event takes "
        f"{_took(slider['floor']['end_to_end_ms']['p50'])}, so the dashboard takes "
        f"{slider['over_floor']:.1f} times as long.\n({_machine(slider)}.)"
    )


def assimilation_text(found: dict[str, Any]) -> str:
    """Return what `make bench-assimilation` found."""
    networks, edits, warmer = found["networks"], found["edits"], found["perturbation"]

    def ms(values: dict[str, float]) -> str:
        return _took(values["median_ms"])

    few, sea, many = (networks[n] for n in ("300 observations", "SST only", "10,000 observations"))
    return (
        f"Medians: the linear solution of 300 observations {ms(few['linear'])}, their full "
        f"analysis {ms(few['cached'])} once the network is known ({ms(few['first'])} the first "
        f"time in a calendar month), the whole sea {ms(sea['cached'])} ({ms(sea['first'])} the "
        f"first time), 10,000 observations, thinned, {ms(many['cached'])}; another value at an "
        f"old place {ms(edits['another value'])}, one place more {ms(edits['one place more'])}.\n"
        f"Until within 1 % of the same cost it takes {_took(found['race']['ours_ms'])}, Adam "
        f"{_took(found['race']['adam_ms'])}: {found['race']['ratio']:.0f} times as long.\n"
        f"The response to another amount of warming takes "
        f"{ms(warmer['response to another amount'])} "
        f"({ms(warmer['response, first of a season'])} the first time in a season), the map of a "
        f"sensitivity {ms(warmer['sensitivity to the sea'])}.\n({_machine(found)}.)"
    )


def main() -> None:
    """Read both files and write."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    slider, assimilation = (
        json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]
    )
    marks.write(ROOT / "README.md", "speed", sentence(slider, assimilation))
    results = ROOT / "docs" / "results.md"
    marks.write(results, "slider", slider_text(slider))
    marks.write(results, "assimilation-speed", assimilation_text(assimilation))


if __name__ == "__main__":
    main()
