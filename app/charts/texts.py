"""Numbers and months as the charts below the maps write them."""

from __future__ import annotations

from collections.abc import Sequence

from mlda_core.climate.time_step import MONTH, TimeStep

# A letter of the page's splits in words.
SPLIT_NAMES = {
    "t": "training",
    "v": "validation",
    "c": "calibration",
    "T": "test",
    "g": "gap",
}
MINUS = "\N{MINUS SIGN}"


def signed(value: float | None, decimals: int) -> str:
    """Write a number with its sign, and zero without.

    >>> signed(0.256, 2), signed(-1.0, 1), signed(-0.001, 1), signed(None, 1)
    ('+0.26', '−1.0', '0.0', 'none')
    """
    if value is None:
        return "none"
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+") + text


def plain(value: float, decimals: int) -> str:
    """Write a number without a plus.

    >>> plain(0.256, 2), plain(-0.256, 2)
    ('0.26', '−0.26')
    """
    return signed(value, decimals).replace("+", "")


def month_text(
    month: str, split: str, rows: Sequence[tuple[str, str]], step: TimeStep = MONTH
) -> str:
    """Write what a tooltip says of a month or day: a line of its own for each row.

    >>> print(month_text("1997-12", "T", [("target", "+0.2 K"), ("analysis", "none yet")]))
    1997-12, test month
    target +0.2 K
    analysis none yet
    """
    head = f"{month}, {SPLIT_NAMES[split]} {step}"
    return "\n".join([head, *(f"{name} {value}".strip() for name, value in rows)])
