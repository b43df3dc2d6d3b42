"""What a benchmark ran on, so that its times can be judged."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path
from typing import Any


def processor() -> str:
    """Return the processor's name, as the system gives it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def described() -> dict[str, Any]:
    """Return the day, the processor, its cores, and how busy they are."""
    return {
        "day": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }
