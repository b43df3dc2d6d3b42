"""``mlda bench gcm``: its table. tests/simulate runs the command."""

from rich.console import Console

from mlda_core.cli.bench import _table


def timed(label, seconds):
    return {
        "label": label, "seconds_a_month": seconds, "processor_seconds_a_month": seconds / 2,
        "months_a_second": 1 / seconds,
    }  # fmt: skip


def test_the_table_holds_each_speed_and_its_ratios():
    result = {
        "machine": "a machine, 2 cores",
        "load": [0.14, 1.26],
        "gcm": timed("SPEEDY", 20.0),
        "single": timed("decoder, a month at a time", 0.004),
        "batch": timed("decoder, 120 at once", 0.0005),
        "fortran_months_a_second": 0.3,
        "ratio": {
            "single": 5000.0, "batch": 40_000.0, "fortran": 6.0,
            "single_to_fortran": 833.3, "batch_to_fortran": 6666.7,
        },
    }  # fmt: skip
    console = Console(width=200)
    with console.capture() as capture:
        console.print(_table(result))
    said = capture.get()
    rows = [[c.strip() for c in line.split("│")[1:-1]] for line in said.splitlines() if "│" in line]
    assert rows == [
        ["SPEEDY", "20 s", "10 s", "0.05", "1", "0.17"],
        ["decoder, a month at a time", "4 ms", "2 ms", "250", "5,000", "833"],
        ["decoder, 120 at once", "0.5 ms", "0.25 ms", "2e+03", "40,000", "6,667"],
        ["SPEEDY in Fortran, as documented", "3.33 s", "", "0.3", "6", "1"],
    ]
    assert "one core of a machine, 2 cores; load average 0.1 and 1.3 before and after" in said
