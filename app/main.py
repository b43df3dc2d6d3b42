"""The servable page: ``panel serve app``. Nothing here but assembly."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    # `panel serve app` works as typed, whether or not the project is installed.
    sys.path.insert(0, ROOT)

from app.page import serve  # noqa: E402

serve()
